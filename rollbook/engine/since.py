"""Since the last delivery: columns that vanished or ran empty, ids that are suddenly others, ids that now name somebody else.

Only where records are stored. What vanished is told of; what is stored of it stays (absent is not empty).
"""

from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.findings import Findings
from rollbook.engine.offenders import hold_file_if_error, sound_records, tell_each
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staged, Staging
from rollbook.oneroster.collections import COLLECTION

SAMPLE = 1_000
"""Delivered records that are looked at first for values."""

FEWEST = 10
"""Values that ran empty, or ids that changed, from which it is noticed."""

NEW_SHARE = 0.25
"""Of the stored records, that are gone and come back under other ids: from here on it is a re-keying, not an exchange of people."""

KNOWN_SHARE = 0.5
"""Of the new ids, whose records are recognised as ones that are gone."""

RECOGNISED: dict[str, tuple[tuple[str, ...], ...]] = {
    "orgs": (("identifier",), ("name",)),
    "courses": (("courseCode", "title"),),
    "classes": (("classCode", "title"),),
    "users": (("identifier",), ("email",), ("username",)),
}
"""By what a record is recognised under another id, whatever the case; the first field has to be filled."""


def judge_since(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """Compares what was staged with what is stored, if anything is."""
    for staged in list(staging.tables.values()):
        stored = parquet_of(accepted, staged.name)
        if stored is None or not staged.rows or staged.name not in COLLECTION:
            continue
        _judge_columns(staging, staged, stored, findings)
        if staged.name in RECOGNISED and staged.mode == "bulk":
            _judge_keys(staging, staged, stored, findings)
        if staged.name == "users":
            _judge_reuse(staging, staged, stored, _other_person(staged), findings)
        if staged.name == "classes":
            _judge_reuse(staging, staged, stored, _other_class(), findings)


# --- Columns ----------------------------------------------------------------------------------------------------------------------------


def _judge_columns(staging: Staging, staged: Staged, stored: Path, findings: Findings) -> None:
    """How many values are stored in a column stands in the file's own statistics."""
    filled = dict(
        staging.connection.execute(
            "SELECT path_in_schema, sum(num_values - coalesce(stats_null_count, 0)) FROM parquet_metadata(?) GROUP BY 1",
            [str(stored)],
        ).fetchall()
    )
    blank = _blank_columns(staging, staged) if staged.mode == "bulk" else set()
    for field in COLLECTION[staged.name].fields:
        if not filled.get(field.name) or field.name not in staged.table.columns:
            continue
        if not staged.has(field.name):
            _tell_column(staging, staged, stored, "column-vanished", field.name, findings)
        elif (
            staged.mode == "bulk"
            and filled[field.name] >= FEWEST
            and field.name in blank
            and not _has_values(staging, staged, field.name)
        ):
            _tell_column(staging, staged, stored, "column-emptied", field.name, findings)
    for key, values in _metadata_keys(staging, stored) if filled.get("metadata") else []:
        place = staged.header.metadata.get(key)
        if place is None:
            _add_column(staging, staged, "column-vanished", f"metadata.{key}", values, findings)
        elif (
            staged.mode == "bulk"
            and values >= FEWEST
            and not _has_values(staging, staged, staged.columns[place])
        ):
            _add_column(staging, staged, "column-emptied", f"metadata.{key}", values, findings)


def _blank_columns(staging: Staging, staged: Staged) -> set[str]:
    """Those without a value in the first records: nearly all that have any have one there."""
    columns = [field.name for field in COLLECTION[staged.name].fields if staged.has(field.name)]
    signs = ", ".join(["true", *(f"bool_or({name(column)} <> '')" for column in columns)])
    _, *found = staging.one(f"SELECT {signs} FROM (SELECT * FROM {staged.records} LIMIT {SAMPLE})")
    return {column for column, some in zip(columns, found, strict=True) if not some}


def _has_values(staging: Staging, staged: Staged, column: str) -> bool:
    some = f"SELECT 1 FROM {staged.records} WHERE {name(column)} <> '' LIMIT 1"
    return staging.number(f"SELECT count(*) FROM ({some})") > 0


def _tell_column(
    staging: Staging, staged: Staged, stored: Path, code: str, column: str, findings: Findings
) -> None:
    values = staging.number(f"SELECT count({name(column)}) FROM {scan(stored)} WHERE status = 'active'")
    if values and (code == "column-vanished" or values >= FEWEST):
        _add_column(staging, staged, code, column, values, findings)


def _add_column(
    staging: Staging, staged: Staged, code: str, column: str, values: int, findings: Findings
) -> None:
    said = f"{values:,} {'record has' if values == 1 else 'records have'} a value stored in it. "
    findings.add(code, staged.file, 1, column, message=said, count=values)
    hold_file_if_error(staging, staged, findings, code)


def _metadata_keys(staging: Staging, stored: Path) -> list[tuple[str, int]]:
    """The names under which metadata is stored, and of how many living records."""
    every = f"SELECT unnest(json_keys(metadata)) AS key FROM {scan(stored)} WHERE status = 'active' AND metadata IS NOT NULL"
    return staging.connection.execute(
        f"SELECT key, count(*) FROM ({every}) GROUP BY key ORDER BY key"
    ).fetchall()


# --- Ids --------------------------------------------------------------------------------------------------------------------------------


def _judge_keys(staging: Staging, staged: Staged, stored: Path, findings: Findings) -> None:
    """Many ids are gone, many are new, and the records behind them are the same."""
    alive = f"{scan(stored)} WHERE status = 'active'"
    new = f'hash("sourcedId") NOT IN (SELECT hash(source_id) FROM {alive})'
    fresh, total = (
        staging.number(f"SELECT count_if({new}) FROM {staged.records}"),
        staging.number(f"SELECT count(*) FROM {alive}"),
    )
    if fresh < max(FEWEST, NEW_SHARE * total):
        return
    gone = f'{alive} AND hash(source_id) NOT IN (SELECT hash("sourcedId") FROM {staged.records})'
    lost = staging.number(f"SELECT count(*) FROM {gone}")
    if lost < max(FEWEST, NEW_SHARE * total):
        return
    same = " OR ".join(
        f"({name(key[0])} <> '' AND {_key(key)} IN (SELECT {_key(key)} FROM {gone} AND {name(key[0])} IS NOT NULL))"
        for key in RECOGNISED[staged.name]
        if all(map(staged.has, key))
    )
    again = staging.number(f"SELECT count(*) FROM {staged.records} WHERE {new} AND ({same})") if same else 0
    if again >= KNOWN_SHARE * fresh:
        said = (
            f"{fresh:,} of {staged.rows:,} records have ids that were never delivered before, {lost:,} ids are gone, and {again:,} of the"
            " new records are known by other values under an id that is gone. "
        )
        findings.add("rekeyed", staged.file, 0, "sourcedId", message=said, count=again)
        hold_file_if_error(staging, staged, findings, "rekeyed")


def _key(columns: tuple[str, ...]) -> str:
    return f"hash({', '.join(f'lower(coalesce({name(column)}, {chr(39) * 2}))' for column in columns)})"


def _judge_reuse(staging: Staging, staged: Staged, stored: Path, other: str, findings: Findings) -> None:
    """Most have the first name, or the title, that is stored: hashes tell these first, which is cheap; only the others are joined."""
    if not other:
        return
    first = 'lower("givenName")' if staged.name == "users" else '"title"'
    same = f"SELECT hash(source_id, {first}) FROM {scan(stored)}"
    others = f'SELECT * FROM {sound_records(staged)} WHERE hash("sourcedId", {first}) NOT IN ({same})'
    offenders = (
        f"SELECT d.r, d.\"sourcedId\" AS value, '' AS said FROM ({others}) d"
        f' JOIN {scan(stored)} a ON a.source_id = d."sourcedId" WHERE {other}'
    )
    tell_each(staging, staged, findings, "id-reused", "sourcedId", offenders)


def _other_person(staged: Staged) -> str:
    """SQL: neither name is the same, nor the identifier or the e-mail, as far as both are known. Marriage changes one of them."""
    known = " OR ".join(
        f"(d.{name(column)} <> '' AND lower(d.{name(column)}) <> lower(a.{name(column)}))"
        for column in ("identifier", "email")
        if staged.has(column)
    )
    names = " AND ".join(
        f"lower(d.{name(column)}) <> lower(a.{name(column)})" for column in ("givenName", "familyName")
    )
    return f"{names} AND ({known})" if known else ""


def _other_class() -> str:
    """SQL: another title, another course, other terms."""
    return " AND ".join(
        f"d.{name(column)} <> coalesce(a.{name(column)}, {literal('')})"
        for column in ("title", "courseSourcedId", "termSourcedIds")
    )
