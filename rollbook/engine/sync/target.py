"""The target protocol: what a sync needs of a directory, whoever keeps it. docs/how-to/write-a-target.md tells it to vendors.

A target does what it is told and decides nothing. It is asked to be idempotent: an operation with an `id` it has seen, or whose `after` is
so already, is answered `noop` and changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rollbook.engine.sync.operations import FIELDS, FOR_TARGETS, KINDS, Fields, Operation, Outcome


@dataclass(frozen=True)
class Capabilities:
    """What a target can do. The planner emits no operation that is not among them.

    `fields` are those it keeps, by kind. `unique` are fields of members that no two may share, compared without case; one that is in
    `blankable` may be empty for a moment, so that two records can swap. `batch` is how many operations it likes at once.
    `in_transaction`: it writes through the database transaction of the caller, so that what it did and what is noted of it are one.
    `unable` are pairs of an action and a kind that it cannot do, though it does the action with other kinds.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    actions: frozenset[str] = FOR_TARGETS
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FIELDS)
    unique: tuple[str, ...] = ("email", "username")
    blankable: frozenset[str] = frozenset({"email", "username"})
    batch: int = 500
    in_transaction: bool = False
    unable: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the target has it now. `id` is the target's, and never begins with `+`; `key` the sourcedId it was made for, if it is kept.

    `state` is one of pending, inactive, active, suspended, archived, purged; of sites, groups and memberships active or archived.
    `managed`: this connection made it or adopted it; of memberships, made it. `version` changes whenever the record does.
    """

    kind: str
    id: str
    state: str
    fields: Fields
    key: str = ""
    managed: bool = False
    version: str = ""


@dataclass(frozen=True)
class Scope:
    """Which records are meant: those of any of these ids (of memberships: of any of these members or groups), or with any of these values.

    All empty: every record. `values` is {field: values}, compared without case.
    """

    ids: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_everything(self) -> bool:
        return not self.ids and not self.values


EVERYTHING = Scope()


class Target(Protocol):
    """A directory that a sync keeps in step."""

    def capabilities(self) -> Capabilities: ...

    def scan(self, kind: str, scope: Scope = EVERYTHING) -> Iterator[Record]:
        """The records there are now, archived ones too, purged ones not; memberships in code point order of their group."""
        ...

    def apply(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Carries out operations of one kind, all handles resolved to ids; one outcome each, in their order."""
        ...

    def verify(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        """These records, read anew from where they are kept."""
        ...
