"""Offenders: what a query found suspicious becomes findings, one for each record or one for each value that many records share."""

from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.findings import LISTED, Finding, Findings
from rollbook.engine.rules import hold
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging

LINES = 5
"""How many lines of records that share a value are named."""


def tell_each(
    staging: Staging, staged: Staged, findings: Findings, code: str, column: str, offenders: str
) -> None:
    """One finding for each of `offenders`, which is SQL of r, value and said: what is said in front of what is to be done."""
    total = staging.made(f"CREATE OR REPLACE TEMP TABLE told AS {offenders}")
    if not total:
        return
    rows = staging.connection.execute(
        f"SELECT s.line, told.value, s.source_id, told.said FROM (SELECT * FROM told ORDER BY r LIMIT {LISTED}) told"
        f" JOIN ({_places(staged)}) s USING (r) ORDER BY r"
    ).fetchall()
    sample = (
        Finding(code, "", "", line, column, value, said, source_id) for line, value, source_id, said in rows
    )
    findings.flood(code, staged.file, total, sample)
    hold_if_error(staging, staged, findings, code, "rowid IN (SELECT r FROM told)")


def tell_shared(
    staging: Staging,
    staged: Staged,
    findings: Findings,
    code: str,
    column: str,
    offenders: str,
    share: str = "have it",
    by: str = "value",
) -> None:
    """One finding for each value of `offenders` (SQL of r, value and said), with how many records share it and on which lines.

    `by` can be said, where what is said names the one cause that many have in common.
    """
    if not staging.made(f"CREATE OR REPLACE TEMP TABLE told AS {offenders}"):
        return
    total = staging.number(f"SELECT count(DISTINCT {by}) FROM told")
    rows = staging.connection.execute(
        "SELECT line, shown, source_id, said, records, lines FROM (SELECT min(r) AS first, min(line) AS line,"
        " arg_min(value, r) AS shown, arg_min(source_id, r) AS source_id, arg_min(said, r) AS said, count(*) AS records,"
        f" min(line, {LINES}) AS lines FROM told JOIN ({_places(staged)}) USING (r) GROUP BY {by})"
        f" ORDER BY records DESC, first LIMIT {LISTED}"
    ).fetchall()
    sample = (
        Finding(code, "", "", line, column, value, said + _many(records, lines, share), source_id, records)
        for line, value, source_id, said, records, lines in rows
    )
    findings.flood(code, staged.file, total, sample)
    hold_if_error(staging, staged, findings, code, "rowid IN (SELECT r FROM told)")


def _places(staged: Staged) -> str:
    return f'SELECT rowid AS r, {staged.line} AS line, "sourcedId" AS source_id FROM {staged.records}'


def _many(records: int, lines: list[int], share: str) -> str:
    """`4,000 records have it (lines 2, 3, 4, 5, 6 …). `, and nothing where there is one."""
    if records == 1:
        return ""
    more = " …" if records > len(lines) else ""
    return f"{records:,} records {share} (lines {', '.join(map(str, sorted(lines)))}{more}). "


def hold_if_error(staging: Staging, staged: Staged, findings: Findings, code: str, which: str) -> None:
    """Holds back the records `which` (a SQL condition) where the district counts this warning for an error."""
    if findings.severity(code) == "error":
        hold(staging, staged, f"SELECT rowid AS r FROM {staged.records} WHERE {which}")


def hold_file_if_error(staging: Staging, staged: Staged, findings: Findings, code: str) -> None:
    """Holds back the whole file, as if it had not been readable, where the district counts this warning for an error."""
    if findings.severity(code) == "error" and staged.name in staging.tables:
        del staging.tables[staged.name]
        staging.unreadable.add(staged.name)


def sound(staged: Staged) -> str:
    """SQL condition: the record is neither held back nor marked for deletion."""
    return f"{staged.not_held} AND {staged.not_deleted}"


def sound_records(staged: Staged) -> str:
    """SQL: those records, with their number r."""
    return f"(SELECT rowid AS r, * FROM {staged.records} WHERE {sound(staged)})"


def known(staging: Staging, accepted: Path | None, collection: str, columns: tuple[str, ...]) -> str:
    """SQL: source_id and `columns` of the living records of a collection, as delivered, else as stored; empty where nothing is known."""
    parts = []
    staged, stored = staging.tables.get(collection), parquet_of(accepted, collection)
    if staged:
        mine = ", ".join(
            name(column) if staged.has(column) else f"'' AS {name(column)}" for column in columns
        )
        parts.append(
            f'SELECT "sourcedId" AS source_id, {mine} FROM {staged.records} WHERE {staged.not_deleted}'
        )
    if stored and (staged is None or staged.mode == "delta" or staged.held or not staged.complete):
        theirs = ", ".join(f"coalesce({name(column)}, '') AS {name(column)}" for column in columns)
        delivered = f'AND source_id NOT IN (SELECT "sourcedId" FROM {staged.records})' if staged else ""
        parts.append(f"SELECT source_id, {theirs} FROM {scan(stored)} WHERE status = 'active' {delivered}")
    nothing = ", ".join(f"'' AS {name(column)}" for column in ("source_id", *columns))
    return " UNION ALL ".join(parts) or f"SELECT {nothing} WHERE false"
