"""The world a sync is planned in: the read, the directory as it is now, and what is remembered between the two, loaded at one moment."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.utils import timezone

from rollbook.engine.calendar import local_day
from rollbook.engine.sync.links import Links
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES
from rollbook.engine.sync.read_file import StoredRoster
from rollbook.engine.sync.roster import Person
from rollbook.engine.sync.target import Scope, Target
from rollbook.engine.sync.world import Directory, Focus, World, by_id, directory_of
from rollbook.flows.directory import roles_of
from rollbook.flows.sync.targets import target_of
from rollbook.store.linking import add_links_to, claimed_beside, decisions_of, links_of, overrides_of
from rollbook.store.models import Organization, SyncConnection


def today_of(organization: Organization, now: datetime | None = None) -> str:
    """Which day it is by the organization's clock."""
    return local_day(now or timezone.now(), ZoneInfo(organization.time_zone)).isoformat()


@contextmanager
def world_of(
    connection: SyncConnection,
    read: Path,
    *,
    whole: Iterable[str] = (),
    only_adds: bool = False,
    focus: Focus | None = None,
    target: Target | None = None,
) -> Iterator[World]:
    """`read` is the folder of a read, `whole` the collections of it of which absence counts. With a focus only what it touches is loaded."""
    organization, target = connection.organization, target or target_of(connection)
    today = today_of(organization)
    with StoredRoster(read, focus) as roster:
        links = links_of(connection, _named(roster, focus) if focus else None)
        directory = _touched(target, roster, links, focus) if focus else directory_of(target)
        if focus:
            add_links_to(links, connection, MEMBERS, directory.members)
        yield World(
            roster=roster,
            directory=directory,
            today=today,
            links=links,
            overrides=overrides_of(connection, today),
            decisions=decisions_of(connection),
            capabilities=target.capabilities(),
            roles=roles_of(organization),
            administrators=frozenset(organization.product.administrator_roles),
            domains=frozenset(organization.domains),
            certified=frozenset(whole),
            first=connection.first_applied_at is None,
            only_adds=only_adds,
            focus=focus,
            claimed=claimed_beside(connection),
        )


def _touched(target: Target, roster: StoredRoster, links: Links, focus: Focus) -> Directory:
    """Of the directory what a focus can touch: records by their links, and members who have a value in common with somebody in it."""
    named = _named(roster, focus)
    members = Scope(ids=_linked(links, MEMBERS, named[MEMBERS]), values=_values(roster.people.values()))
    groups = Scope(ids=_linked(links, GROUPS, named[GROUPS]))
    found = by_id(target.scan(MEMBERS, members)) if not members.is_everything else {}
    around = by_id(target.scan(GROUPS, groups)) if not groups.is_everything else {}
    own = Scope(ids=(*_linked(links, MEMBERS, focus.people), *groups.ids))
    return Directory(
        by_id(target.scan(SITES)),
        found,
        around,
        lambda: iter(()) if own.is_everything else target.scan(MEMBERSHIPS, own),
    )


def _named(roster: StoredRoster, focus: Focus) -> dict[str, set[str]]:
    """The people and classes that a focus has to do with, by sourcedId."""
    return {MEMBERS: {*roster.people, *focus.people}, GROUPS: {*roster.classes, *focus.classes}}


def _linked(links: Links, kind: str, source_ids: Iterable[str]) -> tuple[str, ...]:
    of_kind = links.of(kind)
    return tuple(sorted({of_kind[one].target for one in source_ids if one in of_kind}))


def _values(people: Iterable[Person]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {"email": set(), "username": set(), "identifier": set()}
    for person in people:
        for name, value in (
            ("email", person.email),
            ("username", person.username),
            ("identifier", person.identifier),
        ):
            if value:
                found[name].add(value)
    return {name: tuple(sorted(values)) for name, values in found.items() if values}
