"""A plan while it is made: what it is made from, what is said about records on the way, and the removals that wait for its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rollbook.engine.sync.links import Decision, Link, Override
from rollbook.engine.sync.operations import (
    ARCHIVE,
    COLLECTION_OF,
    GONE_STATES,
    RESTORE,
    STATE,
    Case,
    Fields,
    Operation,
    Remark,
)
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.stakes import Stakes
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.world import World

NOBODY = Record("", "", "archived", {})


@dataclass
class Scope:
    """What a focused run may touch, by sourcedId: `whole` are classes all of whose members are meant, `schools` orgs."""

    people: set[str] = field(default_factory=set)
    pupils: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    schools: set[str] = field(default_factory=set)
    parents: set[str] = field(default_factory=set)


@dataclass
class Draft:
    """`scope` is None where everything is meant. `found` is how each record was recognised, for explaining: {(kind, sourcedId): word}."""

    world: World
    policy: Policy
    scope: Scope | None = None
    cases: dict[tuple[str, str, str, str], Case] = field(default_factory=dict)
    remarks: dict[tuple[str, str, str, str], Remark] = field(default_factory=dict)
    removals: dict[str, list[Operation]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    stakes: Stakes = field(default_factory=Stakes)
    found: dict[tuple[str, str], str] = field(default_factory=dict)

    def ask(self, case: Case) -> None:
        self.cases.setdefault((case.kind, case.source_id, case.code, case.field), case)

    def say(self, kind: str, source_id: str, code: str, name: str = "", line: int = 0) -> None:
        self.remarks.setdefault((kind, source_id, code, name), Remark(kind, source_id, code, name, line))

    # --- What is known ---

    def link(self, kind: str, source_id: str) -> Link | None:
        return self.world.links.of(kind).get(source_id)

    def record(self, kind: str, target: str) -> Record | None:
        return self.world.directory.of(kind).get(target)

    def decision(self, kind: str, source_id: str) -> Decision | None:
        return self.world.decisions.get((kind, source_id))

    def gone(self, kind: str, source_id: str) -> str:
        """MISSING, MARKED, or empty where the source does not say that it is gone."""
        return self.world.roster.gone.get(COLLECTION_OF[kind], {}).get(source_id, "")

    def certified(self, *collections: str) -> bool:
        return self.world.certified.issuperset(collections)

    def override(self, kind: str, target: str, name: str) -> Override | None:
        """What a person set of that field and is still in force."""
        found = self.world.overrides.get((kind, target), {}).get(name)
        return found if found and (not found.until or self.world.today <= found.until) else None

    def state_by_hand(self, kind: str, target: str) -> str:
        """`kept`, `archived`, or empty."""
        found = self.override(kind, target, STATE)
        return str(found.value) if found else ""

    def fields(self, kind: str) -> tuple[str, ...]:
        return tuple(self.world.capabilities.fields.get(kind, ()))

    def keeps(self, kind: str) -> bool:
        return kind in self.world.capabilities.kinds

    @property
    def removes(self) -> bool:
        """Whether this plan may take anything away: a target that cannot bring back is never told to archive."""
        return {ARCHIVE, RESTORE} <= self.world.capabilities.actions

    # --- Removals ---

    def remove(self, operation: Operation, focused: bool = True) -> bool:
        """Puts a removal at the end of the plan, unless only additions are wanted, or it lies out of focus. Whether it will happen."""
        unable = (ARCHIVE, operation.kind) in self.world.capabilities.unable
        if not self.removes or unable or not focused:
            return False
        if self.world.only_adds:
            self.left_out[operation.kind] += 1
            return False
        self.removals.setdefault(operation.kind, []).append(operation)
        return True


def is_gone(record: Record) -> bool:
    return record.state in GONE_STATES


def text(fields: Fields, name: str) -> str:
    """A field as text, empty where there is none."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def words(fields: Fields, name: str) -> tuple[str, ...]:
    """A field as a tuple of texts, empty where there is none."""
    value = fields.get(name, ())
    return value if isinstance(value, tuple) else ()


def first(values: Iterable[str]) -> str:
    return next(iter(values), "")
