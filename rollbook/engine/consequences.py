"""Consequences: which records have to wait for which, told of their root cause once, with how many they are, instead of one by one.

A record that is missing, or in error itself and never stored, is a cause. What refers to it is a consequence; so is what refers to that.
"""

from collections.abc import Iterator

from rollbook.engine.findings import LISTED, Finding, Findings
from rollbook.engine.sql import literal
from rollbook.engine.stage import Staged, Staging
from rollbook.oneroster.spec import Field

LINES = 5
"""How many lines of those that refer to a missing record are named."""


def open_consequences(staging: Staging) -> None:
    staging.run(
        "CREATE OR REPLACE TEMP TABLE consequences (file VARCHAR, place INTEGER, field VARCHAR, r BIGINT, line BIGINT,"
        " source_id VARCHAR, verdict VARCHAR, about VARCHAR, cause VARCHAR)"
    )


def note_consequences(staging: Staging, staged: Staged, field: Field) -> None:
    """Holds back the `offenders` (r, line, source_id, value, verdict) among the references in `field`, each for its root cause."""
    target = staging.tables.get(field.target or "")
    about = literal(field.target or "")
    staging.run(
        f"CREATE OR REPLACE TEMP TABLE rooted AS SELECT o.r, o.line, o.source_id, o.verdict, coalesce(roots.about, {about}) AS about,"
        f" CASE WHEN verdict = 'no-file' THEN '' ELSE coalesce(roots.cause, {_known_cause(target)}) END AS cause"
        f" FROM offenders o LEFT JOIN ({_roots(target)}) roots ON roots.id = o.value AND o.verdict = 'waiting'"
    )
    staging.run(
        f"INSERT INTO {staged.holds} SELECT r, CASE WHEN verdict = 'waiting' THEN 'waiting' ELSE 'error' END, about, cause FROM rooted"
        " QUALIFY row_number() OVER (PARTITION BY r ORDER BY verdict = 'waiting', about, cause) = 1"
    )
    staged.held = staging.number(f"SELECT count(DISTINCT r) FROM {staged.holds}")
    staging.run(
        f"INSERT INTO consequences SELECT {literal(staged.file)}, {staged.place}, {literal(field.name)}, r, line, source_id, verdict,"
        " about, cause FROM rooted WHERE verdict <> 'no-file'"
    )


def _roots(target: Staged | None) -> str:
    """SQL: for each record of the target that is held for another's sake only, whose (id, about, cause)."""
    if target is None:
        return "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS about, NULL::VARCHAR AS cause WHERE false"
    return (
        f'SELECT "sourcedId" AS id, min(h.about) AS about, arg_min(h.cause, (h.about, h.cause)) AS cause'
        f" FROM {target.records} t JOIN {target.holds} h ON h.r = t.rowid GROUP BY 1 HAVING min(h.about) <> ''"
    )


def _known_cause(target: Staged | None) -> str:
    """SQL: the id that is waited for, where it is known to be there; nothing where its line, or the whole file, was lost."""
    if target is None:
        return "CASE WHEN verdict = 'dangling' THEN o.value ELSE '' END"
    if target.complete:
        return "o.value"
    there = f'SELECT "sourcedId" FROM {target.records} UNION FROM {target.broken_ids}'
    return f"CASE WHEN verdict = 'dangling' OR o.value IN ({there}) THEN o.value ELSE '' END"


def tell_consequences(staging: Staging, findings: Findings) -> None:
    """One finding for each missing record and for each that others wait for; those with most consequences first."""
    if not staging.number("SELECT count(*) FROM consequences"):
        return
    staging.run(
        "CREATE OR REPLACE TEMP TABLE causes AS SELECT about, cause, count(DISTINCT (file, r)) AS records,"
        " coalesce(bool_or(verdict = 'dangling'), false) AS missing,"
        " arg_min(file, (place, line)) FILTER (verdict = 'dangling') AS file,"
        " row_number() OVER (ORDER BY count(DISTINCT (file, r)) DESC, about, cause) AS number"
        " FROM consequences GROUP BY about, cause"
    )
    staging.run(
        "CREATE OR REPLACE TEMP TABLE listed_consequences AS SELECT * FROM consequences WHERE (about, cause) IN (SELECT (about, cause)"
        f" FROM causes QUALIFY row_number() OVER (PARTITION BY missing, coalesce(file, about) ORDER BY number) <= {LISTED})"
    )
    _tell(staging, findings, "reference", "missing", "file")
    _tell(staging, findings, "waiting", "NOT missing", "about || '.csv'")


def _tell(staging: Staging, findings: Findings, code: str, which: str, file: str) -> None:
    totals = staging.connection.execute(
        f"SELECT {file}, count(*) FROM causes WHERE {which} GROUP BY 1 ORDER BY min(number)"
    ).fetchall()
    for of, total in totals:
        listed = staging.connection.execute(
            f"SELECT about, cause, records FROM causes WHERE {which} AND {file} = ? ORDER BY number LIMIT {LISTED}",
            [of],
        ).fetchall()
        told = _told_missing if code == "reference" else _told_waiting
        findings.flood(code, of, total, (told(staging, *cause) for cause in listed))


def _told_missing(staging: Staging, about: str, cause: str, records: int) -> Finding:
    line, field, source_id = staging.one(
        "SELECT line, field, source_id FROM listed_consequences WHERE verdict = 'dangling' AND about ="
        f" {literal(about)} AND cause = {literal(cause)} ORDER BY place, line LIMIT 1"
    )
    words = f"{about}.csv has no such record to refer to. "
    if records > 1:
        referring = _counted(staging, about, cause, "dangling")
        waiting = _counted(staging, about, cause, "waiting")
        words += f"{referring} {_verb(referring, 'refer')} to it. "
        words += f"{waiting} {_verb(waiting, 'wait')} for those. " if waiting else ""
    return Finding("reference", "", "", int(str(line)), str(field), cause, words, str(source_id), records)


def _told_waiting(staging: Staging, about: str, cause: str, records: int) -> Finding:
    waiting = _counted(staging, about, cause, "waiting")
    if not cause:
        words = f"{waiting} {_verb(waiting, 'wait')} for {about}.csv, which is missing or cannot be read whole. Correct that file."
        return Finding("waiting", "", "", 0, "", "", words, "", records)
    words = (
        f"{waiting} {_verb(waiting, 'wait')} for '{cause}', which is in error itself. Correct that record."
    )
    return Finding("waiting", "", "", _line_of(staging, about, cause), "", cause, words, cause, records)


def _line_of(staging: Staging, about: str, cause: str) -> int:
    """The line of a record of the package, 0 where it could not be read."""
    staged = staging.tables.get(about)
    if staged is None:
        return 0
    return staging.number(
        f'SELECT coalesce(min({staged.line}), 0) FROM {staged.records} WHERE "sourcedId" = {literal(cause)}'
    )


def _counted(staging: Staging, about: str, cause: str, verdict: str) -> str:
    """`30 records of classes.csv (lines 2, 3, 4, 5, 6 …) and 4,000 of enrollments.csv`; the lines are of those that refer themselves."""
    counts = staging.connection.execute(
        f"SELECT file, count(DISTINCT r), min(DISTINCT line, {LINES}) FROM listed_consequences"
        " WHERE about = ? AND cause = ? AND verdict = ? GROUP BY file, place ORDER BY place",
        [about, cause, verdict],
    ).fetchall()
    parts = list(_parts(counts, verdict == "dangling"))
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def _parts(counts: list[tuple[str, int, list[int]]], with_lines: bool) -> Iterator[str]:
    for number, (file, count, lines) in enumerate(counts):
        noun = "" if number else (" record" if count == 1 else " records")
        more = " …" if count > LINES else ""
        where = f" (lines {', '.join(map(str, sorted(lines)))}{more})" if with_lines and count > 1 else ""
        yield f"{count:,}{noun} of {file}{where}"


def _verb(counted: str, verb: str) -> str:
    return f"{verb}s" if counted.startswith("1 record ") and " and " not in counted else verb
