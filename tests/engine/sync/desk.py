"""A whole sync in memory: a roster, a directory, what is remembered between them, and a small hand that carries a plan out."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rollbook.engine.sync.links import Decision, Link, Links, Override
from rollbook.engine.sync.memory import MemoryTarget
from rollbook.engine.sync.operations import (
    CREATE,
    DONE,
    FIND,
    FOR_TARGETS,
    GROUPS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    MISS,
    NOOP,
    NOTE,
    RELEASE,
    RELINK,
    RESTORE,
    SITES,
    UNLINK,
    UPDATE,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.planning import Planned, make_plan
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.roster import (
    MISSING,
    Enrollment,
    MemoryRoster,
    Org,
    Person,
    Post,
    TaughtClass,
    Term,
)
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.world import Focus, World, directory_of

WHOLE = frozenset({"orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments"})
ROLES = ("owner", "administrator", "teacher", "aide", "proctor", "student")
YEAR = Term("year", "2026/27", "2026-08-01", "2027-07-01")


def school(source_id: str, name: str = "", identifier: str = "") -> Org:
    return Org(source_id, name or source_id.title(), "school", identifier)


def person(source_id: str, role: str = "student", *schools: str, **fields: object) -> Person:
    """Somebody with one role at some schools (`north` where none is named), with a name, an address and a number made of the sourcedId."""
    posts = tuple(Post(role, one, index == 0) for index, one in enumerate(schools or ("north",)))
    given: dict[str, object] = {
        "given_name": source_id.title(),
        "family_name": "Of" + source_id.title(),
        "posts": posts,
        "email": f"{source_id}@riverbend.example",
        "username": source_id,
        "identifier": f"no-{source_id}",
    }
    return Person(source_id, **(given | fields))  # type: ignore[arg-type]  # fields by name


def teacher(source_id: str, *schools: str, **fields: object) -> Person:
    return person(source_id, "teacher", *schools, **fields)


def a_class(source_id: str, school: str = "north", **fields: object) -> TaughtClass:
    given: dict[str, object] = {"title": source_id.title(), "code": f"c-{source_id}", "terms": ("year",)}
    return TaughtClass(source_id, school=school, **(given | fields))  # type: ignore[arg-type]  # fields by name


def enrolled(taught: str, *people: str, role: str = "student") -> list[Enrollment]:
    return [Enrollment(f"{taught}.{one}.{role}", one, taught, role) for one in people]


def riverbend() -> MemoryRoster:
    """Two schools, three teachers (one at both), four pupils, three classes."""
    return MemoryRoster.of(
        [school("north"), school("south"), Org("district", "Riverbend", "district")],
        [
            teacher("ada"),
            teacher("ben", "south"),
            teacher("cid", "north", "south"),
            *(person(one, grades=("07",)) for one in ("dot", "eli")),
            *(person(one, "student", "south", grades=("08",)) for one in ("fay", "gus")),
        ],
        [a_class("maths"), a_class("art", "south"), a_class("choir", "south")],
        [
            *enrolled("maths", "ada", role="teacher"),
            *enrolled("maths", "dot", "eli"),
            *enrolled("art", "ben", "cid", role="teacher"),
            *enrolled("art", "fay", "gus"),
            *enrolled("choir", "cid", role="teacher"),
            *enrolled("choir", "gus"),
        ],
        [YEAR],
    )


def without(roster: MemoryRoster, *ids: str, why: str = MISSING) -> MemoryRoster:
    """The roster without these records and what hangs on them, which are gone."""
    gone = {collection: dict(found) for collection, found in roster.gone.items()}
    left = MemoryRoster.of(
        [one for one in roster.orgs.values() if one.source_id not in ids],
        [one for one in roster.people.values() if one.source_id not in ids],
        [one for one in roster.classes.values() if one.source_id not in ids],
        [one for one in roster.enrollments if not {one.source_id, one.person, one.taught_class} & set(ids)],
        roster.terms.values(),
    )
    kept = {one.source_id for one in left.enrollments}
    for collection, before, after in (
        ("orgs", roster.orgs, left.orgs),
        ("users", roster.people, left.people),
        ("classes", roster.classes, left.classes),
        ("enrollments", {one.source_id for one in roster.enrollments}, kept),
    ):
        gone.setdefault(collection, {}).update(dict.fromkeys(set(before) - set(after), why))
    left.gone = gone
    return left


def but(roster: MemoryRoster, *records: Person | TaughtClass | Org | Enrollment) -> MemoryRoster:
    """The roster with these records in the place of those of their sourcedId, or besides; they are not gone."""
    ids = {one.source_id for one in records}
    gone = {
        collection: {one: why for one, why in found.items() if one not in ids}
        for collection, found in roster.gone.items()
    }
    found = MemoryRoster(
        dict(roster.orgs),
        dict(roster.terms),
        dict(roster.classes),
        dict(roster.people),
        [one for one in roster.enrollments if one.source_id not in ids],
        gone,
    )
    for one in records:
        if isinstance(one, Person):
            found.people[one.source_id] = one
        elif isinstance(one, TaughtClass):
            found.classes[one.source_id] = one
        elif isinstance(one, Org):
            found.orgs[one.source_id] = one
        else:
            found.enrollments.append(one)
    return found


def renamed(roster: MemoryRoster, name: str, **fields: object) -> MemoryRoster:
    """One person changed."""
    return but(roster, replace(roster.people[name], **fields))  # type: ignore[arg-type]  # fields by name


@dataclass
class Desk:
    """One connection's side: `day` is today; `plan` and `sync` take a roster."""

    policy: Policy = field(default_factory=Policy)
    target: MemoryTarget = field(default_factory=MemoryTarget)
    day: str = "2026-09-15"
    links: Links = field(default_factory=Links)
    overrides: dict[tuple[str, str], dict[str, Override]] = field(default_factory=dict)
    decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)
    domains: frozenset[str] = frozenset({"riverbend.example"})
    operations: list[Operation] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    runs: int = 0

    def world(
        self,
        roster: MemoryRoster,
        certified: frozenset[str] = WHOLE,
        first: bool = False,
        only_adds: bool = False,
        focus: Focus | None = None,
    ) -> World:
        return World(
            roster,
            directory_of(self.target),
            self.day,
            self.links,
            self.overrides,
            self.decisions,
            self.target.capabilities(),
            ROLES,
            frozenset({"owner", "administrator"}),
            self.domains,
            certified,
            first,
            only_adds,
            focus,
        )

    def plan(self, roster: MemoryRoster, certified: frozenset[str] = WHOLE, **how: object) -> Planned:
        self.operations = []
        world = self.world(roster, certified, **how)  # type: ignore[arg-type]  # by name
        return make_plan(world, self.policy, self.operations.append)

    def sync(self, roster: MemoryRoster, certified: frozenset[str] = WHOLE, **how: object) -> Planned:
        planned = self.plan(roster, certified, **how)
        self.apply(self.operations)
        return planned

    def apply(self, operations: Iterable[Operation]) -> None:
        """Carries a plan out, one operation after the other. What is not done is a fault of the plan."""
        self.runs += 1
        for operation in operations:
            self._remember_first(operation)
            told = self._resolved(operation)
            if operation.action in FOR_TARGETS or (operation.action == RELINK and operation.changed):
                action = UPDATE if operation.action == RELINK else operation.action
                told = replace(told, action=action, id=f"{self.runs}-{operation.number}")
                [outcome] = self.target.apply([told])
                assert outcome.status in (DONE, NOOP), (operation, outcome)
                self.outcomes.append(outcome)
                told = replace(told, target=outcome.target or told.target)
            self._remember(operation, told.target)

    def _resolved(self, operation: Operation) -> Operation:
        def handle(kind: str, value: str) -> str:
            if not value.startswith("+"):
                return value
            return self.links.current[kind][value[1:]].target

        after: dict[str, Value] = dict(operation.after)
        for name, kind in (("group", GROUPS), ("member", MEMBERS), ("site", SITES)):
            if isinstance(value := after.get(name), str) and operation.kind != SITES:
                after[name] = handle(kind, value)
        if operation.kind == MEMBERS and isinstance(sites := after.get("sites"), tuple):
            after["sites"] = tuple(sorted(handle(SITES, one) for one in sites))
        target = "" if operation.action == CREATE else operation.target
        return replace(operation, after=after, target=target)

    def _remember_first(self, operation: Operation) -> None:
        links = self.links.current.setdefault(operation.kind, {})
        if operation.action == UNLINK:
            self._end(operation.kind, operation.source_id)
        elif operation.action == RELINK:
            self._end(operation.kind, str(operation.before["source_id"]))
            links[operation.source_id] = Link(operation.target, operation.base)

    def _end(self, kind: str, source_id: str) -> None:
        link = self.links.current[kind].pop(source_id)
        self.links.former.setdefault(kind, {})[source_id] = link.target

    def _remember(self, operation: Operation, target: str) -> None:
        if operation.kind == MEMBERSHIPS:
            return
        links, source_id = self.links.current.setdefault(operation.kind, {}), operation.source_id
        if operation.action in (CREATE, LINK):
            links[source_id] = Link(target, operation.base)
        elif operation.action in (UPDATE, NOTE) and source_id:
            links[source_id] = replace(links[source_id], base=operation.base)
        elif operation.action == MISS:
            link = links[source_id]
            since, reads = link.missing_since or self.day, link.missing_reads + 1
            links[source_id] = replace(link, missing_since=since, missing_reads=reads, why=operation.reason)
        elif operation.action in (FIND, RESTORE):
            base = operation.base if operation.action == RESTORE else links[source_id].base
            links[source_id] = Link(links[source_id].target, base)
        elif operation.action == RELEASE:
            del self.overrides[operation.kind, operation.target][operation.changed[0]]

    # --- Looking ---

    def did(self) -> list[str]:
        """The last plan as `action kind sourcedId`."""
        return [f"{one.action} {one.kind} {one.source_id}" for one in self.operations]

    def member(self, source_id: str) -> Record:
        return self.record(MEMBERS, self.links.of(MEMBERS)[source_id].target)

    def group(self, source_id: str) -> Record:
        return self.record(GROUPS, self.links.of(GROUPS)[source_id].target)

    def site(self, source_id: str) -> Record:
        return self.record(SITES, self.links.of(SITES)[source_id].target)

    def record(self, kind: str, target: str) -> Record:
        return next(one for one in self.target.scan(kind) if one.id == target)

    def in_class(self, source_id: str) -> dict[str, str]:
        """{sourcedId of a member: role} of the active memberships of a class."""
        group = self.links.of(GROUPS)[source_id].target
        names = {link.target: one for one, link in self.links.of(MEMBERS).items()}
        return {
            names[str(one.fields["member"])]: str(one.fields["role"])
            for one in self.target.scan(MEMBERSHIPS)
            if one.state == "active" and one.fields["group"] == group
        }

    def states(self, kind: str = MEMBERS) -> dict[str, str]:
        return {one: self.record(kind, link.target).state for one, link in self.links.of(kind).items()}


def removals(operations: Iterable[Operation]) -> list[Operation]:
    return [one for one in operations if one.removes]
