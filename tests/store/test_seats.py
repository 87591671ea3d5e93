"""Seats: the last one is taken once, whoever reaches for it at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from rollbook.store.models import Member, Organization, Product, Seat
from rollbook.store.seats import NoSeatFree, NoSuchMember, NotActivable, activate, free

pytestmark = pytest.mark.django_db
WORKERS = 20


def an_organization(seats: int | None) -> Organization:
    product, _ = Product.objects.get_or_create(name="Reader")
    return Organization.objects.create(product=product, name="Riverbend", seats_bought=seats)


def members(organization: Organization, number: int, state: str = "inactive") -> None:
    Member.objects.bulk_create(
        Member(organization=organization, id=one, state=state) for one in range(1, number + 1)
    )


def told(organization: Organization, member: int) -> str:
    """What one worker is told, on a connection of its own."""
    try:
        return "taken" if activate(organization.pk, member, timezone.now()) else "had it"
    except (NoSeatFree, NotActivable) as refusal:
        return type(refusal).__name__
    finally:
        connections.close_all()


def all_at_once(organization: Organization, who: list[int]) -> list[str]:
    gate = Barrier(len(who))

    def worker(member: int) -> str:
        gate.wait()
        return told(organization, member)

    with ThreadPoolExecutor(len(who)) as pool:
        return list(pool.map(worker, who))


def count(organization: Organization) -> tuple[int, int, int]:
    """Seats counted, open rows of seats, active members: always the same number."""
    organization.refresh_from_db()
    rows = Seat.objects.filter(organization=organization, freed_at=None).count()
    active = Member.objects.filter(organization=organization, state="active").count()
    return organization.seats_taken, rows, active


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_reach_for_the_last_seat_and_one_has_it():
    organization = an_organization(3)
    members(organization, WORKERS + 2)
    assert [activate(organization.pk, one, timezone.now()) for one in (21, 22)] == [True, True]
    said = all_at_once(organization, list(range(1, WORKERS + 1)))
    assert sorted(said) == ["NoSeatFree"] * (WORKERS - 1) + ["taken"]
    assert count(organization) == (3, 3, 3)


@pytest.mark.django_db(transaction=True)
def test_one_member_who_signs_in_at_twenty_places_takes_the_last_seat_once():
    organization = an_organization(1)
    members(organization, 1)
    said = all_at_once(organization, [1] * WORKERS)
    assert sorted(said) == ["had it"] * (WORKERS - 1) + ["taken"]
    assert count(organization) == (1, 1, 1)


def test_without_a_limit_there_is_always_a_seat():
    organization = an_organization(None)
    members(organization, 3)
    assert [activate(organization.pk, one, timezone.now()) for one in (1, 2, 1)] == [True, True, False]
    assert count(organization) == (2, 2, 2)


@pytest.mark.parametrize("state", ["archived", "suspended", "purged"])
def test_who_is_not_inactive_takes_none(state: str):
    organization = an_organization(5)
    members(organization, 1, state)
    with pytest.raises(NotActivable):
        activate(organization.pk, 1, timezone.now())
    assert count(organization) == (0, 0, 0)


def test_nobody_takes_none():
    with pytest.raises(NoSuchMember):
        activate(an_organization(5).pk, 99, timezone.now())


def test_a_seat_is_freed_once_and_another_takes_it():
    organization = an_organization(1)
    members(organization, 2)
    activate(organization.pk, 1, timezone.now())
    assert [free(organization.pk, [1, 2], timezone.now(), "archived") for _ in (1, 2)] == [1, 0]
    assert activate(organization.pk, 2, timezone.now())
    assert Seat.objects.get(member_id=1).why == "archived"
