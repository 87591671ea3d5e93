"""Who sits where on a given night: students who stay, leave, join and change schools; and who is whose brother or sister."""

from typing import NamedTuple

from rollbook.generator.chance import Chance
from rollbook.generator.nights import CHURN, TRANSFER, latest, turns
from rollbook.generator.schools import Neighbourhood, School

VACANCY = 3
"""A seat stays empty for 0, 1 or 2 nights before the next student joins."""


class Student(NamedTuple):
    """The student of `generation` (0 = from the first night) whose seat of origin is `person`, and where that student is now.

    `since` is the night on which the student came to `school`; 0 is the first day of school.
    """

    person: int
    generation: int
    home: School
    grade: int
    place: int
    school: School
    since: int


class Family(NamedTuple):
    """The household a student belongs to: named by one child of it, who need not be there any more; `children` are there."""

    lead: int
    generation: int
    children: tuple[Student, ...]


def student_at(
    around: Neighbourhood, school: School, grade: int, place: int, night: int, chance: Chance
) -> Student | None:
    """Who sits on this seat; None on the few nights it is empty."""
    home, moved = origin(around, school, grade, place, night, chance)
    return present(home, school, grade, place, moved, night, chance)


def origin(
    around: Neighbourhood, school: School, grade: int, place: int, night: int, chance: Chance
) -> tuple[School, int]:
    """The school where the occupant of a seat began, and the night of the last transfer.

    It also answers the reverse question, where the student who began on this seat is now, for two always change places.
    """
    other = around.other(school)
    if other is None or place >= min(school.sizes[grade], other.sizes[grade]):
        return school, 0
    phase = chance.phase(min(school.seat(grade, place), other.seat(grade, place)), TRANSFER)
    return other if turns(night, phase, TRANSFER) % 2 else school, latest(night, phase, TRANSFER)


def present(
    home: School, school: School, grade: int, place: int, moved: int, night: int, chance: Chance
) -> Student | None:
    person = home.seat(grade, place)
    phase = chance.phase(person, CHURN)
    generation = turns(night, phase, CHURN)
    empty = person // CHURN % VACANCY
    if generation and (night + phase) % CHURN < empty:
        return None
    joined = latest(night, phase, CHURN) + empty if generation else 0
    return Student(person, generation, home, grade, place, school, max(moved, joined))


def family(student: Student, around: Neighbourhood, night: int, chance: Chance) -> Family:
    """Three of ten students of the first night have a brother or sister in the grade above or below, until one of them leaves."""
    grade = student.grade ^ 1
    sizes = student.home.sizes
    if student.generation or student.place % 10 >= 3 or grade >= len(sizes) or student.place >= sizes[grade]:
        return Family(student.person, student.generation, (student,))
    school, moved = origin(around, student.home, grade, student.place, night, chance)
    sibling = present(student.home, school, grade, student.place, moved, night, chance)
    lead = min(student.person, student.home.seat(grade, student.place))
    if sibling is None or sibling.generation:
        return Family(lead, 0, (student,))
    return Family(lead, 0, (student, sibling) if student.person < sibling.person else (sibling, student))
