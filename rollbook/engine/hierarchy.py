"""The hierarchy of orgs and of academic sessions: circles, schools without a district, sessions outside their parents, school years."""

from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.findings import Findings
from rollbook.engine.offenders import hold_if_error, known, sound, tell_each
from rollbook.engine.sql import literal
from rollbook.engine.stage import Staged, Staging

ROUNDS = 30
"""How often records that are in no circle are peeled off at most; what is left by then is walked."""

SHOWN_OF_A_CIRCLE = 6


def judge_hierarchy(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """Judges the parents of orgs and sessions, and the dates and school years of sessions."""
    for table in ("orgs", "academicSessions"):
        staged = staging.tables.get(table)
        if staged and staged.rows and staged.has("parentSourcedId"):
            _judge_circles(staging, staged, accepted, findings)
    orgs, sessions = staging.tables.get("orgs"), staging.tables.get("academicSessions")
    if orgs and orgs.rows and orgs.has("parentSourcedId"):
        _judge_schools(staging, orgs, accepted, findings)
    if sessions and sessions.rows:
        _judge_sessions(staging, sessions, accepted, findings)


# --- Circles ----------------------------------------------------------------------------------------------------------------------------


def _judge_circles(staging: Staging, staged: Staged, accepted: Path | None, findings: Findings) -> None:
    """Every record has at most one parent: what cannot be peeled off, from above and from below, goes round in circles."""
    staging.run(f"CREATE OR REPLACE TEMP TABLE climbing AS {_steps(staged, accepted)}")
    left = -1
    for _ in range(ROUNDS):
        staging.run(
            "DELETE FROM climbing WHERE parent NOT IN (SELECT id FROM climbing) OR id NOT IN (SELECT parent FROM climbing)"
        )
        before, left = left, staging.number("SELECT count(*) FROM climbing")
        if left in (0, before):
            break
    for circle in _circles(
        staging.connection.execute("SELECT id, parent FROM climbing ORDER BY id").fetchall()
    ):
        _tell_circle(staging, staged, circle, findings)


def _steps(staged: Staged, accepted: Path | None) -> str:
    """SQL: id and parent of what is delivered and, in a file of changes, of what is stored besides."""
    steps = (
        f'SELECT "sourcedId" AS id, "parentSourcedId" AS parent FROM {staged.records}'
        f" WHERE \"parentSourcedId\" <> '' AND {sound(staged)}"
    )
    stored = parquet_of(accepted, staged.name)
    if staged.mode == "bulk" or stored is None:
        return steps
    return (
        f"{steps} UNION ALL SELECT source_id, \"parentSourcedId\" FROM {scan(stored)} WHERE status = 'active'"
        f' AND "parentSourcedId" IS NOT NULL AND source_id NOT IN (SELECT "sourcedId" FROM {staged.records})'
    )


def _circles(steps: list[tuple[str, str]]) -> list[list[str]]:
    """The circles among (id, parent), each beginning with the id that sorts first."""
    parents, seen, circles = dict(steps), set[str](), []
    for start in parents:
        path: list[str] = []
        on_path: dict[str, int] = {}
        one: str | None = start
        while one is not None and one not in seen and one not in on_path:
            on_path[one] = len(path)
            path.append(one)
            one = parents.get(one)
        seen.update(path)
        if one in on_path:
            circle = path[on_path[one] :]
            first = circle.index(min(circle))
            circles.append(circle[first:] + circle[:first])
    return circles


def _tell_circle(staging: Staging, staged: Staged, circle: list[str], findings: Findings) -> None:
    ids = ", ".join(map(literal, circle))
    rows = staging.connection.execute(
        f'SELECT rowid, {staged.line}, "sourcedId", "parentSourcedId" FROM {staged.records} WHERE "sourcedId" IN ({ids})'
        " ORDER BY 1"
    ).fetchall()
    if not rows:
        return  # all of it is stored already, and was told of when it came
    way = [*circle[:SHOWN_OF_A_CIRCLE], *(["…"] if len(circle) > SHOWN_OF_A_CIRCLE else []), circle[0]]
    said = f"{' → '.join(way)}. " if len(circle) > 1 else "It is its own parent. "
    _, line, source_id, parent = rows[0]
    findings.add("circular", staged.file, line, "parentSourcedId", parent, said, source_id, len(circle))
    hold_if_error(staging, staged, findings, "circular", f'"sourcedId" IN ({ids})')


# --- Schools and sessions ---------------------------------------------------------------------------------------------------------------


def _judge_schools(staging: Staging, orgs: Staged, accepted: Path | None, findings: Findings) -> None:
    """A school that belongs to nothing although there is a district."""
    districts = f"SELECT 1 FROM ({known(staging, accepted, 'orgs', ('type',))}) WHERE \"type\" = 'district'"
    tell_each(
        staging,
        orgs,
        findings,
        "school-alone",
        "parentSourcedId",
        f"SELECT rowid AS r, '' AS value, '' AS said FROM {orgs.records} WHERE \"type\" = 'school' AND \"parentSourcedId\" = ''"
        f" AND {sound(orgs)} AND EXISTS ({districts})",
    )


def _judge_sessions(staging: Staging, sessions: Staged, accepted: Path | None, findings: Findings) -> None:
    staging.run(f"CREATE OR REPLACE TEMP TABLE spans AS {_spans(staging, sessions, accepted)}")
    tell_each(
        staging,
        sessions,
        findings,
        "session-outside",
        "startDate",
        "SELECT r, first::VARCHAR AS value, 'It runs from ' || first || ' to ' || last || ', and its parent ' || parent || ' from '"
        " || parent_first || ' to ' || parent_last || '. ' AS said FROM spans WHERE first < parent_first OR last > parent_last",
    )
    tell_each(staging, sessions, findings, "school-year", "schoolYear", _odd_years())
    tell_each(
        staging,
        sessions,
        findings,
        "session-alone",
        "parentSourcedId",
        "SELECT r, '' AS value, '' AS said FROM spans WHERE type <> 'schoolYear' AND parent = ''"
        " AND EXISTS (SELECT 1 FROM spans WHERE type = 'schoolYear')",
    )


def _spans(staging: Staging, sessions: Staged, accepted: Path | None) -> str:
    """SQL: the delivered sessions with their dates and school year as numbers, and with those of their parents."""
    up = known(staging, accepted, "academicSessions", ("startDate", "endDate", "schoolYear"))
    parent = '"parentSourcedId"' if sessions.has("parentSourcedId") else "''"
    return (
        f'SELECT s.*, TRY_CAST(up."startDate" AS DATE) AS parent_first, TRY_CAST(up."endDate" AS DATE) AS parent_last,'
        f' up."schoolYear" AS parent_year FROM (SELECT rowid AS r, "type" AS type, {parent} AS parent, "schoolYear" AS year,'
        f' TRY_CAST("startDate" AS DATE) AS first, TRY_CAST("endDate" AS DATE) AS last FROM {sessions.records} WHERE {sound(sessions)}) s'
        f" LEFT JOIN ({up}) up ON up.source_id = s.parent"
    )


def _odd_years() -> str:
    """A school year is named for the year it ends in; a part of it may end in the year before. Parts are of their parent's year."""
    ends = "year(last)"
    late = "CASE WHEN type = 'schoolYear' THEN 0 ELSE 1 END"
    return (
        "SELECT r, year AS value, CASE WHEN odd THEN 'It ends on ' || last || '. ' ELSE 'Its parent ' || parent || ' is of ' ||"
        f" parent_year || '. ' END AS said FROM (SELECT *, TRY_CAST(year AS INTEGER) NOT BETWEEN {ends} AND {ends} + {late} AS odd"
        " FROM spans WHERE TRY_CAST(year AS INTEGER) IS NOT NULL AND last IS NOT NULL)"
        " WHERE odd OR (parent_year <> '' AND TRY_CAST(parent_year AS INTEGER) <> TRY_CAST(year AS INTEGER))"
    )
