"""A whole district on one night as lines of CSV, part by part: the district office, then one neighbourhood of schools after the other.

A part can be made without the others, and what is in memory is never more than one part.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator

from rollbook.generator.attendance import classes_of, student_lines, teacher_lines
from rollbook.generator.chance import Chance
from rollbook.generator.nights import RARE, turns
from rollbook.generator.package import cell, line
from rollbook.generator.people import (
    Post,
    User,
    demographics,
    guardian_count,
    guardian_id,
    guardian_user,
    has_profile,
    staff_user,
    student_user,
    telephone,
)
from rollbook.generator.schools import Neighbourhood, School, neighbourhoods
from rollbook.generator.seating import Family, Student, family, student_at
from rollbook.generator.timetable import (
    ELECTIVES,
    SCHOOL_YEAR,
    SESSIONS,
    YEAR,
    Class,
    Timetable,
    course_key,
    district_courses,
    elective_key,
    location,
    timetable,
)
from rollbook.oneroster.mapping import role_v1p1

Lines = defaultdict[str, list[str]]
"""The lines of one part by table."""

METADATA = {"orgs": ("phone",), "classes": ("capacity",), "users": ("homeLanguage",)}
"""The extension columns (`metadata.…`) of the files that have some."""

DISTRICT_OFFICE = -1
VENDOR = "learning.example"


class District:
    """The district of `students` and `seed` as it is on `night`, written in `version` (1.1 or 1.2)."""

    def __init__(self, students: int, seed: int, night: int = 0, version: str = "1.2") -> None:
        self.students = students
        self.night = night
        self.version = version
        self.chance = Chance(seed)
        self.org = self.chance.guid(b"district")

    def parts(self) -> Iterator[Lines]:
        yield office_lines(self)
        for around in neighbourhoods(self.students, self.chance):
            yield neighbourhood_lines(self, around)

    def school(self, school: School) -> str:
        return self.chance.guid(b"o%d" % school.number)

    def session(self, key: str) -> str:
        return self.chance.guid(f"session/{key}".encode())

    def course(self, key: bytes) -> str:
        return self.chance.guid(key)

    def resource(self, course: bytes) -> str:
        return self.chance.guid(b"x" + course)


def office_lines(district: District) -> Lines:
    """What belongs to no school: the district itself, sessions, common courses and their resources, the administrators."""
    lines = Lines(list)
    lines["orgs"].append(
        line((district.org, "", "", "Lakeland Unified School District", "district", "LUSD", "", "555-0100"))
    )
    lines["academicSessions"] += session_lines(district)
    lines["courses"] += common_course_lines(district)
    resource_lines(district, lines)
    administrators = 1 + district.students // 5000
    for number in range(administrators + 1):
        word = "systemAdministrator" if number == administrators else "districtAdministrator"
        add_user(
            district,
            lines,
            staff_user(Post(DISTRICT_OFFICE, number, word), (district.org,), district.night, district.chance),
        )
    return lines


def session_lines(district: District) -> Iterator[str]:
    for session in SESSIONS:
        begin, end = (
            datetime.date.fromordinal(ordinal).isoformat() for ordinal in (session.begin, session.end)
        )
        parent = district.session(session.parent) if session.parent else ""
        yield line(
            (
                district.session(session.key),
                "",
                "",
                session.title,
                session.type,
                begin,
                end,
                parent,
                SCHOOL_YEAR,
            )
        )


def common_course_lines(district: District) -> Iterator[str]:
    for level, grade, subject in district_courses():
        title = f"{level.word} {subject.title}" if "," in grade else f"{subject.title} {grade}"
        code = f"{subject.code}-{level.word[0] if ',' in grade else grade}"
        yield course_line(
            district,
            course_key(level, grade, subject),
            title,
            code,
            grade,
            district.org,
            subject.subjects,
            subject.sced,
        )


def course_line(
    district: District, key: bytes, title: str, code: str, grades: str, org: str, subjects: str, codes: str
) -> str:
    year = district.session(YEAR)
    return line((district.course(key), "", "", year, title, code, grades, org, subjects, codes))


def resource_lines(district: District, lines: Lines) -> None:
    """A textbook for every common course that is not a homeroom."""
    for level, grade, subject in district_courses():
        if "," in grade:
            continue
        key = course_key(level, grade, subject)
        resource, title = district.resource(key), f"{subject.title} {grade}: the Textbook"
        lines["resources"].append(
            line(
                (
                    resource,
                    "",
                    "",
                    f"book:{subject.code}-{grade}",
                    title,
                    "student,teacher",
                    "primary",
                    VENDOR,
                    "reader",
                )
            )
        )
        lines["courseResources"].append(
            line((district.chance.guid(b"cr" + key), "", "", title, district.course(key), resource))
        )


def neighbourhood_lines(district: District, around: Neighbourhood) -> Lines:
    lines = Lines(list)
    tables = timetables(around, district.chance)
    for school, plan in zip(around.schools, tables, strict=True):
        org = district.school(school)
        lines["orgs"].append(school_line(district, school, org))
        elective_lines(district, school, org, len(plan.electives), lines)
        for made in plan.classes:
            class_lines(district, school, org, made, lines)
        for post in plan.posts:
            add_user(
                district,
                lines,
                staff_user(post, orgs_of(district, around, post, plan), district.night, district.chance),
            )
        lines["enrollments"] += teacher_lines(school, org, plan, district.night, district.chance)
        for student in students(around, school, district):
            add_student(district, around, student, org, plan, lines)
    return lines


def timetables(around: Neighbourhood, chance: Chance) -> list[Timetable]:
    first, *rest = around.schools
    return [timetable(first, None, chance), *(timetable(school, first, chance) for school in rest)]


def school_line(district: District, school: School, org: str) -> str:
    calls = turns(district.night, district.chance.phase(school.number, RARE), RARE)
    phone = telephone(district.chance.bits(org.encode()), calls)
    return line((org, "", "", school.name, "school", f"LUSD-{school.number + 101}", district.org, phone))


def elective_lines(district: District, school: School, org: str, offered: int, lines: Lines) -> None:
    for subject in ELECTIVES[school.level.word][:offered]:
        key, grades = elective_key(school, subject), ",".join(school.level.grades)
        lines["courses"].append(
            course_line(
                district, key, subject.title, subject.code, grades, org, subject.subjects, subject.sced
            )
        )


def class_lines(district: District, school: School, org: str, made: Class, lines: Lines) -> None:
    terms = ",".join(map(district.session, made.terms))
    kind, room = (
        "homeroom" if made.homeroom else "scheduled",
        location(school, made, district.night, district.chance),
    )
    capacity = str(20 + made.number % 4 * 5)
    lines["classes"].append(
        line((
            made.sourced_id, "", "", made.title, made.grade, made.course, made.code, kind, room, org, terms,
            made.subject.subjects, made.subject.sced, made.period, capacity,
        ))
    )  # fmt: skip
    if not made.homeroom and "," not in made.grade and made.number % 10 == 7:
        book = district.resource(course_key(school.level, made.grade, made.subject))
        key = f"kr{school.number}.{made.number}".encode()
        lines["classResources"].append(line((district.chance.guid(key), "", "", "", made.sourced_id, book)))


def orgs_of(district: District, around: Neighbourhood, post: Post, plan: Timetable) -> tuple[str, ...]:
    """The travelling teacher, first behind the office, is at both schools of a neighbourhood."""
    home = next(school for school in around.schools if school.number == post.school)
    schools = around.schools if post == plan.travelling else (home,)
    return tuple(map(district.school, schools))


def students(around: Neighbourhood, school: School, district: District) -> Iterator[Student]:
    """Everyone who sits in the school on this night."""
    for grade, size in enumerate(school.sizes):
        for place in range(size):
            student = student_at(around, school, grade, place, district.night, district.chance)
            if student is not None:
                yield student


def add_student(
    district: District, around: Neighbourhood, student: Student, org: str, plan: Timetable, lines: Lines
) -> None:
    """The student with demographics, enrollments and sign-in; and the guardians, once for all children of the household."""
    night, chance = district.night, district.chance
    home = family(student, around, night, chance)
    count = guardian_count(home, chance)
    agents = ",".join(guardian_id(home, n, chance) for n in range(count))
    user = student_user(student, home, agents, org, district.students, night, chance)
    add_user(district, lines, user)
    lines["demographics"].append(
        demographics_line(district, user, demographics(student, home, night, chance))
    )
    lines["enrollments"] += student_lines(student, user.sourced_id, org, plan, night, chance)
    if count and home.children[0].person == student.person:
        add_guardians(district, home, count, lines)
    if district.version == "1.2" and has_profile(student):
        add_profile(district, student, user, plan, lines)


def demographics_line(district: District, user: User, columns: tuple[str, ...]) -> str:
    """1.1 knows two sexes and leaves the rest blank."""
    birth, sex, *rest = columns
    said = sex if district.version == "1.2" or sex in ("female", "male") else ""
    return f"{user.sourced_id},,,{birth},{said},{','.join(rest)}\r\n"


def add_guardians(district: District, home: Family, count: int, lines: Lines) -> None:
    orgs = tuple(dict.fromkeys(district.school(child.school) for child in home.children))
    for n in range(count):
        add_user(district, lines, guardian_user(home, n, orgs, district.night, district.chance))


def add_profile(district: District, student: Student, user: User, plan: Timetable, lines: Lines) -> None:
    """A sign-in at a product, and, for those who attend a class with a textbook, the licence for it."""
    role = user.roles[0]
    lines["userProfiles"].append(
        line(
            (
                role.profile,
                "",
                "",
                user.sourced_id,
                "learning",
                VENDOR,
                "reader",
                "Reader sign-in",
                "username",
                f"reader.{user.username}",
                "",
            )
        )
    )
    for made in classes_of(student, district.night, plan, district.chance):
        if made.subject.code == "MA" and "," not in made.grade:
            book = district.resource(course_key(student.school.level, made.grade, made.subject))
            key = f"ur{user.sourced_id}{made.sourced_id}".encode()
            lines["userResources"].append(
                line((district.chance.guid(key), "", "", user.sourced_id, role.org, made.sourced_id, book))
            )


def add_user(district: District, lines: Lines, user: User) -> None:
    if district.version == "1.2":
        lines["users"].append(user_line_v1p2(user))
        lines["roles"] += role_lines(district, user)
    else:
        lines["users"].append(user_line_v1p1(user))


def user_line_v1p2(user: User) -> str:
    return (
        f"{user.sourced_id},,,{user.enabled},{user.username},{cell(user.user_ids)},{user.given},{user.family},{user.middle},"
        f"{user.identifier},{user.email},{user.sms},{user.phone},{cell(user.agents)},{user.grades},,{user.master},{user.preferred},,,"
        f"{user.roles[0].org},{user.pronouns},{user.language}\r\n"
    )


def role_lines(district: District, user: User) -> Iterator[str]:
    for role in user.roles:
        yield (
            f"{district.chance.guid(b'r' + role.key)},,,{user.sourced_id},{role.kind},{role.word},,,{role.org},{role.profile}\r\n"
        )


def user_line_v1p1(user: User) -> str:
    """1.1 has one role, that at the first org, and no preferred names, pronouns and further identifiers."""
    orgs = ",".join(dict.fromkeys(role.org for role in user.roles))
    return (
        f"{user.sourced_id},,,{user.enabled},{cell(orgs)},{role_v1p1(user.roles[0].word)},{user.username},{cell(user.user_ids)},"
        f"{user.given},{user.family},{user.middle},{user.identifier},{user.email},{user.sms},{user.phone},{cell(user.agents)},"
        f"{user.grades},,{user.language}\r\n"
    )
