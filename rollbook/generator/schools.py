"""The schools of a district: levels, sizes, names, and which two are neighbours.

A seat is a place for one student, numbered through the district.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rollbook.generator.chance import Chance

PLACES = (
    "Alder Creek", "Ashland", "Bayside", "Birchwood", "Blue Mesa", "Canyon View", "Cedar Grove",
    "Cesar Chavez", "Clearwater", "Cottonwood", "Dogwood", "Eagle Rock", "Edison", "Fairhaven", "Fox Hollow",
    "Frederick Douglass", "Glenwood", "Hawthorne", "Hickory Hill", "Horizon", "Irving Park", "Juniper",
    "Kingsley", "Lakeshore", "Las Palmas", "Lincoln", "Magnolia", "Maple Ridge", "Meadowbrook", "Mill Pond",
    "Montaña", "North Fork", "Oak Hollow", "Orchard Hill", "Pine Street", "Prairie Wind", "Quail Run",
    "Redwood", "Rosa Parks", "Saint-Exupéry", "Sandy Point", "Silver Lake", "Stone Bridge", "Summit",
    "Sycamore", "Tamarack", "Union", "Valley View", "Willow Bend", "Yellow Pine",
)  # fmt: skip
QUARTERS = ("", "North ", "South ", "East ", "West ", "Upper ", "Lower ", "Old ")


@dataclass(frozen=True)
class Level:
    """A kind of school: its grades as CEDS codes, the age in the first one, the share of all students, the usual size."""

    word: str
    grades: tuple[str, ...]
    age: int
    size: int


ELEMENTARY = Level("Elementary", ("KG", "01", "02", "03", "04", "05"), 5, 480)
MIDDLE = Level("Middle", ("06", "07", "08"), 11, 720)
HIGH = Level("High", ("09", "10", "11", "12"), 14, 1300)
LEVELS = (ELEMENTARY, MIDDLE, HIGH)
GRADES = sum(len(level.grades) for level in LEVELS)


@dataclass(frozen=True)
class School:
    """A school: `first` is its first seat, `sizes` how many seats each grade has, `starts` how many stand before each grade."""

    number: int
    level: Level
    name: str
    first: int
    sizes: tuple[int, ...]
    starts: tuple[int, ...]

    def seat(self, grade: int, place: int) -> int:
        return self.first + self.starts[grade] + place

    @property
    def size(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class Neighbourhood:
    """One school or two of a level; only neighbours exchange students and share staff, so it can be made without the rest."""

    schools: tuple[School, ...]

    def other(self, school: School) -> School | None:
        return next((other for other in self.schools if other is not school), None)


def neighbourhoods(students: int, chance: Chance) -> Iterator[Neighbourhood]:
    """All schools for `students`, level by level, in twos; together they have exactly that many seats."""
    number = first = 0
    for level, total in zip(LEVELS, level_totals(students), strict=True):
        schools = list(schools_of(level, total, number, first, chance))
        for start in range(0, len(schools), 2):
            yield Neighbourhood(tuple(schools[start : start + 2]))
        number, first = number + len(schools), first + total


def level_totals(students: int) -> tuple[int, int, int]:
    elementary = students * len(ELEMENTARY.grades) // GRADES
    middle = students * len(MIDDLE.grades) // GRADES
    return elementary, middle, students - elementary - middle


def schools_of(level: Level, total: int, number: int, first: int, chance: Chance) -> Iterator[School]:
    if not total:
        return
    count = max(1, round(total / level.size))
    weights = [60 + chance.bits(b"size%d" % (number + k)) % 81 for k in range(count)]
    bounds = [0, *(total * sum_so_far // sum(weights) for sum_so_far in accumulate(weights))]
    for k, (begin, end) in enumerate(pairwise(bounds)):
        sizes = grade_sizes(end - begin, len(level.grades))
        starts = (0, *accumulate(sizes[:-1]))
        yield School(number + k, level, school_name(level, k, chance), first + begin, sizes, starts)


def grade_sizes(size: int, grades: int) -> tuple[int, ...]:
    return tuple(size * (grade + 1) // grades - size * grade // grades for grade in range(grades))


def school_name(level: Level, k: int, chance: Chance) -> str:
    """No two schools of a level share a name."""
    place = PLACES[(k + chance.salt) % len(PLACES)]
    round_, series = (k // len(PLACES)) % len(QUARTERS), k // (len(PLACES) * len(QUARTERS))
    return f"{QUARTERS[round_]}{place} {level.word} School" + (f" No. {series + 1}" if series else "")
