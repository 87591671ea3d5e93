"""The plan of a sync: all that is known at one moment becomes operations, in the order in which they are applied. It writes nothing itself."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from rollbook.engine.sync import classes, people
from rollbook.engine.sync.aims import Aim
from rollbook.engine.sync.classes import Classes
from rollbook.engine.sync.draft import Draft, text
from rollbook.engine.sync.leaving import People
from rollbook.engine.sync.memberships import plan_memberships
from rollbook.engine.sync.operations import (
    CREATE,
    GROUPS,
    MEMBERS,
    MEMBERSHIPS,
    RESTORE,
    SITES,
    UPDATE,
    Case,
    Operation,
    Remark,
)
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.schools import Places, map_schools
from rollbook.engine.sync.scoping import in_scope, is_meant, scope_of
from rollbook.engine.sync.stakes import Stakes
from rollbook.engine.sync.weighing import Standings, Weigher
from rollbook.engine.sync.who import IN as OPEN
from rollbook.engine.sync.who import Teaching, is_open, teaching
from rollbook.engine.sync.world import World

MODULUS = 1 << 128

LAST = (MEMBERSHIPS, GROUPS, MEMBERS, SITES)
"""The order of removals."""


@dataclass
class Planned:
    """What came of planning. `counts` is {kind: {action: number}}, `left_out` {kind: removals that only additions leave out}.

    `fingerprint` is the same for the same operations, in whatever order.
    """

    counts: dict[str, dict[str, int]]
    fingerprint: str
    cases: list[Case] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    stakes: Stakes = field(default_factory=Stakes)
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass
class Thought:
    """What is decided before the first operation is written: where schools go, who everybody is, and what the classes become."""

    draft: Draft
    places: dict[str, Places]
    sites: list[Operation]
    people: People
    classes: Classes
    states: dict[str, str]
    taught: Teaching | None


def make_plan(world: World, policy: Policy, write: Callable[[Operation], None]) -> Planned:
    """Writes the operations, numbered from 1, in the order of `KINDS`, and behind them what takes away, the other way round."""
    thought = think(world, policy)
    draft = thought.draft
    weigher, book = Weigher(draft), _Book(draft, write)
    weigher.population(thought.classes.linked, thought.people.linked)
    book.all(weigher, thought.sites)
    book.all(weigher, people.operations(draft, thought.people))
    book.all(weigher, classes.operations(draft, thought.classes))
    if draft.policy.classes.sync and draft.keeps(MEMBERSHIPS) and draft.keeps(GROUPS):
        for operation in plan_memberships(draft, _standings(thought), weigher):
            if book.is_possible(operation):
                book.enter(operation)
    for kind in LAST:
        for operation in draft.removals.get(kind, ()):
            if kind != MEMBERSHIPS:
                weigher.weigh(operation)
            if groups := weigher.leaves.get(operation.target, ()) if kind == MEMBERS else ():
                operation = replace(operation, group="\n".join(groups))
            book.enter(operation)
    return Planned(
        {kind: dict(actions) for kind, actions in book.counts.items()},
        f"{book.sum:032x}",
        [case for _, case in sorted(draft.cases.items()) if is_meant(draft, case.kind, case.source_id)],
        [one for _, one in sorted(draft.remarks.items()) if is_meant(draft, one.kind, one.source_id)],
        draft.stakes,
        dict(draft.left_out),
    )


def think(world: World, policy: Policy) -> Thought:
    """All of a plan but its operations."""
    draft = Draft(world, policy)
    draft.scope = scope_of(draft)
    places, sites = map_schools(draft)
    states = {one: is_open(draft, found, places) for one, found in world.roster.classes.items()}
    taught = _teaching(draft, states)
    found = people.plan_people(draft, places, taught)
    groups = classes.plan_classes(draft, places, states, taught, found.members)
    return Thought(draft, places, sites, found, groups, states, taught)


def open_classes(states: dict[str, str]) -> dict[str, str]:
    return {one: state for one, state in states.items() if state == OPEN}


def _teaching(draft: Draft, states: dict[str, str]) -> Teaching | None:
    """Who teaches what, where any setting asks for it."""
    rules, who = draft.policy.classes, draft.policy.people
    asked = (
        who.who == "teaching"
        or who.students == "with-teacher"
        or rules.only_with_teacher
        or rules.only_with_students
        or "{teacher}" in rules.title
    )
    return teaching(draft, open_classes(states)) if asked else None


def _standings(thought: Thought) -> Standings:
    groups = thought.draft.world.directory.groups
    sites = {one: text(record.fields, "site") for one, record in groups.items()}
    sites |= {aim.handle: _site(aim) for aim in thought.classes.aims if aim.action == CREATE}
    return Standings(
        thought.classes.groups,
        thought.people.members,
        thought.people.untouched,
        thought.people.linked,
        sites,
        thought.people.archived,
        thought.classes.archived,
    )


def _site(aim: Aim) -> str:
    return text(aim.after, "site")


class _Book:
    """Numbers, counts and writes what is meant."""

    def __init__(self, draft: Draft, write: Callable[[Operation], None]) -> None:
        self.draft, self.write = draft, write
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.number = 0
        self.sum = 0

    def all(self, weigher: Weigher, operations: Iterable[Operation]) -> None:
        can = self.draft.world.capabilities.kinds
        for operation in operations:
            if operation.kind in can and self.is_possible(operation) and in_scope(self.draft, operation):
                weigher.weigh(operation)
                self.enter(operation)

    def is_possible(self, operation: Operation) -> bool:
        """Whether the target can do it at all. What is only remembered always can be."""
        can = self.draft.world.capabilities
        if operation.action not in (CREATE, UPDATE, RESTORE):
            return True
        return operation.action in can.actions and (operation.action, operation.kind) not in can.unable

    def enter(self, operation: Operation) -> None:
        self.number += 1
        self.counts[operation.kind][operation.action] += 1
        self.sum = (self.sum + operation.digest) % MODULUS
        self.write(operation.numbered(self.number))
