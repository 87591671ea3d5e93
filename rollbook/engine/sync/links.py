"""What is remembered between two syncs: links, what people decided, and what they overrode. Nothing here is the source's or the target's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollbook.engine.sync.operations import Fields, Value


@dataclass(frozen=True, slots=True)
class Link:
    """What one source record became. `base` is what the source said, mapped, when its target was last changed.

    `missing_since` (a day, empty while it is there) and `missing_reads` count whole reads in which it was not; `why` is MISSING or MARKED.
    """

    target: str
    base: Fields = field(default_factory=dict)
    missing_since: str = ""
    missing_reads: int = 0
    why: str = ""


@dataclass
class Links:
    """The links of one connection: {kind: {sourcedId: Link}}; `former` is {kind: {sourcedId: target}} of those that were ended, the latest."""

    current: dict[str, dict[str, Link]] = field(default_factory=dict)
    former: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, kind: str) -> Mapping[str, Link]:
        return self.current.get(kind, {})

    def formerly(self, kind: str) -> Mapping[str, str]:
        return self.former.get(kind, {})


SET, ADD = "set", "add"


@dataclass(frozen=True, slots=True)
class Override:
    """What a person set by hand and no sync changes: `value` in the place of the source's (SET), or besides it (ADD: roles, sites).

    The field `state` has the value `kept` (never archive it) or `archived` (never bring it back). `until` is the last day; empty: for good.
    """

    field: str
    value: Value
    mode: str = SET
    until: str = ""


KEPT = "kept"

Overrides = Mapping[tuple[str, str], Mapping[str, Override]]
"""{(kind, target id): {field: Override}}"""

TO_LINK, TO_CREATE, TO_IGNORE, TO_HOLD = "link", "create", "ignore", "hold"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a source record that has no link yet, or is to have another.

    TO_LINK: it is `target`; of an org that becomes two sites `by_grade` is {grade: site}, with `target` for staff and all other grades.
    TO_CREATE: a new record, even where others answer, with `roles` and `sites` by hand (which become overrides). TO_IGNORE, TO_HOLD: nothing.
    """

    action: str
    target: str = ""
    by_grade: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


Decisions = Mapping[tuple[str, str], Decision]
"""{(kind, sourcedId): Decision}"""
