"""Resyncing one user: found by e-mail address or the beginning of the name among those whom a connection brought, and synced with all groups."""

from collections.abc import Iterator

from django.db.models import QuerySet

from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows.directory_lists import HERE
from rollbook.flows.sync.explaining import NotLinked
from rollbook.flows.sync.runs import FOCUS, enqueue
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.oneroster.folding import fold
from rollbook.store.models import Link, Member, SyncConnection, SyncRun

MOST = 20


def find_users(connection: SyncConnection, told: str) -> list[Member]:
    """Who has exactly this e-mail address, or else those whose name begins so, by name; at most MOST. Only whom this connection brought."""
    wanted = fold(" ".join(told.replace("\0", "").split()))
    if not wanted:
        return []
    every = Member.objects.filter(organization=connection.organization_id, state__in=HERE)
    exactly = _rostered(connection, every.filter(email_folded=wanted))
    if exactly:
        return exactly
    for way in _by_name(every, wanted):
        if found := _rostered(connection, way.order_by("name_folded", "id")[: 5 * MOST]):
            return found[:MOST]
    return []


def _by_name(every: QuerySet[Member], wanted: str) -> Iterator[QuerySet[Member]]:
    """By the beginning of the family name, of both names in either order, of the given name. `name_folded` is the family name, a tab, the given.

    Compared by code point, so that the index by name answers on every database.
    """
    words = wanted.split()
    beginnings = [wanted]
    for place in range(1, len(words)):
        one, other = " ".join(words[:place]), " ".join(words[place:])
        beginnings += [f"{one}\t{other}", f"{other}\t{one}"]
    for beginning in beginnings:
        yield every.filter(name_folded__gte=beginning, name_folded__lt=f"{beginning}\U0010ffff")
    yield every.filter(name_folded__contains=f"\t{wanted}")


def find_user(connection: SyncConnection, number: int) -> Member:
    """Raises NotLinked."""
    found = _rostered(connection, Member.objects.filter(organization=connection.organization_id, id=number))
    if not found:
        raise NotLinked(str(number))
    return found[0]


def resync(connection: SyncConnection, member: Member, by: str) -> SyncRun:
    """A queued sync of this user and their groups, and of nobody else. Raises NotLinked, NotActive, NotEntitled, InBlackout."""
    people = _source_ids(connection, member)
    return enqueue(connection, by, FOCUS, focus={"people": people}, groups=True, member=member.id)


def _source_ids(connection: SyncConnection, member: Member) -> list[str]:
    links = Link.objects.filter(connection=connection, kind=MEMBERS, target=str(member.id), ended_at=None)
    found = sorted(links.values_list("source_id", flat=True))
    if not found:
        raise NotLinked(str(member.id))
    return found


def _rostered(connection: SyncConnection, members: QuerySet[Member]) -> list[Member]:
    """Those of them whom the connection brought: it brings nobody here where it goes to another directory."""
    found = list(members) if connection.target_kind == DIRECTORY else []
    ids = [str(one.id) for one in found]
    links = Link.objects.filter(connection=connection, kind=MEMBERS, target__in=ids, ended_at=None)
    linked = set(links.values_list("target", flat=True))
    return [one for one in found if str(one.id) in linked]
