"""Explain: why one person or one class is, or is not, among what an app sees: yes/no facts in order, and the settings that would change it.

A pure function of what is known of the record, of the grant and of the orgs. It decides nothing: what is served is worked out by
`store.visibility`, and a test holds the two together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rollbook.engine.scope import Level, Rule, Scope

GUARDIANS = frozenset({"guardian", "parent", "relative"})


class Setting(StrEnum):
    """What has to be changed where a fact does not hold, and so where, and by whom."""

    ROSTER = "roster"
    IMPORT = "import"
    ADD = "add"
    ENABLE = "enable"
    DATES = "dates"
    LEVEL = "level"
    ORGS = "orgs"
    COURSES = "courses"
    CLASSES = "classes"
    UNENROLLED = "unenrolled"
    GUARDIANS = "guardians"
    OPT_OUT = "opt-out"


@dataclass(frozen=True)
class Question:
    """One yes/no question: what it says where the answer is yes, and where it is no, and what has to be changed then."""

    yes: str
    no: str
    setting: Setting


R = Setting.ROSTER
QUESTIONS = {
    "exists": Question("{what} is in the roster.", "There is no {what} with this id in the roster.", R),
    "class-active": Question("The class is active in the roster.", "The class is deleted in the roster.", R),
    "kept": Question(
        "The app is one of this district's.", "The app was removed from this district.", Setting.ADD
    ),
    "enabled": Question("The app is enabled.", "The app is disabled: it gets nothing.", Setting.ENABLE),
    "begun": Question("It sees the roster since {day}.", "It sees nothing before {day}.", Setting.DATES),
    "not-over": Question(
        "It sees the roster until {day}.", "It has seen nothing since {day} was over.", Setting.DATES
    ),
    "level": Question(
        "Its permissions are {level}.", "Its permissions are None: it sees nothing.", Setting.LEVEL
    ),
    "something": Question("", "Its permissions choose nothing.", Setting.ORGS),
    "school-active": Question(
        "Its school {school} is active.", "Its school {school} is not in the roster, or deleted.", R
    ),
    "course-active": Question(
        "Its course {course} is active.", "Its course {course} is not in the roster, or deleted.", R
    ),
    "class-chosen": Question(
        "The class is chosen{rule}.",
        "Classes are chosen one by one{rule}, and this one is not.",
        Setting.CLASSES,
    ),
    "org-chosen": Question(
        "Its school {school} is chosen{rule}.", "Its school {school} is not chosen{rule}.", Setting.ORGS
    ),
    "org-above": Question(
        "",
        "Its school {school} is above what is chosen{rule}: the app is told of it for reference only, and of nobody in it.",
        Setting.ORGS,
    ),
    "course-chosen": Question(
        "Its course {course} is chosen{rule}.", "Its course {course} is not chosen{rule}.", Setting.COURSES
    ),
    "course-org": Question(
        "The course belongs to {owner}, {how}.",
        "The course belongs to {owner}, which is neither chosen{rule} nor above an org that is.",
        Setting.ORGS,
    ),
    "enrolled": Question(
        "The person is enrolled in {name}.",
        "The person is enrolled in {name}, which is deleted in the roster.",
        R,
    ),
    "active": Question("The person is active in the roster.", "The person is deleted in the roster.", R),
    "opted-out": Question("The person has not opted out.", "The person has opted out {out}", Setting.OPT_OUT),
    "own-role": Question(
        "The person has a role of their own.",
        "The person has no role, or none but that of a guardian, and is in no class.",
        R,
    ),
    "role-org-chosen": Question(
        "An org at which the person has a role is chosen ({places}).",
        "No org at which the person has a role is chosen ({places}).",
        Setting.ORGS,
    ),
    "role-org-above": Question(
        "",
        "Of the orgs at which the person has a role ({places}) none is chosen; what is above a chosen one is there for reference only.",
        Setting.ORGS,
    ),
    "elsewhere": Question(
        "People who are only in classes that are not shared are let through.",
        "The person is only in classes that are not shared, and such people are not let through.",
        Setting.UNENROLLED,
    ),
    "unenrolled": Question(
        "The person is in no class, and such people are let through.",
        "The person is in no class, and such people are not let through.",
        Setting.UNENROLLED,
    ),
    "pupil": Question(
        "A pupil who names the person as their agent is enrolled in {name}.",
        "A pupil who names the person as their agent is enrolled in {name}, which is deleted in the roster.",
        R,
    ),
    "no-pupil": Question(
        "",
        "No pupil who is in a class, and has not opted out, names the person as their agent.",
        R,
    ),
    "guardians": Question(
        "Guardians are let through.",
        "The person is a guardian, and guardians are not let through.",
        Setting.GUARDIANS,
    ),
    "withheld": Question("", "An import brought it and held it back: {why}", Setting.IMPORT),
}
"""In the order in which they are asked; what stands in braces is filled in."""


ABOVE = "which is above what is chosen, and told of for reference only"


@dataclass(frozen=True)
class Fact:
    """One question with its answer. `words` is a sentence that is true; `setting` is what to change, None where the fact holds."""

    code: str
    holds: bool
    words: str
    setting: Setting | None = None


@dataclass(frozen=True)
class Explanation:
    """`sees`: the app is given the record now. `in_view`: it would be, if the app were enabled."""

    facts: tuple[Fact, ...]
    in_view: bool

    @property
    def sees(self) -> bool:
        return all(fact.holds for fact in self.facts)

    @property
    def missing(self) -> tuple[Fact, ...]:
        """What stands in the way, in order."""
        return tuple(fact for fact in self.facts if not fact.holds)


# --- What is known ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """An org. `parent` is a record id, None where there is none."""

    name: str
    active: bool
    parent: int | None = None


@dataclass(frozen=True)
class Taught:
    """A class, with what of its course matters."""

    id: int
    name: str
    active: bool
    school: int
    course: int
    course_name: str
    course_active: bool
    course_org: int | None


@dataclass(frozen=True)
class Seat:
    """An enrollment; `taught` is None where its class is not in the roster."""

    active: bool
    role: str
    taught: Taught | None


@dataclass(frozen=True)
class Post:
    """A role somebody has at an org."""

    active: bool
    role: str
    org: int


@dataclass(frozen=True)
class Person:
    """`opted_out` says in words from when and why, empty where they did not. `pupils` are those who name them as their agent."""

    active: bool
    seats: tuple[Seat, ...] = ()
    posts: tuple[Post, ...] = ()
    opted_out: str = ""
    pupils: tuple["Person", ...] = ()


@dataclass(frozen=True)
class Chosen:
    """What the choices of one scope come to now: record ids of active orgs and courses."""

    orgs: frozenset[int]
    courses: frozenset[int]


@dataclass(frozen=True)
class Sharing:
    """A grant and what its rule comes to now: `chosen` goes with the rule's scopes. Dates are days as `YYYY-MM-DD`."""

    rule: Rule
    chosen: tuple[Chosen, ...]
    places: Mapping[int, Place]
    removed: bool = False
    enabled: bool = True
    starts_on: str | None = None
    ends_on: str | None = None
    today: str = ""


@dataclass
class _Way:
    """One way by which a record could be let through: what must hold of the place, then what toggles must be on."""

    place: list[Fact] = field(default_factory=list)
    toggles: list[Fact] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return sum(not fact.holds for fact in (*self.place, *self.toggles))


def explain_class(taught: Taught, sharing: Sharing) -> Explanation:
    """Why the class is or is not seen."""
    ways = [_Way(list(facts)) for facts in _ways_of_class(taught, sharing)]
    return _explained([_fact("class-active", taught.active)], sharing, ways, [])


def explain_person(person: Person, sharing: Sharing) -> Explanation:
    """Why the person is or is not seen."""
    own = [_fact("active", person.active), _fact("opted-out", not person.opted_out, out=person.opted_out)]
    first = [_fact("exists", True, what="The person")]
    return _explained(first, sharing, list(_ways_of_person(person, sharing)), own)


def explain_absence(what: str, withheld: str) -> Explanation:
    """Of a record that is not in the roster; `withheld` says why an import did not take it in, if one did not."""
    facts = [_fact("exists", False, what=what)]
    if withheld:
        facts.append(_fact("withheld", False, why=withheld))
    return Explanation(tuple(facts), in_view=False)


def _explained(first: list[Fact], sharing: Sharing, ways: list[_Way], own: list[Fact]) -> Explanation:
    grant = list(_grant_facts(sharing))
    # The way in which least is missing; of several the first.
    way = min(ways, key=lambda one: one.missing, default=None)
    rest = [*way.place, *own, *way.toggles] if way else own
    if way is None and sharing.rule.level is not Level.NONE:
        rest = [_fact("something", False), *own]
    decisive = [fact for fact in (*first, *grant, *rest) if fact.code not in ("enabled", "kept")]
    return Explanation((*first, *grant, *rest), all(fact.holds for fact in decisive))


# --- The grant ------------------------------------------------------------------------------------------------------------------------------


def _grant_facts(sharing: Sharing) -> Iterator[Fact]:
    if sharing.removed:
        yield _fact("kept", False)
    yield _fact("enabled", sharing.enabled)
    if sharing.starts_on:
        yield _fact("begun", sharing.starts_on <= sharing.today, day=sharing.starts_on)
    if sharing.ends_on:
        yield _fact("not-over", sharing.today <= sharing.ends_on, day=sharing.ends_on)
    level = sharing.rule.level
    yield _fact("level", level is not Level.NONE, level=level.title())


# --- Classes --------------------------------------------------------------------------------------------------------------------------------


def _ways_of_class(taught: Taught, sharing: Sharing) -> Iterator[list[Fact]]:
    for scope, chosen in _stack(sharing):
        facts = list(_sound(taught, sharing))
        if sharing.rule.level is not Level.FULL:
            facts += _in_scope(taught, scope, chosen, sharing)
        yield facts


def _stack(sharing: Sharing) -> Iterator[tuple[Scope, Chosen]]:
    if sharing.rule.level is not Level.NONE:
        yield from zip(sharing.rule.scopes, sharing.chosen, strict=True)


def _sound(taught: Taught, sharing: Sharing) -> Iterator[Fact]:
    """What must be so of any class that anybody sees."""
    school = sharing.places.get(taught.school)
    yield _fact("school-active", bool(school and school.active), school=_name(taught.school, sharing))
    yield _fact("course-active", taught.course_active, course=taught.course_name)


def _in_scope(taught: Taught, scope: Scope, chosen: Chosen, sharing: Sharing) -> Iterator[Fact]:
    rule = f" by “{scope.name}”" if scope.name else ""
    if scope.classes is not None:
        yield _fact("class-chosen", taught.id in scope.classes, rule=rule)
        return
    school, above = _name(taught.school, sharing), _above(chosen.orgs, sharing.places)
    is_chosen = taught.school in chosen.orgs
    code = "org-above" if not is_chosen and taught.school in above else "org-chosen"
    yield _fact(code, is_chosen, school=school, rule=rule)
    yield _fact("course-chosen", taught.course in chosen.courses, course=taught.course_name, rule=rule)
    # A course of the class's own school is reached where the school is.
    if taught.course_org is not None and taught.course_org != taught.school:
        owner, within = _name(taught.course_org, sharing), taught.course_org in chosen.orgs | above
        how = "which is chosen" if taught.course_org in chosen.orgs else ABOVE
        yield _fact("course-org", within, owner=owner, rule=rule, how=how)


def _above(orgs: Iterable[int], places: Mapping[int, Place]) -> set[int]:
    """All active orgs above these. The way up ends at an org that is not active."""
    found: set[int] = set()
    for org in orgs:
        above = _parent(org, places)
        while above is not None and above not in found:
            found.add(above)
            above = _parent(above, places)
    return found


def _parent(org: int, places: Mapping[int, Place]) -> int | None:
    parent = places[org].parent if org in places else None
    above = places.get(parent) if parent is not None else None
    return parent if above is not None and above.active else None


def _name(org: int, sharing: Sharing) -> str:
    place = sharing.places.get(org)
    return place.name if place else "(unknown)"


# --- People ---------------------------------------------------------------------------------------------------------------------------------


def _ways_of_person(person: Person, sharing: Sharing) -> Iterator[_Way]:
    for seat in person.seats:
        if seat.active and seat.taught is not None:
            yield from _ways_by_class(seat.taught, sharing)
    own_role = _own_role(person)
    is_guardian = any(post.active and post.role in GUARDIANS for post in person.posts)
    if is_guardian:
        yield from _ways_by_pupil(person, sharing)
    if own_role.holds or not is_guardian:
        for scope, chosen in _stack(sharing):
            full = sharing.rule.level is Level.FULL
            yield _Way([own_role]) if full else _unenrolled(person, scope, chosen, sharing)


def _ways_by_class(taught: Taught, sharing: Sharing) -> Iterator[_Way]:
    for facts in _ways_of_class(taught, sharing):
        yield _Way([_fact("enrolled", taught.active, name=taught.name), *facts])


def _own_role(person: Person) -> Fact:
    """Guardians are never seen for themselves."""
    return _fact("own-role", any(post.active and post.role not in GUARDIANS for post in person.posts))


def _unenrolled(person: Person, scope: Scope, chosen: Chosen, sharing: Sharing) -> _Way:
    """Seen without a class that is shared: by a role at a chosen org, and the toggles for it."""
    posts = [post for post in person.posts if post.active and post.role not in GUARDIANS]
    place = _own_role(person)
    if posts:
        names = ", ".join(dict.fromkeys(_name(post.org, sharing) for post in posts))
        is_chosen = any(post.org in chosen.orgs for post in posts)
        above = () if is_chosen else _above(chosen.orgs, sharing.places)
        code = "role-org-above" if any(post.org in above for post in posts) else "role-org-chosen"
        place = _fact(code, is_chosen, places=names)
    if any(seat.active for seat in person.seats):
        return _Way([place], [_fact("elsewhere", scope.unenrolled and scope.elsewhere)])
    return _Way([place], [_fact("unenrolled", scope.unenrolled)])


def _ways_by_pupil(person: Person, sharing: Sharing) -> Iterator[_Way]:
    """Guardians go with a pupil who is seen in a class, scope by scope."""
    classes = [
        seat.taught
        for pupil in person.pupils
        if pupil.active and not pupil.opted_out
        for seat in pupil.seats
        if seat.active and seat.role == "student" and seat.taught is not None
    ]
    for scope, chosen in _stack(sharing):
        alone = Sharing(Rule(sharing.rule.level, (scope,)), (chosen,), sharing.places)
        toggle = _fact("guardians", scope.guardians)
        for taught in classes:
            for facts in _ways_of_class(taught, alone):
                yield _Way([_fact("pupil", taught.active, name=taught.name), *facts], [toggle])
        if not classes:
            yield _Way([_fact("no-pupil", False)], [toggle])


def _fact(code: str, holds: bool, **names: str) -> Fact:
    question = QUESTIONS[code]
    if holds:
        return Fact(code, True, question.yes.format(**names))
    return Fact(code, False, question.no.format(**names), question.setting)
