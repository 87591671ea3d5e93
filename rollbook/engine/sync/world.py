"""Everything a plan is made from, at one moment: the source's roster, the target's directory, and what is remembered between the two."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rollbook.engine.sync.links import Decisions, Links, Overrides
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES
from rollbook.engine.sync.roster import Roster
from rollbook.engine.sync.target import Capabilities, Record, Target


@dataclass
class Directory:
    """The target as it is: records by id. `memberships` gives them anew each time, in code point order of their groups."""

    sites: Mapping[str, Record] = field(default_factory=dict)
    members: Mapping[str, Record] = field(default_factory=dict)
    groups: Mapping[str, Record] = field(default_factory=dict)
    memberships: Callable[[], Iterator[Record]] = lambda: iter(())

    def of(self, kind: str) -> Mapping[str, Record]:
        return {SITES: self.sites, MEMBERS: self.members, GROUPS: self.groups}[kind]


def directory_of(target: Target) -> Directory:
    """All of a target."""
    return Directory(
        by_id(target.scan(SITES)),
        by_id(target.scan(MEMBERS)),
        by_id(target.scan(GROUPS)),
        lambda: target.scan(MEMBERSHIPS),
    )


def by_id(records: Iterable[Record]) -> dict[str, Record]:
    return {record.id: record for record in records}


@dataclass(frozen=True)
class Focus:
    """A run about some people, classes or sites only, by sourcedId: nothing else is touched. The world holds at least what they touch."""

    people: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()


@dataclass
class World:
    """`roles` are the local roles, the highest first; `administrators` those of them that administer; `domains` the verified e-mail domains.

    `today` is a day of the organization's clock. `certified` names the collections that this read saw whole: only then does a missing record
    grow older. `first`: nothing of this connection was ever applied. `only_adds`: removals are counted and left out. `claimed` are ids of
    records, by kind, that other connections to this directory have at their sources: they do not go because they are gone at this one.
    """

    roster: Roster
    directory: Directory
    today: str
    links: Links = field(default_factory=Links)
    overrides: Overrides = field(default_factory=dict)
    decisions: Decisions = field(default_factory=dict)
    capabilities: Capabilities = field(default_factory=Capabilities)
    roles: tuple[str, ...] = ()
    administrators: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    certified: frozenset[str] = frozenset()
    first: bool = False
    only_adds: bool = False
    focus: Focus | None = None
    claimed: Mapping[str, frozenset[str]] = field(default_factory=dict)
