"""An organization invites a district of this installation: asked, answered, connected; run out, withdrawn, taken back; both logs tell it."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.connectors.contract import CannotFetch
from rollbook.engine.approval import Wanted
from rollbook.engine.scope import Level, Rule
from rollbook.flows import applications, approvals, audit, operators
from rollbook.flows.apps import add_app, enable, grant_of
from rollbook.flows.directory import set_app
from rollbook.flows.districts import NoSuchDistrict, add_district
from rollbook.flows.sync import activating, connections, inviting
from rollbook.store.models import District, Invitation, Letter, Organization, SyncConnection
from tests.command import rollbook
from tests.connectors.provider import STATIC, Provider, serving
from tests.flows.sync.organizations import an_organization

pytestmark = pytest.mark.django_db
ME, THEM = "ines@northwind.example", "brandt@riverbend.example"


@pytest.fixture
def district() -> District:
    made = add_district("Riverbend Unified", "America/Chicago")
    operators.add_operator(THEM, operators.DISTRICT, made)
    operators.add_operator("desk@riverbend.example", "help desk", made)
    return made


@pytest.fixture
def organization() -> Organization:
    made = an_organization()
    set_app(made.product, add_app("Reader"))
    return made


@pytest.fixture
def invitation(organization: Organization, district: District) -> Invitation:
    return inviting.invite(organization, str(district.pk), ME)


@pytest.fixture
def server(settings) -> Iterator[Provider]:
    """What answers under the public address."""
    with serving(Provider(version="1.2")) as provider:
        settings.PUBLIC_URL = provider.address
        yield provider


def acts(chain: int | None) -> list[str]:
    return [entry.act for entry in audit.entries(chain, act="invitation").order_by("number")]


def test_a_district_is_asked_by_its_tenant_id_and_only_who_administers_it_is_written_to(
    invitation: Invitation, district: District
) -> None:
    assert [one.pk for one in inviting.open_for(district)] == [invitation.pk]
    [letter] = Letter.objects.all()
    assert letter.address == THEM
    token = letter.words.partition("/invitations/")[2].split()[0]
    assert inviting.invitation_of(token) == invitation
    with pytest.raises(inviting.NoSuchInvitation):
        inviting.invitation_of(token[:-2] + "xx")


def test_who_names_a_district_that_is_not_there_or_was_asked_is_refused(
    invitation: Invitation, organization: Organization, district: District
) -> None:
    with pytest.raises(NoSuchDistrict):
        inviting.invite(organization, "99999", ME)
    with pytest.raises(inviting.AlreadyInvited):
        inviting.invite(organization, str(district.pk), ME)
    product = organization.product
    product.app = None
    product.save()
    organization.refresh_from_db()
    with pytest.raises(inviting.NoAppToInvite):
        inviting.invite(organization, str(district.pk), ME)


def test_accepting_lets_the_product_see_what_a_roster_needs_and_no_more(
    invitation: Invitation, district: District, organization: Organization
) -> None:
    assert inviting.choices(invitation)[0] == inviting.Lets.ROSTER
    grant, waits = inviting.accept(invitation, "roster", THEM)
    rule = Rule.parse(grant.rule)
    assert (rule.level, grant.enabled, waits) == (Level.BASIC, True, False)
    [scope] = rule.scopes
    assert (scope.orgs.all, scope.courses.all, scope.unenrolled) == (True, True, True)
    assert (scope.demographics, scope.guardians) == (False, False)
    assert inviting.standing_of(invitation) == "accepted"
    assert inviting.open_for(district) == []
    with pytest.raises(inviting.NotOpen):
        inviting.decline(invitation, THEM)


def test_an_app_that_is_there_keeps_what_it_sees_unless_more_is_meant(
    invitation: Invitation, district: District, organization: Organization
) -> None:
    app = organization.product.app
    applications.add_application(district, app, inviting.ROSTER, by=THEM)
    assert inviting.choices(invitation)[0] == inviting.Lets.AS_IT_IS
    with pytest.raises(inviting.LetsNothing):
        inviting.accept(invitation, "all of it", THEM)
    grant, _ = inviting.accept(invitation, "keep", THEM)
    assert (grant.enabled, grant.version) == (True, 1)


def test_where_the_district_wants_a_second_person_the_product_sees_nothing_until_then(
    invitation: Invitation, district: District
) -> None:
    approvals.set_approval(district, Wanted(full=True), by=THEM)
    grant, waits = inviting.accept(invitation, "full", THEM)
    assert (waits, Rule.parse(grant.rule).level) == (True, Level.NONE)


def test_an_invitation_that_ran_out_is_not_answered_and_can_be_asked_anew(
    invitation: Invitation, organization: Organization, district: District
) -> None:
    late = timezone.now() + inviting.HOLDS_FOR + timedelta(minutes=1)
    with pytest.raises(inviting.NotOpen):
        inviting.accept(invitation, "roster", THEM, now=late)
    assert grant_of(district, organization.product.app) is None
    assert inviting.standing_of(invitation, late) == "expired"
    again = inviting.invite(organization, str(district.pk), ME, now=late)
    assert (again.pk, inviting.standing_of(again, late)) == (invitation.pk, "waiting")


def test_withdrawn_or_declined_it_is_over_and_nothing_connects(
    invitation: Invitation, organization: Organization, district: District
) -> None:
    with pytest.raises(inviting.NotAccepted):
        inviting.connect(invitation, ME)
    inviting.withdraw(invitation, ME)
    second = inviting.invite(organization, str(district.pk), ME)
    inviting.decline(second, THEM)
    assert [inviting.standing_of(one) for one in inviting.invitations_of(organization)] == [
        "declined",
        "withdrawn",
    ]
    assert [one.pk for one in inviting.invitations_for(district)] == [second.pk]


@pytest.mark.django_db(transaction=True)
def test_connecting_makes_one_key_and_one_connection_however_often_it_is_tried(
    invitation: Invitation, organization: Organization, district: District, server: Provider
) -> None:
    inviting.accept(invitation, "roster", THEM)
    with pytest.raises(CannotFetch):
        inviting.connect(invitation, ME)  # this server knows no key of ours
    connections.drop(SyncConnection.objects.get(organization=organization))
    invitation.refresh_from_db()
    with pytest.raises(CannotFetch):
        inviting.connect(invitation, ME)
    [made] = SyncConnection.objects.filter(organization=organization)
    assert (made.state, made.name) == ("requested", "Riverbend Unified")
    made.source_settings |= {"sign_in": "bearer"}
    made.source_secrets = json.dumps({"token": STATIC})
    made.save()
    invitation.refresh_from_db()
    connection, found = inviting.connect(invitation, ME)
    assert (connection.pk, connection.state) == (made.pk, "active")
    assert found
    grant = grant_of(district, organization.product.app)
    assert grant is not None
    assert grant.credentials.filter(revoked_at=None).count() == 1
    told = ["invitation.ask", "invitation.accept", "invitation.connect", "invitation.connect"]
    assert (acts(district.pk), acts(None)) == (told, told)
    with pytest.raises(connections.OfAnInvitation):
        connections.edit(connection, {"url": "https://elsewhere.example"}, {})


@pytest.mark.django_db(transaction=True)
def test_support_activates_only_where_the_district_lets_the_product_read_already(
    invitation: Invitation, organization: Organization, district: District, server: Provider
) -> None:
    product, desk = organization.product, "desk@reader.example"
    assert [one.pk for one in activating.waiting_of(product)] == [invitation.pk]
    with pytest.raises(activating.NotSharedYet):
        activating.activate(invitation, desk)
    grant, _ = applications.add_application(district, product.app, inviting.ROSTER, by=THEM)
    assert not inviting.is_shared(invitation)
    enable(grant)
    with pytest.raises(CannotFetch):
        activating.activate(invitation, desk)  # this server knows no key of ours
    grant.refresh_from_db()
    assert (grant.version, invitation.answered_by) == (1, desk)
    assert (acts(district.pk)[1:], list(activating.waiting_of(product))) == (
        ["invitation.activate", "invitation.connect"],
        [],
    )
    assert "It sees no more than before." in Letter.objects.get(subject__contains="is connected").words


@pytest.mark.django_db(transaction=True)
def test_a_district_that_took_the_app_out_can_be_asked_again(
    invitation: Invitation, organization: Organization, district: District
) -> None:
    grant, _ = inviting.accept(invitation, "roster", THEM)
    applications.remove_application(grant, by=THEM)
    invitation.refresh_from_db()
    assert inviting.standing_of(invitation) == "taken back"
    with pytest.raises(inviting.TakenBack):
        inviting.connect(invitation, ME)
    assert inviting.invite(organization, str(district.pk), ME).pk != invitation.pk


def test_both_sides_can_do_it_by_command(organization: Organization, district: District) -> None:
    place, tenant = str(organization.pk), str(district.pk)
    asked = json.loads(rollbook("organization", "invitation", "ask", place, tenant, "--json").stdout)
    number = str(asked["invitation"])
    assert asked["link"].count("/invitations/") == 1
    [listed] = json.loads(rollbook("district", "invitation", "list", tenant, "--json").stdout)
    assert (listed["state"], listed["tenantId"]) == ("waiting", district.pk)
    said = json.loads(rollbook("district", "invitation", "accept", tenant, number, "--json").stdout)
    assert (said["state"], said["waits"]) == ("accepted", False)
    refused = rollbook("district", "invitation", "decline", tenant, number, expect=1)
    assert "not open any more" in refused.output
    rollbook("organization", "invitation", "withdraw", place, number, expect=1)
    assert "accepted" in rollbook("organization", "invitation", "list", place).stdout
