"""Planning: what is desired compared with what was accepted, and the differences written down as a plan, in the order they are applied.

A plan is a Parquet file, one row a change; beside it goes the snapshot that will be the accepted one once the plan is applied.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.engine.accepted import PARQUET, filled, md5, parquet_of, payload, payload_columns, scan
from rollbook.engine.desired import Desired, desired_collections
from rollbook.engine.judgement import Judgement
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staging
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.spec import Field

ACTIONS = ("create", "update", "restore", "delete")
DIGEST_GROUP = 10_000


@dataclass(frozen=True)
class PlanSummary:
    """What a plan would do. `counts` is {collection: {action: number}} of what changes, `held` {collection: records held back}.

    `fingerprint` is the same for the same changes, whatever the order of rows in the files. `empty` says that nothing is stored and
    nothing came in. `findings` counts by severity.
    """

    counts: dict[str, dict[str, int]]
    held: dict[str, int]
    fingerprint: str
    empty: bool
    findings: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        return sum(sum(actions.values()) for actions in self.counts.values())


@dataclass(frozen=True)
class Planning:
    """The differences of one collection, in the table `y_<collection>`: number, action, reason, r, record_id, before_digest, digest."""

    desired: Desired
    stored: Path | None
    first_free_id: int
    counts: dict[str, int]

    @property
    def collection(self) -> str:
        return self.desired.collection

    @property
    def table(self) -> str:
        return name(f"y_{self.collection}")

    @property
    def created(self) -> str:
        return name(f"n_{self.collection}")


def make_plan(
    judgement: Judgement, accepted: Path | None, out: Path, first_free_ids: dict[str, int]
) -> PlanSummary:
    """Writes `plan.parquet` and the folder `accepted` into the folder `out`.

    `accepted` is the folder the package was judged against, None where nothing is stored. New records get ids from `first_free_ids` on,
    in the order of their source ids.
    """
    assert not judgement.fatal, "what is fatal is not planned"
    staging = judgement.staging
    out.mkdir(parents=True, exist_ok=True)
    plannings = {
        collection: _compare(staging, desired, accepted, first_free_ids[collection])
        for collection, desired in desired_collections(staging, accepted).items()
    }
    _number(staging, list(plannings.values()))
    _write_plan(staging, plannings, accepted, out / "plan.parquet")
    _write_accepted(staging, plannings, accepted, out / "accepted")
    return PlanSummary(
        counts={collection: planning.counts for collection, planning in plannings.items() if planning.counts},
        held=_held(plannings),
        fingerprint=_fingerprint(staging, list(plannings.values())),
        empty=_nothing(staging, plannings, accepted),
        findings=judgement.counts,
    )


# --- Comparing ----------------------------------------------------------------------------------------------------------------------------


def _compare(staging: Staging, desired: Desired, accepted: Path | None, first_free_id: int) -> Planning:
    """Finds the differences by two digests a record: which record, and what it says."""
    stored = parquet_of(accepted, desired.collection)
    keys = f"SELECT r, deleted, {md5('source_id')} AS id_digest, {md5(payload(desired.collection))} AS digest FROM {desired.view}"
    table = name(f"x_{desired.collection}")
    if stored is None:
        staging.run(
            f"CREATE TABLE {table} AS SELECT r, NULL::BIGINT AS record_id, 'create' AS action, 'delivered' AS reason, id_digest,"
            f" NULL::UUID AS before_digest, digest FROM ({keys}) WHERE NOT deleted"
        )
    else:
        staging.run(f"CREATE TABLE {table} AS {_differences(keys, desired, stored)}")
        _spare_the_held(staging, desired, table)
    counts = _allocate(staging, desired, table, first_free_id)
    return Planning(desired, stored, first_free_id, counts)


def _differences(keys: str, desired: Desired, stored: Path) -> str:
    """SQL of the differences; `missing` is what is stored and not desired, whose meaning is decided later."""
    join = "FULL" if desired.absence_deletes else "LEFT"
    action = (
        "CASE WHEN d.r IS NULL THEN CASE WHEN a.status = 'active' THEN 'missing' END"
        " WHEN d.deleted THEN CASE WHEN a.status = 'active' THEN 'delete' END"
        " WHEN a.record_id IS NULL THEN 'create'"
        " WHEN a.status <> 'active' THEN 'restore'"
        " WHEN a.digest <> d.digest THEN 'update' END"
    )
    reason = (
        "CASE action WHEN 'missing' THEN 'missing from the file' WHEN 'delete' THEN 'marked tobedeleted'"
        " WHEN 'create' THEN 'new' WHEN 'restore' THEN 'delivered again' ELSE 'changed' END"
    )
    return (
        f"SELECT r, record_id, action, {reason} AS reason, id_digest, before_digest, digest FROM"
        f" (SELECT d.r, a.record_id, {action} AS action, coalesce(d.id_digest, a.id_digest) AS id_digest, a.digest AS before_digest,"
        f" d.digest FROM ({keys}) d {join} JOIN (SELECT record_id, id_digest, digest, status FROM {scan(stored)}"
        f" WHERE {desired.stored}) a ON a.id_digest = d.id_digest) WHERE action IS NOT NULL"
    )


def _spare_the_held(staging: Staging, desired: Desired, table: str) -> None:
    """What is held back is not missing; what is missing is to be deleted."""
    held = f"SELECT {md5('source_id')} FROM ({desired.held})"
    staging.run(f"DELETE FROM {table} WHERE action = 'missing' AND id_digest IN ({held})")
    staging.run(f"UPDATE {table} SET action = 'delete' WHERE action = 'missing'")


def _allocate(staging: Staging, desired: Desired, table: str, first_free_id: int) -> dict[str, int]:
    """Gives ids to what is created and puts all differences into `y_…`; counts them by action."""
    created = name(f"n_{desired.collection}")
    staging.run(
        f"CREATE TABLE {created} AS SELECT d.source_id, d.r FROM {desired.view} d SEMI JOIN"
        f" (SELECT r FROM {table} WHERE action = 'create') x ON x.r = d.r ORDER BY d.source_id"
    )
    staging.run(
        f"CREATE TABLE {name(f'y_{desired.collection}')} AS SELECT NULL::BIGINT AS number, x.action, x.reason, x.r,"
        f" coalesce(x.record_id, {first_free_id} + n.rowid) AS record_id, x.id_digest, x.before_digest, x.digest"
        f" FROM {table} x LEFT JOIN {created} n ON n.r = x.r"
    )
    staging.run(f"DROP TABLE {table}")
    found = staging.connection.execute(
        f"SELECT action, count(*) FROM {name(f'y_{desired.collection}')} GROUP BY 1"
    ).fetchall()
    counts = dict(found)
    return {action: counts[action] for action in ACTIONS if action in counts}


def _number(staging: Staging, plannings: list[Planning]) -> None:
    """Numbers the changes as they are applied: collections in load order, deletions last and backwards; each by record id."""
    first = 1
    for planning in plannings:
        first = _number_some(staging, planning, "action <> 'delete'", first)
    for planning in reversed(plannings):
        first = _number_some(staging, planning, "action = 'delete'", first)


def _number_some(staging: Staging, planning: Planning, which: str, first: int) -> int:
    """Numbers those changes of a collection from `first` on; the next free number."""
    some = staging.number(f"SELECT count(*) FROM {planning.table} WHERE {which}")
    if some:
        staging.run(
            f"UPDATE {planning.table} SET number = {first} + place FROM (SELECT record_id AS id, row_number() OVER (ORDER BY record_id) - 1"
            f" AS place FROM {planning.table} WHERE {which}) WHERE record_id = id"
        )
    return first + some


def _fingerprint(staging: Staging, plannings: list[Planning]) -> str:
    """The sha256 of all changes in their order: collection, action, whose, what it said, what it will say."""
    total = hashlib.sha256()
    for planning in plannings:
        change = (
            f"md5(concat_ws('|', {literal(planning.collection)}, action, id_digest, coalesce(before_digest::VARCHAR, ''),"
            " coalesce(digest::VARCHAR, '')))"
        )
        groups = staging.connection.execute(
            f"SELECT sha256(string_agg({change}, '' ORDER BY number)) FROM {planning.table}"
            f" GROUP BY number // {DIGEST_GROUP} ORDER BY number // {DIGEST_GROUP}"
        ).fetchall()
        for (group,) in groups:
            total.update(group.encode())
    return total.hexdigest()


def _held(plannings: dict[str, Planning]) -> dict[str, int]:
    return {
        collection: planning.desired.holding
        for collection, planning in plannings.items()
        if planning.desired.holding
    }


def _nothing(staging: Staging, plannings: dict[str, Planning], accepted: Path | None) -> bool:
    if any(
        staging.number(f"SELECT count(*) FROM (FROM {planning.desired.view} LIMIT 1)")
        for planning in plannings.values()
    ):
        return False
    stored = [parquet for collection in LOAD_ORDER if (parquet := parquet_of(accepted, collection))]
    return not any(
        staging.number(f"SELECT count(*) FROM {scan(path)} WHERE status = 'active'") for path in stored
    )


# --- Writing ------------------------------------------------------------------------------------------------------------------------------


def _write_plan(
    staging: Staging, plannings: dict[str, Planning], accepted: Path | None, target: Path
) -> None:
    parts = [
        part
        for planning in plannings.values()
        for part in _changes_of(staging, planning, plannings, accepted)
    ]
    parts += [
        _deletions_of(planning) for planning in reversed(plannings.values()) if "delete" in planning.counts
    ]
    staging.run(f"COPY ({' UNION ALL '.join(parts or [NO_CHANGES])}) TO {literal(str(target))} {PARQUET}")


NO_CHANGES = (
    "SELECT NULL::BIGINT AS number, '' AS collection, '' AS action, NULL::BIGINT AS record_id, '' AS source_id, NULL::VARCHAR AS before,"
    " NULL::VARCHAR AS after, NULL::VARCHAR AS refs, NULL::VARCHAR AS changed, '' AS reason, '' AS file, NULL::BIGINT AS line WHERE false"
)


def _changes_of(
    staging: Staging, planning: Planning, plannings: dict[str, Planning], accepted: Path | None
) -> list[str]:
    """SELECTs of what is created, and of what is updated or restored."""
    updates = [action for action in ("update", "restore") if action in planning.counts]
    creates = ["create"] if "create" in planning.counts else []
    if not updates and not creates:
        return []
    refs, joins = _references(staging, planning, plannings, accepted)
    parts = []
    for actions in (some for some in (creates, updates) if some):
        before, changed, stored = "NULL::VARCHAR", "NULL::VARCHAR", ""
        if actions is updates:
            assert planning.stored is not None
            before, changed = f"{_json('a', planning.collection)}", _changed(planning.collection)
            stored = f"JOIN {scan(planning.stored)} a ON a.record_id = y.record_id"
        parts.append(
            f"SELECT y.number, {literal(planning.collection)} AS collection, y.action, y.record_id, d.source_id, {before} AS before,"
            f" {_json('d', planning.collection)} AS after, {refs} AS refs, {changed} AS changed, y.reason,"
            f" {literal(planning.desired.file)} AS file, d.line FROM {planning.table} y"
            f" JOIN {planning.desired.view} d ON d.r = y.r {stored} {joins} WHERE y.action IN ({', '.join(map(literal, actions))})"
        )
    return parts


def _deletions_of(planning: Planning) -> str:
    assert planning.stored is not None
    return (
        f"SELECT y.number, {literal(planning.collection)} AS collection, y.action, y.record_id, a.source_id,"
        f" {_json('a', planning.collection)} AS before, NULL::VARCHAR AS after, NULL::VARCHAR AS refs, NULL::VARCHAR AS changed, y.reason,"
        f" {literal(planning.desired.file)} AS file, d.line FROM {planning.table} y JOIN {scan(planning.stored)} a"
        f" ON a.record_id = y.record_id LEFT JOIN {planning.desired.view} d ON d.r = y.r WHERE y.action = 'delete'"
    )


def _json(side: str, collection: str) -> str:
    """SQL: the canonical record of one side as a JSON object."""
    pairs = [
        f"{literal(column)}: nullif({side}.{name(column)}, '')" + ("::JSON" if column == "metadata" else "")
        for column in payload_columns(collection)
    ]
    return f"to_json({{{', '.join(pairs)}}})::VARCHAR"


def _changed(collection: str) -> str:
    """SQL: the names of the fields that differ, as a JSON list."""
    cases = ", ".join(
        f"CASE WHEN d.{name(column)} <> coalesce(a.{name(column)}, '') THEN {literal(column)} END"
        for column in payload_columns(collection)
    )
    return f"to_json(list_filter([{cases}], lambda field: field IS NOT NULL))::VARCHAR"


def _references(
    staging: Staging, planning: Planning, plannings: dict[str, Planning], accepted: Path | None
) -> tuple[str, str]:
    """SQL for the record ids a change refers to, as a JSON object, and the joins that find them."""
    fields = [(field.name, name(field.name), field) for field in COLLECTION[planning.collection].references]
    if planning.collection == "demographics":
        fields.append(("sourcedId", "source_id", Field("sourcedId", "guidRef", "yes", target="users")))
    pairs, joins = [], []
    for number, (key, column, reference) in enumerate(fields):
        ids = _ids(reference.target or "", plannings, accepted)
        alias = f"i{number}"
        pairs.append(f"{literal(key)}: {alias}.record_id")
        if reference.is_list:
            ids = _listed(planning, column, ids)
            joins.append(f"LEFT JOIN ({ids}) {alias} ON {alias}.r = d.r")
        else:
            joins.append(f"LEFT JOIN ({ids}) {alias} ON {alias}.source_id = d.{column}")
    return f"to_json({{{', '.join(pairs)}}})::VARCHAR" if pairs else "'{}'", " ".join(joins)


def _ids(target: str, plannings: dict[str, Planning], accepted: Path | None) -> str:
    """SQL: source_id and record_id of all records of a collection, stored and new."""
    parts = ["SELECT NULL::VARCHAR AS source_id, NULL::BIGINT AS record_id WHERE false"]
    if stored := parquet_of(accepted, target):
        parts.append(f"SELECT source_id, record_id FROM {scan(stored)}")
    if target in plannings:
        planning = plannings[target]
        parts.append(
            f"SELECT source_id, {planning.first_free_id} + rowid AS record_id FROM {planning.created}"
        )
    return " UNION ALL ".join(parts)


def _listed(planning: Planning, column: str, ids: str) -> str:
    """SQL: for each changed record r, the record ids of a list of references, in its order."""
    items = (
        f"SELECT d.r, unnest(string_split(d.{column}, ',')) AS item, generate_subscripts(string_split(d.{column}, ','), 1) AS place"
        f" FROM {planning.desired.view} d SEMI JOIN {planning.table} y ON y.r = d.r WHERE d.{column} <> ''"
    )
    return f"SELECT r, list(record_id ORDER BY place) AS record_id FROM ({items}) JOIN ({ids}) ON source_id = item GROUP BY r"


def _write_accepted(
    staging: Staging, plannings: dict[str, Planning], accepted: Path | None, folder: Path
) -> None:
    """The snapshot as it will be: a collection without changes is the same file, by a second name where the disk allows it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for collection in LOAD_ORDER:
        planning, stored = plannings.get(collection), parquet_of(accepted, collection)
        target = folder / f"{collection}.parquet"
        if planning is not None and planning.counts:
            staging.run(f"COPY ({_next(planning)}) TO {literal(str(target))} {PARQUET}")
        elif stored is not None:
            _same_file(stored, target)


def _same_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _next(planning: Planning) -> str:
    """SQL of a collection's records once the plan is applied. What is deleted stays, with its status."""
    columns = ", ".join(map(name, payload_columns(planning.collection)))
    parts = [
        f"SELECT y.record_id, d.source_id, 'active' AS status, d.line, y.digest, y.id_digest, {filled(planning.collection)}"
        f" FROM {planning.table} y JOIN {planning.desired.view} d ON d.r = y.r WHERE y.action <> 'delete'"
    ]
    if planning.stored is not None:
        parts.append(
            "SELECT a.record_id, a.source_id, CASE WHEN y.action = 'delete' THEN 'tobedeleted' ELSE a.status END AS status, a.line,"
            f" a.digest, a.id_digest, {columns} FROM {scan(planning.stored)} a LEFT JOIN {planning.table} y"
            " ON y.record_id = a.record_id WHERE y.action IS NULL OR y.action = 'delete'"
        )
    return " UNION ALL ".join(parts)
