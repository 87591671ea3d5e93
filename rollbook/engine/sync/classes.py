"""What becomes of the classes of the source: groups, which are taken over, re-linked, kept apart where an id is used again, and archived."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rollbook.engine.sync.aims import Aim, by_target, operations_of, resolved, settle
from rollbook.engine.sync.draft import Draft, is_gone, text, words
from rollbook.engine.sync.lifecycle import GOES, WAITS, archiving, fate, may_go, missed, unlinked
from rollbook.engine.sync.links import TO_CREATE, TO_HOLD, TO_IGNORE, TO_LINK, Link
from rollbook.engine.sync.operations import (
    ARCHIVED,
    CREATE,
    GROUPS,
    LINK,
    RELINK,
    Case,
    Fields,
    Operation,
    Value,
    new_handle,
)
from rollbook.engine.sync.roster import MISSING, TaughtClass
from rollbook.engine.sync.schools import Places, named_alike
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.titles import days_of, mapped, title_of
from rollbook.engine.sync.who import IN, UNSURE, Teaching

EMPTY_NOW = frozenset({"no-teacher-in-class", "no-students-in-class"})
"""Reasons that lie in enrollments alone: such a group has the same grace as one whose class is gone."""


@dataclass
class Classes:
    """`groups` are those whose memberships are looked at: {sourcedId of the class: handle}."""

    groups: dict[str, str] = field(default_factory=dict)
    aims: list[Aim] = field(default_factory=list)
    said: list[Operation] = field(default_factory=list)
    linked: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)


def plan_classes(
    draft: Draft,
    places: Mapping[str, Places],
    states: Mapping[str, str],
    taught: Teaching | None,
    members: Mapping[str, str],
) -> Classes:
    """`states` says of each class whether it is open (`who.is_open`), `members` who is a member."""
    planner = _Planner(draft, places, states, taught, members)
    if draft.policy.classes.sync and draft.keeps(GROUPS):
        planner.walk()
    return planner.found


def operations(draft: Draft, found: Classes) -> list[Operation]:
    return [*found.said, *(one for aim in found.aims for one in operations_of(draft, aim))]


class _Planner:
    def __init__(
        self,
        draft: Draft,
        places: Mapping[str, Places],
        states: Mapping[str, str],
        taught: Teaching | None,
        members: Mapping[str, str],
    ) -> None:
        self.draft, self.places, self.states = draft, places, states
        self.taught, self.members = taught, members
        self.found = Classes()
        self.owners: dict[str, list[str]] = {}
        for source_id, link in sorted(draft.world.links.of(GROUPS).items()):
            self.owners.setdefault(link.target, []).append(source_id)
        self.keyed: dict[str, list[Record]] = {}
        for group in draft.world.directory.groups.values():
            if group.managed and group.key:
                self.keyed.setdefault(group.key, []).append(group)
        self.taken: set[str] = set()
        self.relinked: set[str] = set()

    def walk(self) -> None:
        unlinked_classes: list[TaughtClass] = []
        for _, one in sorted(self.draft.world.roster.classes.items()):
            self.found.states[one.source_id] = self._state(one)
            if link := self.draft.link(GROUPS, one.source_id):
                self._linked(one, link)
            elif self.found.states[one.source_id] == IN:
                unlinked_classes.append(one)
            elif self.found.states[one.source_id] != UNSURE:
                self.draft.say(GROUPS, one.source_id, self.found.states[one.source_id], line=one.line)
        self._match(unlinked_classes)
        self._settle()
        self._leave()

    def _state(self, one: TaughtClass) -> str:
        """IN, UNSURE, or the reason why it is not wanted."""
        state = self.states[one.source_id]
        rules = self.draft.policy.classes
        if state != IN:
            return state
        teachers = self.taught.teachers.get(one.source_id, set()) if self.taught else set()
        waits = self.taught is not None and not teachers.isdisjoint(self.taught.away)
        sure = self.draft.certified("enrollments") and not waits
        if rules.only_with_teacher and not any(teacher in self.members for teacher in teachers):
            return "no-teacher-in-class" if sure else UNSURE
        if rules.only_with_students and (self.taught is None or one.source_id not in self.taught.populated):
            return "no-students-in-class" if sure else UNSURE
        return IN

    # --- Classes that have a group ---

    def _linked(self, one: TaughtClass, link: Link) -> None:
        source_id, record = one.source_id, self.draft.record(GROUPS, link.target)
        decision = self.draft.decision(GROUPS, source_id)
        if decision and decision.action in (TO_IGNORE, TO_HOLD):
            self.found.linked.add(link.target)
            return
        if self._is_parted(one, link, record):
            if self.found.states[source_id] == IN:
                self._decided(one)
            return
        self.found.linked.add(link.target)
        if record is None:
            self.draft.say(GROUPS, source_id, "target-gone", line=one.line)
            return
        state = self.found.states[source_id]
        if state == UNSURE:
            return
        waits = False
        if state != IN:
            waits = self._stays(one, link, record, state)
            if not waits:
                return
        if is_gone(record) and self._is_archived_by_hand(one, link.target):
            return
        aim = self._aim(one, link.target, "")
        aim.link, aim.record, aim.restores, aim.waits = link, record, is_gone(record), waits

    def _is_parted(self, one: TaughtClass, link: Link, record: Record | None) -> bool:
        """Whether the link is not this class's: somebody decided so, or its id is used again for another class."""
        decision = self.draft.decision(GROUPS, one.source_id)
        if decision and decision.action == TO_LINK and decision.target != link.target:
            self.found.said.append(unlinked(GROUPS, one.source_id, link, "decided"))
            return True
        if decision and decision.action == TO_CREATE and record is None:
            self.found.said.append(unlinked(GROUPS, one.source_id, link, "decided"))
            return True
        if not self._is_used_again(one, link):
            return False
        if record is None or is_gone(record) or not self._is_managed_alone(one, record):
            self.found.said.append(unlinked(GROUPS, one.source_id, link, "reused-id"))
            return True
        if not self.draft.remove(
            archiving(GROUPS, one.source_id, record, "reused-id"), self._in_focus(one.source_id)
        ):
            return False
        self.found.archived.add(record.id)
        self.found.said.append(unlinked(GROUPS, one.source_id, link, "reused-id"))
        return True

    def _is_managed_alone(self, one: TaughtClass, record: Record) -> bool:
        return record.managed and self.owners.get(record.id) == [one.source_id]

    def _is_used_again(self, one: TaughtClass, link: Link) -> bool:
        """Other terms on other days, and another course or title: the same id, and another class."""
        base = link.base
        before, now = set(words(base, "terms")), set(one.terms)
        if not before or not now or before & now:
            return False
        begins, ends = days_of(self.draft, one)
        if (text(base, "begins"), text(base, "ends")) == (begins, ends):
            return False
        title = title_of(self.draft, self.taught, one)
        return text(base, "course") != one.course or named_alike(text(base, "title")) != named_alike(title)

    def _stays(self, one: TaughtClass, link: Link, record: Record, state: str) -> bool:
        """Whether the group of a class that is not wanted any more is kept in step for now."""
        if is_gone(record):
            return False
        self.draft.say(GROUPS, one.source_id, state, line=one.line)
        if state == "term-to-come" or state == "between-terms":
            return True
        if not self._may_archive(one.source_id, record):
            return False
        if any(
            self.found.states.get(other, self.states.get(other)) == IN
            for other in self.owners.get(link.target, [])
        ):
            return False
        if state in EMPTY_NOW:
            found = fate(self.draft, GROUPS, link, MISSING, self.draft.policy.grace.classes)
            if found == WAITS:
                self.found.said.append(missed(GROUPS, one.source_id, link))
            if found != GOES:
                return True
        return not self._archive(one.source_id, record, state)

    def _may_archive(self, source_id: str, record: Record | None) -> bool:
        if not self.draft.policy.classes.archive:
            self.draft.say(GROUPS, source_id, "archive-off")
            return False
        return may_go(self.draft, GROUPS, source_id, record)

    def _archive(self, source_id: str, record: Record, reason: str) -> bool:
        if self.draft.remove(archiving(GROUPS, source_id, record, reason), self._in_focus(source_id)):
            self.found.archived.add(record.id)
            return True
        return False

    def _in_focus(self, source_id: str) -> bool:
        return self.draft.scope is None or source_id in self.draft.scope.classes

    def _is_archived_by_hand(self, one: TaughtClass, target: str) -> bool:
        if self.draft.state_by_hand(GROUPS, target) != ARCHIVED:
            return False
        self.draft.say(GROUPS, one.source_id, "archived-by-hand", line=one.line)
        return True

    # --- Classes that have none ---

    def _match(self, classes: list[TaughtClass]) -> None:
        left = [one for one in classes if not self._decided(one)]
        left = [one for one in left if not self._by_key(one)]
        left = self._again(left)
        if self.draft.policy.match.adopt_classes:
            left = self._adopted(left)
        for one in left:
            self._create(one)

    def _decided(self, one: TaughtClass) -> bool:
        """Whether somebody decided about it; a class that is parted from its group and of which nobody did is made anew."""
        decision = self.draft.decision(GROUPS, one.source_id)
        parted = self.draft.link(GROUPS, one.source_id) is not None
        if decision and decision.action in (TO_IGNORE, TO_HOLD):
            self.draft.say(GROUPS, one.source_id, f"decided-{decision.action}", line=one.line)
            return True
        if decision and decision.action == TO_LINK:
            self._take(one, decision.target, "decision")
            return True
        if parted or (decision and decision.action == TO_CREATE):
            self._create(one)
            return True
        return False

    def _by_key(self, one: TaughtClass) -> bool:
        """A group that was made for this very class, and whose link was lost."""
        found = [
            group.id
            for group in self.keyed.get(one.source_id, [])
            if not self.owners.get(group.id) and group.id not in self.taken and not is_gone(group)
        ]
        if len(found) != 1:
            return False
        self._take(one, found[0], "key")
        return True

    def _again(self, classes: list[TaughtClass]) -> list[TaughtClass]:
        """Classes that come back under another id: alike in all that is remembered, and one of each."""
        gone: dict[tuple[Value, ...], list[str]] = {}
        for target, owners in self.owners.items():
            record = self.draft.record(GROUPS, target)
            if record and not is_gone(record) and all(self.draft.gone(GROUPS, one) for one in owners):
                link = self.draft.world.links.of(GROUPS)[owners[0]]
                gone.setdefault(_likeness(resolved(self.draft, GROUPS, link.base)), []).append(target)
        new = {one.source_id: _likeness(mapped(self.draft, self.places, self.taught, one)) for one in classes}
        times = Counter(new.values())
        left = []
        for one in classes:
            found = gone.get(new[one.source_id], [])
            if len(found) == 1 and times[new[one.source_id]] == 1 and found[0] not in self.taken:
                self._take(one, found[0], "re-keyed", self.owners[found[0]][0])
            else:
                left.append(one)
        return left

    def _adopted(self, classes: list[TaughtClass]) -> list[TaughtClass]:
        """Groups of the same site that nobody else has, by code or by title."""
        said = {one.source_id: mapped(self.draft, self.places, self.taught, one) for one in classes}
        for read in (_by_code, _by_title):
            times = Counter(read(said[one.source_id]) for one in classes)
            there: dict[tuple[str, str], list[str]] = {}
            for group in self._free():
                there.setdefault(read(group.fields), []).append(group.id)
            classes = [
                one for one in classes if not self._adopt(one, read(said[one.source_id]), times, there)
            ]
        return classes

    def _free(self) -> list[Record]:
        groups = self.draft.world.directory.groups.values()
        return [
            one
            for one in groups
            if not is_gone(one)
            and not self.owners.get(one.id)
            and one.id not in self.taken
            and (one.managed or not one.key)
        ]

    def _adopt(
        self,
        one: TaughtClass,
        value: tuple[str, str],
        times: Counter[tuple[str, str]],
        there: Mapping[tuple[str, str], list[str]],
    ) -> bool:
        found = there.get(value, [])
        if not all(value) or not found:
            return False
        if len(found) == 1 and times[value] == 1:
            self._take(one, found[0], "adopted")
        else:
            self.draft.ask(Case(GROUPS, one.source_id, "match-disputed", tuple(sorted(found)), (), "title"))
        return True

    def _take(self, one: TaughtClass, target: str, rung: str, old: str = "") -> None:
        record = self.draft.record(GROUPS, target)
        if record is None:
            self.draft.say(GROUPS, one.source_id, "target-gone", line=one.line)
            return
        self.draft.found[GROUPS, one.source_id] = rung
        self.taken.add(target)
        self.found.linked.add(target)
        if old:
            self.relinked.add(old)
        if is_gone(record) and self._is_archived_by_hand(one, target):
            return
        aim = self._aim(one, target, RELINK if old else LINK)
        aim.record, aim.reason, aim.old, aim.restores = record, rung, old, is_gone(record)

    def _create(self, one: TaughtClass) -> None:
        aim = self._aim(one, new_handle(one.source_id), CREATE)
        aim.reason = "created"

    def _aim(self, one: TaughtClass, handle: str, action: str) -> Aim:
        besides: dict[str, Value] = {"terms": tuple(sorted(one.terms)), "course": one.course}
        aim = Aim(
            GROUPS,
            one.source_id,
            handle,
            action,
            mapped(self.draft, self.places, self.taught, one),
            besides=besides,
            line=one.line,
        )
        self.found.aims.append(aim)
        self.found.groups[one.source_id] = handle
        return aim

    # --- Their fields ---

    def _settle(self) -> None:
        for aim, *others in by_target(self.found.aims):
            own = aim.link or (self.draft.link(GROUPS, aim.old) if aim.old else None)
            settle(self.draft, aim, [resolved(self.draft, GROUPS, own.base)] if own else [])
            for other in others:
                other.feeds, other.base, other.restores = True, {**other.source, **other.besides}, False

    # --- Classes that are gone ---

    def _leave(self) -> None:
        for source_id, link in sorted(self.draft.world.links.of(GROUPS).items()):
            if source_id in self.draft.world.roster.classes or source_id in self.relinked:
                continue
            shared = link.target in self.found.linked
            self.found.linked.add(link.target)
            if why := self.draft.gone(GROUPS, source_id):
                self._gone(source_id, link, why, shared)

    def _gone(self, source_id: str, link: Link, why: str, shared: bool) -> None:
        record = self.draft.record(GROUPS, link.target)
        found = fate(self.draft, GROUPS, link, why, self.draft.policy.grace.classes)
        if shared:
            if found == GOES:
                self.found.said.append(unlinked(GROUPS, source_id, link, why))
            return
        if not self._may_archive(source_id, record) or record is None:
            return
        if found == WAITS:
            self.found.said.append(missed(GROUPS, source_id, link))
        if found == GOES:
            self._archive(source_id, record, why)


def _likeness(said: Fields) -> tuple[Value, ...]:
    return (
        text(said, "code") or named_alike(text(said, "title")),
        text(said, "site"),
        text(said, "begins"),
        text(said, "ends"),
        words(said, "grades"),
        named_alike(text(said, "title")),
    )


def _by_code(fields: Fields) -> tuple[str, str]:
    return text(fields, "site"), text(fields, "code").strip()


def _by_title(fields: Fields) -> tuple[str, str]:
    return text(fields, "site"), named_alike(text(fields, "title"))
