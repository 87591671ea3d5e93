"""Undoing: the plan that leads from the roster as it is to what it was before some earlier plans, of one connection. Values come back too.

What each record was is the `before` of the first of those plans that touched it. Nothing is read but plans and the accepted snapshot.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import duckdb

from rollbook.engine.accepted import PARQUET, parquet_of, payload_columns, record_json, scan
from rollbook.engine.elsewhere import Elsewhere, Neighbours
from rollbook.engine.plan import PlanSummary
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.spec import Field

REASON = "undone"
ACTIONS = ("relink", "create", "update", "restore", "delete")


Foreign = Callable[[str, Sequence[int]], Collection[int]]
"""Given a collection and record ids: those that are another connection's by now."""


def make_undo(
    plans: Sequence[Path],
    accepted: Path,
    out: Path,
    elsewhere: Elsewhere | None = None,
    foreign: Foreign | None = None,
) -> PlanSummary:
    """Writes `plan.parquet` into the folder `out`. `plans` are those to take back, the oldest first.

    `elsewhere` knows what other connections serve, or served: a record that comes back may refer to what is gone. What is another's by now,
    as `foreign` knows, does not come back.
    """
    out.mkdir(parents=True, exist_ok=True)
    with reader("512MB", 2, out) as db:
        _gather(db, plans, accepted)
        neighbours = Neighbours(db, elsewhere)
        for collection in LOAD_ORDER:
            _aim(db, collection, accepted, neighbours, foreign)
        _number(db)
        return _written(db, out / "plan.parquet")


def _gather(db: duckdb.DuckDBPyConnection, plans: Sequence[Path], accepted: Path) -> None:
    """`past`: each touched record as it was; `ids`: whose record every sourcedId is, or was; `aims`: empty."""
    all_changes = " UNION ALL ".join(
        f"SELECT {place} AS place, * FROM {scan(plan)}" for place, plan in enumerate(plans)
    )
    db.execute(f"CREATE VIEW changes AS {all_changes}")
    db.execute(
        "CREATE TABLE past AS SELECT collection, record_id, action, before FROM changes WHERE action <> 'relink'"
        " QUALIFY row_number() OVER (PARTITION BY collection, record_id ORDER BY place) = 1"
    )
    db.execute(
        "CREATE TABLE former AS SELECT collection, record_id, before->>'sourcedId' AS source_id FROM changes WHERE action = 'relink'"
        " QUALIFY row_number() OVER (PARTITION BY collection, record_id ORDER BY place) = 1"
    )
    db.execute("CREATE TABLE ids AS FROM former")
    for collection in LOAD_ORDER:
        if stored := parquet_of(accepted, collection):
            db.execute(
                f"INSERT INTO ids SELECT {literal(collection)}, record_id, source_id FROM {scan(stored)} WHERE source_id NOT IN"
                f" (SELECT source_id FROM former WHERE collection = {literal(collection)})"
            )
    db.execute(
        "CREATE TABLE aims (number BIGINT, collection VARCHAR, action VARCHAR, record_id BIGINT, source_id VARCHAR, before VARCHAR,"
        " after VARCHAR, refs VARCHAR, changed VARCHAR)"
    )


def _aim(
    db: duckdb.DuckDBPyConnection,
    collection: str,
    accepted: Path,
    neighbours: Neighbours,
    foreign: Foreign | None,
) -> None:
    """Puts into `aims` what differs between a collection's records now and in the past."""
    stored = parquet_of(accepted, collection)
    if stored is None:
        return
    was_there = "p.action IN ('update', 'delete')"
    action = (
        f"CASE WHEN NOT {was_there} THEN CASE WHEN a.status = 'active' THEN 'delete' END"
        f" WHEN a.status <> 'active' THEN 'restore' WHEN p.before <> {record_json('a', collection)} THEN 'update' END"
    )
    db.execute(
        f"CREATE OR REPLACE TABLE found AS SELECT {action} AS action, a.record_id, a.source_id,"
        f" {record_json('a', collection)} AS before, p.before AS after FROM past p"
        f" JOIN {scan(stored)} a ON a.record_id = p.record_id WHERE p.collection = {literal(collection)}"
    )
    db.execute(
        "DELETE FROM found WHERE action IS NULL; UPDATE found SET after = NULL WHERE action = 'delete'"
    )
    back = db.execute("SELECT record_id FROM found WHERE action = 'restore'").fetchall() if foreign else []
    if foreign and (gone := foreign(collection, [number for (number,) in back])):
        db.execute("DELETE FROM found WHERE record_id IN (SELECT unnest(?))", [sorted(gone)])
    refs, joins = _references(collection, accepted, neighbours)
    fields = f"[{', '.join(map(literal, payload_columns(collection)))}]"
    changed = f"list_filter({fields}, lambda field: before->>field IS DISTINCT FROM after->>field)"
    db.execute(
        f"INSERT INTO aims SELECT NULL, {literal(collection)}, action, f.record_id, f.source_id, before, after,"
        f" CASE WHEN after IS NOT NULL THEN {refs} END, CASE WHEN after IS NOT NULL THEN to_json({changed})::VARCHAR END"
        f" FROM found f {joins}"
    )
    db.execute(
        f"INSERT INTO aims SELECT NULL, {literal(collection)}, 'relink', o.record_id, o.source_id,"
        " to_json({'sourcedId': a.source_id})::VARCHAR, to_json({'sourcedId': o.source_id})::VARCHAR, NULL, '[\"sourcedId\"]'"
        f" FROM former o JOIN {scan(stored)} a ON a.record_id = o.record_id AND a.source_id <> o.source_id"
        f" WHERE o.collection = {literal(collection)}"
    )


def _references(collection: str, accepted: Path, neighbours: Neighbours) -> tuple[str, str]:
    """SQL for the record ids that a record of `found` will refer to, as a JSON object, and the joins that find them."""
    fields = [(field, f"f.after->>{literal(field.name)}") for field in COLLECTION[collection].references]
    if collection == "demographics":
        fields.append((Field("sourcedId", "guidRef", "yes", target="users"), "f.source_id"))
    pairs, joins = [], []
    for number, (field, value) in enumerate(fields):
        alias, target = f"i{number}", literal(field.target or "")
        ids = f"SELECT source_id AS key, record_id FROM ids WHERE collection = {target}"
        items = (
            f"SELECT f.record_id AS r, unnest(string_split({value}, ',')) AS item,"
            f" generate_subscripts(string_split({value}, ','), 1) AS place FROM found f WHERE {value} <> ''"
        )
        unknown = f"SELECT item AS value FROM ({items}) WHERE item NOT IN (SELECT key FROM ({ids}))"
        neighbours.look(field.target or "", unknown, accepted)
        ids += f" UNION ALL SELECT source_id AS key, record_id FROM ({neighbours.found(field.target or '')})"
        if field.is_list:
            ids = f"SELECT r AS key, list(record_id ORDER BY place) AS record_id FROM ({items}) JOIN ({ids}) ON key = item GROUP BY r"
            value = "f.record_id"
        pairs.append(f"{literal(field.name)}: {alias}.record_id")
        joins.append(f"LEFT JOIN ({ids}) {alias} ON {alias}.key = {value}")
    return (f"to_json({{{', '.join(pairs)}}})::VARCHAR" if pairs else "'{}'"), " ".join(joins)


def _number(db: duckdb.DuckDBPyConnection) -> None:
    """Numbers the changes as they are applied: new ids, then collections in load order, deletions last and backwards."""
    place = f"list_position({json.dumps(list(LOAD_ORDER)).replace(chr(34), chr(39))}, collection)"
    turn = f"CASE action WHEN 'relink' THEN 0 WHEN 'delete' THEN {2 * len(LOAD_ORDER)} - {place} ELSE {place} END"
    db.execute(
        f"UPDATE aims SET number = n.number FROM (SELECT rowid AS r, row_number() OVER (ORDER BY {turn}, record_id, collection)"
        " AS number FROM aims) n WHERE aims.rowid = n.r"
    )


def _written(db: duckdb.DuckDBPyConnection, target: Path) -> PlanSummary:
    db.execute(
        f"COPY (SELECT *, {literal(REASON)} AS reason, '' AS file, NULL::BIGINT AS line FROM aims ORDER BY number)"
        f" TO {literal(str(target))} {PARQUET}"
    )
    digest = hashlib.sha256()
    rows = db.execute(
        "SELECT md5(concat_ws('|', collection, action, record_id, source_id, before, after)) FROM aims ORDER BY number"
    )
    while batch := rows.fetchmany(10_000):
        digest.update("".join(row[0] for row in batch).encode())
    found = db.execute("SELECT collection, action, count(*) FROM aims GROUP BY ALL").fetchall()
    by_place = {(collection, action): number for collection, action, number in found}
    counts = {
        collection: {
            action: by_place[collection, action] for action in ACTIONS if (collection, action) in by_place
        }
        for collection in LOAD_ORDER
    }
    return PlanSummary(
        {one: actions for one, actions in counts.items() if actions}, {}, digest.hexdigest(), empty=False
    )
