"""Teaching: what classes and enrollments say together. One pass over the enrollments gathers what there is to know of each class.

Classes are known by the hash of their id; only what looks wrong is looked up by its text. Enrollments that are held back count all the
same, so that one broken user does not leave a class without a teacher; and so do those of the district's other connections.
"""

from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.findings import Findings
from rollbook.engine.offenders import known, sound, sound_records, tell_each, tell_shared
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging

LARGE = 115
"""Students of a class, above which there are apps that refuse it."""


@dataclass(frozen=True)
class _Scene:
    staging: Staging
    accepted: Path | None
    findings: Findings
    enrollments: Staged


def judge_teaching(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """Judges classes by their enrollments where both files are complete, and enrollments by their class in any case."""
    enrollments, classes = staging.tables.get("enrollments"), staging.tables.get("classes")
    if not enrollments or not enrollments.rows:
        return
    scene = _Scene(staging, accepted, findings, enrollments)
    staging.run(f"CREATE OR REPLACE TEMP TABLE taught AS {_taught(enrollments)}")
    if classes and classes.rows and classes.mode == enrollments.mode == "bulk" and enrollments.complete:
        _judge_classes(scene, classes)
    _judge_enrollments(scene)


def _taught(enrollments: Staged) -> str:
    """SQL: what the enrollments say of each class `h`: how many teach, are primary, learn; dates from and to; schools, by hash."""
    primary = "count_if(\"role\" = 'teacher' AND \"primary\" = 'true')" if enrollments.has("primary") else "0"
    begin, end = _day(enrollments, "beginDate"), _day(enrollments, "endDate")
    dates = f"min({begin}) AS begins, max({begin}) AS last_begin, min({end}) AS first_end, max({end}) AS ends"
    return (
        f'SELECT hash("classSourcedId") AS h, count_if("role" = \'teacher\') AS teachers, count_if("role" = \'student\') AS students,'
        f' {primary} AS primaries, {dates}, min(hash("schoolSourcedId")) AS school, max(hash("schoolSourcedId")) AS other_school'
        f" FROM {enrollments.records} WHERE {enrollments.not_deleted} GROUP BY h"
    )


def _day(enrollments: Staged, column: str) -> str:
    """SQL: the date in a column. What is no date is in error, and no such enrollment is told of as lying outside."""
    return f"TRY_CAST({name(column)} AS DATE)" if enrollments.has(column) else "NULL::DATE"


def _judge_classes(scene: _Scene, classes: Staged) -> None:
    found = (
        f"SELECT r, title, coalesce(teachers, 0) AS teachers, coalesce(students, 0) AS students,"
        f' coalesce(primaries, 0) AS primaries FROM (SELECT rowid AS r, "title" AS title, hash("sourcedId") AS h FROM {classes.records}'
        f" WHERE {sound(classes)}) LEFT JOIN taught USING (h)"
    )
    scene.staging.run(f"CREATE OR REPLACE TEMP TABLE odd_classes AS {_odd(found)}")
    _count_others(scene, classes)
    _let_them_take_turns(scene, classes)
    for code, which, said in (
        ("class-without-teacher", "teachers = 0", "''"),
        ("class-without-students", "students = 0", "''"),
        ("primary-teachers", "primaries > 1", "primaries || ' of its ' || teachers || ' teachers are. '"),
        ("class-large", f"students > {LARGE}", "'It has ' || students || ' students. '"),
    ):
        offenders = f"SELECT r, title AS value, {said} AS said FROM odd_classes WHERE {which}"
        tell_each(scene.staging, classes, scene.findings, code, "title", offenders)


def _count_others(scene: _Scene, classes: Staged) -> None:
    """Who is enrolled by another connection, or by hand, is in the class all the same."""
    ids = f'SELECT rowid AS r, "sourcedId" AS value FROM {classes.records}'
    lonely = "SELECT r FROM odd_classes WHERE teachers = 0 OR students = 0"
    others = scene.staging.neighbours.roles_in("classes", f"SELECT value FROM ({ids}) WHERE r IN ({lonely})")
    for role in ("teacher", "student"):
        there = f"SELECT r FROM ({ids}) JOIN ({others}) ON source_id = value AND role = '{role}'"
        scene.staging.run(f"UPDATE odd_classes SET {role}s = 1 WHERE {role}s = 0 AND r IN ({there})")


def _let_them_take_turns(scene: _Scene, classes: Staged) -> None:
    """Primary teachers of whom one takes over from the other are not several at a time."""
    staging, enrollments = scene.staging, scene.enrollments
    if not staging.number("SELECT count(*) FROM odd_classes WHERE primaries > 1"):
        return
    begin, end = _day(enrollments, "beginDate"), _day(enrollments, "endDate")
    odd = f'SELECT rowid AS r, "sourcedId" AS id FROM {classes.records} WHERE rowid IN (SELECT r FROM odd_classes WHERE primaries > 1)'
    several = (
        f"SELECT c.r, e.rowid AS teacher, {begin} AS begins, {end} AS ends FROM {enrollments.records} e"
        f' JOIN ({odd}) c ON c.id = e."classSourcedId"'
        f" WHERE e.\"role\" = 'teacher' AND e.\"primary\" = 'true' AND {enrollments.not_deleted}"
    )
    at_once = (
        f"WITH several AS MATERIALIZED ({several}) SELECT a.r FROM several a JOIN several b ON a.r = b.r AND a.teacher < b.teacher"
        " WHERE coalesce(a.begins < b.ends, true) AND coalesce(b.begins < a.ends, true)"
    )
    staging.run(f"UPDATE odd_classes SET primaries = 1 WHERE primaries > 1 AND r NOT IN ({at_once})")


def _odd(found: str) -> str:
    return (
        f"SELECT * FROM ({found}) WHERE teachers = 0 OR students = 0 OR primaries > 1 OR students > {LARGE}"
    )


# --- Enrollments ------------------------------------------------------------------------------------------------------------------------


def _judge_enrollments(scene: _Scene) -> None:
    """By class first; only the enrollments of classes in which something does not fit are looked at one by one."""
    staging = scene.staging
    staging.run(f"CREATE OR REPLACE TEMP TABLE spans AS {_spans(scene)}")
    staging.run(
        "CREATE OR REPLACE TEMP TABLE misfits AS SELECT spans.*, school <> own_school OR other_school <> own_school AS moved,"
        " coalesce(begins < first OR last_begin > last OR first_end < first OR ends > last, false) AS outside"
        " FROM taught JOIN spans USING (h) WHERE moved OR outside"
    )
    if staging.number("SELECT count(*) FROM misfits WHERE moved"):
        _judge_schools(scene)
    if staging.number("SELECT count(*) FROM misfits WHERE outside"):
        _judge_dates(scene)


def _spans(scene: _Scene) -> str:
    """SQL: of each known class `h` its school, and the first and last day of its sessions."""
    columns = ("schoolSourcedId", "termSourcedIds")
    classes = known(scene.staging, scene.accepted, "classes", columns)
    sessions = known(scene.staging, scene.accepted, "academicSessions", ("startDate", "endDate"))
    terms = "unnest(string_split(\"termSourcedIds\", ','))"
    spans = (
        'SELECT "termSourcedIds" AS terms, min(TRY_CAST("startDate" AS DATE)) AS first, max(TRY_CAST("endDate" AS DATE)) AS last'
        f' FROM (SELECT "termSourcedIds", {terms} AS term FROM (SELECT DISTINCT "termSourcedIds" FROM classes_known))'
        f' JOIN ({sessions}) s ON s.source_id = term WHERE TRY_CAST("startDate" AS DATE) <= TRY_CAST("endDate" AS DATE) GROUP BY 1'
    )
    return (
        f"WITH classes_known AS MATERIALIZED ({classes}), spanning AS ({spans}) SELECT hash(source_id) AS h, source_id AS class,"
        ' "schoolSourcedId" AS class_school, hash("schoolSourcedId") AS own_school, first, last'
        ' FROM classes_known LEFT JOIN spanning ON terms = "termSourcedIds"'
    )


def _judge_schools(scene: _Scene) -> None:
    """Told of once a class: where all of its enrollments are elsewhere it may be the class that is in the wrong place."""
    enrollments = scene.enrollments
    tell_shared(
        scene.staging,
        enrollments,
        scene.findings,
        "enrollment-school",
        "schoolSourcedId",
        f"SELECT r, \"schoolSourcedId\" AS value, 'Class ' || class || ' is at ' || class_school || '. ' AS said"
        f' FROM {sound_records(enrollments)} JOIN misfits ON class = "classSourcedId"'
        f' WHERE moved AND "schoolSourcedId" <> class_school',
        "are concerned",
        "said",
    )


def _judge_dates(scene: _Scene) -> None:
    """Beside the sessions altogether, or only in part (many systems enroll some days before a term begins); told of once a class."""
    enrollments = scene.enrollments
    scene.staging.run(
        f"CREATE OR REPLACE TEMP TABLE dated AS SELECT * FROM (SELECT r, {_day(enrollments, 'beginDate')} AS begins,"
        f" {_day(enrollments, 'endDate')} AS ends, first, last,"
        f" 'Class ' || class || ' runs from ' || first || ' to ' || last || '. ' AS said FROM {sound_records(enrollments)}"
        f' JOIN misfits ON class = "classSourcedId" WHERE outside)'
        " WHERE begins < first OR ends > last + 1 OR begins > last OR ends < first"
    )
    beside = "coalesce(begins > last, false) OR coalesce(ends < first, false)"
    value = "coalesce(begins::VARCHAR, '') || '/' || coalesce(ends::VARCHAR, '') AS value"
    for code, which in (("enrollment-outside", f"({beside})"), ("enrollment-overhang", f"NOT ({beside})")):
        offenders = f"SELECT r, {value}, said FROM dated WHERE {which}"
        tell_shared(
            scene.staging, enrollments, scene.findings, code, "beginDate", offenders, "are concerned", "said"
        )
