"""The members' door: over a sign-in service and back, and every way in which it stays shut, told in words with a number."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.connectors.openid_connect.server import forget_servers
from rollbook.flows import administrators, members
from rollbook.flows.directory import add_organization, add_product, add_site
from rollbook.flows.districts import add_district
from rollbook.flows.signing_in import attempts, providers, tries
from rollbook.store.models import IdentityProvider, Link, Member, Organization, SignInAttempt, SyncConnection
from tests.connectors.identity import CLIENT_ID, SECRET, Replayed, replayed

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with replayed() as one:
        yield one


@pytest.fixture
def idp(running: Replayed) -> Replayed:
    forget_servers()
    running.said, running.raw, running.algorithm, running.end_session = {}, "", "ES256", ""
    return running


@pytest.fixture
def organization(db) -> Organization:
    return add_organization(add_product("Reader"), "Riverbend", seats=1, domains=["school.example"])


@pytest.fixture
def way(organization: Organization, idp: Replayed) -> IdentityProvider:
    """A ClassLink that is replayed, bound to the roster of the organization's."""
    roster = SyncConnection.objects.create(
        organization=organization, name="District", source_kind="classlink"
    )
    about = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "tenants": ["2170"], "connection": roster}  # fmt: skip
    return providers.switch(providers.add_provider(organization, "classlink", "ClassLink", **about), True)


@pytest.fixture
def ana(organization: Organization, way: IdentityProvider) -> Member:
    site = add_site(organization, "North School")
    made = members.add_member(
        organization, {"given_name": "Ana", "family_name": "Silva"}, ["student"], [site]
    )
    Link.objects.create(
        organization=organization, connection=way.connection, kind="members", source_id="u1", target=str(made.id), linked_at=NOW
    )  # fmt: skip
    return made


def there(client: Client, way: IdentityProvider) -> dict[str, str]:
    answer = client.get(reverse("enter-by", args=[way.organization_id, way.pk]))
    assert answer.status_code == 302, answer.content.decode()
    assert answer.url.startswith(way.issuer)
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.url).query).items()}


def back(client: Client, way: IdentityProvider, idp: Replayed, asked: dict[str, str], **said):
    idp.said = {"nonce": asked["nonce"], "classLink_tenant_id": 2170, "classLink_role": "Student", **said}
    return client.get(
        reverse("enter-back", args=[way.organization_id, way.pk]), {"code": "c", "state": asked["state"]}
    )


def come(client: Client, way: IdentityProvider, idp: Replayed, **said):
    return back(client, way, idp, there(client, way), **said)


def words(answer) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


def number_in(answer) -> str:
    found = re.search(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", words(answer))
    return found.group() if found else ""


def test_who_is_in_sees_their_name_organization_roles_and_sites_and_leaves(client: Client, way, ana, idp):
    page = client.get(come(client, way, idp, classLink_sourcedId="u1").url)
    for told in ("You are in", "Ana Silva", "Riverbend", "Student", "North School"):
        assert told in words(page)
    client.post(reverse("me-leave", args=[way.organization_id]))
    assert client.get(reverse("me", args=[way.organization_id])).url == reverse(
        "enter", args=[way.organization_id]
    )


def test_the_session_of_who_is_archived_ends_at_the_next_step(client: Client, way, ana, idp):
    me = come(client, way, idp, classLink_sourcedId="u1").url
    ana.refresh_from_db()
    members.archive(ana)
    refused = client.get(me)
    assert refused.status_code == 403
    assert "Ana" not in words(refused)
    assert client.get(me).status_code == 302
    again = come(client, way, idp, classLink_sourcedId="u1")
    assert "no longer a member" in words(again)


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ({"classLink_tenant_id": 1, "classLink_sourcedId": "u1"}, "foreign-tenant", "another school"),
        ({"classLink_sourcedId": "u9"}, "not-synced", "after the next sync"),
        ({}, "unknown", "Nobody in this organization"),
        ({"exp": 1}, "not-trusted", "could not be trusted"),
        ({"nonce": "another"}, "not-trusted", "could not be trusted"),
        ({"aud": "another"}, "not-trusted", "could not be trusted"),
    ],
)
def test_who_is_kept_out_reads_why_whom_to_ask_and_a_number(client: Client, way, ana, idp, said, code, told):
    refused = come(client, way, idp, **said)
    assert refused.status_code == 403
    assert told in words(refused)
    assert "whoever administers Riverbend" in words(refused)
    assert attempts.find_attempt(way.organization, number_in(refused)).outcome == code
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("state", "told"),
    [("archived", "no longer a member"), ("suspended", "suspended"), ("pending", "not been accepted")],
)
def test_who_may_not_be_in_reads_why(client: Client, way, ana, idp, state, told):
    Member.objects.filter(organization=way.organization, id=ana.id).update(state=state)
    assert told in words(come(client, way, idp, classLink_sourcedId="u1"))


def test_without_a_seat_one_reads_so(client: Client, way, ana, idp):
    Organization.objects.filter(pk=way.organization_id).update(seats_bought=0)
    assert "All licences" in words(come(client, way, idp, classLink_sourcedId="u1"))


def test_a_provider_that_is_switched_off_lets_nobody_in_and_is_not_offered(client: Client, way, ana, idp):
    asked = there(client, way)
    providers.switch(way, False)
    assert way.name not in words(client.get(reverse("enter", args=[way.organization_id])))
    shut = client.get(reverse("enter-by", args=[way.organization_id, way.pk]))
    assert "switched off" in words(shut)
    assert number_in(client.get(shut.request["PATH_INFO"])) == number_in(shut)
    assert "switched off" in words(back(client, way, idp, asked, classLink_sourcedId="u1"))


def test_an_answer_is_taken_once_and_from_the_browser_that_set_out_alone(client: Client, way, ana, idp):
    asked = there(client, way)
    assert back(Client(), way, idp, asked, classLink_sourcedId="u1").status_code == 403
    assert back(client, way, idp, asked, classLink_sourcedId="u1").status_code == 302
    assert back(client, way, idp, asked, classLink_sourcedId="u1").status_code == 403
    assert SignInAttempt.objects.count() == 1


def test_who_cancels_there_reads_so(client: Client, way, idp):
    asked = there(client, way)
    where = reverse("enter-back", args=[way.organization_id, way.pk])
    refused = client.get(where, {"error": "access_denied", "state": asked["state"]})
    assert "cancelled" in words(refused)
    assert number_in(refused)


def test_a_provider_that_is_silent_is_told_of(client: Client, way):
    IdentityProvider.objects.filter(pk=way.pk).update(issuer="http://127.0.0.1:9")
    shut = client.get(reverse("enter-by", args=[way.organization_id, way.pk]))
    assert (shut.status_code, "does not answer" in words(shut)) == (403, True)


def test_a_member_has_no_way_into_the_console(client: Client, way, ana, idp):
    come(client, way, idp, classLink_sourcedId="u1")
    for page in ("organization", "sign-in", "rostering"):
        assert client.get(reverse(page, args=[way.organization_id])).status_code == 404
    assert client.get(reverse("account_change_password")).status_code == 404
    assert client.get("/").url == reverse("me", args=[way.organization_id])


def test_another_organizations_door_does_not_know_this_provider_or_who_is_in(client: Client, way, ana, idp):
    other = add_organization(way.organization.product, "Southwind")
    come(client, way, idp, classLink_sourcedId="u1")
    assert client.get(reverse("enter-by", args=[other.pk, way.pk])).status_code == 404
    assert client.get(reverse("me", args=[other.pk])).url == reverse("enter", args=[other.pk])


def test_trying_a_provider_out_shows_what_it_said_masked_and_signs_nobody_in(signed_in, way, ana, idp):
    office = administrators.employ(way.organization.product, way.organization, "ines@riverbend.example")
    client = signed_in(office.account)
    answer = client.get(reverse("sign-in-test", args=[way.organization_id, way.pk]))
    asked = {name: one[0] for name, one in parse_qs(urlsplit(answer.url).query).items()}
    done = back(client, way, idp, asked, classLink_sourcedId="u1", email="ana.silva@school.example")
    page = client.get(done.url)
    assert "a…@school.example" in words(page)
    assert "ana.silva" not in page.content.decode()
    assert f"({ana.id}) would take a seat" in words(page)
    ana.refresh_from_db()
    assert (ana.state, ana.account, SignInAttempt.objects.count()) == ("inactive", None, 0)
    assert client.get(reverse("organization", args=[way.organization_id])).status_code == 200


def test_a_launch_pad_of_a_district_here_has_nothing_to_register_and_was_not_replayed(
    signed_in, organization
):
    office = administrators.employ(organization.product, organization, "ines@riverbend.example")
    client, district = signed_in(office.account), add_district("Riverbend Unified School District")
    form = reverse("sign-in-add-by", args=[organization.pk, "launch-pad"])
    page = words(
        client.post(form, {"name": "Launch pad", "tenants": district.pk, "rung": "email"}, follow=True)
    )
    assert "Kept. Test it, and switch it on." in page
    assert "redirect address" not in page
    assert "replayed" not in page


def test_who_signs_out_is_offered_to_sign_out_at_the_provider_where_it_can_be_done(
    client: Client, way, ana, idp
):
    come(client, way, idp, classLink_sourcedId="u1")
    idp.end_session = f"{idp.issuer}/out"
    forget_servers()
    left = client.post(reverse("me-leave", args=[way.organization_id]), follow=True)
    assert f"Sign out at {way.name} too" in words(left)
    assert f'href="{idp.issuer}/out?client_id={CLIENT_ID}"' in left.content.decode()
    assert "_auth_user_id" not in client.session
    idp.end_session = "javascript:alert(1)"
    forget_servers()
    assert "too" not in words(client.get(left.redirect_chain[0][0]))


def test_too_many_refusals_from_one_place_are_looked_at_no_more_until_their_minute_is_over(
    client: Client, way, ana, idp, monkeypatch
):
    monkeypatch.setattr(tries, "MOST_REFUSED", 2)
    for _ in range(2):
        assert come(client, way, idp, classLink_tenant_id=1).status_code == 403
    asked, were = there(client, way), len(idp.forms)
    refused = back(client, way, idp, asked, classLink_sourcedId="u1")
    assert (refused.status_code, "Too many" in words(refused)) == (429, True)
    assert (len(idp.forms), SignInAttempt.objects.count()) == (were, 2)
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    assert come(elsewhere, way, idp, classLink_sourcedId="u1").status_code == 302


def test_one_place_sends_no_more_than_so_many_to_a_provider_in_a_minute(
    client: Client, way, idp, monkeypatch
):
    monkeypatch.setattr(tries, "MOST_SET_OUT", 1)
    there(client, way)
    assert client.get(reverse("enter-by", args=[way.organization_id, way.pk])).status_code == 429
