"""The limits of a sync: what a plan puts at stake against the numbers from which on it waits for a person. `>=` on whole numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rollbook.engine.safeguards import FIELDS_CALLED
from rollbook.engine.sync.draft import text, words
from rollbook.engine.sync.operations import (
    ARCHIVE,
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
from rollbook.engine.sync.policy import Limit, Limits
from rollbook.engine.sync.stakes import (
    GROUP_LEVEL,
    ORGANIZATION,
    SITE,
    TEACHERS,
    UNOWNED_MEMBERS,
    Count,
    Stakes,
)
from rollbook.engine.sync.uniqueness import MAKES_ROOM

ALONG = "along"
"""The `field` of a hazard about memberships that go because their member or group is archived: it covers what archives these."""

FEWEST_PAIRS = 10
"""Fewer records than these that come back under another id are corrections, and no re-keying."""


@dataclass(frozen=True)
class Hazard:
    """A reason to wait: `count` of `population`, and the limit that was reached (0 where there is no number).

    `scope` is a handle of a site or a group, empty for the organization. `field` is the identifying field it is about; of memberships
    of teachers their role in a group, and ALONG; of `last-administrator` the roles that administer, apart by commas.
    """

    code: str
    level: str
    scope: str
    kind: str
    field: str
    count: int
    population: int
    limit: int

    @property
    def words(self) -> str:
        called = {"kind": CALLED.get(self.kind, ""), "field": FIELDS_CALLED.get(self.field, self.field)}
        numbers = {name: f"{getattr(self, name):,}" for name in ("count", "population", "limit")}
        return SENTENCES[self.code].format(**called, **numbers, along=" along" * self.field.startswith(ALONG))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"words": self.words}

    def covers(self, operation: Operation) -> bool:
        """Whether that operation waits with this hazard."""
        if self.code == "rekey":
            return True
        if self.code == "create-percent":
            return operation.kind == MEMBERS and operation.action == "create"
        if self.code == "identifying":
            return _changes(operation, self.field)
        if self.code == "last-administrator":
            return _unseats(operation, frozenset(self.field.split(",")))
        if self.code == "leaderless":
            return operation.group == self.scope and _takes_a_teacher(operation, self.field)
        return _removes(operation, self.kind, self.field) and self._is_in_scope(operation)

    def _is_in_scope(self, operation: Operation) -> bool:
        if self.level == ORGANIZATION:
            # Who goes from one site to another stays: that is counted, and held, at the site alone.
            return self.kind != MEMBERS or operation.action == ARCHIVE
        return self.scope in (operation.at if self.level == SITE else operation.group.split("\n"))


CALLED = {
    SITES: "sites",
    MEMBERS: "members",
    GROUPS: "classes and groups",
    MEMBERSHIPS: "memberships",
    TEACHERS: "memberships of teachers",
    UNOWNED_MEMBERS: "members whom the source never had",
}

SENTENCES = {
    "percent": "{count} of {population} {kind} would be removed{along}: the limit is {limit} %.",
    "number": "{count} {kind} would be removed{along}: the limit is {limit}.",
    "site-percent": "At one site, {count} of {population} {kind} would be removed{along}: the limit is {limit} %.",
    "group-percent": "In one group, {count} of {population} {kind} would be removed{along}: the limit is {limit} %.",
    "weekly": "With this run, {count} of {population} {kind} would have been removed within seven days{along}: the limit is {limit} %.",
    "to-zero": "All {population} {kind} would be removed{along}.",
    "identifying": "The {field} of {count} of {population} members would change: the limit is {limit} %.",
    "rekey": "{count} of {population} {kind} seem to come back under another sourcedId: the limit is {limit} %. Going on re-links them.",
    "create-percent": "{count} {kind} would be added to {population}: the limit is {limit} %.",
    "last-administrator": "The last of {population} administrators would be gone.",
    "leaderless": "A group with members would lose its last teacher.",
}
"""What each hazard says. A hazard never names a person."""

MEANINGS = {
    "percent": "The plan removes at least this share of what the organization has of it.",
    "number": "The plan removes at least this many.",
    "site-percent": "The plan removes at least this share of what one site has of it. What goes on at other sites is not held.",
    "group-percent": "The plan removes at least this share of the members of one group.",
    "weekly": "What was removed within the last seven days and what the plan removes are this share of what there was seven days ago.",
    "to-zero": "There are some, in the organization or at a site, and none would be left. The floor does not matter.",
    "identifying": "At least this share of the values of username, e-mail address or identifier change; one hazard for each field.",
    "rekey": "At least ten records, and this share of what is linked, come back under other ids. Everything waits; going on re-links them.",
    "create-percent": "The plan adds at least this share of the members there are. Not in a first run.",
    "last-administrator": "There are members with a role that administers, and none would be left.",
    "leaderless": "A group would lose its last teacher and keep other members.",
}


def hazards(stakes: Stakes, week: Sequence[Mapping[str, int]], limits: Limits, first: bool) -> list[Hazard]:
    """Every limit that a plan reaches. `week` is what the runs of the last seven days removed (`Stakes.removed`).

    In a first run whoever started it has ticked what is removed: only that no administrator would be left is asked once more.
    """
    found = list(_last_administrator(stakes, limits))
    if first:
        return found
    found += _rekeyed(stakes, limits)
    for kind, limit in _limits(limits).items():
        for (level, scope, counted), count in sorted(stakes.counts.items()):
            if counted == kind:
                before = sum(one.get("|".join((level, scope, kind)), 0) for one in week)
                role = stakes.teacher if kind == TEACHERS else ""
                found += _of_scope(level, scope, kind, role, count, limit, before)
    found += _identifying(stakes, limits)
    found += _created(stakes, limits)
    return found + [
        Hazard("leaderless", GROUP_LEVEL, group, TEACHERS, stakes.teacher, 1, 1, 0)
        for group in sorted(stakes.leaderless)
    ]


def _limits(limits: Limits) -> dict[str, Limit]:
    return {
        SITES: limits.sites,
        MEMBERS: limits.members,
        GROUPS: limits.groups,
        MEMBERSHIPS: limits.memberships,
        TEACHERS: limits.teachers,
        UNOWNED_MEMBERS: limits.unowned,
    }


def reached(count: int, population: int, percent: int, floor: int) -> bool:
    """Whether `count` is at least that share of a population that is not below the floor; 0 is no limit."""
    return percent > 0 and count > 0 and population >= floor and 100 * count >= percent * population


def _of_scope(
    level: str, scope: str, kind: str, role: str, count: Count, limit: Limit, before: int
) -> Iterator[Hazard]:
    """The hazards of one count: those of what is removed for itself, and else those of what goes along with something else."""
    direct = count.removed - count.along
    found = list(_reasons(level, scope, kind, role, direct, count, limit, before))
    if count.along and not found:
        found = list(
            _reasons(level, scope, kind, f"{ALONG} {role}".strip(), count.removed, count, limit, before)
        )
    yield from found


def _reasons(
    level: str, scope: str, kind: str, field: str, removed: int, count: Count, limit: Limit, before: int
) -> Iterator[Hazard]:
    def hazard(code: str, counted: int, population: int, number: int) -> Hazard:
        return Hazard(code, level, scope, kind, field, counted, population, number)

    if removed <= 0:
        return
    population = count.population
    code, percent, floor = _share(level, limit)
    if reached(removed, population, percent, floor):
        yield hazard(code, removed, population, percent)
    if level == ORGANIZATION and 0 < limit.number <= removed:
        yield hazard("number", removed, population, limit.number)
    weekly = limit.weekly_percent if level == ORGANIZATION else percent if level == SITE else 0
    if before and reached(removed + before, population + before, weekly, floor):
        yield hazard("weekly", removed + before, population + before, weekly)
    if _to_zero(level, count, removed, limit):
        yield hazard("to-zero", removed, population, 0)


def _share(level: str, limit: Limit) -> tuple[str, int, int]:
    """(code, percentage, floor) of one level."""
    if level == ORGANIZATION:
        return "percent", limit.percent, limit.floor
    if level == SITE:
        return "site-percent", limit.site_percent, limit.floor
    return "group-percent", limit.group_percent, limit.group_floor


def _to_zero(level: str, count: Count, removed: int, limit: Limit) -> bool:
    """Of groups only those are looked at that are not below the floor: small ones are emptied every week."""
    if not limit.to_zero or not count.population:
        return False
    if level == GROUP_LEVEL and count.population < limit.group_floor:
        return False
    return count.population + count.created - removed <= 0


def _rekeyed(stakes: Stakes, limits: Limits) -> Iterator[Hazard]:
    """One at most: of the kind with the most pairs."""
    found = []
    for kind, pairs in sorted(stakes.pairs.items()):
        population = stakes.counts.get((ORGANIZATION, "", kind), Count()).population
        if pairs >= FEWEST_PAIRS and reached(pairs, population, limits.rekey_percent, 0):
            found.append(Hazard("rekey", ORGANIZATION, "", kind, "", pairs, population, limits.rekey_percent))
    yield from sorted(found, key=lambda one: (-one.count, one.kind))[:1]


def _identifying(stakes: Stakes, limits: Limits) -> Iterator[Hazard]:
    percent = limits.identifying_percent
    for name, changed in sorted(stakes.changed.items()):
        values = stakes.values.get(name, 0)
        if reached(changed, values, percent, limits.members.floor):
            yield Hazard("identifying", ORGANIZATION, "", MEMBERS, name, changed, values, percent)


def _created(stakes: Stakes, limits: Limits) -> Iterator[Hazard]:
    count, percent = stakes.counts.get((ORGANIZATION, "", MEMBERS), Count()), limits.create_percent
    if reached(count.created, count.population, percent, limits.members.floor):
        yield Hazard(
            "create-percent", ORGANIZATION, "", MEMBERS, "", count.created, count.population, percent
        )


def _last_administrator(stakes: Stakes, limits: Limits) -> Iterator[Hazard]:
    if limits.last_administrator and stakes.administrators and stakes.administrators_left <= 0:
        roles = ",".join(sorted(stakes.administering))
        yield Hazard(
            "last-administrator",
            ORGANIZATION,
            "",
            MEMBERS,
            roles,
            stakes.administrators,
            stakes.administrators,
            0,
        )


# --- What an operation does -----------------------------------------------------------------------------------------------------------


def _removes(operation: Operation, kind: str, field: str) -> bool:
    if kind == UNOWNED_MEMBERS:
        return operation.bundle == UNOWNED
    along, role = field.startswith(ALONG), field.removeprefix(ALONG).strip()
    if along and operation.action == ARCHIVE and operation.kind in (MEMBERS, GROUPS):
        return True
    if kind == TEACHERS:
        return operation.kind == MEMBERSHIPS and operation.removes and _takes_a_teacher(operation, role)
    return operation.kind == kind and operation.removes and operation.bundle != UNOWNED


def _takes_a_teacher(operation: Operation, role: str) -> bool:
    """Whether the membership of somebody of that role ends, or becomes another."""
    if operation.kind != MEMBERSHIPS or text(operation.before, "role") != role:
        return False
    return operation.action == ARCHIVE or "role" in operation.changed


def _changes(operation: Operation, name: str) -> bool:
    return (
        operation.kind == MEMBERS
        and operation.action in (UPDATE, LINK, RESTORE, RELINK)
        and name in operation.changed
        and (bool(operation.before.get(name)) or operation.reason == MAKES_ROOM)
    )


def _unseats(operation: Operation, powers: frozenset[str]) -> bool:
    if operation.kind != MEMBERS or not powers & set(words(operation.before, "roles")):
        return False
    return operation.action == ARCHIVE or not powers & set(words(operation.after, "roles"))
