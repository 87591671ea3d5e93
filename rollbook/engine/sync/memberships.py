"""Who is in which group: what the enrollments say and what this connection wrote before, as two streams in one order of groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from rollbook.engine.sync.draft import Draft, text
from rollbook.engine.sync.operations import (
    ARCHIVE,
    ARCHIVED,
    CREATE,
    LEAVERS,
    MEMBERSHIPS,
    NEW,
    RESTORE,
    UPDATE,
    Fields,
    Operation,
    Value,
)
from rollbook.engine.sync.policy import LOCAL, ONCE
from rollbook.engine.sync.roster import MARKED, Enrollment, holds_on
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.weighing import Standings, Weigher

RANKS = {"teacher": 0, "aide": 1, "proctor": 2, "student": 3}
"""Of several roles that one person has in one group, the first counts."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the enrollments of one person in one group come to."""

    member: str
    source_id: str
    person: str
    fields: Fields
    rank: int
    line: int


def plan_memberships(draft: Draft, known: Standings, weigher: Weigher) -> Iterator[Operation]:
    """What is created, updated and brought back, as it comes; what is taken away waits in `draft.removals`."""
    planner = _Planner(draft, known)
    for group, some, rows in _side_by_side(draft, known):
        weigher.group(group, rows, known)
        if group in planner.handles:
            for operation in planner.compare(group, some, rows):
                weigher.membership(operation)
                if operation.action != ARCHIVE:
                    yield operation
        weigher.end_of_group()


def _side_by_side(draft: Draft, known: Standings) -> Iterator[tuple[str, list[Enrollment], list[Record]]]:
    """(group, its enrollments, its rows of this connection), each group once, in code point order."""
    said = draft.world.roster.enrollments_by(known.groups)
    there = (
        (group, [row for row in rows if row.managed])
        for group, rows in groupby(
            draft.world.directory.memberships(), key=lambda row: text(row.fields, "group")
        )
    )
    one, other = next(said, None), next(there, None)
    while one or other:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], []
            one = next(said, None)
        elif one is None or other[0] < one[0]:
            yield other[0], [], other[1]
            other = next(there, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(said, None), next(there, None)


class _Planner:
    def __init__(self, draft: Draft, known: Standings) -> None:
        self.draft, self.known = draft, known
        self.handles = set(known.groups.values())
        self.whole = draft.certified("enrollments")
        self.gone = draft.world.roster.gone.get("enrollments", {})
        self.rules = {name: draft.policy.fields.of(MEMBERSHIPS, name) for name in FOLLOWS}
        self.follows = [
            name
            for name in FOLLOWS
            if name in draft.fields(MEMBERSHIPS) and self.rules[name] not in (ONCE, LOCAL)
        ]
        self.sure = set(known.members.values()) - known.untouched

    def compare(self, group: str, some: list[Enrollment], rows: list[Record]) -> Iterator[Operation]:
        wanted = self._wanted(group, some)
        seen = {one.source_id for one in some}
        for row in sorted(rows, key=lambda one: text(one.fields, "member")):
            member = text(row.fields, "member")
            if one := wanted.pop(member, None):
                yield from self._kept(group, one, row)
            elif row.state != ARCHIVED and self._is_over(member, row, seen):
                yield from self._removed(group, row)
        for member in sorted(wanted):
            if self._in_focus(group, wanted[member].person):
                yield self._created(group, wanted[member])

    def _wanted(self, group: str, some: list[Enrollment]) -> dict[str, Wanted]:
        found: dict[str, Wanted] = {}
        today, roles = self.draft.world.today, self.draft.policy.classes.roles
        for one in some:
            handle = self.known.members.get(one.person)
            if handle is None or not holds_on(today, one.begins, one.ends):
                continue
            role = roles.get(one.role, "")
            if not role:
                self.draft.say(MEMBERSHIPS, one.source_id, "role-not-mapped", "role", one.line)
                continue
            wanted = _wanted(group, handle, role, one)
            found[handle] = _higher(found[handle], wanted) if handle in found else wanted
        return found

    def _kept(self, group: str, one: Wanted, row: Record) -> Iterator[Operation]:
        changed = tuple(name for name in self.follows if one.fields[name] != row.fields.get(name))
        back = row.state == ARCHIVED
        if (not changed and not back) or not self._in_focus(group, one.person):
            return
        yield Operation(
            0,
            RESTORE if back else UPDATE,
            MEMBERSHIPS,
            one.source_id,
            row.id,
            before=_named(row.fields, changed),
            after=_named(one.fields, changed),
            changed=changed,
            reason="back" if back else "changed",
            group=group,
            version=row.version,
            line=one.line,
        )

    def _is_over(self, member: str, row: Record, seen: set[str]) -> bool:
        """Whether the enrollments say that it is over: of somebody who is looked at, or whose link was ended, and of a read that can say so."""
        if member not in self.sure and (member in self.known.untouched or member in self.known.linked):
            return False
        return self.whole or self.gone.get(row.key) == MARKED or (row.key != "" and row.key in seen)

    def _removed(self, group: str, row: Record) -> Iterator[Operation]:
        site = self.known.sites.get(group, "")
        operation = Operation(
            0,
            ARCHIVE,
            MEMBERSHIPS,
            row.key,
            row.id,
            before=_named(row.fields, self.follows),
            reason="not-enrolled",
            at=(site,) if site else (),
            group=group,
            bundle=LEAVERS,
            version=row.version,
        )
        if self.draft.remove(operation, self._may_touch(group, text(row.fields, "member"))):
            yield operation

    def _created(self, group: str, one: Wanted) -> Operation:
        return Operation(
            0,
            CREATE,
            MEMBERSHIPS,
            one.source_id,
            f"{NEW}{group}/{one.member}",
            after=one.fields,
            changed=tuple(sorted(one.fields)),
            reason="enrolled",
            group=group,
            line=one.line,
        )

    # --- Focus ---

    def _in_focus(self, group: str, person: str) -> bool:
        scope = self.draft.scope
        return scope is None or person in scope.people or group in self._whole_groups()

    def _may_touch(self, group: str, member: str) -> bool:
        scope = self.draft.scope
        if scope is None or group in self._whole_groups():
            return True
        return any(self.known.members.get(person) == member for person in scope.people)

    def _whole_groups(self) -> set[str]:
        scope = self.draft.scope
        return {self.known.groups.get(one, "") for one in scope.whole} if scope else set()


FOLLOWS = ("role", "primary", "begins", "ends")


def _wanted(group: str, member: str, role: str, one: Enrollment) -> Wanted:
    fields: dict[str, Value] = {
        "group": group,
        "member": member,
        "role": role,
        "primary": one.primary,
        "begins": one.begins,
        "ends": one.ends,
    }
    return Wanted(member, one.source_id, one.person, fields, RANKS.get(one.role, len(RANKS)), one.line)


def _higher(one: Wanted, other: Wanted) -> Wanted:
    """Of two enrollments that make one membership, that with the higher role; primary, if either is."""
    first, second = sorted((one, other), key=lambda wanted: (wanted.rank, wanted.source_id))
    primary = bool(first.fields["primary"] or second.fields["primary"])
    source_id = min(first.source_id, second.source_id)
    return Wanted(
        first.member, source_id, first.person, {**first.fields, "primary": primary}, first.rank, first.line
    )


def _named(fields: Fields, changed: tuple[str, ...] | list[str]) -> dict[str, Value]:
    """Those fields, and always whose membership in what it is."""
    return {name: fields[name] for name in ("group", "member", *changed) if name in fields}
