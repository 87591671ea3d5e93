"""Seats: a member takes one at the first sign-in, and there are never more taken than were bought.

`Organization.seats_taken` moves in one statement with its condition, under the row's lock, and the rows of Seat in the same transaction.
Whoever locks members locks their organization first, so that nobody waits in a circle.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from rollbook.engine.sync.operations import ACTIVE, INACTIVE, PENDING, SUSPENDED
from rollbook.refusal import Refusal
from rollbook.store.bulk import listed
from rollbook.store.models import Member, Organization, Seat


class NoSeatFree(Refusal):
    """All seats of this organization are taken: buy more, or archive members who need none."""


class NotActivable(Refusal):
    """Only a member who is inactive or pending can be made active; who is archived is restored first."""


class NotSuspendable(Refusal):
    """Who is archived or suspended already cannot be suspended, and only who is suspended can be let in again."""


class NoSuchMember(Refusal):
    """This organization has no member of this number."""


def activate(organization_id: int, member_id: int, now: datetime) -> bool:
    """The member takes a seat and is active; whether a seat was taken now. Raises NoSeatFree, NotActivable, NoSuchMember."""
    if _state(organization_id, member_id) == ACTIVE:
        return False
    try:
        with transaction.atomic():
            if not _take_one(organization_id):
                raise NoSeatFree
            _make_active(organization_id, member_id, now)
    except (NoSeatFree, NotActivable):
        # Somebody else may have made the same member active meanwhile, with the very seat that is missing.
        if _state(organization_id, member_id) == ACTIVE:
            return False
        raise
    return True


def _state(organization_id: int, member_id: int) -> str:
    found = Member.objects.filter(organization_id=organization_id, id=member_id).values_list(
        "state", flat=True
    )
    state = found.first()
    if state is None:
        raise NoSuchMember(str(member_id))
    return state


def _take_one(organization_id: int) -> bool:
    is_one_free = Q(seats_bought=None) | Q(seats_taken__lt=F("seats_bought"))
    free_one = Organization.objects.filter(is_one_free, pk=organization_id)
    return bool(free_one.update(seats_taken=F("seats_taken") + 1))


def _make_active(organization_id: int, member_id: int, now: datetime) -> None:
    able = Member.objects.filter(organization_id=organization_id, id=member_id, state__in=(INACTIVE, PENDING))
    if not able.update(state=ACTIVE, version=F("version") + 1):
        raise NotActivable(str(member_id))
    Seat.objects.create(organization_id=organization_id, member_id=member_id, taken_at=now)


def suspend(organization_id: int, member_id: int, now: datetime) -> None:
    """The member is shut out, with all they are in as it is; a seat they hold is free. Raises NotSuspendable."""
    with transaction.atomic():
        Organization.objects.select_for_update().only("pk").get(pk=organization_id)
        _move(organization_id, member_id, (ACTIVE, INACTIVE, PENDING), SUSPENDED)
        free(organization_id, [member_id], now, "suspended")


def let_in(organization_id: int, member_id: int) -> None:
    """Who was suspended may take a seat again, and holds none yet. Raises NotSuspendable."""
    _move(organization_id, member_id, (SUSPENDED,), INACTIVE)


def _move(organization_id: int, member_id: int, before: tuple[str, ...], after: str) -> None:
    able = Member.objects.filter(organization_id=organization_id, id=member_id, state__in=before)
    if not able.update(state=after, version=F("version") + 1):
        raise NotSuspendable(str(member_id))


def give_up(organization_id: int, member_id: int, now: datetime, why: str) -> bool:
    """The member gives their seat back and is inactive; whether they had one."""
    with transaction.atomic():
        if not free(organization_id, [member_id], now, why):
            return False
        able = Member.objects.filter(organization_id=organization_id, id=member_id, state=ACTIVE)
        able.update(state=INACTIVE, version=F("version") + 1)
    return True


def left(organization: Organization) -> int | None:
    """How many seats are free; None where there is no limit."""
    if organization.seats_bought is None:
        return None
    return max(0, organization.seats_bought - organization.seats_taken)


def take(organization: Organization, member_ids: Iterable[int], now: datetime) -> None:
    """Seats for members who are becoming active. The organization's row is locked, and there are enough of them (`left`)."""
    seats = [Seat(organization=organization, member_id=one, taken_at=now) for one in member_ids]
    Seat.objects.bulk_create(seats, batch_size=500)
    Organization.objects.filter(pk=organization.pk).update(seats_taken=F("seats_taken") + len(seats))


def free(organization_id: int, member_ids: Collection[int], now: datetime, why: str) -> int:
    """The seats of these members are free again; how many there were. What becomes of the members is the caller's."""
    if not member_ids:
        return 0
    with transaction.atomic():
        Organization.objects.select_for_update().only("pk").get(pk=organization_id)
        open_ones = Seat.objects.filter(
            organization_id=organization_id, freed_at=None, member_id__in=listed(member_ids)
        )
        count = open_ones.update(freed_at=now, why=why[:100])
        Organization.objects.filter(pk=organization_id).update(seats_taken=F("seats_taken") - count)
    return count
