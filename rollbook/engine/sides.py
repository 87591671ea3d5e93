"""What can be compared: a package as it is judged, an accepted snapshot, a list of any columns. Each becomes sides for `compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rollbook.engine.accepted import parquet_of, payload_columns, scan
from rollbook.engine.compare import Compared, Side, compare_sides
from rollbook.engine.desired import Desired, desired_collections
from rollbook.engine.judgement import judge
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name
from rollbook.engine.tabular import LINE, Table
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.refusal import Refusal

DERIVED = "roles"
"""The collection whose ids are ours where a 1.1 package says it among its users."""

DERIVED_ID = "role-[0-9a-f]{32}"
FROM_V1P1 = {"primaryOrgSourcedId": "orgSourcedIds"}
"""Canonical fields by what 1.1 says them with."""


class Unreadable(Refusal):
    """This package cannot be read as a whole: `rollbook validate` says why."""


@dataclass
class Whole:
    """A package or a snapshot in Parquet. `files` are by collection; `columns` those that have a say; `held` SQL of ids on broken lines.

    A package says nothing of what it has no file for (`is_whole` is false), and of `changes` no more than what changed. `told` are columns that
    are told of where only this one has them.
    """

    label: str
    files: dict[str, Path] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changes: set[str] = field(default_factory=set)
    derives_roles: bool = False
    is_whole: bool = False


def whole_package(label: str, package: Path, work: Path) -> Whole:
    """The package, judged as an import does; the folder `work` has to stay until all is compared. Raises NotAPackage, Unreadable."""
    whole = Whole(label)
    staged = work / "staged"
    staged.mkdir(parents=True)
    with judge(package, staged, lenient=True, accepted=None) as judgement:
        if judgement.fatal:
            raise Unreadable(label)
        staging = judgement.staging
        for staged_file in staging.tables.values():
            # What would be held back is there all the same, and is compared; only broken lines cannot be.
            staging.run(f"DELETE FROM {staged_file.holds}")
            staged_file.held = 0
        for collection, desired in desired_collections(staging, None).items():
            target, held = work / f"{collection}.parquet", work / f"{collection}.held.parquet"
            staging.run(f"COPY ({_desired(desired)}) TO {literal(str(target))} (FORMAT parquet)")
            staging.run(f"COPY ({desired.held}) TO {literal(str(held))} (FORMAT parquet)")
            whole.files[collection] = target
            whole.held[collection] = f"SELECT source_id AS key FROM {scan(held)}"
            of_file = staging.tables.get(collection)
            known = payload_columns(collection)
            whole.columns[collection] = (
                tuple(
                    one
                    for one in known
                    if of_file.has(FROM_V1P1.get(one, one))
                    or of_file.has(one)
                    or (one == "metadata" and of_file.header.metadata)
                )
                if of_file
                else known
            )
            spoken = of_file or staging.tables["users"]
            if spoken.mode == "delta":
                whole.changes.add(collection)
        whole.derives_roles = DERIVED in whole.files and DERIVED not in staging.tables
    whole.told = whole.columns
    return whole


def whole_snapshot(label: str, accepted: Path) -> Whole:
    """What is stored of a connection, by the ids it delivered."""
    whole = Whole(label, is_whole=True)
    for collection in LOAD_ORDER:
        if stored := parquet_of(accepted, collection):
            whole.files[collection] = stored
            whole.columns[collection] = payload_columns(collection)
            whole.told[collection] = _filled(stored, payload_columns(collection))
    whole.derives_roles = DERIVED in whole.files and _are_ours(whole.files[DERIVED])
    return whole


def _are_ours(roles: Path) -> bool:
    """Whether the ids of all roles are made from what 1.1 says of users."""
    ours = f"bool_and(regexp_full_match(source_id, {literal(DERIVED_ID)}))"
    with reader("512MB", 2) as db:
        found = db.execute(
            f"SELECT coalesce({ours}, false) FROM {scan(roles)} WHERE status = 'active'"
        ).fetchall()
    return bool(found[0][0])


def _filled(stored: Path, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns in which anything stands."""
    counts = ", ".join(f"count({name(one)})" for one in columns)
    with reader("512MB", 2) as db:
        found = db.execute(f"SELECT {counts} FROM {scan(stored)} WHERE status = 'active'").fetchall()[0]
    return tuple(one for one, number in zip(columns, found, strict=True) if number)


def compare_wholes(first: Whole, second: Whole, out: Path, collections: Sequence[str] = ()) -> list[Compared]:
    """Collection by collection, by sourcedId, what both have a say in; `collections` narrows. Deleted records count for nothing."""
    compared = []
    for collection in LOAD_ORDER:
        mine, theirs = collection in first.files, collection in second.files
        if not (mine or theirs) or (collections and collection not in collections):
            continue
        if not (mine or first.is_whole) or not (theirs or second.is_whole):
            continue
        if collection == DERIVED and first.derives_roles != second.derives_roles:
            continue
        fields = [one for one in _columns(first, collection) if one in _columns(second, collection)]
        found = compare_sides(
            collection,
            _side(first, collection),
            _side(second, collection),
            [(one, one) for one in fields],
            out,
            hide=collection == "demographics",
        )
        compared.append(_with_columns(found, first, second, collection))
    return compared


def list_side(label: str, table: Table, column: str) -> Side:
    """A list somebody sent, by one of its columns."""
    names = ", ".join(
        f"{literal(one)}: 'VARCHAR'" for one in (f"c{place}" for place in range(len(table.columns) + 1))
    )
    rows = (
        f"read_csv({literal(str(table.path))}, auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"',"
        f" nullstr = '\x01\x02\x03', max_line_size = {64 << 20}, columns = {{{names}}})"
    )
    shown = (LINE, *table.columns)
    renamed = ", ".join(
        [
            f"c0 AS {name(LINE)}",
            *(f"c{place + 1} AS {name(one)}" for place, one in enumerate(table.columns)),
        ]
    )
    return Side(label, f"SELECT {renamed} FROM {rows}", column, shown)


def _desired(desired: Desired) -> str:
    columns = ", ".join(map(name, payload_columns(desired.collection)))
    return (
        f"SELECT line, source_id, CASE WHEN deleted THEN 'tobedeleted' ELSE 'active' END AS status, {columns}"
        f" FROM {desired.view}"
    )


def _side(whole: Whole, collection: str) -> Side:
    columns = payload_columns(collection)
    listed = ", ".join(f"{name(one)}::VARCHAR AS {name(one)}" for one in columns)
    source = scan(whole.files[collection]) + " WHERE status = 'active'" if collection in whole.files else ""
    nothing = f"SELECT {', '.join(f'NULL::VARCHAR AS {name(one)}' for one in ('line', 'sourcedId', *columns))} WHERE false"
    rows = (
        f'SELECT line::VARCHAR AS line, source_id AS "sourcedId", {listed} FROM {source}'
        if source
        else nothing
    )
    held = whole.held.get(collection, "SELECT NULL::VARCHAR AS key WHERE false")
    return Side(whole.label, rows, "sourcedId", ("line", "sourcedId"), held, collection in whole.changes)


def _columns(whole: Whole, collection: str) -> tuple[str, ...]:
    return whole.columns.get(collection, ())


def _with_columns(found: Compared, first: Whole, second: Whole, collection: str) -> Compared:
    """With the columns that only one side has, where both have the collection at all."""
    if collection not in first.files or collection not in second.files:
        return found
    mine, theirs = _columns(first, collection), _columns(second, collection)
    return replace(
        found,
        columns_first=tuple(one for one in first.told[collection] if one not in theirs),
        columns_second=tuple(one for one in second.told[collection] if one not in mine),
    )
