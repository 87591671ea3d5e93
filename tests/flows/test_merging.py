"""Two members who are one person: what the one that is kept has then, what a sync makes of it, and the way back."""

import json
from pathlib import Path

import pytest

from rollbook.flows import groups, members, merging
from rollbook.flows.directory import add_site
from rollbook.flows.sync import holds, own, runs
from rollbook.store.models import (
    AuditEntry,
    Group,
    Link,
    Member,
    Membership,
    Organization,
    SyncConnection,
    SyncRun,
)
from tests.cli.typed import typed
from tests.engine.sync.schools import changed, school
from tests.flows.sync.organizations import Synced, an_organization, connected, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


def with_two_seats(folder: Path) -> Synced:
    deliver(folder, school())
    made = connected(an_organization(seats_bought=2), folder)
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(made, "somebody", process=process), lambda _: None)
        done = own.walk_here(holds.approve(shown, "somebody", process=process), lambda _: None)
    made.refresh_from_db()
    return Synced(made, folder, done)


begun = kept(with_two_seats)


@pytest.fixture
def folder(begun: Synced) -> Path:
    return begun.folder


@pytest.fixture
def connection(begun: Synced) -> SyncConnection:
    return begun.connection


@pytest.fixture
def organization(begun: Synced) -> Organization:
    return begun.connection.organization


def sync(connection: SyncConnection) -> SyncRun:
    with own.own_process() as process:
        return own.walk_here(runs.enqueue(connection, "somebody", process=process), lambda _: None)


def by_source(organization: Organization, source_id: str) -> Member:
    return Member.objects.get(organization=organization, source_id=source_id)


def standing(organization: Organization) -> list[tuple[object, ...]]:
    """All of the directory that a merge touches, but the versions."""
    people = Member.objects.filter(organization=organization).order_by("id")
    said = Membership.objects.filter(organization=organization, state="active").order_by(
        "group_id", "member_id"
    )
    links = Link.objects.filter(organization=organization, kind="members", ended_at=None).order_by(
        "source_id"
    )
    organization.refresh_from_db()
    return [
        *people.values_list("id", "state", "email", "username", "identifier", "grade", "roles", "site_ids"),
        *said.values_list("group_id", "member_id", "role", "connection_id"),
        *links.values_list("source_id", "target"),
        (organization.seats_taken,),
    ]


def two(organization: Organization, connection: SyncConnection) -> tuple[Member, Member]:
    """Tess as somebody made her by hand, with a site and a group of her own; and Tess as the roster brought her, with a seat."""
    tess = by_source(organization, "t1")
    members.activate(tess, tess.organization.created_at)
    by_name = members.add_member(
        organization,
        {"given_name": "Tess", "family_name": "Ames"},
        ["aide"],
        [add_site(organization, "Annex")],
    )
    club = groups.add_group(organization, "Chess club")
    groups.put_in(club, by_name, "teacher")
    return by_name, by_source(organization, "t1")


def test_the_one_that_is_kept_has_all_and_a_sync_leaves_it_so(
    organization: Organization, connection: SyncConnection
) -> None:
    kept, other = two(organization, connection)
    merging.merge(kept, other, "She came twice.")
    kept.refresh_from_db()
    other.refresh_from_db()
    assert (kept.state, kept.email, other.state, other.email) == (
        "active",
        "t1@school.example",
        "archived",
        "",
    )
    assert members.roles_held(kept) == ("teacher", "aide")
    assert {one.name for one in members.sites_of(kept)} == {"Annex", "North School"}
    organization.refresh_from_db()
    assert organization.seats_taken == 1
    algebra = Group.objects.get(organization=organization, source_id="c1")
    here = Membership.objects.filter(
        organization=organization, group_id=algebra.id, state="active", role="teacher"
    )
    assert [(one.member_id, one.connection_id) for one in here] == [(kept.id, connection.pk)]
    assert merging.merged_into(other) is not None
    assert sync(connection).outcome == "empty"
    entry = AuditEntry.objects.get(act="member.merge")
    assert "Ames" not in f"{entry.about}{entry.after}"


def test_undone_both_are_as_they_were_and_a_sync_changes_nothing(
    organization: Organization, connection: SyncConnection
) -> None:
    kept, other = two(organization, connection)
    for one in (kept, other):
        members.set_field(one, "identifier", "N77")
    before = standing(organization)
    made = merging.merge(kept, other)
    assert standing(organization) != before
    assert Member.objects.filter(organization=organization, identifier="N77").count() == 1
    merging.unmerge(merging.find_merge(organization, made.pk))
    assert standing(organization) == before
    assert sync(connection).outcome == "empty"
    with pytest.raises(merging.NoSuchMerge):
        merging.unmerge(made)
    assert [one.act for one in AuditEntry.objects.filter(act__startswith="member.").order_by("number")][
        -2:
    ] == [
        "member.merge",
        "member.unmerge",
    ]


def test_what_the_roster_says_of_the_merged_reaches_the_one_that_is_kept(
    organization: Organization, connection: SyncConnection, folder: Path
) -> None:
    kept, other = two(organization, connection)
    made = merging.merge(kept, other)
    deliver(folder, changed(school(), "users", "t1", familyName="Archer"))
    sync(connection)
    kept.refresh_from_db()
    assert kept.family_name == "Archer"
    merging.unmerge(made)
    other.refresh_from_db()
    assert (other.state, other.email) == ("active", "t1@school.example")
    assert sync(connection).outcome in ("success", "empty")
    assert by_source(organization, "t1").family_name == "Archer"


def test_what_cannot_be_merged_is_left_and_an_older_plan_is_not_carried_out_over_a_merge(
    organization: Organization, connection: SyncConnection
) -> None:
    kept, other = two(organization, connection)
    gone = members.add_member(organization, {"given_name": "Gone", "family_name": "Long"})
    members.archive(gone)
    for one in (kept, gone):
        with pytest.raises(merging.NotTwoMembers):
            merging.merge(kept, one)
    with own.own_process() as process:
        shown = own.walk_here(
            runs.enqueue(connection, "somebody", preview=True, process=process), lambda _: None
        )
    made = merging.merge(kept, other)
    with pytest.raises(holds.OutOfDate):
        holds.approve(shown, "somebody")
    other.refresh_from_db()
    members.restore(other)
    with pytest.raises(merging.NotAsMerged):
        merging.unmerge(made)


def test_the_same_by_commands(organization: Organization) -> None:
    for name in ("Ana", "Anna"):
        members.add_member(
            organization, {"given_name": name, "email": f"{name}@school.example".lower()}, ["teacher"]
        )
    where = str(organization.pk)
    made = json.loads(
        typed("member", "merge", where, "ana@school.example", "anna@school.example", "--json").stdout
    )
    shown = json.loads(typed("member", "show", where, str(made["archived"]), "--json").stdout)
    assert (shown["state"], shown["mergedInto"]) == ("archived", made["kept"])
    assert [one["merge"] for one in json.loads(typed("member", "merges", where, "--json").stdout)] == [
        made["merge"]
    ]
    typed("member", "unmerge", where, str(made["merge"]))
    typed("member", "unmerge", where, str(made["merge"]), expect=1)
