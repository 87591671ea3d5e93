"""Connecting by sign-in in the console: to the hub and back, each way in which it ends badly, and a district of this installation."""

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.connectors.openid_connect.server import forget_servers
from rollbook.flows import administrators, directory, operators
from rollbook.flows.apps import add_app
from rollbook.flows.directory import set_app
from rollbook.flows.launching import own_provider, pads
from rollbook.flows.signing_in import providers
from rollbook.flows.sync import at_once, connections, hubs, inviting, proving
from rollbook.store.models import Account, Hub, IdentityProvider, Invitation, Organization, SyncConnection
from tests.command import rollbook
from tests.connectors.identity import CLIENT_ID, SECRET, Replayed, replayed
from tests.connectors.provider import LISTING, PARTNER_KEY, Provider, serving
from tests.connectors.test_partner_listing import listed
from tests.flows.sync.organizations import an_organization

pytestmark = pytest.mark.django_db
EMAIL = "ines@northwind.example"
STAFF = {"classLink_tenant_id": 42, "classLink_role": "Teacher"}


@pytest.fixture(scope="module")
def running() -> Iterator[Replayed]:
    with replayed() as one:
        yield one


@pytest.fixture
def idp(running: Replayed) -> Replayed:
    forget_servers()
    running.said, running.raw, running.algorithm = {}, "", "ES256"
    return running


@pytest.fixture(scope="module")
def lists() -> Iterator[Provider]:
    with serving(Provider(version="1.1", prefix=f"{LISTING}/7", listing=[listed(42)])) as found:
        yield found


@pytest.fixture
def organization() -> Organization:
    return an_organization()


@pytest.fixture
def hub(organization: Organization, idp: Replayed, lists: Provider) -> Hub:
    about = {"client_id": CLIENT_ID, "client_secret": SECRET, "partner_key": PARTNER_KEY}
    place = f"http://127.0.0.1:{lists.port}{LISTING}"
    return hubs.register(organization.product, "classlink", name="School", issuer=idp.issuer, listing=place, **about)  # fmt: skip


@pytest.fixture
def account(organization: Organization) -> Account:
    return administrators.employ(organization.product, organization, EMAIL).account


@pytest.fixture
def office(account: Account, signed_in) -> Client:
    return signed_in(account)


def path(organization: Organization, route: str, *more: object) -> str:
    return reverse(route, args=[organization.pk, *more])


def words(answer) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


def there(office: Client, organization: Organization, hub: Hub) -> dict[str, str]:
    answer = office.get(path(organization, "sync-connect-by", f"hub-{hub.pk}"))
    assert answer.url.startswith(hub.issuer)
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.url).query).items()}


def back(office: Client, hub: Hub, idp: Replayed, asked: dict[str, str], follow: bool = True, **said):
    idp.said = {"nonce": asked["nonce"], **STAFF, **said}
    sent = {"code": "c", "state": asked["state"]}
    return office.get(reverse("connect-back", args=[hub.pk]), sent, follow=follow)


def come(office: Client, organization: Organization, hub: Hub, idp: Replayed, **said):
    return back(office, hub, idp, there(office, organization, hub), **said)


def test_who_signs_in_there_comes_back_connected_and_is_led_on(office, organization, hub, idp):
    assert f"Connect {hub.name}" in words(office.get(path(organization, "sync-setup")))
    page = come(office, organization, hub, idp)
    made = SyncConnection.objects.get()
    assert "Connected successfully" in words(page)
    assert "Application 7 of Riverbend is open." in words(page)
    assert page.redirect_chain[-1][0] == path(organization, "sync-preset", made.pk)
    assert (made.state, made.source_settings["tenant"]) == ("waiting", "42")
    assert PARTNER_KEY not in office.get(path(organization, "sync-test", made.pk)).content.decode()
    assert "sign people in" not in words(page)
    offer = office.get(path(organization, "sync-schools", made.pk))
    form = re.search(r'href="([^"]*sign-in/add/classlink[^"]*)"', offer.content.decode())[1]
    assert idp.issuer in office.get(form).content.decode()
    page = words(office.get(form))
    assert "What is known from the roster School is filled in." in page
    typed = {"name": "School", "issuer": idp.issuer, "client_id": CLIENT_ID, "tenants": "42"}
    office.post(form, typed | {"connection": made.pk, "rung": ["sourced-id"]})
    service = IdentityProvider.objects.get()
    assert (service.client_secret, service.connection, service.tenants) == (SECRET, made, ["42"])
    assert "Let its people sign in too" not in words(office.get(path(organization, "sync-overview", made.pk)))


def test_an_answer_is_used_once_and_by_the_browser_that_set_out(
    office, organization, hub, idp, account, signed_in
):
    asked = there(office, organization, hub)
    assert "did not set out for there" in words(back(signed_in(account), hub, idp, asked))
    assert Client().get(reverse("connect-back", args=[hub.pk])).url.startswith(reverse("account_login"))
    back(office, hub, idp, asked)
    assert "did not set out for there" in words(back(office, hub, idp, asked))
    office.get(path(organization, "sync-proved"))
    assert SyncConnection.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"classLink_role": "Student"}, "signed in there as a pupil"),
        ({"classLink_role": None}, "did not say that you work for the district"),
        ({"classLink_tenant_id": None}, "did not say which district"),
        ({"exp": 1}, "could not be trusted, or came too late"),
        ({"aud": "another"}, "could not be trusted"),
    ],
)
def test_what_proves_no_district_is_said_in_words_with_what_to_do(office, organization, hub, idp, said, told):
    page = come(office, organization, hub, idp, **said)
    assert page.status_code == 403
    assert told in words(page)
    assert "Try again" in words(page)
    assert SyncConnection.objects.count() == 0


def test_who_cancels_there_who_is_too_late_and_a_hub_that_is_silent(office, organization, hub, idp):
    asked = there(office, organization, hub)
    where = reverse("connect-back", args=[hub.pk])
    page = office.get(where, {"error": "access_denied", "state": asked["state"]}, follow=True)
    assert "cancelled there" in words(page)
    asked = there(office, organization, hub)
    session = office.session
    session["journeys"][asked["state"]]["kept"]["began"] -= 700
    session.save()
    assert "came too late" in words(back(office, hub, idp, asked))
    Hub.objects.update(issuer="http://127.0.0.1:9")
    page = office.get(path(organization, "sync-connect-by", f"hub-{hub.pk}"))
    assert "does not answer as it should" in words(page)
    assert SyncConnection.objects.count() == 0


def test_a_district_that_has_not_added_the_product_is_told_so_and_can_be_tested_again(
    office, organization, hub, idp
):
    page = come(office, organization, hub, idp, classLink_tenant_id=43)
    assert "has not added the app" in words(page)
    made = SyncConnection.objects.get()
    assert page.redirect_chain[-1][0] == path(organization, "sync-test", made.pk)
    assert made.state == "requested"


def test_the_wrong_district_is_told_by_what_was_declared_and_by_who_has_it(office, organization, hub, idp):
    service = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "tenants": ["43"]}
    made = providers.add_provider(organization, "classlink", **service)
    page = words(office.get(path(organization, "sign-in-provider", made.pk)))
    assert "Also bring its roster" in page
    assert "another district than the one" in words(come(office, organization, hub, idp))
    providers.edit_provider(made, tenants=["42"])
    other = an_organization()
    filled = {"listing": hub.listing, "tenant": "42"}
    SyncConnection.objects.create(
        organization=other, name="x", source_kind="partner_listing", source_settings=filled, state="active"
    )
    assert "another customer of the product" in words(come(office, organization, hub, idp))


def test_a_service_of_the_organizations_own_proves_the_tenant_and_the_key_is_asked(
    office, organization, idp, lists
):
    assert "does not know this installation yet" in words(
        office.get(path(organization, "sync-connect-by", "classlink"), follow=True)
    )
    about = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "tenants": ["42"]}
    service = providers.add_provider(organization, "classlink", **about)
    answer = office.get(path(organization, "sync-connect-by", f"provider-{service.pk}"))
    asked = {name: one[0] for name, one in parse_qs(urlsplit(answer.url).query).items()}
    idp.said = {"nonce": asked["nonce"], **STAFF}
    where = reverse("enter-back", args=[organization.pk, service.pk])
    form = office.get(where, {"code": "c", "state": asked["state"]}, follow=True)
    assert "You signed in for the district 42." in words(form)
    assert 'value="42"' in form.content.decode()
    typed = {"name": "Riverbend", "tenant": "42", "issuer": idp.issuer, "key": PARTNER_KEY, "version": "1.1"}
    listing = f"http://127.0.0.1:{lists.port}{LISTING}"
    page = office.post(form.redirect_chain[-1][0], typed | {"listing": listing}, follow=True)
    assert "Connected successfully" in words(page)
    service.refresh_from_db()
    assert service.connection == SyncConnection.objects.get()


def test_who_may_not_change_the_rostering_goes_nowhere(office, organization, hub):
    assert office.get(path(organization, "sync-connect-by", "hub-999")).status_code == 404
    lure = office.get(
        path(organization, "sync-connect-by", f"hub-{hub.pk}"), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert lure.url == path(organization, "sync-setup")
    directory.edit_organization(organization, entitlements=[])
    answer = office.get(path(organization, "sync-connect-by", f"hub-{hub.pk}"))
    assert (answer.status_code, "does not include rostering" in words(answer)) == (403, True)


def test_support_says_where_the_product_is_registered(organization, hub, idp, lists, signed_in):
    product = organization.product
    support = administrators.employ(product, None, "sam@reader.example", "product support")
    client = signed_in(support.account)
    page = words(client.get(reverse("support-hubs", args=[product.pk])))
    assert "http://testserver/connect/" in page
    form = reverse("support-hub-add", args=[product.pk, "any"])
    typed = {"name": "Own", "issuer": "https://own.example", "client_id": "x", "listing": hub.listing, "partner_key": "hush"}  # fmt: skip
    assert client.post(form, typed | {"tenant": ""}).status_code == 422
    answer = client.post(form, typed | {"tenant": "district"})
    made = Hub.objects.get(name="Own")
    assert answer.url == reverse("support-hub", args=[product.pk, made.pk])
    assert "hush" not in client.get(answer.url).content.decode()
    client.post(answer.url, typed | {"name": "Mine", "partner_key": "", "tenant": "district"})
    made.refresh_from_db()
    assert (made.name, made.partner_key) == ("Mine", "hush")
    client.post(reverse("support-hub-remove", args=[product.pk, made.pk]))
    assert not Hub.objects.filter(pk=made.pk).exists()


# --- A district of this installation --------------------------------------------------------------------------------------------------


def test_who_works_for_the_district_too_is_offered_it_and_sees_it_by_its_tenant_id(
    office, organization, account, district, elsewhere
):
    set_app(organization.product, add_app("Reader"))
    operators.add_operator(EMAIL, operators.DISTRICT, district)
    page = words(office.get(path(organization, "sync-invite")))
    assert "Districts you work for" in page
    assert district.name in page
    form = path(organization, "sync-invite-own")
    assert office.post(form, {"tenant": str(elsewhere.pk), "lets": "roster"}).status_code == 404
    office.post(path(organization, "sync-invite"), {"tenant": str(district.pk)})
    assert not Invitation.objects.exists()
    office.post(form, {"tenant": str(district.pk), "lets": "later"})
    assert inviting.standing_of(Invitation.objects.get()) == "accepted"


@pytest.mark.django_db(transaction=True)
def test_who_signs_in_for_the_district_accepts_and_it_is_connected(
    office, organization, district, administrator, signed_in, settings
):
    set_app(organization.product, add_app("Reader"))
    with serving(Provider(version="1.2")) as server:
        settings.PUBLIC_URL = server.address
        office.post(path(organization, "sync-invite"), {"tenant": str(district.pk)})
        invitation = Invitation.objects.get()
        answer = office.post(path(organization, "sync-invitation-there", invitation.pk))
        assert answer.url.startswith(reverse("account_login"))
        assert "_auth_user_id" not in office.session
        way = parse_qs(urlsplit(answer.url).query)["next"][0]
        desk = operators.add_operator("desk@riverbend.example", "help desk", district).account
        assert "do not manage the apps" in words(signed_in(desk).get(way))
        console = signed_in(administrator)
        form = console.get(way).url
        console.post(form, {"accept": "1", "lets": "roster"})
        [made] = SyncConnection.objects.all()
        assert made.name == district.name
        assert Invitation.objects.get().connection == made
        assert "held for ten minutes" in words(console.get(f"{way}x"))
    assert at_once.own_districts(administrator) == [district]


def test_a_district_of_this_installation_lends_its_sign_in_by_one_click(office, organization, district):
    organization.product = set_app(organization.product, add_app("Reader"))
    filled = {"url": "https://rollbook.example", "client_id": "a", "client_secret": "b"}
    roster = connections.connect(organization, "The district", "oneroster_rest", filled)
    inviting.invite(organization, str(district.pk), EMAIL)
    Invitation.objects.update(answer="accepted", connection=roster)
    page, button = path(organization, "sign-in"), f"Use the sign-in of {district.name}"
    assert button not in words(office.get(page))
    pads.switch(district, True)
    assert proving.offer_of(roster) is None
    connections.activate(roster)
    assert button in words(office.get(path(organization, "sync-overview", roster.pk)))
    assert "sign in as the district has it: by username and password." in words(office.get(page))
    pads.set_ways(district, ["provider"])
    own_provider.set_provider(
        district, "entra", name="Riverbend ID", client_id="x", tenants=["t"], is_active=True
    )
    assert "by Riverbend ID" in words(office.get(page))
    click = path(organization, "sign-in-lent", roster.pk)
    answer = office.post(click, follow=True)
    made = IdentityProvider.objects.get()
    assert f"Your members can sign in by {district.name} now." in words(answer)
    assert (made.preset, made.is_active, made.client_secret) == ("launch-pad", True, "")
    assert (made.name, made.tenants, made.connection) == (district.name, [str(district.pk)], roster)
    assert button not in words(answer)
    assert "No district of this installation lends" in words(office.post(click, follow=True))
    providers.remove_provider(made)
    told = rollbook("sign-in", "lend", str(organization.pk), str(roster.pk), "--json").stdout
    assert json.loads(told)["on"] is True
