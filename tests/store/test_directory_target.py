"""An organization's directory as a target: it keeps the conformance kit, and what the kit does not ask of others."""

from itertools import count

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from rollbook.engine.sync.conformance import CHECKS, Check
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVED,
    CREATE,
    DONE,
    INACTIVE,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    NOOP,
    PENDING,
    PURGE,
    REJECT,
    Operation,
)
from rollbook.engine.sync.target import Scope
from rollbook.engine.sync.trial import Trial
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import Member, Membership, Organization, Product, Seat

pytestmark = pytest.mark.django_db
NUMBERS = count(1)


def an_organization(seats: int | None = None) -> Organization:
    product, _ = Product.objects.get_or_create(name="Reader")
    return Organization.objects.create(product=product, name=f"Riverbend {next(NUMBERS)}", seats_bought=seats)


def fresh() -> DirectoryTarget:
    return DirectoryTarget(an_organization(), 5)


def furnished(seats: int | None = None) -> Trial:
    trial = Trial(DirectoryTarget(an_organization(seats), 5))
    trial.send(trial.sample())
    return trial


def state(trial: Trial, source_id: str) -> str:
    return trial.record(MEMBERS, source_id).state


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_directory_keeps(check: Check):
    check.run(fresh)


def test_two_organizations_have_the_same_people_and_touch_nothing_of_one_another():
    ours, theirs = furnished(), furnished()
    before = theirs.picture()
    ours.send([ours.update(MEMBERS, "p1", {"email": "other@school.example"}), ours.archive(MEMBERS, "p2")])
    assert theirs.picture() == before


def test_what_is_done_goes_back_with_the_transaction_of_the_caller():
    trial = furnished()
    before = trial.picture()
    with transaction.atomic():
        trial.send([trial.update(MEMBERS, "p1", {"given_name": "Zoë"})])
        transaction.set_rollback(True)
    assert trial.picture() == before


def test_a_member_made_by_hand_is_adopted_once_and_another_connections_never():
    trial = furnished()
    organization = Organization.objects.get(pk=trial.target.organization_id)
    by_hand = DirectoryTarget(organization, 0)
    (made,) = by_hand.apply([Operation(1, CREATE, MEMBERS, "", "", after={"email": "new@x.example"})])
    assert not next(trial.target.verify(MEMBERS, [made.target])).managed
    link = Operation(2, LINK, MEMBERS, "u9", made.target)
    assert [one.status for one in trial.target.apply([link, link])] == [DONE, NOOP]
    found = next(trial.target.verify(MEMBERS, [made.target]))
    assert (found.managed, found.key) == (True, "u9")
    assert DirectoryTarget(organization, 6).apply([link])[0].status == NOOP


def test_each_connection_says_a_membership_in_a_row_of_its_own():
    trial = furnished()
    other = Trial(DirectoryTarget(Organization.objects.get(pk=trial.target.organization_id), 0))
    other.ids = dict(trial.ids)
    other.send([other.create(MEMBERSHIPS, "c1/p1", {"role": "student"})])
    ours = trial.ids[MEMBERSHIPS, "c1/p1"]
    trial.send([trial.archive(MEMBERSHIPS, "c1/p1")])
    rows = Membership.objects.filter(
        organization=trial.target.organization_id, member_id=trial.ids[MEMBERS, "p1"]
    )
    assert {
        (row.connection_id, row.state) for row in rows if str(row.group_id) == trial.ids["groups", "c1"]
    } == {
        (5, ARCHIVED),
        (0, ACTIVE),
    }
    assert ours != other.ids[MEMBERSHIPS, "c1/p1"]


def test_whoever_comes_back_is_what_they_were_as_long_as_there_is_a_seat():
    trial = furnished(seats=1)
    member = Member.objects.filter(organization=trial.target.organization_id)
    one = Organization.objects.filter(pk=trial.target.organization_id)
    member.filter(id=trial.ids[MEMBERS, "p2"]).update(state=PENDING)
    member.filter(id=trial.ids[MEMBERS, "p1"]).update(state=ACTIVE)
    Seat.objects.create(
        organization=one.get(), member_id=trial.ids[MEMBERS, "p1"], taken_at="2026-08-01T00:00Z"
    )
    one.update(seats_taken=1)
    people = ("p1", "p2", "p3")
    trial.send([trial.archive(MEMBERS, one) for one in people])
    assert (one.get().seats_taken, Seat.objects.filter(organization=one.get(), freed_at=None).count()) == (
        0,
        0,
    )
    assert member.filter(archived_at=None).count() == 1
    trial.send([trial.restore(MEMBERS, one) for one in people])
    assert [state(trial, one) for one in people] == [ACTIVE, PENDING, INACTIVE]
    assert (one.get().seats_taken, Seat.objects.filter(organization=one.get(), freed_at=None).count()) == (
        1,
        1,
    )
    assert member.filter(archived_at=None).count() == 4
    trial.send([trial.archive(MEMBERS, "p1")])
    one.update(seats_taken=1)  # somebody else has it
    trial.send([trial.restore(MEMBERS, "p1")])
    assert state(trial, "p1") == INACTIVE


def test_members_who_are_made_active_take_the_seats_there_are_and_the_others_are_inactive():
    trial = Trial(DirectoryTarget(an_organization(seats=2), 5))
    told = [
        Operation(number, CREATE, MEMBERS, f"u{number}", "", after={"given_name": "Kim", "state": "active"})
        for number in range(1, 5)
    ]
    trial.target.apply(told)
    assert [one.state for one in trial.records(MEMBERS)].count(ACTIVE) == 2
    organization = Organization.objects.get(pk=trial.target.organization_id)
    assert (organization.seats_taken, organization.seats.count()) == (2, 2)
    trial.target.apply(told)
    assert len(trial.records(MEMBERS)) == 4


def test_a_value_that_no_column_takes_is_rejected_alone():
    trial = furnished()
    long, nul, well = trial.send(
        [
            trial.create(MEMBERSHIPS, "c2/p2", {"role": "x" * 41}),
            trial.create(MEMBERSHIPS, "c2/p3", {"role": "stu\0dent"}),
            trial.create(MEMBERSHIPS, "c2/t1", {"role": "teacher"}),
        ]
    )
    assert [(one.status, one.code) for one in (long, nul, well)] == [
        (REJECT, "bad-value"),
        (REJECT, "bad-value"),
        (DONE, ""),
    ]


def test_who_is_purged_leaves_nothing_and_their_address_is_free():
    trial = furnished()
    target = trial.ids[MEMBERS, "p1"]
    trial.target.apply([Operation(1, PURGE, MEMBERS, "p1", target)])
    row = Member.objects.get(organization=trial.target.organization_id, id=target)
    assert (row.email, row.email_folded, row.given_name, row.roles) == ("", None, "", "[]")
    assert len(trial.records(MEMBERS)) == 3
    assert trial.send([trial.update(MEMBERS, "p2", {"email": "ana@school.example"})])[0].status == DONE


def test_members_are_found_by_an_identifier_without_case():
    trial = furnished()
    found = trial.records(MEMBERS, Scope(values={"identifier": ("p-1", "t-9")}))
    assert [one.id for one in found] == [trial.ids[MEMBERS, "p1"]]


@pytest.mark.parametrize("number", [10, 1_000])
def test_a_batch_costs_the_same_statements_however_many_it_has(number: int):
    trial = furnished()
    told = [
        Operation(
            one, CREATE, MEMBERS, f"u{one}", "", after={"given_name": "Kim", "email": f"{one}@x.example"}
        )
        for one in range(number)
    ]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        trial.target.apply(told)
    assert len(queries) < 25
