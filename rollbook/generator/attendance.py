"""Who is enrolled in what: the lines of enrollments.csv of one school on one night. Written for speed:
this is nine tenths of a district.
"""

import datetime
from collections.abc import Iterator

from rollbook.generator.chance import Chance
from rollbook.generator.nights import CORRECTION, FIRST_NIGHT, MOVE
from rollbook.generator.people import staff_id
from rollbook.generator.schools import ELEMENTARY, School
from rollbook.generator.seating import Student
from rollbook.generator.timetable import CHOSEN, SESSIONS, WITH_HOMEROOM, Class, Timetable

SHIFT = 7
"""By how many days the first day of an enrollment moves when it is corrected, and back at the next correction."""
UNENROLLED = 97
"""One seat in so many attends nothing."""

FIRST_DAY = min(session.begin for session in SESSIONS)
LAST_DAY = max(session.end for session in SESSIONS)
DATES = [datetime.date.fromordinal(ordinal).isoformat() for ordinal in range(FIRST_DAY, LAST_DAY + 1)]


def classes_of(student: Student, night: int, timetable: Timetable, chance: Chance) -> Iterator[Class]:
    """The classes of the seat the student sits on. Homeroom subjects go by place, the others by the dice of the seat."""
    school, grade = student.school, student.grade
    seat = school.seat(grade, student.place)
    if seat % UNENROLLED == 41:
        return
    bits = chance.bits(b"a%d" % seat)
    moves = chance.phase(seat, MOVE)
    size = school.sizes[grade]
    together = (
        WITH_HOMEROOM[school.level.word] if school.level is not ELEMENTARY else len(timetable.core[grade])
    )
    columns = timetable.core[grade] + chosen(
        timetable.electives, CHOSEN[school.level.word][grade], bits >> 112
    )
    for k, sections in enumerate(columns):
        count = len(sections)
        first = student.place * count // size if k < together else (bits >> 9 * k & 511) * count >> 9
        yield sections[(first + (night + (moves + 53 * k) % MOVE) // MOVE) % count]


def chosen(electives: list[list[Class]], number: int, bits: int) -> list[list[Class]]:
    """So many different electives, in a row from anywhere."""
    return [electives[(bits + k) % len(electives)] for k in range(number)]


def student_lines(
    student: Student, user: str, school: str, timetable: Timetable, night: int, chance: Chance
) -> Iterator[str]:
    """`user` and `school` are sourcedIds. A student who came later is enrolled from that day on."""
    corrections = chance.phase(student.person, CORRECTION)
    arrival = FIRST_NIGHT + student.since if student.since else FIRST_DAY
    who = b"n%d.%d.%d." % (student.person, student.generation, student.school.number)
    guid = chance.guid
    for made in classes_of(student, night, timetable, chance):
        corrected = (night + (corrections + 29 * made.number) % CORRECTION) // CORRECTION & 1
        begin = min(max(made.begin, arrival) + SHIFT * corrected, made.end) - FIRST_DAY
        yield (
            f"{guid(who + b'%d' % made.number)},,,{made.sourced_id},{school},{user},student,false,"
            f"{DATES[begin]},{DATES[made.end - FIRST_DAY]}\r\n"
        )


def teacher_lines(
    school: School, org: str, timetable: Timetable, night: int, chance: Chance
) -> Iterator[str]:
    """Every class has its teachers, the main one first and marked primary."""
    for made in timetable.classes:
        dates = f"{DATES[made.begin - FIRST_DAY]},{DATES[made.end - FIRST_DAY]}"
        for rank, post in enumerate(made.teachers):
            user = staff_id(post, night, chance)
            sourced_id = chance.guid(f"t{school.number}.{made.number}.{user}".encode())
            primary = "false" if rank else "true"
            yield f"{sourced_id},,,{made.sourced_id},{org},{user},teacher,{primary},{dates}\r\n"
