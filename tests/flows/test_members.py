"""Members by hand: what a person sets is an override, the last administrator stays, and who takes a seat."""

from datetime import UTC, datetime

import pytest

from rollbook.engine.sync.policy import preset, written
from rollbook.flows import by_hand, groups, members
from rollbook.flows.acting import COMMAND_LINE, acting
from rollbook.flows.directory import (
    BadRoles,
    NoSuchOrganization,
    OrganizationExists,
    ProductExists,
    add_organization,
    add_product,
    add_site,
    edit_organization,
    find_organization,
    find_site,
    key_of,
    make_key,
    revoke_key,
)
from rollbook.store.models import AuditEntry, Group, Link, Member, Organization, Override, SyncConnection
from rollbook.store.seats import NoSeatFree, NotActivable

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture
def organization() -> Organization:
    return add_organization(add_product("Reader"), "Riverbend", seats=1, domains=["@School.example"])


def a_member(organization: Organization, name: str = "Ana", *roles: str) -> Member:
    email = f"{name.lower()}@school.example"
    return members.add_member(organization, {"given_name": name, "email": email}, roles or ("student",))


def standing(member: Member) -> list[tuple[str, object, str]]:
    return [(one.field, one.value, one.mode) for one in members.overrides_of(member)]


def rostered(member: Member, **about: object) -> SyncConnection:
    organization = member.organization
    connection = SyncConnection.objects.create(
        organization=organization, name="District", source_kind="classlink", **about
    )
    Link.objects.create(
        organization=organization, connection=connection, kind="members", source_id="u1", target=str(member.id), linked_at=NOW
    )  # fmt: skip
    return connection


def test_a_product_and_its_customers_are_there_once(organization: Organization):
    with pytest.raises(ProductExists):
        add_product("Reader")
    with pytest.raises(OrganizationExists):
        add_organization(organization.product, " Riverbend ")
    with pytest.raises(BadRoles):
        add_product("Other", ["teacher"], ["administrator"])
    assert (organization.domains, organization.entitlements) == (["school.example"], ["rostering"])
    assert find_organization("Riverbend") == find_organization(str(organization.pk)) == organization
    add_organization(add_product("Another"), "Riverbend")
    with pytest.raises(NoSuchOrganization):
        find_organization("Riverbend")


def test_a_key_opens_until_it_is_revoked(organization: Organization):
    key, secret = make_key(organization, "Nightly", "helen")
    found = key_of(secret)
    assert found is not None
    assert found.organization == organization
    assert secret not in str(AuditEntry.objects.values_list("after", flat=True))
    revoke_key(organization, key.pk, "helen", NOW)
    assert key_of(secret) is None


def test_a_role_by_hand_is_kept_with_who_gave_it_and_why_and_grows(organization: Organization):
    ana = a_member(organization)
    with acting("Helen Brandt", COMMAND_LINE):
        ana = members.add_role(ana, "teacher", "Leads the chess club.")
        ana = members.add_role(ana, "aide", until="2027-06-30")
    assert members.roles_held(ana) == ("teacher", "aide", "student")
    assert standing(ana) == [("roles", ["teacher", "aide"], "add")]
    assert [one.by for one in Override.objects.all()] == ["Helen Brandt"] * 2
    ana = members.set_roles(ana, ["aide"])
    assert (members.roles_held(ana), standing(ana)) == (("aide",), [("roles", ["aide"], "set")])
    ana = members.add_role(ana, "student")
    assert standing(ana) == [("roles", ["aide", "student"], "set")]
    with pytest.raises(members.NoSuchRole):
        members.add_role(ana, "headmaster")
    with pytest.raises(by_hand.NotADay):
        members.set_roles(ana, ["aide"], until="soon")


def test_what_is_set_by_hand_ends_when_the_roster_is_to_be_followed(organization: Organization):
    ana = members.set_field(a_member(organization), "username", "ana.s")
    assert standing(ana) == [("username", "ana.s", "set")]
    members.follow(ana, "username")
    assert standing(ana) == []
    with pytest.raises(by_hand.NothingByHand):
        members.follow(ana, "username")


def test_an_address_that_another_has_is_refused_and_nothing_is_set(organization: Organization):
    ana, ben = a_member(organization), a_member(organization, "Ben")
    with pytest.raises(by_hand.ValueRefused) as refusal:
        members.set_field(ana, "email", "BEN@school.example")
    assert "ben" not in refusal.value.words.lower()
    assert standing(ana) == []
    assert members.find_member(organization, " ben@SCHOOL.example") == ben
    with pytest.raises(members.NoSuchField):
        members.set_field(ana, "state", "active")


def test_who_looked_at_a_member_that_has_changed_since_is_told_to_look_again(organization: Organization):
    ana = a_member(organization)
    members.set_field(members.find_member(organization, str(ana.id)), "grade", "07")
    with pytest.raises(by_hand.ChangedMeanwhile):
        members.set_field(ana, "grade", "08")


def test_sites_are_given_by_hand_too(organization: Organization):
    high, hill = add_site(organization, "Riverbend High", "RB-1"), add_site(organization, "Hillside")
    ana = members.add_to_site(a_member(organization), high)
    ana = members.add_to_site(ana, find_site(organization, "Hillside"))
    assert members.sites_of(ana) == [hill, high]
    assert list(members.members(organization, site=hill)) == [ana]
    assert members.sites_of(members.set_sites(ana, [hill])) == [hill]


def test_who_is_archived_by_hand_and_who_is_brought_back_stays_so(organization: Organization):
    ana = members.archive(a_member(organization), "Moved away.")
    assert (ana.state, standing(ana)) == ("archived", [("state", "archived", "set")])
    ana = members.restore(ana)
    assert (ana.state, standing(ana)) == ("inactive", [("state", "kept", "set")])
    assert Override.objects.filter(ended_at=None).count() == 1


def test_the_last_administrator_stays_one(organization: Organization):
    head = a_member(organization, "Head", "administrator")
    for act in (members.archive, lambda one: members.set_roles(one, ["teacher"])):
        with pytest.raises(members.LastAdministrator):
            act(members.find_member(organization, str(head.id)))
    head = members.find_member(organization, str(head.id))
    assert (head.state, members.roles_held(head), standing(head)) == ("inactive", ("administrator",), [])
    a_member(organization, "Deputy", "administrator")
    assert members.archive(head).state == "archived"


def test_a_first_sign_in_by_the_provider_that_rosters_takes_a_seat_and_then_every_way_in_reaches_them(
    organization: Organization,
):
    ana = a_member(organization)
    rostered(ana, policy=written(preset("classes-and-licences")))
    with pytest.raises(members.OtherProvider):
        members.activate(ana, NOW, "google")
    assert members.activate(ana, NOW, "ClassLink")
    assert not members.activate(members.find_member(organization, "ana@school.example"), NOW, "google")
    ben = a_member(organization, "Ben")
    with pytest.raises(NoSeatFree):
        members.activate(ben, NOW)
    edit_organization(organization, seats=None)
    assert members.activate(ben, NOW, "google")


def test_settings_may_let_any_sign_in_take_a_seat_and_who_is_pending_waits_for_a_person(
    organization: Organization,
):
    ana = a_member(organization)
    rostered(ana, policy=written(preset("everything-in-step")))
    Member.objects.update(state="pending")
    ana.refresh_from_db()
    with pytest.raises(NotActivable):
        members.activate(ana, NOW, "google")
    Member.objects.update(state="inactive")
    ana.refresh_from_db()
    assert members.activate(ana, NOW, "google")


def test_the_audit_log_names_a_member_by_number_and_nothing_personal(organization: Organization):
    ana = members.set_field(a_member(organization), "family_name", "Silva-Prado")
    members.activate(ana, NOW)
    told = str(list(AuditEntry.objects.values_list("act", "object", "about", "before", "after")))
    assert f"{organization.pk}/{ana.id}" in told
    assert not [one for one in ("Silva", "Ana", "ana@") if one in told]


def test_a_class_that_its_sync_keeps_is_read_only_by_hand_and_others_are_not(organization: Organization):
    ana, club = a_member(organization), groups.add_group(organization, "Chess  club")
    groups.put_in(club, ana, "aide")
    assert [(one.member_id, one.role, one.connection_id) for one in groups.memberships(club)] == [
        (ana.id, "aide", 0)
    ]
    assert groups.rename(groups.find_group(organization, "Chess club"), "Chess").title == "Chess"
    assert [(one.kind, one.value) for one in Override.objects.all()] == [("groups", "Chess")]
    members.archive(ana)
    assert list(groups.memberships(club)) == []
    members.restore(ana)
    groups.take_out(club, ana)
    with pytest.raises(groups.NotInByHand):
        groups.take_out(club, ana)
    with pytest.raises(groups.NoSuchGroupRole):
        groups.put_in(club, ana, "headmaster")
    Group.objects.update(central=True)
    club = groups.find_group(organization, str(club.id))
    for act in (
        lambda: groups.rename(club, "Go"),
        lambda: groups.put_in(club, ana),
        lambda: groups.take_out(club, ana),
    ):
        with pytest.raises(groups.KeptCentrally):
            act()
