"""The tables of directories hold on both databases: their keys, and what may be there only once."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from rollbook.store.models import Member, Organization, Product, Seat

pytestmark = pytest.mark.django_db


def organization() -> Organization:
    product = Product.objects.create(name="Reader", roles=["admin", "teacher", "student"])
    return Organization.objects.create(product=product, name="Riverbend")


def test_members_without_an_address_do_not_collide_and_two_with_the_same_do():
    ours = organization()
    for number in (1, 2):
        Member.objects.create(organization=ours, id=number)
    Member.objects.create(organization=ours, id=3, email="A@b.org", email_folded="a@b.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(organization=ours, id=4, email="a@b.org", email_folded="a@b.org")


def test_a_member_holds_one_seat_at_a_time():
    ours = organization()
    first = Seat.objects.create(organization=ours, member_id=1, taken_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.create(organization=ours, member_id=1, taken_at=timezone.now())
    Seat.objects.filter(pk=first.pk).update(freed_at=timezone.now())
    Seat.objects.create(organization=ours, member_id=1, taken_at=timezone.now())
