"""Writing down what differs: the plan, one row a change, and the snapshot as it will be once the plan is applied."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rollbook.engine.accepted import PARQUET, filled, parquet_of, payload_columns, record_json, scan
from rollbook.engine.differences import Differences
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staging
from rollbook.engine.telling import Tell, untold
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.spec import Field

TOGETHER = 10_000
"""So many changes at most are written into one file, if they are of several kinds."""

Part = tuple[str, int]
"""SQL of some changes of a plan, and how many they are."""


def write_plan(
    staging: Staging,
    differences: dict[str, Differences],
    accepted: Path | None,
    target: Path,
    tell: Tell = untold,
) -> None:
    """Writes the plan: number, collection, action, record_id, source_id, before, after, refs, changed, reason, file, line."""
    parts: list[Part] = []
    for found in differences.values():
        parts += [
            (_creations_of(staging, found, piece, differences, accepted), made)
            for piece, made in found.creation_pieces
        ]
        others = found.changes - found.counts.get("create", 0)
        if others:
            parts.append((_updates_of(staging, found, differences, accepted), others))
    parts += [
        (_deletions_of(found), found.deletions) for found in reversed(differences.values()) if found.deletions
    ]
    _write_in_parts(staging, list(_small_together(parts)) or [(NO_CHANGES, 0)], target, tell)


def _small_together(parts: Iterable[Part]) -> Iterator[Part]:
    """Parts of few changes as one: every file is opened by all who read the plan."""
    queries: list[str] = []
    rows = 0
    for query, number in parts:
        if queries and rows + number > TOGETHER:
            yield " UNION ALL ".join(queries), rows
            queries, rows = [], 0
        queries.append(query)
        rows += number
    if queries:
        yield " UNION ALL ".join(queries), rows


def _write_in_parts(staging: Staging, parts: Sequence[Part], target: Path, tell: Tell) -> None:
    """A folder of Parquet files, which reads as one: one query after the other, so that only one is in memory."""
    if target.is_dir():
        shutil.rmtree(target)
    target.mkdir()
    staging.run("SET preserve_insertion_order = false")
    written, known = 0, sum(rows for _, rows in parts)
    for number, (part, rows) in enumerate(parts):
        tell("recording", written, known)
        staging.run(f"COPY ({part}) TO {literal(str(target / f'{number:02}.parquet'))} {PARQUET}")
        written += rows
    tell("recording", written, known)


NO_CHANGES = (
    "SELECT NULL::BIGINT AS number, '' AS collection, '' AS action, NULL::BIGINT AS record_id, '' AS source_id, NULL::VARCHAR AS before,"
    " NULL::VARCHAR AS after, NULL::VARCHAR AS refs, NULL::VARCHAR AS changed, '' AS reason, '' AS file, NULL::BIGINT AS line WHERE false"
)


def _creations_of(
    staging: Staging,
    found: Differences,
    piece: str,
    differences: dict[str, Differences],
    accepted: Path | None,
) -> str:
    refs, joins = _references(staging, found, piece, differences, accepted)
    return (
        f"SELECT y.number, {literal(found.collection)} AS collection, y.action, y.record_id, d.source_id, NULL::VARCHAR AS before,"
        f" {record_json('d', found.collection)} AS after, {refs} AS refs, NULL::VARCHAR AS changed, y.reason,"
        f" {literal(found.desired.file)} AS file, d.line FROM ({piece}) y"
        f" JOIN {found.desired.view} d ON d.r = y.r {joins}"
    )


def _updates_of(
    staging: Staging, found: Differences, differences: dict[str, Differences], accepted: Path | None
) -> str:
    assert found.stored is not None
    refs, joins = _references(staging, found, found.others_sql, differences, accepted)
    return (
        f"SELECT y.number, {literal(found.collection)} AS collection, y.action, y.record_id, d.source_id,"
        f" {record_json('a', found.collection)} AS before, {record_json('d', found.collection)} AS after, {refs} AS refs,"
        f" {_changed(found.collection)} AS changed, y.reason, {literal(found.desired.file)} AS file, d.line FROM ({found.others_sql}) y"
        f" JOIN {found.desired.view} d ON d.r = y.r JOIN {scan(found.stored)} a ON a.record_id = y.record_id {joins}"
        " WHERE y.action <> 'delete'"
    )


def _deletions_of(found: Differences) -> str:
    assert found.stored is not None
    return (
        f"SELECT y.number, {literal(found.collection)} AS collection, y.action, y.record_id, a.source_id,"
        f" {record_json('a', found.collection)} AS before, NULL::VARCHAR AS after, NULL::VARCHAR AS refs, NULL::VARCHAR AS changed, y.reason,"
        f" {literal(found.desired.file)} AS file, d.line FROM ({found.others_sql}) y JOIN {scan(found.stored)} a"
        f" ON a.record_id = y.record_id LEFT JOIN {found.desired.view} d ON d.r = y.r WHERE y.action = 'delete'"
    )


def _changed(collection: str) -> str:
    """SQL: the names of the fields that differ, as a JSON list."""
    cases = ", ".join(
        f"CASE WHEN d.{name(column)} <> coalesce(a.{name(column)}, '') THEN {literal(column)} END"
        for column in payload_columns(collection)
    )
    return f"to_json(list_filter([{cases}], lambda field: field IS NOT NULL))::VARCHAR"


def _references(
    staging: Staging,
    found: Differences,
    changed: str,
    differences: dict[str, Differences],
    accepted: Path | None,
) -> tuple[str, str]:
    """SQL for the record ids a change of `changed` (SQL) refers to, as a JSON object, and the joins that find them."""
    fields = [(field.name, name(field.name), field) for field in COLLECTION[found.collection].references]
    if found.collection == "demographics":
        fields.append(("sourcedId", "source_id", Field("sourcedId", "guidRef", "yes", target="users")))
    pairs, joins = [], []
    for number, (key, column, reference) in enumerate(fields):
        ids = _ids(staging, reference.target or "", differences, accepted)
        alias = f"i{number}"
        pairs.append(f"{literal(key)}: {alias}.record_id")
        if reference.is_list:
            ids = _listed(found, changed, column, ids)
            joins.append(f"LEFT JOIN ({ids}) {alias} ON {alias}.r = d.r")
        else:
            joins.append(f"LEFT JOIN ({ids}) {alias} ON {alias}.source_id = d.{column}")
    return f"to_json({{{', '.join(pairs)}}})::VARCHAR" if pairs else "'{}'", " ".join(joins)


def _ids(staging: Staging, target: str, differences: dict[str, Differences], accepted: Path | None) -> str:
    """SQL: source_id and record_id of all records of a collection, stored and new, and of those found elsewhere."""
    elsewhere = staging.neighbours.found(target)
    parts = [f"SELECT source_id, record_id FROM ({elsewhere})"]
    if stored := parquet_of(accepted, target):
        # What is deleted here, and lives elsewhere, is meant as it lives.
        living = f"SELECT source_id FROM ({elsewhere})"
        parts.append(f"SELECT source_id, record_id FROM {scan(stored)} WHERE source_id NOT IN ({living})")
    if target in differences and differences[target].counts.get("create"):
        found = differences[target]
        parts.append(f"SELECT source_id, {found.first_free_id} + rowid AS record_id FROM {found.created}")
    return " UNION ALL ".join(parts)


def _listed(found: Differences, changed: str, column: str, ids: str) -> str:
    """SQL: for each changed record r, the record ids of a list of references, in its order."""
    items = (
        f"SELECT d.r, unnest(string_split(d.{column}, ',')) AS item, generate_subscripts(string_split(d.{column}, ','), 1) AS place"
        f" FROM {found.desired.view} d SEMI JOIN ({changed}) y ON y.r = d.r WHERE d.{column} <> ''"
    )
    return f"SELECT r, list(record_id ORDER BY place) AS record_id FROM ({items}) JOIN ({ids}) ON source_id = item GROUP BY r"


def write_accepted(
    staging: Staging, differences: dict[str, Differences], accepted: Path | None, folder: Path
) -> None:
    """The snapshot as it will be: a collection without changes is the same file, by a second name where the disk allows it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for collection in LOAD_ORDER:
        found, stored = differences.get(collection), parquet_of(accepted, collection)
        target = folder / f"{collection}.parquet"
        if found is not None and found.counts:
            staging.run(f"COPY ({_next(found)}) TO {literal(str(target))} {PARQUET}")
        elif stored is not None:
            same_file(stored, target)


def same_file(source: Path, target: Path) -> None:
    """The file by a second name, or a copy where there is none."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without second names
        shutil.copyfile(source, target)


def _next(found: Differences) -> str:
    """SQL of a collection's records once the plan is applied. What is deleted stays, with its status."""
    changes = found.creations_sql
    if found.stored is not None:
        changes += f" UNION ALL {found.others_sql}"
    columns = ", ".join(map(name, payload_columns(found.collection)))
    parts = [
        f"SELECT y.record_id, d.source_id, 'active' AS status, d.line, y.digest, y.id_digest, {filled(found.collection)}"
        f" FROM ({changes}) y JOIN {found.desired.view} d ON d.r = y.r WHERE y.action <> 'delete'"
    ]
    if found.stored is not None:
        parts.append(
            "SELECT a.record_id, a.source_id, CASE WHEN y.action = 'delete' THEN 'tobedeleted' ELSE a.status END AS status, a.line,"
            f" a.digest, a.id_digest, {columns} FROM {scan(found.stored)} a LEFT JOIN {found.others} y"
            " ON y.record_id = a.record_id WHERE y.action IS NULL OR y.action = 'delete'"
        )
    return " UNION ALL ".join(parts)
