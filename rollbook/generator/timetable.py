"""The school year, the courses, and for each school its classes, who teaches them, and which ones a seat attends."""

import datetime
from typing import NamedTuple

from rollbook.generator.chance import Chance
from rollbook.generator.nights import EDIT, turns
from rollbook.generator.people import Post
from rollbook.generator.schools import ELEMENTARY, HIGH, LEVELS, Level, School

SCHOOL_YEAR = "2027"


class Session(NamedTuple):
    """An academic session; `begin` and `end` are day ordinals, `parent` the key of the one it is part of."""

    key: str
    title: str
    type: str
    begin: int
    end: int
    parent: str = ""


def day(text: str) -> int:
    return datetime.date.fromisoformat(text).toordinal()


YEAR, FALL, SPRING, TERM_1, TERM_2 = "year", "fall", "spring", "term-1", "term-2"
TRIMESTERS = ("trimester-1", "trimester-2", "trimester-3")
SESSIONS = (
    Session(YEAR, "School Year 2026-2027", "schoolYear", day("2026-08-17"), day("2027-06-11")),
    Session(FALL, "Fall Semester", "semester", day("2026-08-17"), day("2026-12-18"), YEAR),
    Session(SPRING, "Spring Semester", "semester", day("2027-01-04"), day("2027-06-11"), YEAR),
    Session(TERM_1, "Term 1", "term", day("2026-08-17"), day("2026-12-18"), FALL),
    Session(TERM_2, "Term 2", "term", day("2027-01-04"), day("2027-06-11"), SPRING),
    Session(TRIMESTERS[0], "Trimester 1", "term", day("2026-08-17"), day("2026-11-13"), YEAR),
    Session(TRIMESTERS[1], "Trimester 2", "term", day("2026-11-16"), day("2027-02-26"), YEAR),
    Session(TRIMESTERS[2], "Trimester 3", "term", day("2027-03-01"), day("2027-06-11"), YEAR),
    Session("quarter-1", "Quarter 1", "gradingPeriod", day("2026-08-17"), day("2026-10-16"), TERM_1),
    Session("quarter-2", "Quarter 2", "gradingPeriod", day("2026-10-19"), day("2026-12-18"), TERM_1),
    Session("quarter-3", "Quarter 3", "gradingPeriod", day("2027-01-04"), day("2027-03-19"), TERM_2),
    Session("quarter-4", "Quarter 4", "gradingPeriod", day("2027-03-22"), day("2027-06-11"), TERM_2),
    Session(
        "report-1", "Report Card 1", "gradingPeriod", day("2026-08-17"), day("2026-11-13"), TRIMESTERS[0]
    ),
    Session(
        "report-2", "Report Card 2", "gradingPeriod", day("2026-11-16"), day("2027-02-26"), TRIMESTERS[1]
    ),
    Session(
        "report-3", "Report Card 3", "gradingPeriod", day("2027-03-01"), day("2027-06-11"), TRIMESTERS[2]
    ),
)
SPAN = {session.key: (session.begin, session.end) for session in SESSIONS}


class Subject(NamedTuple):
    """What a course is about: its title, the code it begins with, subjects and SCED codes as comma lists."""

    title: str
    code: str
    subjects: str
    sced: str


HOMEROOM = Subject("Homeroom", "HR", "", "")
MATHEMATICS = Subject("Mathematics", "MA", "Mathematics", "02001")
ENGLISH = Subject("English Language Arts", "EN", "English Language Arts", "01001")
SCIENCE = Subject("Science", "SC", "Science", "03001")
SOCIAL_STUDIES = Subject("History, Civics and Geography", "SS", "Social Sciences", "04001")
SPORTS = Subject("Physical Education", "PE", "Physical Education,Health", "08001,08051")
ART = Subject("Art", "AR", "Fine Art", "05151")
MUSIC = Subject("Music", "MU", "Music", "05101")

CORE: dict[str, tuple[Subject, ...]] = {
    "Elementary": (HOMEROOM, MATHEMATICS, ENGLISH, SCIENCE, ART, MUSIC, SPORTS),
    "Middle": (HOMEROOM, MATHEMATICS, ENGLISH, SCIENCE, SOCIAL_STUDIES, SPORTS),
    "High": (HOMEROOM, MATHEMATICS, ENGLISH, SCIENCE, SOCIAL_STUDIES),
}
WITH_HOMEROOM = {"Elementary": 4, "Middle": 1, "High": 1}
"""How many subjects, from the first, are taught to the homeroom as a whole."""

ELECTIVES: dict[str, tuple[Subject, ...]] = {
    "Elementary": (),
    "Middle": (
        Subject("Band", "BA", "Music", "05102"),
        Subject("Choir", "CH", "Music", "05110"),
        Subject("Spanish", "ES", "World Languages", "24052"),
        Subject("Coding", "CO", "Computer Science", "10152"),
        Subject("Drama", "DR", "Theatre", "05052"),
        Subject("Study Skills", "ST", "", "22003"),
    ),
    "High": (
        Subject("Español", "ES", "World Languages", "24052"),
        Subject("Français", "FR", "World Languages", "24102"),
        Subject("中文 (Mandarin)", "ZH", "World Languages", "24402"),
        Subject("Orchestra", "OR", "Music", "05104"),
        Subject("Photography", "PH", "Fine Art,Visual Arts", "05167"),
        Subject("Drama", "DR", "Theatre", "05052"),
        Subject("Computer Science", "CS", "Computer Science", "10011"),
        Subject("Auto Shop", "AU", "Vocational", "20104"),
        Subject("Personal Finance", "PF", "Business", "19262"),
        Subject("Weights & Fitness", "WE", "Physical Education", "08005"),
        Subject("Psychology", "PS", "Social Sciences", "04254"),
        Subject("Statistics \"by hand\"", "AP", "Mathematics", "02201"),
    ),
}  # fmt: skip
CHOSEN = {"Elementary": (0,) * 6, "Middle": (2, 2, 3), "High": (4, 4, 5, 4)}
"""How many electives a student of each grade takes."""

CLASS_SIZES = (16, 20, 22, 24, 25, 26, 27, 28, 30, 34)
CLASSES_A_TEACHER = 5
CO_TAUGHT = 5
"""One class in five has a second teacher."""


class Class(NamedTuple):
    """A class: `number` in its school, `teachers` the posts that teach it, the main one first; `begin` and `end` as day ordinals."""

    number: int
    sourced_id: str
    title: str
    grade: str
    course: str
    code: str
    homeroom: bool
    terms: tuple[str, ...]
    subject: Subject
    period: str
    teachers: tuple[Post, ...]
    begin: int
    end: int


class Timetable(NamedTuple):
    """`core[grade]` are the subjects of a grade, each a list of parallel classes; `electives` are open to every grade."""

    classes: list[Class]
    core: list[list[list[Class]]]
    electives: list[list[Class]]
    posts: list[Post]
    travelling: Post


def course_key(level: Level, grade: str, subject: Subject) -> bytes:
    """The key of a course of the whole district; homerooms are one course a level."""
    return f"c/{level.word}/{'' if subject is HOMEROOM else grade}/{subject.code}".encode()


def elective_key(school: School, subject: Subject) -> bytes:
    return f"e/{school.number}/{subject.code}".encode()


def district_courses() -> list[tuple[Level, str, Subject]]:
    """Every course the district keeps for all its schools: (level, grade or all grades, subject)."""
    homerooms = [(level, ",".join(level.grades), HOMEROOM) for level in LEVELS]
    return homerooms + [
        (level, grade, subject)
        for level in LEVELS
        for grade in level.grades
        for subject in CORE[level.word][1:]
    ]


def terms_of(level: Level, subject: Subject, number: int, elective: bool) -> tuple[str, ...]:
    if subject is HOMEROOM:
        return (YEAR,)
    if level is ELEMENTARY:
        return TRIMESTERS
    halves = (TERM_1, TERM_2) if level is HIGH else (FALL, SPRING)
    return halves[number % 3 : number % 3 + 1] if elective and number % 3 < 2 else halves


class Planner:
    """Fills the timetable of one school, class by class; lives only while that is done."""

    def __init__(self, school: School, chance: Chance) -> None:
        self.school = school
        self.chance = chance
        self.classes: list[Class] = []
        self.posts = office(school)

    def post(self, word: str) -> Post:
        self.posts.append(Post(self.school.number, len(self.posts), word))
        return self.posts[-1]

    def new_class(
        self, subject: Subject, course: bytes, grade: str, n: int, teacher: Post, elective: bool
    ) -> Class:
        number, level = len(self.classes), self.school.level
        terms = terms_of(level, subject, number, elective)
        made = Class(
            number,
            self.chance.guid(b"k%d.%d" % (self.school.number, number)),
            f"{subject.title}{f' {grade}' if grade else ''}, Section {n + 1}",
            grade or ",".join(level.grades),
            self.chance.guid(course),
            f"{subject.code}{grade}-{n + 1}",
            subject is HOMEROOM,
            terms,
            subject,
            "" if subject is HOMEROOM else str(1 + number % 8),
            (teacher, *self.second_teacher(number)),
            SPAN[terms[0]][0],
            SPAN[terms[-1]][1],
        )
        self.classes.append(made)
        return made

    def second_teacher(self, number: int) -> tuple[Post, ...]:
        """Co-teachers are posts of their own kind: one for every so many classes that have two teachers."""
        if number % CO_TAUGHT != 3:
            return ()
        if number % (CO_TAUGHT * CLASSES_A_TEACHER) == 3:
            self.co_teacher = self.post("teacher")
        return (self.co_teacher,)


def office(school: School) -> list[Post]:
    """Who works at a school and teaches nothing."""
    words = ["principal", "siteAdministrator", *["counselor"] * (1 + school.size // 400)]
    words += ["aide"] * (len(school.level.grades) if school.level is ELEMENTARY else 1)
    return [Post(school.number, number, word) for number, word in enumerate(words)]


def timetable(school: School, lender: School | None, chance: Chance) -> Timetable:
    """`lender` is the neighbour whose art or music teacher comes over; the same on every night."""
    planner = Planner(school, chance)
    travelling = travelling_post(school if lender is None else lender)
    if lender is None:
        planner.posts.append(travelling)
    core = [core_classes(planner, grade, travelling) for grade in range(len(school.sizes))]
    electives = elective_classes(planner, travelling)
    return Timetable(planner.classes, core, electives, planner.posts, travelling)


def travelling_post(school: School) -> Post:
    """The teacher who also serves the neighbouring school: the first post behind the office."""
    return Post(school.number, len(office(school)), "teacher")


def core_classes(planner: Planner, grade: int, travelling: Post) -> list[list[Class]]:
    school, word = planner.school, planner.school.level.word
    if not school.sizes[grade]:
        return []
    together = WITH_HOMEROOM[word]
    rooms = parallel(school.sizes[grade], b"%d.%d" % (school.number, grade), planner.chance)
    teachers = [planner.post("teacher") for _ in range(rooms)]
    columns = []
    for k, subject in enumerate(CORE[word]):
        sections = rooms if k < together or word == "Elementary" else parallel(
            school.sizes[grade], b"%d.%d.%d" % (school.number, grade, k), planner.chance
        )  # fmt: skip
        if k >= together:
            teachers = subject_teachers(planner, sections, travelling if subject is ART else None)
        course = course_key(school.level, school.level.grades[grade], subject)
        code = school.level.grades[grade]
        columns.append(
            [planner.new_class(subject, course, code, n, teachers[n], False) for n in range(sections)]
        )
    return columns


def subject_teachers(planner: Planner, sections: int, travelling: Post | None) -> list[Post]:
    """One post for every so many parallel classes; the travelling teacher takes them all."""
    if travelling is not None:
        return [travelling] * sections
    posts = [planner.post("teacher") for _ in range(-(-sections // CLASSES_A_TEACHER))]
    return [posts[n // CLASSES_A_TEACHER] for n in range(sections)]


def parallel(students: int, key: bytes, chance: Chance) -> int:
    """How many parallel classes `students` are split into."""
    size = CLASS_SIZES[chance.bits(b"z" + key) % len(CLASS_SIZES)]
    return max(1, round(students / size))


def elective_classes(planner: Planner, travelling: Post) -> list[list[Class]]:
    """Every elective the school is large enough for; one of them is given by the travelling teacher."""
    school = planner.school
    subjects = ELECTIVES[school.level.word]
    seats = sum(size * chosen for size, chosen in zip(school.sizes, CHOSEN[school.level.word], strict=True))
    offered = subjects[: max(*CHOSEN[school.level.word], min(len(subjects), seats // 20))]
    columns = []
    for k, subject in enumerate(offered):
        sections = parallel(seats // len(offered), b"%d.e%d" % (school.number, k), planner.chance)
        teachers = subject_teachers(planner, sections, travelling if k == 0 else None)
        course = elective_key(school, subject)
        columns.append(
            [planner.new_class(subject, course, "", n, teachers[n], True) for n in range(sections)]
        )
    return columns


def location(school: School, made: Class, night: int, chance: Chance) -> str:
    moves = turns(night, chance.phase(school.number * 1009 + made.number, EDIT), EDIT)
    return f"Room {100 + (made.number * 7 + moves) % 180}"
