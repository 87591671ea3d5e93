"""Sub-collections (/students, /terms …), single records and nested paths, as conditions on the rows a view serves now.

A tombstone belongs where its last values belonged, so that who reads only a sub-collection learns of deletions. What is reached through an
enrollment is reached through live ones that the reader sees.
"""

from collections.abc import Callable, Sequence

from rollbook.oneroster.filters import UNSTORABLE, find_path
from rollbook.oneroster.json_binding import quoted
from rollbook.oneroster.query import Question
from rollbook.store.conditions import enrolled_at, holds_texts, referring
from rollbook.store.dialect import FALSE, TRUE, Sql, all_of, any_of, sql, value
from rollbook.store.scene import GONE, Scene
from rollbook.store.sources import several_at

Condition = Callable[[Scene, Sequence[str]], Sql]
"""What must be true of a row, given the ids of the path."""

LIVE = sql("NOT {}", GONE)


def membership(scene: Scene, question: Question) -> Sql:
    """What the operation itself asks of a row."""
    if any(map(UNSTORABLE.search, question.parents)):
        return FALSE
    asked = CONDITIONS.get(question.operation.operation_id, _all)(scene, question.parents)
    if question.live:
        asked = all_of([LIVE, asked])
    if question.operation.kind != "single":
        return asked
    return all_of([sql("entry.record_id = {}", scene.record(scene.collection, question.parents[-1])), asked])


def _all(scene: Scene, ids: Sequence[str]) -> Sql:
    return TRUE


# --- By what a record is ----------------------------------------------------------------------------------------------------------


def _kind(word: str) -> Condition:
    return lambda scene, ids: sql("{} = {}", scene.kind, value(word))


def _has_role(word: str) -> Condition:
    """People with this role: their one role in 1.1, any of their roles in 1.2."""

    def condition(scene: Scene, ids: Sequence[str]) -> Sql:
        is_kind = sql("{} = {}", scene.kind, value(word))
        if scene.version == "1.1":
            return is_kind
        had = _exists_row(scene, "roles", sql("was.user_id = entry.record_id AND was.role = {}", value(word)))
        return _living_or_gone(_serves_role(scene, word), any_of([is_kind, had]))

    return condition


def _has_role_at_school(word: str) -> Condition:
    """People whose role this is at the school; in 1.1, people with this role who belong to the school."""

    def condition(scene: Scene, ids: Sequence[str]) -> Sql:
        school = scene.record("orgs", ids[0])
        if scene.version == "1.1":
            serves = all_of(
                [sql("{} = {}", scene.kind, value(word)), _serves(scene, ("orgs", "sourcedId"), ids[0])]
            )
        else:
            serves = _serves_role_at(scene, word, ids[0])
        return _living_or_gone(serves, _had_role_at(scene, word, school))

    return condition


def _had_role_at(scene: Scene, word: str, school: Sql) -> Sql:
    """That a person's last roles, or enrollments, were such at the school."""
    person_and_role = sql("was.user_id = entry.record_id AND was.role = {}", value(word))
    role = _exists_row(scene, "roles", sql("{} AND was.org_id = {}", person_and_role, school))
    enrolled = sql("{} AND was.class_id IN ({})", person_and_role, _classes_of(scene, school))
    return any_of([role, _exists_row(scene, "enrollments", enrolled)])


def _living_or_gone(live: Sql, gone: Sql) -> Sql:
    return any_of([all_of([LIVE, live]), all_of([GONE, gone])])


def _serves(scene: Scene, names: tuple[str, ...], word: str) -> Sql:
    """That one of the values served at this path is this text."""
    path = find_path(scene.entity, ".".join(names))
    assert path is not None
    return holds_texts(scene, several_at(scene, path), [word])


def _serves_role(scene: Scene, word: str) -> Sql:
    """That one of the roles served is this. Only metadata could hold the same text without being a role."""
    reads = scene.dialect.contains(scene.text, value(f'"role":{quoted(word)}'))
    elsewhere = scene.dialect.contains(Sql("COALESCE(roster.metadata, '')"), value('"role"'))
    return all_of([reads, any_of([sql("NOT ({})", elsewhere), _serves(scene, ("roles", "role"), word)])])


def _serves_role_at(scene: Scene, word: str, school: str) -> Sql:
    items = scene.dialect.objects(scene.document, ("roles",), "item")
    role = scene.dialect.scalar(Sql("item.value"), ("role",))
    org = scene.dialect.scalar(Sql("item.value"), ("org", "sourcedId"))
    both = sql(
        "EXISTS (SELECT 1 FROM {} WHERE {} = {} AND {} = {})", items, role, value(word), org, value(school)
    )
    reads_role = scene.dialect.contains(scene.text, value(f'"role":{quoted(word)}'))
    reads_org = scene.dialect.contains(scene.text, value(f'"sourcedId":{quoted(school)}'))
    return all_of([reads_role, reads_org, both])


def _exists_row(scene: Scene, collection: str, condition: Sql) -> Sql:
    """That the roster has, or had, such a row, called `was`."""
    return sql("EXISTS (SELECT 1 {} AND {})", scene.rows_of(collection, "was"), condition)


# --- By what a record belongs to --------------------------------------------------------------------------------------------------


def _refers_to(column: str, collection: str, which: int = 0) -> Condition:
    """Records whose column holds the record of the path's id."""
    return lambda scene, ids: referring(scene, column, scene.record(collection, ids[which]))


def _courses_of_school(scene: Scene, ids: Sequence[str]) -> Sql:
    """The school's own courses, and those its classes teach."""
    school = scene.record("orgs", ids[0])
    taught = sql("SELECT part.course_id {} AND part.school_id = {}", scene.rows_of("classes", "part"), school)
    taught = sql("{} AND {}", taught, scene.visible("classes", Sql("part.id")))
    return any_of(
        [sql("roster.org_id = {}", school), all_of([LIVE, scene.dialect.among("entry.record_id", taught)])]
    )


def _enrollments_of_school(scene: Scene, ids: Sequence[str]) -> Sql:
    return enrolled_at(scene, ids[0])


def _terms_of_school(scene: Scene, ids: Sequence[str]) -> Sql:
    """Terms in which the school's classes are held."""
    school = scene.record("orgs", ids[0])
    terms = scene.dialect.numbers(Sql("part.term_ids"), "term")
    classes = sql(
        "SELECT part.term_ids {} AND part.school_id = {} AND {}",
        scene.rows_of("classes", "part"),
        school,
        scene.visible("classes", Sql("part.id")),
    )
    held = sql("SELECT term.value FROM ({}) AS part, {}", classes, terms)
    return all_of([sql("{} = {}", scene.kind, value("term")), sql("entry.record_id IN ({})", held)])


def _classes_of_term(scene: Scene, ids: Sequence[str]) -> Sql:
    terms = scene.dialect.numbers(Sql("roster.term_ids"), "term")
    return sql(
        "EXISTS (SELECT 1 FROM {} WHERE term.value = {})", terms, scene.record("academicSessions", ids[0])
    )


def _grading_periods_of_term(scene: Scene, ids: Sequence[str]) -> Sql:
    """Grading periods at any depth below the term, through sessions that the reader sees."""
    below = sql(
        "WITH RECURSIVE below(id) AS (SELECT {} UNION SELECT part.id FROM {} AS part JOIN below ON part.parent_id = below.id"
        " WHERE part.district_id = {} AND {}) SELECT id FROM below",
        scene.record("academicSessions", ids[0]),
        "store_academicsession",
        value(scene.district_id),
        scene.visible("academicSessions", Sql("part.id")),
    )
    return all_of(
        [sql("{} = {}", scene.kind, value("gradingPeriod")), sql("roster.parent_id IN ({})", below)]
    )


def _classes_of(scene: Scene, school: Sql) -> Sql:
    return sql("SELECT taught.id {} AND taught.school_id = {}", scene.rows_of("classes", "taught"), school)


def _given_to(links: str, column: str, collection: str) -> Condition:
    """Resources given to the path's record."""

    def condition(scene: Scene, ids: Sequence[str]) -> Sql:
        given = sql(
            f"SELECT part.resource_id {{}} AND part.{column} = {{}} AND part.status = 'active'",
            scene.rows_of(links, "part"),
            scene.record(collection, ids[0]),
        )
        return all_of([LIVE, scene.dialect.among("entry.record_id", given)])

    return condition


# --- By enrollments ---------------------------------------------------------------------------------------------------------------


def _enrolled(word: str, which: int = 0) -> Condition:
    """People in the class with this role."""

    def condition(scene: Scene, ids: Sequence[str]) -> Sql:
        found = sql(
            "SELECT part.user_id {} AND part.class_id = {} AND part.role = {} AND {}",
            scene.rows_of("enrollments", "part"),
            scene.record("classes", ids[which]),
            value(word),
            scene.visible("enrollments", Sql("part.id")),
        )
        return all_of([LIVE, scene.dialect.among("entry.record_id", found)])

    return condition


def _in_school(condition: Condition) -> Condition:
    """What is so of the path's class, where that class is one of the path's school; a class of another school has nobody there."""

    def together(scene: Scene, ids: Sequence[str]) -> Sql:
        class_ = sql("part.id = {}", scene.record("classes", ids[1]))
        school = sql("part.school_id = {}", scene.record("orgs", ids[0]))
        there = sql("EXISTS (SELECT 1 {} AND {} AND {})", scene.rows_of("classes", "part"), class_, school)
        return all_of([there, condition(scene, ids)])

    return together


def _classes_of_person(word: str | None) -> Condition:
    """Classes the person is in: with this role, or with any."""

    def condition(scene: Scene, ids: Sequence[str]) -> Sql:
        role = sql(" AND part.role = {}", value(word)) if word else Sql("")
        found = sql(
            "SELECT part.class_id {} AND part.user_id = {}{} AND {}",
            scene.rows_of("enrollments", "part"),
            scene.record("users", ids[0]),
            role,
            scene.visible("enrollments", Sql("part.id")),
        )
        return all_of([LIVE, scene.dialect.among("entry.record_id", found)])

    return condition


CONDITIONS: dict[str, Condition] = {
    "getAllGradingPeriods": _kind("gradingPeriod"),
    "getAllSchools": _kind("school"),
    "getAllStudents": _has_role("student"),
    "getAllTeachers": _has_role("teacher"),
    "getAllTerms": _kind("term"),
    "getGradingPeriod": _kind("gradingPeriod"),
    "getSchool": _kind("school"),
    "getStudent": _has_role("student"),
    "getTeacher": _has_role("teacher"),
    "getTerm": _kind("term"),
    "getClassesForCourse": _refers_to("course_id", "courses"),
    "getClassesForSchool": _refers_to("school_id", "orgs"),
    "getClassesForStudent": _classes_of_person("student"),
    "getClassesForTeacher": _classes_of_person("teacher"),
    "getClassesForTerm": _classes_of_term,
    "getClassesForUser": _classes_of_person(None),
    "getCoursesForSchool": _courses_of_school,
    "getEnrollmentsForClassInSchool": _in_school(_refers_to("class_id", "classes", 1)),
    "getEnrollmentsForSchool": _enrollments_of_school,
    "getGradingPeriodsForTerm": _grading_periods_of_term,
    "getResourcesForClass": _given_to("classResources", "class_id", "classes"),
    "getResourcesForCourse": _given_to("courseResources", "course_id", "courses"),
    "getResourcesForUser": _given_to("userResources", "user_id", "users"),
    "getStudentsForClass": _enrolled("student"),
    "getStudentsForClassInSchool": _in_school(_enrolled("student", 1)),
    "getStudentsForSchool": _has_role_at_school("student"),
    "getTeachersForClass": _enrolled("teacher"),
    "getTeachersForClassInSchool": _in_school(_enrolled("teacher", 1)),
    "getTeachersForSchool": _has_role_at_school("teacher"),
    "getTermsForSchool": _terms_of_school,
}
"""By operation id, in both versions; an operation that is not here is about the whole collection."""

PARENTS: dict[str, tuple[str, Condition]] = {
    "classes": ("classes", _all),
    "courses": ("courses", _all),
    "schools": ("orgs", _kind("school")),
    "students": ("users", _has_role("student")),
    "teachers": ("users", _has_role("teacher")),
    "terms": ("academicSessions", _kind("term")),
    "users": ("users", _all),
}
"""What a path's parent must be, by the word in front of its id."""
