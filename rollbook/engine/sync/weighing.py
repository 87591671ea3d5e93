"""Counting what a plan puts at stake, while it is made: how many there are, in all and by site and group, and what becomes of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rollbook.engine.sync.draft import Draft, is_gone, text, words
from rollbook.engine.sync.lifecycle import sites_of
from rollbook.engine.sync.operations import (
    ARCHIVE,
    ARCHIVED,
    CREATE,
    GROUPS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    RELINK,
    RESTORE,
    SITES,
    UNOWNED,
    UPDATE,
    Operation,
)
from rollbook.engine.sync.stakes import (
    GROUP_LEVEL,
    ORGANIZATION,
    SITE,
    TEACHERS,
    UNOWNED_MEMBERS,
    Count,
)
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.uniqueness import MAKES_ROOM
from rollbook.oneroster.folding import fold

IDENTIFYING = ("email", "username", "identifier")


@dataclass
class Standings:
    """What a walk over memberships has to know of both sides.

    `groups` and `members` are {sourcedId: handle} of those that are looked at; `untouched` members whose rows stay as they are,
    `linked` those whom some record of the source has. `sites` is {handle of a group: its site}.
    """

    groups: dict[str, str]
    members: dict[str, str]
    untouched: set[str]
    linked: set[str]
    sites: dict[str, str] = field(default_factory=dict)
    archived_members: set[str] = field(default_factory=set)
    archived_groups: set[str] = field(default_factory=set)


class Weigher:
    """Fills the stakes of a draft. Only what this connection has to do with is counted, but for members that nobody owns."""

    def __init__(self, draft: Draft) -> None:
        self.draft, self.stakes = draft, draft.stakes
        self.teacher = draft.policy.classes.roles.get("teacher") or "teacher"
        self.stakes.teacher, self.stakes.administering = self.teacher, draft.world.administrators
        self._group = ""
        self._wide: list[list[Count]] = [[], []]
        self._own = {MEMBERSHIPS: Count(), TEACHERS: Count()}
        self._direct = 0
        self.leaves: dict[str, list[str]] = {}
        """{member who is archived: the groups they are in}"""

    # --- What there is ---

    def population(self, linked_groups: Iterable[str], linked_members: Iterable[str]) -> None:
        directory = self.draft.world.directory
        for site in directory.sites.values():
            if site.managed and not is_gone(site):
                self._add(SITES, sites_of(site))
        members, groups = set(linked_members), set(linked_groups)
        for member in directory.members.values():
            if not is_gone(member):
                self._member(member, member.id in members)
        for group in directory.groups.values():
            if not is_gone(group) and group.id in groups:
                self._add(GROUPS, sites_of(group))

    def _add(self, kind: str, sites: Sequence[str]) -> None:
        self.stakes.of(ORGANIZATION, "", kind).population += 1
        for site in sites if kind != SITES else ():
            self.stakes.of(SITE, site, kind).population += 1

    def _member(self, record: Record, linked: bool) -> None:
        roles = set(words(record.fields, "roles"))
        self.stakes.administrators += bool(roles & self.draft.world.administrators)
        self.stakes.administrators_left = self.stakes.administrators
        if roles and roles <= set(self.draft.policy.people.archive_unowned):
            self._add(UNOWNED_MEMBERS, sites_of(record))
        if linked:
            self._add(MEMBERS, sites_of(record))
            for name in IDENTIFYING:
                if text(record.fields, name):
                    self.stakes.values[name] = self.stakes.values.get(name, 0) + 1

    # --- What becomes of sites, members and groups ---

    def weigh(self, operation: Operation) -> None:
        if operation.action == RELINK:
            self.stakes.pairs[operation.kind] = self.stakes.pairs.get(operation.kind, 0) + 1
        if operation.kind == MEMBERS and operation.action in (UPDATE, LINK, RESTORE, RELINK):
            self._identifying(operation)
        if operation.kind == MEMBERS:
            self._administrators(operation)
            self._moves(operation)
        kind = UNOWNED_MEMBERS if operation.bundle == UNOWNED else operation.kind
        whole = self.stakes.of(ORGANIZATION, "", kind)
        if operation.action in (CREATE, RESTORE):
            whole.created += 1
            if operation.kind == GROUPS:
                self.stakes.of(SITE, self._site_of(operation), GROUPS).created += 1
        elif operation.action == UPDATE:
            whole.updated += 1
        elif operation.action == ARCHIVE:
            whole.removed += 1
            for site in operation.at if kind != SITES else ():
                self.stakes.of(SITE, site, kind).removed += 1

    def _site_of(self, operation: Operation) -> str:
        """Where a group will be."""
        record = self.draft.record(GROUPS, operation.target)
        return text(operation.after, "site") or (text(record.fields, "site") if record else "")

    def _identifying(self, operation: Operation) -> None:
        for name in IDENTIFYING:
            before = text(operation.before, name)
            if (
                name in operation.changed
                and before
                and operation.reason != MAKES_ROOM
                and fold(before) != fold(text(operation.after, name))
            ):
                self.stakes.changed[name] = self.stakes.changed.get(name, 0) + 1

    def _administrators(self, operation: Operation) -> None:
        powers = self.draft.world.administrators
        had = bool(set(words(operation.before, "roles")) & powers)
        has = bool(set(words(operation.after, "roles")) & powers)
        if operation.action == ARCHIVE or "roles" in operation.changed:
            self.stakes.administrators_left += int(has) - int(had)
        elif operation.action == RESTORE:
            record = self.draft.record(MEMBERS, operation.target)
            self.stakes.administrators_left += bool(record and set(words(record.fields, "roles")) & powers)

    def _moves(self, operation: Operation) -> None:
        """Sites that a member gains, loses, or comes back to."""
        if operation.action == ARCHIVE:
            return
        came = set(words(operation.after, "sites")) - set(words(operation.before, "sites"))
        if operation.action == RESTORE and (record := self.draft.record(MEMBERS, operation.target)):
            came |= set(words(record.fields, "sites")) - set(operation.at)
        for site in came:
            self.stakes.of(SITE, site, MEMBERS).created += 1
        for site in operation.at if operation.action != RESTORE else ():
            self.stakes.of(SITE, site, MEMBERS).removed += 1

    # --- What becomes of memberships, group by group ---

    def group(self, group: str, rows: Sequence[Record], known: Standings) -> None:
        """Begins a group: what there is, and what goes along with members and groups that are archived."""
        self._group = group
        self._own = {MEMBERSHIPS: Count(), TEACHERS: Count()}
        self._direct = 0
        site = known.sites.get(group, "")
        self._wide = [self._wide_counts(MEMBERSHIPS, site), self._wide_counts(TEACHERS, site)]
        record = self.draft.world.directory.groups.get(group)
        if record is not None and not is_gone(record):
            self._rows(rows, group in known.archived_groups, known.archived_members)

    def _wide_counts(self, kind: str, site: str) -> list[Count]:
        whole = self.stakes.of(ORGANIZATION, "", kind)
        return [whole, self.stakes.of(SITE, site, kind)] if site else [whole]

    def _rows(self, rows: Sequence[Record], with_group: bool, archived: Collection[str]) -> None:
        members = self.draft.world.directory.members
        for row in rows:
            member = members.get(text(row.fields, "member"))
            if row.state == ARCHIVED or member is None or is_gone(member):
                continue
            with_member = member.id in archived
            own, wide = self._counts(row.fields.get("role") == self.teacher)
            for count in (*own, *wide):
                count.population += 1
            if with_member and not with_group:
                self.leaves.setdefault(member.id, []).append(self._group)
            if with_group or with_member:
                for count in wide if with_group else (*own, *wide):
                    count.removed += 1
                    count.along += 1

    def _counts(self, teaches: bool) -> tuple[list[Count], list[Count]]:
        """(those of the group, those of the organization and the site) in which a membership counts."""
        if teaches:
            return list(self._own.values()), [*self._wide[0], *self._wide[1]]
        return [self._own[MEMBERSHIPS]], self._wide[0]

    def membership(self, operation: Operation) -> None:
        role = operation.before.get("role") or operation.after.get("role")
        own, wide = self._counts(role == self.teacher)
        for count in (*own, *wide):
            count.created += operation.action in (CREATE, RESTORE)
            count.updated += operation.action == UPDATE
            count.removed += operation.action == ARCHIVE
        if operation.action in (ARCHIVE, UPDATE):
            self._leaders(operation)

    def _leaders(self, operation: Operation) -> None:
        led, leads = (fields.get("role") == self.teacher for fields in (operation.before, operation.after))
        if operation.action == ARCHIVE:
            self._direct += led
        elif "role" in operation.changed:
            self._direct += int(led) - int(leads)

    def end_of_group(self) -> None:
        """Of groups only those are kept that lose somebody."""
        whole, teachers = self._own[MEMBERSHIPS], self._own[TEACHERS]
        for kind, count in self._own.items():
            if count.removed:
                self.stakes.counts[GROUP_LEVEL, self._group, kind] = count
        left = teachers.population + teachers.created - teachers.along - self._direct
        others = whole.population + whole.created - whole.removed - max(left, 0)
        if self._direct > 0 and left <= 0 and others > 0:
            self.stakes.leaderless.add(self._group)
