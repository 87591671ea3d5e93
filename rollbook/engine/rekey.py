"""Re-keying: which removed records of a plan come back as added ones under another id, and the snapshot in which they have it already.

Pairs are proposals: one key, one record on each side. A person is the same one by identifier or e-mail (and one name in common), or by
name and birth date; everything else by what it says, once the ids it refers to are translated.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from rollbook.engine.accepted import PARQUET, md5, parquet_of, payload_columns, scan
from rollbook.engine.plan import PlanSummary
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name, words
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "orgs": (("identifier", "type"), ("name", "type", "parentSourcedId")),
    "academicSessions": (("title", "type", "startDate", "endDate"),),
    "courses": (("courseCode", "title", "orgSourcedId"), ("title", "orgSourcedId", "schoolYearSourcedId")),
    "classes": (
        ("classCode", "title", "schoolSourcedId", "courseSourcedId", "termSourcedIds"),
        ("title", "schoolSourcedId", "courseSourcedId", "termSourcedIds"),
    ),
    "users": (("identifier",), ("email",), ("familyName", "givenName", "birth")),
    "userProfiles": (("userSourcedId", "profileType", "vendorId", "applicationId", "credentialType"),),
    "roles": (("userSourcedId", "orgSourcedId", "role", "roleType"),),
    "enrollments": (
        ("userSourcedId", "classSourcedId", "role", "beginDate"),
        ("userSourcedId", "classSourcedId", "role"),
    ),
    "demographics": (("source_id",),),
    "resources": (("vendorResourceId", "vendorId", "applicationId"),),
    "courseResources": (("courseSourcedId", "resourceSourcedId"),),
    "classResources": (("classSourcedId", "resourceSourcedId"),),
    "userResources": (("userSourcedId", "resourceSourcedId", "classSourcedId", "orgSourcedId"),),
}
"""By what records are recognised, the surest first. The first field of a key has to be filled; of a person's name and birth, all."""

RECOGNISED = ("orgs", "academicSessions", "courses", "classes", "users", "demographics")
"""What it takes to recognise people and classes: what their keys are made of."""

BY_ONE_FIELD = frozenset({("identifier",), ("email",)})


@contextmanager
def pairing(plan: Path, work: Path, memory: str = "512MB") -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the table `pairs` (collection, record_id, old, new, come) of a plan's re-keyed records, while the block runs: `come` is
    the record id of the added one.
    """
    work.mkdir(parents=True, exist_ok=True)
    with reader(memory, 2, work) as db:
        db.execute(
            "CREATE TABLE pairs (collection VARCHAR, record_id BIGINT, old VARCHAR, new VARCHAR, come BIGINT)"
        )
        for collection in LOAD_ORDER:
            _take_sides(db, plan, collection)
            for key in KEYS[collection]:
                _pair(db, collection, key)
        yield db


def paired_since(plans: Sequence[Path], work: Path) -> dict[str, list[tuple[int, int]]]:
    """{collection: [(record id, record id under which it came back)]} of the people, classes and what classes refer to that all these plans
    together, the oldest first, removed and added.
    """
    if not plans:
        return {}
    work.mkdir(parents=True, exist_ok=True)
    net = work / "net.parquet"
    _write_net(plans, net)
    found: dict[str, list[tuple[int, int]]] = {}
    with pairing(net, work) as db:
        for collection, gone, come in db.execute("SELECT collection, record_id, come FROM pairs").fetchall():
            found.setdefault(collection, []).append((gone, come))
    return found


def _write_net(plans: Sequence[Path], target: Path) -> None:
    """What is gone in the end and was there at first, as it was when it went; what is there in the end and came on the way, as it is."""
    changes = " UNION ALL ".join(
        f"SELECT {place}::BIGINT << 40 | number AS turn, collection, action, record_id, source_id, before, after FROM {scan(plan)}"
        for place, plan in enumerate(plans)
    )
    ends = (
        "SELECT collection, record_id, arg_min(action, turn) AS begun, arg_max(action, turn) AS ended, arg_max(source_id, turn) AS source_id,"
        f" arg_max(before, turn) AS before, arg_max(after, turn) AS after FROM ({changes})"
        f" WHERE action <> 'relink' AND collection IN {words(RECOGNISED)} GROUP BY collection, record_id"
    )
    with reader("512MB", 2, target.parent) as db:
        db.execute(
            f"COPY (SELECT collection, CASE ended WHEN 'delete' THEN 'delete' ELSE 'create' END AS action, record_id, source_id, before, after"
            f" FROM ({ends}) WHERE (ended = 'delete') <> (begun = 'create')) TO {literal(str(target))} {PARQUET}"
        )


def count_pairs(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(db.execute("SELECT collection, count(*) FROM pairs GROUP BY 1").fetchall())


# --- Pairing ----------------------------------------------------------------------------------------------------------------------------


def _take_sides(db: duckdb.DuckDBPyConnection, plan: Path, collection: str) -> None:
    """Tables `gone` (with references as they will be) and `come`: record_id, source_id, the fields, and of users the birth date."""
    for table, side, action in (("gone", "before", "delete"), ("come", "after", "create")):
        fields = [
            f"{side}->>{literal(column)} AS {name(column)}"
            for column in payload_columns(collection)
            if column != "metadata"
        ]
        birth, joined = "NULL::VARCHAR", ""
        if collection == "users":
            birth = "d.birth"
            joined = (
                f" LEFT JOIN (SELECT source_id AS id, {side}->>'birthDate' AS birth FROM {scan(plan)}"
                f" WHERE collection = 'demographics' AND action = {literal(action)}) d ON d.id = p.source_id"
            )
        db.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT record_id, source_id, {', '.join(fields)}, {birth} AS birth"
            f" FROM {scan(plan)} p{joined} WHERE collection = {literal(collection)} AND action = {literal(action)}"
        )
    db.execute("ALTER TABLE gone ADD COLUMN old VARCHAR; UPDATE gone SET old = source_id")
    _translate(db, "gone", collection)


def _pair(db: duckdb.DuckDBPyConnection, collection: str, key: Sequence[str]) -> None:
    """Pairs what is still unpaired and has a key of its own on both sides."""
    needed = " AND ".join(f"{name(column)} <> ''" for column in (key if "birth" in key else key[:1]))
    text = f"concat_ws(chr(31), {', '.join(_plain(column) for column in key)})"
    sides = []
    for table, paired in (("gone", "old"), ("come", "new")):
        own = "old" if table == "gone" else "source_id"
        names = (
            ', any_value(lower("givenName")) AS given, any_value(lower("familyName")) AS family'
            if collection == "users"
            else ""
        )
        sides.append(
            f"(SELECT {text} AS key, any_value(record_id) AS record_id, any_value({own}) AS id{names} FROM {table} WHERE {needed}"
            f" AND {own} NOT IN (SELECT {paired} FROM pairs WHERE collection = {literal(collection)})"
            " GROUP BY 1 HAVING count(*) = 1)"
        )
    alike = " AND (g.given = c.given OR g.family = c.family)" if tuple(key) in BY_ONE_FIELD else ""
    db.execute(
        f"INSERT INTO pairs SELECT {literal(collection)}, g.record_id, g.id, c.id, c.record_id FROM {sides[0]} g JOIN {sides[1]} c"
        f" ON c.key = g.key{alike}"
    )


def _plain(column: str) -> str:
    """SQL for a field of a key: people are recognised whatever the case."""
    text = f"coalesce({name(column)}, '')"
    return f"lower({text})" if column in ("email", "givenName", "familyName") else text


def _translate(db: duckdb.DuckDBPyConnection, table: str, collection: str) -> bool:
    """Puts the new ids where the table refers to a paired record; whether any collection it refers to has pairs."""
    known = count_pairs(db)
    references = [
        (field.name, field.target or "", field.is_list) for field in COLLECTION[collection].references
    ]
    if collection == "demographics":
        references.append(("source_id", "users", False))
    touched = [one for one in references if known.get(one[1])]
    for column, target, is_list in touched:
        _translate_column(db, table, name(column), literal(target), is_list)
    return bool(touched)


def _translate_column(
    db: duckdb.DuckDBPyConnection, table: str, column: str, target: str, is_list: bool
) -> None:
    if not is_list:
        db.execute(
            f"UPDATE {table} SET {column} = p.new FROM pairs p WHERE p.collection = {target} AND p.old = {table}.{column}"
        )
        return
    items = (
        f"SELECT rowid AS r, unnest(string_split({column}, ',')) AS item,"
        f" generate_subscripts(string_split({column}, ','), 1) AS place FROM {table} WHERE {column} <> ''"
    )
    db.execute(
        f"UPDATE {table} SET {column} = n.text FROM (SELECT r, string_agg(coalesce(p.new, item), ',' ORDER BY place) AS text"
        f" FROM ({items}) LEFT JOIN pairs p ON p.collection = {target} AND p.old = item GROUP BY r) n WHERE {table}.rowid = n.r"
    )


# --- Taking the pairs over ------------------------------------------------------------------------------------------------------------------


def relink_accepted(db: duckdb.DuckDBPyConnection, accepted: Path, folder: Path) -> None:
    """Writes into `folder` the accepted snapshot in which every paired record has its new id, and is referred to by it."""
    folder.mkdir(parents=True, exist_ok=True)
    known = count_pairs(db)
    for collection in LOAD_ORDER:
        stored, target = parquet_of(accepted, collection), folder / f"{collection}.parquet"
        if stored is None:
            continue
        db.execute(f"CREATE OR REPLACE TABLE accepted AS SELECT * FROM {scan(stored)}")
        if collection != "demographics" and known.get(collection):
            _translate_column(db, "accepted", "source_id", literal(collection), False)
        if not _translate(db, "accepted", collection) and not known.get(collection):
            shutil.copyfile(stored, target)
            continue
        texts = ", ".join(f"coalesce({name(column)}, '')" for column in payload_columns(collection))
        db.execute(
            f"COPY (SELECT * REPLACE ({md5(f'concat_ws(chr(31), {texts})')} AS digest, {md5('source_id')} AS id_digest)"
            f" FROM accepted) TO {literal(str(target))} {PARQUET}"
        )
    db.execute("DROP TABLE IF EXISTS accepted")


def add_relinks(db: duckdb.DuckDBPyConnection, plan: Path, summary: PlanSummary) -> PlanSummary:
    """Puts the pairs in front of a plan, as changes with the action `relink`, and into its counts and fingerprint."""
    order = f"list_position({json.dumps(list(LOAD_ORDER)).replace(chr(34), chr(39))}, collection), record_id"
    count, digest = db.execute(
        f"SELECT count(*), coalesce(sha256(string_agg(concat_ws('|', collection, record_id, old, new), chr(10) ORDER BY {order})), '')"
        " FROM pairs"
    ).fetchall()[0]
    relinks = (
        f"SELECT row_number() OVER (ORDER BY {order}) AS number, collection, 'relink' AS action, record_id, new AS source_id,"
        " to_json({'sourcedId': old})::VARCHAR AS before, to_json({'sourcedId': new})::VARCHAR AS after, NULL::VARCHAR AS refs,"
        " '[\"sourcedId\"]' AS changed, 're-linked' AS reason, '' AS file, NULL::BIGINT AS line FROM pairs"
    )
    whole = plan.with_suffix(".relinked")
    db.execute(
        f"COPY ({relinks} UNION ALL SELECT * REPLACE (number + {count} AS number) FROM {scan(plan)})"
        f" TO {literal(str(whole))} {PARQUET}"
    )
    if plan.is_dir():
        shutil.rmtree(plan)
    os.replace(whole, plan)
    counts = {collection: dict(actions) for collection, actions in summary.counts.items()}
    for collection, number in count_pairs(db).items():
        counts[collection] = {"relink": number} | counts.get(collection, {})
    ordered = {collection: counts[collection] for collection in LOAD_ORDER if collection in counts}
    fingerprint = hashlib.sha256(f"{digest}{summary.fingerprint}".encode()).hexdigest()
    return replace(summary, counts=ordered, fingerprint=fingerprint)
