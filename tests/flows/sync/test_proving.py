"""A district proved by signing in at a hub: who may prove it, for whom, what opens with the product's key; and one hand for both sides."""

from collections.abc import Iterator

import pytest

from rollbook.connectors.contract import CannotFetch
from rollbook.flows import audit, operators
from rollbook.flows.administrators import employ
from rollbook.flows.apps import add_app
from rollbook.flows.directory import set_app
from rollbook.flows.districts import add_district
from rollbook.flows.signing_in import providers
from rollbook.flows.sync import at_once, connections, hubs, inviting, proving
from rollbook.store.models import Account, District, Hub, Invitation, Letter, Organization, SyncConnection
from tests.command import rollbook
from tests.connectors.provider import Provider, serving
from tests.flows.sync.organizations import an_organization

pytestmark = pytest.mark.django_db
ISSUER, LISTING = "https://hub.example", "https://list.example/applications"
STAFF = {"iss": ISSUER, "sub": "s-1", "classLink_tenant_id": 42, "classLink_role": "Teacher"}
ABOUT = {
    "name": "School",
    "issuer": ISSUER,
    "client_id": "reader",
    "client_secret": "hush",
    "listing": f"{LISTING}/",
    "partner_key": "opens",
}


@pytest.fixture
def organization() -> Organization:
    return an_organization()


@pytest.fixture
def hub(organization: Organization) -> Hub:
    return hubs.register(organization.product, "classlink", **ABOUT)


def proof(organization: Organization, **said: object) -> proving.Proof:
    way = proving.ways(organization)[0]
    return proving.prove(organization, way, proving.told(way, STAFF | said))


def own_service(organization: Organization, *tenants: str, **about) -> object:
    told = {"issuer": ISSUER, "client_id": "ours", "client_secret": "quiet", "tenants": tenants}
    return providers.add_provider(organization, "classlink", **told | about)


# --- Who may prove what ---------------------------------------------------------------------------------------------------------------


def test_a_proved_district_is_connected_with_the_products_key(organization, hub):
    made = proving.connect(organization, proof(organization))
    assert (made.source_kind, made.name) == ("partner_listing", "School")
    assert made.source_settings == {"listing": LISTING, "tenant": "42"}
    assert connections.secrets_of(made) == {"key": "opens"}
    assert proving.connect(organization, proof(organization)) == made
    told = [audit.told(one)["after"] for one in audit.entries(None, act="sync.prove")]
    assert told[0] == {"hub": hub.pk, "issuer": ISSUER, "tenant": "42"}


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"classLink_role": "Student"}, proving.APupil),
        ({"classLink_role": None}, proving.NoWorkSaid),
        ({"classLink_role": "Parent"}, proving.NoWorkSaid),
        ({"classLink_tenant_id": " "}, proving.NoTenantSaid),
        ({"classLink_tenant_id": None}, proving.NoTenantSaid),
    ],
)
def test_who_proves_nothing_is_told_what_is_missing(organization, hub, said, refusal):
    with pytest.raises(refusal):
        proof(organization, **said)
    [entry] = audit.entries(None, act="sync.not_prove")
    assert set(audit.told(entry)["after"]) == {"code", "service", "issuer", "tenant"}


def test_another_district_than_the_declared_one_is_refused(organization, hub):
    own_service(organization, "043")
    with pytest.raises(proving.OtherDistrict):
        proof(organization, classLink_tenant_id="43")
    assert proof(organization, classLink_tenant_id="043").tenant == "043"


def test_a_district_that_another_customer_reads_is_refused_and_one_that_never_answered_is_not(
    organization, hub
):
    other = an_organization()
    theirs = proving.connect(other, proof(other))
    assert proof(organization).tenant == "42"
    connections.activate(theirs)
    with pytest.raises(proving.AnothersDistrict):
        proof(organization)
    connections.disconnect(theirs)
    assert proof(organization).tenant == "42"


def test_who_connects_again_finds_their_connection_with_the_key_of_today(organization, hub):
    made = proving.connect(organization, proof(organization))
    connections.disconnect(connections.activate(made))
    hubs.change_hub(hub, partner_key="another")
    again = proving.connect(organization, proof(organization))
    assert (again.pk, again.state) == (made.pk, "requested")
    assert connections.secrets_of(again) == {"key": "another"}


def test_a_service_of_the_organizations_own_opens_nothing_with_the_products_key(organization, hub):
    """Whoever sets up a service may say of it what they like: only what the product's client was told counts."""
    lying = own_service(organization, "7", issuer="https://evil.example", names={"tenant": "nickname"})
    way = proving.find_way(organization, f"provider-{lying.pk}")
    found = proving.prove(organization, way, {"issuer": lying.issuer, "tenant": "7", "role": "staff"})
    with pytest.raises(proving.NoSuchWay):
        proving.connect(organization, found)
    same = own_service(organization, "7", name="Same", names={"tenant": "nickname"})
    assert proving.way_of(same).hub == hub
    assert SyncConnection.objects.count() == 0


# --- One wizard, both ways round ------------------------------------------------------------------------------------------------------


def test_a_service_goes_with_the_roster_that_is_connected_after_it(organization, hub):
    service, other = own_service(organization, "42", "43"), own_service(organization, "43", name="Other")
    made = proving.connect(organization, proof(organization))
    service.refresh_from_db()
    other.refresh_from_db()
    assert (service.connection, other.connection) == (made, None)
    assert proving.way_of(service) is None
    assert proving.offer_of(made) is None


def test_a_connected_roster_offers_sign_in_with_all_that_is_known(organization, hub):
    offer = proving.offer_of(proving.connect(organization, proof(organization)))
    draft = proving.draft_of(offer)
    assert (draft.issuer, draft.client_id, draft.tenants, draft.client_secret) == (ISSUER, "reader", ["42"], "")  # fmt: skip
    about = {"issuer": ISSUER, "client_id": "reader", "tenants": ["42"], "connection": offer.connection}
    made = proving.take_up(offer, name="School", **about)
    assert (made.client_secret, made.connection, made.is_active) == ("hush", offer.connection, False)
    assert proving.offer_of(offer.connection) is None
    assert "hush" not in str(list(audit.entries(None).values()))


def test_the_products_secret_goes_to_no_other_address(organization, hub):
    offer = proving.offer_of(proving.connect(organization, proof(organization)))
    about = {"client_id": "reader", "tenants": ["42"]}
    elsewhere = proving.take_up(offer, name="Elsewhere", issuer="https://evil.example", **about)
    assert elsewhere.client_secret == ""
    made = proving.take_up(offer, name="School", issuer=ISSUER, **about)
    with pytest.raises(providers.ProviderSecretNeeded):
        providers.edit_provider(made, issuer="https://evil.example")


def test_a_roster_typed_by_hand_is_known_by_whose_host_it_lies_at(organization):
    filled = {"url": "https://riverbend.oneroster.classlink.io", "sign_in": "bearer", "token": "x"}
    made = connections.connect(organization, "By hand", "oneroster_rest", filled)
    assert proving.offer_of(made).preset.key == "classlink"
    other = connections.connect(organization, "Else", "oneroster_rest", filled | {"url": "https://notclasslink.io"})  # fmt: skip
    assert proving.offer_of(other) is None


# --- Hubs -----------------------------------------------------------------------------------------------------------------------------


def test_a_hub_keeps_its_secrets_to_its_addresses(organization, hub):
    for about in ({"issuer": "https://evil.example"}, {"listing": "https://evil.example/list"}):
        with pytest.raises(hubs.HubSecretNeeded):
            hubs.change_hub(Hub.objects.get(), **about)
    with pytest.raises(hubs.HubExists):
        hubs.register(organization.product, "classlink", **ABOUT)
    with pytest.raises(hubs.HubTenantNeeded):
        hubs.register(organization.product, "any", **ABOUT | {"issuer": "https://any.example"})
    with pytest.raises(hubs.NotAHub):
        hubs.register(organization.product, "google", **ABOUT)
    assert "opens" not in str(list(audit.entries(None).values()))


def test_the_commands_say_where_a_product_is_registered(organization, tmp_path):
    (tmp_path / "key").write_text("opens")
    said = ["--issuer", ISSUER, "--client-id", "reader", "--listing", LISTING, "--claim", "tenant=district"]
    where = ["product", "hub"]
    rollbook(*where, "add", "Reader", "any", "--name", "School", *said, "--secret", f"partner_key={tmp_path / 'key'}")  # fmt: skip
    assert "/connect/" in rollbook(*where, "list", "Reader", "--json").stdout
    rollbook(*where, "change", "Reader", "School", "--name", "Hub", "--json")
    made = Hub.objects.get()
    assert (made.name, made.partner_key, made.names) == ("Hub", "opens", {"tenant": "district"})
    rollbook(*where, "remove", "Reader", "Hub")
    assert not Hub.objects.exists()


# --- A district of this installation --------------------------------------------------------------------------------------------------


@pytest.fixture
def district() -> District:
    return add_district("Riverbend Unified", "America/Chicago")


@pytest.fixture
def both(organization: Organization, district: District) -> Account:
    """Somebody who works on both sides."""
    set_app(organization.product, add_app("Reader"))
    operators.add_operator("ines@riverbend.example", operators.DISTRICT, district)
    return employ(organization.product, organization, "ines@riverbend.example").account


@pytest.fixture
def server(settings) -> Iterator[Provider]:
    with serving(Provider(version="1.2")) as provider:
        settings.PUBLIC_URL = provider.address
        yield provider


@pytest.mark.django_db(transaction=True)
def test_who_works_on_both_sides_agrees_for_both_and_nobody_is_written_to(
    organization, district, both, server
):
    assert at_once.own_districts(both) == [district]
    with pytest.raises(CannotFetch):
        at_once.connect(organization, district, both, "roster", both.email)
    [made] = connections.connections(organization)
    invitation = Invitation.objects.get()
    assert (invitation.answer, invitation.connection) == ("accepted", made)
    assert not Letter.objects.exists()
    acts = {"invitation.ask", "invitation.accept", "invitation.connect"}
    assert acts <= set(audit.entries(district.pk).values_list("act", flat=True))


def test_who_does_not_manage_the_districts_apps_agrees_to_nothing(organization, district, both):
    operators.add_operator("desk@riverbend.example", "help desk", district)
    desk = Account.objects.get(email="desk@riverbend.example")
    with pytest.raises(at_once.NotOfThisDistrict):
        at_once.connect(organization, district, desk, "roster", desk.email)
    assert (at_once.own_districts(desk), Invitation.objects.count()) == ([], 0)


def test_what_is_left_for_later_is_accepted_and_not_connected(organization, district, both):
    inviting.invite(organization, str(district.pk), "ines@northwind.example")
    agreed = at_once.connect(organization, district, both, "later", both.email)
    assert (agreed.connection, Invitation.objects.get().answer) == (None, "accepted")
