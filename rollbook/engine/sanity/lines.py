"""The lines of a sanity check, as data: what each looks for, how grave it is, why it matters, and who can put it right.

`offenders` is SQL over the tables of `tables` that gives `id` (the sourcedId of a record of `collection`) and `said` (what is particular, or
''); `among` counts the records it looks at. docs/reference/sanity.md is written from here.
"""

from dataclasses import dataclass

from rollbook.engine.sql import words
from rollbook.oneroster.vocabularies import GRADES

LARGE = 115
"""Students of a class, above which there are apps that refuse it."""

LITTLE = 50
"""Per cent of the fields that a full grant shows, below which little of it is used."""

LICENSED = {
    "people": "SELECT sourcedId AS id FROM all_users",
    "students": "SELECT id FROM students",
    "teachers": "SELECT id FROM teachers",
}
"""Whom the licences of an app may be counted in, as SQL."""

SEVERITIES = {
    "error": "Most apps cannot work with it.",
    "warning": "Look whether it is meant; many apps stumble over it.",
    "note": "Good to know.",
}

GROUPS = {
    "classic": "The eight questions every app's maker asks",
    "identity": "Who people are",
    "references": "What belongs to what",
    "roles": "Who does what",
    "dates": "When",
    "content": "What is written",
    "needs": "What this app requires, and how many it is for",
    "privacy": "Privacy",
}

WHO = {
    "office": "The office that keeps the records, in the student information system.",
    "export": "Whoever sets up the export of the student information system.",
    "permissions": "Whoever may edit this app's permissions, in Rollbook.",
    "licences": "Whoever buys the app, or whoever may edit its permissions, in Rollbook: fewer people, or more licences.",
    "either": "Where the roster lacks it, the office that keeps the records; where it is kept from this app, whoever may edit its permissions.",
    "nobody": "Nobody has to.",
}


@dataclass(frozen=True)
class Line:
    """One thing that is looked for."""

    code: str
    group: str
    severity: str
    collection: str
    title: str
    meaning: str
    who: str
    offenders: str
    among: str


def _line(
    group: str,
    code: str,
    severity: str,
    collection: str,
    title: str,
    meaning: str,
    who: str,
    offenders: str,
    among: str = "",
) -> Line:
    return Line(
        code,
        group,
        severity,
        collection,
        title,
        meaning,
        who,
        offenders,
        among or f"SELECT count(*) FROM all_{collection}",
    )


ENROLLED = "SELECT person FROM seats"
OF_STUDENTS = "SELECT count(*) FROM students"
OF_TEACHERS = "SELECT count(*) FROM teachers"

CLASSIC = (
    _line(
        "classic", "students-without-grades", "warning", "users", "Students without grades",
        "A student without a grade is shown under no grade, and is left out where an app works grade by grade.", "either",
        "SELECT id, '' AS said FROM students WHERE coalesce(len(grades), 0) = 0", OF_STUDENTS,
    ),
    _line(
        "classic", "students-without-enrollments", "warning", "users", "Students without enrollments",
        "A student in none of the classes that this app sees. Most apps show them nothing.", "either",
        f"SELECT id, '' AS said FROM students WHERE id NOT IN ({ENROLLED})", OF_STUDENTS,
    ),
    _line(
        "classic", "students-without-teachers", "warning", "users", "Students without teachers",
        "A student who is in classes, none of which has a teacher whom this app sees.", "either",
        """SELECT person AS id, '' AS said FROM seats JOIN taught ON taught.id = seats.class WHERE role = 'student'
           GROUP BY person HAVING sum(teachers) = 0""", OF_STUDENTS,
    ),
    _line(
        "classic", "teachers-without-enrollments", "note", "users", "Teachers without enrollments",
        "A teacher in none of the classes that this app sees. They can sign in, and see nobody.", "either",
        f"SELECT id, '' AS said FROM teachers WHERE id NOT IN ({ENROLLED})", OF_TEACHERS,
    ),
    _line(
        "classic", "classes-without-periods", "note", "classes", "Classes without periods",
        "Apps that name classes by their period cannot tell two of one course apart.", "export",
        "SELECT sourcedId AS id, '' AS said FROM all_classes WHERE coalesce(len(periods), 0) = 0",
    ),
    _line(
        "classic", "classes-without-students", "warning", "classes", "Classes without students",
        "A class that nobody learns in, as this app sees it.", "either",
        "SELECT id, '' AS said FROM taught WHERE students = 0",
    ),
    _line(
        "classic", "classes-without-teachers", "warning", "classes", "Classes without teachers",
        "Nobody whom this app sees teaches the class, so in most apps nobody can open it.", "either",
        "SELECT id, '' AS said FROM taught WHERE teachers = 0",
    ),
    _line(
        "classic", "courses-without-classes", "note", "courses", "Courses without classes",
        "A course of which this app sees no class.", "nobody",
        """SELECT sourcedId AS id, '' AS said FROM all_courses
           WHERE sourcedId NOT IN (SELECT course FROM taught WHERE course IS NOT NULL)""",
    ),
)  # fmt: skip


def _shared(column: str) -> str:
    """SQL: people whose value is somebody else's too, whatever the case."""
    return f"""SELECT sourcedId AS id, 'So have ' || (others - 1) || ' others.' AS said FROM
        (SELECT sourcedId, count(*) OVER (PARTITION BY lower({column})) AS others FROM all_users WHERE coalesce({column}, '') <> '')
        WHERE others > 1"""


def _other_id(collection: str) -> str:
    """SQL: the records that the app knew by another id."""
    return f"""SELECT o.id, 'Was ' || o.was || ' before.' AS said FROM other_ids o JOIN all_{collection} r ON r.sourcedId = o.id
        WHERE o.collection = '{collection}'"""


HAS_EMAIL = "coalesce(email, '') <> ''"

IDENTITY = (
    _line(
        "identity", "people-without-email", "warning", "users", "People without an e-mail address",
        "Apps that know people by their address cannot let them in.", "either",
        f"SELECT sourcedId AS id, '' AS said FROM all_users WHERE NOT ({HAS_EMAIL})",
    ),
    _line(
        "identity", "email-malformed", "error", "users", "E-mail addresses that are none",
        "What stands there cannot be an address: no mail arrives, and no app takes it.", "office",
        f"SELECT sourcedId AS id, '' AS said FROM all_users WHERE {HAS_EMAIL} AND NOT regexp_full_match(email, '[^@\\s]+@[^@\\s]+\\.[^@\\s.]+')",
    ),
    _line(
        "identity", "email-elsewhere", "note", "users", "E-mail addresses outside the district's domains",
        "A student's or staff member's address is not in a domain that Settings names. Often it is a private one.", "office",
        f"""SELECT sourcedId AS id, '' AS said FROM all_users WHERE {HAS_EMAIL} AND EXISTS (SELECT 1 FROM domains)
            AND sourcedId IN (SELECT id FROM students UNION SELECT id FROM teachers)
            AND lower(string_split(email, '@')[-1]) NOT IN (SELECT domain FROM domains)""",
    ),
    _line(
        "identity", "email-shared", "warning", "users", "E-mail addresses of several people",
        "Apps that know people by their address take them for one, or lock one of them out.", "office", _shared("email"),
    ),
    _line(
        "identity", "username-shared", "error", "users", "Usernames of several people",
        "Who signs in with it may come into somebody else's account.", "office", _shared("username"),
    ),
    _line(
        "identity", "identifier-shared", "warning", "users", "Identifiers of several people",
        "An identifier should be one person's. Apps that match by it take them for one.", "office", _shared("identifier"),
    ),
    _line(
        "identity", "same-person", "note", "users", "Perhaps the same person twice",
        "Given name, family name and date of birth are the same. It is asked only where dates of birth are shared.", "office",
        """SELECT id, '' AS said FROM (SELECT u.sourcedId AS id,
           count(*) OVER (PARTITION BY lower(givenName), lower(familyName), birthDate) AS twins
           FROM all_users u JOIN all_demographics d ON d.sourcedId = u.sourcedId WHERE coalesce(birthDate, '') <> '') WHERE twins > 1""",
    ),
    _line(
        "identity", "person-other-id", "warning", "users", "People under another sourcedId than at the last check",
        "The same person, by identifier, e-mail or name and birth date. An app that does not notice opens a second account, without their work.",
        "export", _other_id("users"),
    ),
    _line(
        "identity", "class-other-id", "warning", "classes", "Classes under another sourcedId than at the last check",
        "The same class, by its code, title, school, course and terms. An app that does not notice opens it a second time, empty.",
        "export", _other_id("classes"),
    ),
    _line(
        "identity", "disabled", "note", "users", "People whose account is disabled",
        "They are told of, marked as disabled. An app should not let them in.", "nobody",
        "SELECT sourcedId AS id, '' AS said FROM all_users WHERE lower(enabledUser) = 'false'",
    ),
)  # fmt: skip

REFERENCES = (
    _line(
        "references", "enrollment-adrift", "error", "enrollments", "Enrollments of nobody, or in no class",
        "The person or the class is not among what this app sees. This should never happen: please report it.", "nobody",
        """SELECT id, '' AS said FROM seats WHERE person NOT IN (SELECT sourcedId FROM all_users)
           OR class NOT IN (SELECT sourcedId FROM all_classes)""",
    ),
    _line(
        "references", "class-adrift", "error", "classes", "Classes without their course or school",
        "The course or the school is not among what this app sees. This should never happen: please report it.", "nobody",
        """SELECT id, '' AS said FROM taught WHERE coalesce(course NOT IN (SELECT sourcedId FROM all_courses), true)
           OR coalesce(school NOT IN (SELECT sourcedId FROM all_orgs), true)""",
    ),
    _line(
        "references", "class-without-terms", "warning", "classes", "Classes in no term",
        "Apps that show the current term's classes never show it.", "office",
        "SELECT sourcedId AS id, '' AS said FROM all_classes WHERE sourcedId NOT IN (SELECT class FROM terms)",
    ),
    _line(
        "references", "person-without-role", "warning", "users", "People without a role at an organization",
        "Nothing this app sees says where they belong.", "either",
        "SELECT sourcedId AS id, '' AS said FROM all_users WHERE sourcedId NOT IN (SELECT person FROM posts WHERE org IS NOT NULL)",
    ),
    _line(
        "references", "school-without-district", "note", "orgs", "Schools without a district",
        "No parent is seen. Apps that keep schools by district may not take them in.", "either",
        "SELECT sourcedId AS id, '' AS said FROM all_orgs WHERE type = 'school' AND parent IS NULL",
        "SELECT count(*) FROM all_orgs WHERE type = 'school'",
    ),
    _line(
        "references", "session-without-parent", "note", "academicSessions", "Terms without a school year above them",
        "Apps that begin anew with each school year cannot tell to which the term belongs.", "export",
        "SELECT sourcedId AS id, '' AS said FROM all_academicSessions WHERE type <> 'schoolYear' AND parent IS NULL",
        "SELECT count(*) FROM all_academicSessions WHERE type <> 'schoolYear'",
    ),
    _line(
        "references", "org-circle", "error", "orgs", "Organizations above themselves",
        "Following the parents one comes back. Apps that walk upward never end.", "export",
        """WITH RECURSIVE up(id, above) AS (SELECT sourcedId, parent.sourcedId FROM all_orgs WHERE parent IS NOT NULL
           UNION SELECT up.id, o.parent.sourcedId FROM up JOIN all_orgs o ON o.sourcedId = up.above WHERE o.parent IS NOT NULL)
           SELECT id, '' AS said FROM up WHERE id = above""",
    ),
)  # fmt: skip

ROLES = (
    _line(
        "roles", "several-primaries", "warning", "classes", "Classes with several primary teachers",
        "Apps with one owner a class choose one of them, or refuse the class.", "office",
        "SELECT id, primaries || ' of ' || teachers || ' teachers are primary.' AS said FROM taught WHERE primaries > 1",
    ),
    _line(
        "roles", "no-primary", "note", "classes", "Classes with teachers, none of them primary",
        "Apps with one owner a class choose any.", "office",
        "SELECT id, '' AS said FROM taught WHERE teachers > 1 AND primaries = 0",
    ),
    _line(
        "roles", "teacher-learns", "warning", "users", "Teachers enrolled as students",
        "Somebody with a teacher's role learns in a class. Apps that give one account one role show them the wrong one.", "office",
        """SELECT DISTINCT s.person AS id, '' AS said FROM seats s JOIN posts p ON p.person = s.person AND p.role = 'teacher'
           WHERE s.role = 'student'""", OF_TEACHERS,
    ),
    _line(
        "roles", "role-differs", "note", "enrollments", "Enrollments in a role the person does not have",
        "In the class they are something that none of their roles says.", "office",
        """SELECT s.id, 'Enrolled as ' || s.role || '.' AS said FROM seats s WHERE s.person IN (SELECT person FROM posts)
           AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.person = s.person AND p.role = s.role)""",
    ),
    _line(
        "roles", "student-two-schools", "note", "users", "Students at several schools",
        "Apps that know one school a student take one of them.", "office",
        """SELECT p.person AS id, count(*) || ' schools.' AS said FROM posts p JOIN all_orgs o ON o.sourcedId = p.org AND o.type = 'school'
           WHERE p.role = 'student' GROUP BY p.person HAVING count(DISTINCT p.org) > 1""", OF_STUDENTS,
    ),
    _line(
        "roles", "student-elsewhere", "note", "users", "Students in a class of a school that is not theirs",
        "Apps that work school by school do not find them there.", "office",
        """SELECT DISTINCT s.person AS id, '' AS said FROM seats s JOIN taught k ON k.id = s.class WHERE s.role = 'student'
           AND s.person IN (SELECT person FROM posts) AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.person = s.person AND p.org = k.school)""",
        OF_STUDENTS,
    ),
)  # fmt: skip

DATES = (
    _line(
        "dates", "class-over", "warning", "classes", "Classes whose terms have all ended",
        "Apps archive them, or show them beside those of now.", "export",
        "SELECT id, 'Since ' || ends || '.' AS said FROM taught, clock WHERE ends < today",
    ),
    _line(
        "dates", "enrollment-outside", "note", "enrollments", "Enrollments outside the class's terms",
        "They begin after the class's last day, or end before its first.", "office",
        """SELECT s.id, '' AS said FROM seats s JOIN taught k ON k.id = s.class
           WHERE coalesce(s.begins > k.ends, false) OR coalesce(s.ends < k.begins, false)""",
    ),
    _line(
        "dates", "enrollment-over", "note", "enrollments", "Enrollments that have ended",
        "The person is still told of as a member of the class.", "export",
        "SELECT id, 'Since ' || ends || '.' AS said FROM seats, clock WHERE ends < today",
    ),
    _line(
        "dates", "session-reversed", "error", "academicSessions", "Terms that end before they begin",
        "No day is in them.", "office",
        """SELECT sourcedId AS id, startDate || ' to ' || endDate || '.' AS said FROM all_academicSessions
           WHERE TRY_CAST(endDate AS DATE) < TRY_CAST(startDate AS DATE)""",
    ),
    _line(
        "dates", "no-current-term", "warning", "academicSessions", "No term is held today",
        "Of those this app sees none has today in it: it shows nothing, or last year's. In the holidays that is right.", "export",
        """SELECT '' AS id, '' AS said FROM clock WHERE EXISTS (SELECT 1 FROM all_academicSessions) AND NOT EXISTS
           (SELECT 1 FROM all_academicSessions, clock WHERE today BETWEEN TRY_CAST(startDate AS DATE) AND TRY_CAST(endDate AS DATE))""",
        "SELECT least(count(*), 1) FROM all_academicSessions",
    ),
    _line(
        "dates", "year-differs", "note", "classes", "Classes in another school year than their course",
        "The class's terms and its course name different school years.", "export",
        """SELECT DISTINCT k.id, '' AS said FROM taught k JOIN terms t ON t.class = k.id JOIN all_courses c ON c.sourcedId = k.course
           JOIN all_academicSessions y ON y.sourcedId = c.schoolYear.sourcedId WHERE y.schoolYear <> t.year""",
    ),
)  # fmt: skip

CONTENT = (
    _line(
        "content", "class-untitled", "warning", "classes", "Classes without a title",
        "An app has nothing to call them by.", "office",
        "SELECT sourcedId AS id, '' AS said FROM all_classes WHERE trim(coalesce(title, '')) = ''",
    ),
    _line(
        "content", "class-title-twice", "note", "classes", "Classes of one title with the same teacher",
        "Two classes of one school with the same title and a teacher in common: nobody can tell them apart in a list.", "office",
        """SELECT DISTINCT id, '' AS said FROM (SELECT k.id, count(*) OVER (PARTITION BY lower(k.title), k.school, s.person) AS twins
           FROM taught k JOIN (SELECT DISTINCT class, person FROM seats WHERE role = 'teacher') s ON s.class = k.id
           WHERE trim(coalesce(k.title, '')) <> '') WHERE twins > 1""",
    ),
    _line(
        "content", "grade-unknown", "warning", "users", "Grades that are not of the list",
        "OneRoster takes its grades from the CEDS list. Apps put all others under *Other*, or refuse them.", "export",
        f"""SELECT DISTINCT id, '' AS said FROM (SELECT id, unnest(grades) AS grade FROM students) WHERE grade NOT IN {words(tuple(GRADES))}""",
        OF_STUDENTS,
    ),
    _line(
        "content", "classes-without-grades", "note", "classes", "Classes without grades",
        "Apps that choose their content by the grade of the class have none to go by.", "export",
        "SELECT sourcedId AS id, '' AS said FROM all_classes WHERE coalesce(len(grades), 0) = 0",
    ),
    _line(
        "content", "class-large", "warning", "classes", "Very large classes",
        f"More than {LARGE} students: some apps refuse the class.", "office",
        f"SELECT id, students || ' students.' AS said FROM taught WHERE students > {LARGE}",
    ),
)  # fmt: skip

NEEDS = (
    _line(
        "needs", "licences-exceeded", "warning", "users", "More people than the app is licensed for",
        "It is given more people than it has licences. Nobody is kept back for it: many apps let the last ones wait, or bill for them.",
        "licences",
        """SELECT '' AS id, CASE WHEN number = 0 THEN licensed || ' ' || kind || ', ' || licences || ' licences.' ELSE '' END AS said
           FROM licences, range(licensed - licences) AS beyond(number) WHERE licences IS NOT NULL""",
        "SELECT coalesce(max(licensed), 0) FROM licences",
    ),
)  # fmt: skip
"""Before what the app's maker says it requires, of which each is a line of its own."""

PRIVACY = (
    _line(
        "privacy", "opted-out", "note", "users", "People who opted out",
        "They are kept from this app, and counted here without being named. Classes are as much smaller for it.", "nobody",
        "SELECT '' AS id, '' AS said FROM range((SELECT people FROM opted_out))",
        "SELECT (SELECT count(*) FROM all_users) + (SELECT people FROM opted_out)",
    ),
    _line(
        "privacy", "demographics-unread", "warning", "demographics", "Demographics that are shared and never read",
        "The app has not read demographics for 90 days. What is not needed should not be shared.", "permissions",
        "SELECT '' AS id, '' AS said FROM counted JOIN unread USING (collection) WHERE collection = 'demographics' AND records > 0",
        "SELECT least(count(*), 1) FROM all_demographics",
    ),
    _line(
        "privacy", "shared-unread", "note", "", "Collections that are shared and never read",
        "The app has not read these for 90 days. What is not needed should not be shared.", "permissions",
        "SELECT '' AS id, collection AS said FROM counted JOIN unread USING (collection) WHERE collection <> 'demographics' AND records > 0",
        "SELECT count(*) FROM counted WHERE records > 0",
    ),
    _line(
        "privacy", "full-little-used", "warning", "", "Full access, and little of it used",
        f"The app has Full access, and of the fields this shows it has asked for less than {LITTLE} % within 90 days. Basic would show it less.",
        "permissions",
        f"""SELECT '' AS id, field AS said FROM full_unread
            WHERE 100 * (SELECT count(*) FROM full_unread) > {100 - LITTLE} * (SELECT fields FROM full_shown)""",
        "SELECT fields FROM full_shown",
    ),
)  # fmt: skip

LINES = (*CLASSIC, *IDENTITY, *REFERENCES, *ROLES, *DATES, *CONTENT, *NEEDS, *PRIVACY)
"""In the order they are told in; what an app requires is asked between content and privacy."""

BY_CODE = {line.code: line for line in LINES}

NEED_CODE = "required"
NEED_TITLE = "Required by this app, and missing"
NEED_MEANING = "The app's maker says that it cannot work without it. Either the roster lacks it, or it is kept from this app by its permissions."
