"""What a plan puts at stake, counted while it is made, for `guarding` to hold against limits: in all, and of each site and group."""

from dataclasses import asdict, dataclass, field
from typing import Any

ORGANIZATION, SITE, GROUP_LEVEL = "organization", "site", "group"
LEVELS = (ORGANIZATION, SITE, GROUP_LEVEL)

TEACHERS, UNOWNED_MEMBERS = "teachers", "unowned"
"""Kinds counted besides those of operations: memberships of teachers, and members that no source ever had."""


@dataclass(slots=True)
class Count:
    """Of one kind in one scope: how many active records there are, and what becomes of how many.

    `along` are memberships that no operation names, and that go because their member or group is archived; they are among `removed`.
    """

    population: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    along: int = 0


@dataclass
class Stakes:
    """`counts` by (level, scope, kind): the scope is a handle of a site or group, empty for the organization.

    `values` and `changed` count, by identifying field of members, values that are kept and those of them that change; `pairs` by kind the
    records that come back under another id; `leaderless` are groups that would lose their last teacher and keep members.
    `administering` are the roles that administer, `teacher` is what a teacher is called in a group.
    """

    counts: dict[tuple[str, str, str], Count] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    administrators: int = 0
    administrators_left: int = 0
    leaderless: set[str] = field(default_factory=set)
    administering: frozenset[str] = frozenset()
    teacher: str = "teacher"

    def of(self, level: str, scope: str, kind: str) -> Count:
        """The count, begun where there is none."""
        return self.counts.setdefault((level, scope, kind), Count())

    def removed(self) -> dict[str, int]:
        """{"level|scope|kind": removed} of what is removed at all: what later runs remember of this one."""
        return {
            "|".join((level, scope, kind)): count.removed
            for (level, scope, kind), count in sorted(self.counts.items())
            if count.removed
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": {"|".join(key): asdict(count) for key, count in sorted(self.counts.items())},
            "values": self.values,
            "changed": self.changed,
            "pairs": self.pairs,
            "administrators": self.administrators,
            "administratorsLeft": self.administrators_left,
            "leaderless": sorted(self.leaderless),
        }
