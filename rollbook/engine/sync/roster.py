"""The source's side of a sync: a OneRoster roster as it was read, only what is mapped of it, and the twin of one that lives in memory.

Dates are text, `YYYY-MM-DD` or empty; what ends on a day does not hold on that day any more (oneroster/mapping: end dates are exclusive).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

MISSING, MARKED = "missing", "marked"
"""Why a record is gone: absent from a collection that was proved to be complete, or said to be `tobedeleted`."""


@dataclass(frozen=True, slots=True)
class Org:
    """A school, a district, a department. `line` is where it stands in what was read, 0 where nobody knows."""

    source_id: str
    name: str
    type: str = "school"
    identifier: str = ""
    parent: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """An academic session."""

    source_id: str
    title: str
    begins: str
    ends: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class with what is mapped of its course."""

    source_id: str
    title: str
    school: str
    code: str = ""
    type: str = ""
    course: str = ""
    course_title: str = ""
    course_code: str = ""
    terms: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    location: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """What a person is at one org: a role of 1.2, also where 1.1 was read."""

    role: str
    org: str
    primary: bool = False
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with their posts. `enabled` is enabledUser."""

    source_id: str
    given_name: str
    family_name: str
    posts: tuple[Post, ...] = ()
    email: str = ""
    username: str = ""
    identifier: str = ""
    grades: tuple[str, ...] = ()
    enabled: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A person in a class."""

    source_id: str
    person: str
    taught_class: str
    role: str
    primary: bool = False
    begins: str = ""
    ends: str = ""
    line: int = 0


class Roster(Protocol):
    """A roster as the planner asks for it: the active records, and which were there and are gone.

    `gone` is {collection: {sourcedId: MISSING or MARKED}} of all that this read, or one before it, found to be gone; a record that was
    held back by an error, or not seen in a read that was not whole, is in neither.
    """

    @property
    def orgs(self) -> Mapping[str, Org]: ...

    @property
    def terms(self) -> Mapping[str, Term]: ...

    @property
    def classes(self) -> Mapping[str, TaughtClass]: ...

    @property
    def people(self) -> Mapping[str, Person]: ...

    @property
    def gone(self) -> Mapping[str, Mapping[str, str]]: ...

    def all_enrollments(self) -> Iterator[Enrollment]:
        """Every active enrollment, in any order."""
        ...

    def enrollments_by(self, groups: Mapping[str, str]) -> Iterator[tuple[str, list[Enrollment]]]:
        """The active enrollments of the classes that `groups` {class: name} names, by name, in code point order of the names.

        A name without an enrollment is left out.
        """
        ...


@dataclass
class MemoryRoster:
    """A roster in memory: the twin of one in files."""

    orgs: dict[str, Org] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    classes: dict[str, TaughtClass] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    enrollments: list[Enrollment] = field(default_factory=list)
    gone: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        orgs: Iterable[Org] = (),
        people: Iterable[Person] = (),
        classes: Iterable[TaughtClass] = (),
        enrollments: Iterable[Enrollment] = (),
        terms: Iterable[Term] = (),
    ) -> "MemoryRoster":
        return cls(
            {one.source_id: one for one in orgs},
            {one.source_id: one for one in terms},
            {one.source_id: one for one in classes},
            {one.source_id: one for one in people},
            list(enrollments),
        )

    def all_enrollments(self) -> Iterator[Enrollment]:
        return iter(self.enrollments)

    def enrollments_by(self, groups: Mapping[str, str]) -> Iterator[tuple[str, list[Enrollment]]]:
        found: dict[str, list[Enrollment]] = {}
        for one in self.enrollments:
            if one.taught_class in groups:
                found.setdefault(groups[one.taught_class], []).append(one)
        return iter(sorted(found.items()))


def holds_on(day: str, begins: str, ends: str) -> bool:
    """Whether what begins and ends so holds on that day; a missing date sets no bound."""
    return (begins or "") <= day < (ends or "9999-99-99")
