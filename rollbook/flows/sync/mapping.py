"""Mapping: which school of the source is which site, which role becomes which, and which class takes over a group that is there already.

What a person says is kept at once, as a decision or a setting, with who and when; nothing of the directory changes before a plan is approved.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from rollbook.engine.sync import glance
from rollbook.engine.sync.glance import ReadClass
from rollbook.engine.sync.links import TO_CREATE, TO_HOLD, TO_IGNORE, TO_LINK
from rollbook.engine.sync.operations import GROUPS, SITES
from rollbook.engine.sync.policy import NEVER_MAPPED
from rollbook.engine.sync.schools import ALIKE, is_shortened, likeness, named_alike
from rollbook.flows import directory
from rollbook.flows.sync import connections, deciding
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import BadDecision, NeverRead, School
from rollbook.flows.sync.runs import FULL, LOOK, enqueue, runs_of
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.refusal import Refusal
from rollbook.store.linking import targets_of
from rollbook.store.models import Group, Link, Site, SyncConnection, SyncDecision, SyncRun
from rollbook.store.sync_shelf import latest_read

BY_HAND, FORMER, CREATED = "decision", "link", "created"
"""How a school came to its site, beside the rungs of `schools.match`: somebody said so, an earlier sync did, it is to be created."""

AGAIN = {"create": TO_CREATE, "ignore": TO_IGNORE, "hold": TO_HOLD}
"""What a school becomes that is taken off its site, by what the settings say of schools without one."""

MOST_GROUPS = 5_000
"""So many groups made by hand are looked through for one like a class."""


class NotMapped(Refusal):
    """This school has no site that could be taken from it: an earlier sync brought it there, and it can only be mapped to another."""


class NothingChosen(Refusal):
    """Tick at least one at the left; and for *Map schools* choose, at the right, the site that it is."""


class NoSuchSchool(Refusal):
    """The source, as it was read last, has no such school."""


class NoSuchClass(Refusal):
    """The source, as it was read last, has no such class."""


@dataclass(frozen=True)
class Suggestion:
    """A site or a group that a record of the source may be: `why` is code, title, shortened or alike, then `percent` says how much."""

    target: str
    name: str
    why: str
    percent: int = 0


@dataclass(frozen=True)
class Placed:
    """A school with all that a person wants to know of it. `by` and `at` are of the decision, where there is one."""

    school: School
    suggestions: Sequence[Suggestion] = ()
    by: str = ""
    at: datetime | None = None

    @property
    def is_mapped(self) -> bool:
        return bool(self.school.site_name)

    @property
    def is_automatic(self) -> bool:
        return self.is_mapped and not self.school.decision

    @property
    def is_set_aside(self) -> bool:
        """Somebody said what becomes of it, and that is no site that is there."""
        return not self.is_mapped and self.school.decision in (TO_CREATE, TO_IGNORE, TO_HOLD)


@dataclass(frozen=True)
class Own:
    """A site of the organization, and the schools that are mapped to it."""

    id: str
    name: str
    schools: Sequence[str] = ()


@dataclass(frozen=True)
class Board:
    """The mapping of schools as it stands: what waits at the left, what is mapped, what was set aside, and the own sites at the right."""

    waiting: Sequence[Placed]
    mapped: Sequence[Placed]
    aside: Sequence[Placed]
    sites: Sequence[Own]
    unmatched: str


# --- Schools ------------------------------------------------------------------------------------------------------------------------


def board(connection: SyncConnection) -> Board:
    """As the latest read has them. Raises NeverRead."""
    every = _with_decisions(connection)
    taken: dict[str, list[str]] = {}
    for school, _ in every:
        for site in {school.site, *school.by_grade.values()} if school.site_name else ():
            taken.setdefault(site, []).append(school.name)
    found = [_placed(one, decided, taken) for one, decided in every]
    return Board(
        [one for one in found if not one.is_mapped and not one.is_set_aside],
        [one for one in found if one.is_mapped],
        [one for one in found if one.is_set_aside],
        [Own(str(site.id), site.name, taken.get(str(site.id), ())) for site in _sites(connection)],
        policy_of(connection).schools.unmatched,
    )


def school_of(connection: SyncConnection, source_id: str) -> Placed:
    """One school. Raises NeverRead, NoSuchSchool."""
    for one, decided in _with_decisions(connection):
        if one.source_id == source_id:
            return _placed(one, decided)
    raise NoSuchSchool(source_id)


def grades_of(connection: SyncConnection, source_id: str) -> list[str]:
    """The grades by which a school can be split. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    return glance.grades_at(read, source_id)


def map_to(connection: SyncConnection, schools: Iterable[str], site: str, by: str) -> int:
    """These schools are that site; several may be one. How many. Raises NothingChosen, NoSuchRecord."""
    return _each(connection, schools, TO_LINK, by, site)


def set_aside(connection: SyncConnection, schools: Iterable[str], action: str, by: str) -> int:
    """These schools become sites of their own (create), nothing (ignore), or wait (hold). How many. Raises NothingChosen, BadDecision."""
    if action not in AGAIN:
        raise BadDecision(action)
    return _each(connection, schools, AGAIN[action], by)


def split(
    connection: SyncConnection, source_id: str, rest: str, by_grade: Mapping[str, str], by: str
) -> None:
    """The school is several sites: pupils go by grade, staff and all other grades to `rest`. Raises BadDecision, NoSuchRecord."""
    if not rest:
        raise BadDecision(source_id)
    deciding.decide(connection, SITES, source_id, TO_LINK, by, target=rest, by_grade=by_grade)


def unmap(connection: SyncConnection, source_id: str, by: str) -> None:
    """The school waits to be mapped again: what was decided is forgotten, and what came about by itself does not any more.

    Raises NotMapped, NeverRead, NoSuchSchool.
    """
    if deciding.forget(connection, SITES, source_id, by):
        return
    found = school_of(connection, source_id).school
    if found.found_by == FORMER or not found.site_name:
        raise NotMapped(source_id)
    deciding.decide(
        connection, SITES, source_id, AGAIN[policy_of(connection).schools.unmatched], by, why="unmapped"
    )


def _each(connection: SyncConnection, schools: Iterable[str], action: str, by: str, target: str = "") -> int:
    chosen = sorted(set(schools))
    if not chosen or (action == TO_LINK and not target):
        raise NothingChosen
    for source_id in chosen:
        deciding.decide(connection, SITES, source_id, action, by, target=target)
    return len(chosen)


def _with_decisions(connection: SyncConnection) -> list[tuple[School, SyncDecision | None]]:
    decisions = {one.source_id: one for one in _decisions(connection, SITES)}
    return [(one, decisions.get(one.source_id)) for one in deciding.schools(connection)]


def _decisions(connection: SyncConnection, kind: str) -> QuerySet[SyncDecision]:
    return SyncDecision.objects.filter(connection=connection, kind=kind)


def _placed(school: School, decided: SyncDecision | None, taken: Container[str] = ()) -> Placed:
    """A site that another school has is not suggested, though it may be chosen."""
    alike = [_alike(school.name, site, name) for site, name in school.alike if site not in taken]
    return Placed(school, alike, decided.by if decided else "", decided.at if decided else None)


def _alike(name: str, target: str, other: str) -> Suggestion:
    if is_shortened(name, other):
        return Suggestion(target, other, "shortened")
    return Suggestion(target, other, "alike", round(likeness(name, other) * 100))


def _sites(connection: SyncConnection) -> Iterable[Site]:
    return directory.sites(connection.organization) if connection.target_kind == DIRECTORY else ()


# --- Roles --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MappedRole:
    """A role of the source: how many people had it when it was read last, and what it becomes; None: it is not synced."""

    role: str
    people: int
    local: str | None
    never: bool = False


def roles(connection: SyncConnection) -> list[MappedRole]:
    """Those that the source has or the settings name, the most frequent first, and last those that never become a member."""
    read, policy = latest_read(connection), policy_of(connection)
    counted = glance.roles(read) if read else {}
    named = dict.fromkeys([*counted, *policy.roles.map, *sorted(NEVER_MAPPED)])
    found = [
        MappedRole(role, counted.get(role, 0), policy.roles.map.get(role), role in NEVER_MAPPED)
        for role in named
    ]
    return sorted(found, key=lambda one: one.never)


def under_ceiling(connection: SyncConnection) -> tuple[str, ...]:
    """The local roles a sync may give, the highest first."""
    local, highest = directory.roles_of(connection.organization), policy_of(connection).roles.ceiling
    return local[local.index(highest) :] if highest in local else local


def keep_roles(
    connection: SyncConnection, mapped: Mapping[str, str | None], ceiling: str, default: str, for_new: str
) -> SyncConnection:
    """What roles become from now on; None: they are not synced. Raises BadPolicy."""
    given = {role: local for role, local in mapped.items() if local is not None}
    about = {"map": given, "ceiling": ceiling, "default": default, "default_for_new": for_new}
    return connections.edit(connection, {}, {"roles": about})


# --- Classes ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlacedClass:
    """A class of the source: the group it is or will be taken for (`target`, with its `title`), or groups that it may be.

    `decision` is what somebody said, with who and when; `is_linked`: an earlier sync brought it there.
    """

    read: ReadClass
    school: str = ""
    target: str = ""
    title: str = ""
    decision: str = ""
    by: str = ""
    at: datetime | None = None
    is_linked: bool = False
    suggestions: Sequence[Suggestion] = field(default=())


def classes(
    connection: SyncConnection,
    limit: int,
    *,
    search: str = "",
    school: str = "",
    after: tuple[str, str] = ("", ""),
) -> list[PlacedClass]:
    """Classes of the latest read by title, `limit` of them from behind `after` on. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    found = glance.classes(read, limit, search=search, school=school, after=after)
    return _placed_classes(connection, found)


def count_classes(connection: SyncConnection, *, search: str = "", school: str = "") -> int:
    """How many the list has. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    return glance.count_classes(read, search=search, school=school)


def class_of(connection: SyncConnection, source_id: str) -> PlacedClass:
    """One class. Raises NeverRead, NoSuchClass."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    found = glance.class_of(read, source_id)
    if found is None:
        raise NoSuchClass(source_id)
    return _placed_classes(connection, [found])[0]


def groups_by_hand(connection: SyncConnection, search: str = "", limit: int = 50) -> list[Group]:
    """Groups that people made and no source has, by title: what a class may take over."""
    found = _free_groups(connection)
    for word in search.replace("\0", "").split()[:10]:
        found = found.filter(title__icontains=word)
    return list(found[:limit])


def decide_class(connection: SyncConnection, source_id: str, action: str, by: str, group: str = "") -> None:
    """A class is that group (link), becomes one of its own (create), nothing (ignore), or what the settings say (empty).

    Raises NeverRead, NoSuchClass, BadDecision, NoSuchRecord.
    """
    class_of(connection, source_id)
    if action:
        deciding.decide(connection, GROUPS, source_id, action, by, target=group)
    else:
        deciding.forget(connection, GROUPS, source_id, by)


def decide_classes(connection: SyncConnection, source_ids: Iterable[str], action: str, by: str) -> None:
    """The same of several: create, ignore, or what the settings say. Raises NothingChosen too."""
    chosen = sorted(set(source_ids))
    if not chosen:
        raise NothingChosen
    for source_id in chosen:
        decide_class(connection, source_id, action, by)


def _placed_classes(connection: SyncConnection, found: Sequence[ReadClass]) -> list[PlacedClass]:
    named = {one.source_id: one for one in deciding.schools(connection)}
    ids = [one.source_id for one in found]
    links = targets_of(connection, GROUPS, ids)
    decisions = {one.source_id: one for one in _decisions(connection, GROUPS).filter(source_id__in=ids)}
    wanted = {*links.values(), *(one.target for one in decisions.values())}
    titles = _titles(connection, wanted)
    free = list(_free_groups(connection)[:MOST_GROUPS])
    placed = []
    for one in found:
        decision, link = decisions.get(one.source_id), links.get(one.source_id, "")
        target = decision.target if decision and decision.action == TO_LINK else link
        is_open = decision is None and not link
        school = named.get(one.school)
        placed.append(
            PlacedClass(
                one,
                school.name if school else "",
                target,
                titles.get(target, ""),
                decision.action if decision else "",
                decision.by if decision else "",
                decision.at if decision else None,
                bool(link),
                _like_groups(one, school, free) if is_open else (),
            )
        )
    return placed


def _titles(connection: SyncConnection, ids: Iterable[str]) -> dict[str, str]:
    numbers = [int(one) for one in ids if one.isdecimal()]
    rows = Group.objects.filter(organization=connection.organization_id, id__in=numbers)
    return {str(number): title for number, title in rows.values_list("id", "title")}


def _free_groups(connection: SyncConnection) -> QuerySet[Group]:
    """Those that people made, that are not archived, and that no class of this source has."""
    made = Group.objects.filter(
        organization=connection.organization_id, connection_id=0, source_id="", state="active"
    )
    linked = Link.objects.filter(
        connection=connection, kind=GROUPS, ended_at=None, target=Cast(OuterRef("id"), TextField())
    )
    return made.exclude(Exists(linked)).order_by("title", "id")


def _like_groups(one: ReadClass, school: School | None, free: Iterable[Group]) -> list[Suggestion]:
    """Groups of its site that may be the same class, the likest first, three at most."""
    sites = {school.site, *school.by_grade.values()} - {""} if school and school.site_name else set()
    found = []
    for group in free:
        if group.site_id is not None and str(group.site_id) not in sites:
            continue
        if suggestion := _like_group(one, group):
            found.append(suggestion)
    return sorted(found, key=lambda like: (-like.percent, like.name, like.target))[:3]


def _like_group(one: ReadClass, group: Group) -> Suggestion | None:
    if one.code and one.code.strip() == group.code.strip():
        return Suggestion(str(group.id), group.title, "code", 101)
    if named_alike(one.title) == named_alike(group.title):
        return Suggestion(str(group.id), group.title, "title", 100)
    percent = round(likeness(one.title, group.title) * 100)
    if percent < ALIKE * 100:
        return None
    return Suggestion(
        str(group.id), group.title, "shortened" if is_shortened(one.title, group.title) else "alike", percent
    )


# --- Reading, and done --------------------------------------------------------------------------------------------------------------


def look(connection: SyncConnection, by: str) -> SyncRun:
    """Asks the source, so that there is something to map. Raises NotActive, NotEntitled."""
    return enqueue(connection, by, LOOK, preview=True)


def looking(connection: SyncConnection) -> SyncRun | None:
    """The run that only reads the source, or waits to."""
    return runs_of(connection).filter(outcome="", task__kind=LOOK).first()


def last_look(connection: SyncConnection) -> SyncRun | None:
    """The last run that came to its end."""
    return runs_of(connection).exclude(outcome="").first()


def done(connection: SyncConnection, by: str) -> SyncRun:
    """A preview of all that the mapping comes to. Raises NotActive, NotEntitled."""
    return enqueue(connection, by, FULL, preview=True)
