"""A partner's own pages: its developers come in by an invitation, register apps, and see what became of them; nobody else's."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.console.urls import partners_own
from rollbook.flows import apps, audit, catalogue, keys, partner_access, partners, sanity
from rollbook.store.models import App, Developer, Partner, PartnerKey, SanityCheck
from tests.api.roster import fill
from tests.console.test_sign_in import set_password_by, sign_in
from tests.mailbox import mail_server

PASSWORD = "nine brass lanterns swing"


@pytest.fixture
def partner(db) -> Partner:
    return partners.add_partner("Quorndle")


@pytest.fixture
def developer(partner) -> Developer:
    return partners.employ(partner, "ines@quorndle.example", "Ines")


@pytest.fixture
def ours(developer, signed_in) -> Client:
    """A client signed in as the partner's developer."""
    return signed_in(developer.account)


@pytest.fixture
def grant(district, developer):
    """Riverbend added the developer's app, and enabled it."""
    grant = apps.grant_app(district, catalogue.enter({"name": "Reader"}, developer), "full", [])
    apps.enable(grant)
    return grant


def url(page: str, partner: Partner, **rest: int) -> str:
    return reverse(page, kwargs={"partner_id": partner.pk, **rest})


def test_an_installation_operator_adds_a_partner_whose_developer_comes_in_by_the_invitation(
    installer, signed_in
):
    keeper = signed_in(installer)
    keeper.post(reverse("partners"), {"name": "Quorndle", "website": "https://quorndle.example"})
    partner = Partner.objects.get()
    with mail_server() as mailbox:
        keeper.post(url("partner-kept-invite", partner), {"email": "Ines@quorndle.example", "name": "Ines"})
    link = re.search(
        r"http://testserver(\S+)", mailbox.letters[0].get_payload().split("within three days:")[1]
    )[1]
    set_password_by(Client(), link, PASSWORD)
    client = Client()
    sign_in(client, "ines@quorndle.example", PASSWORD)
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1][0] == url("partner-apps", partner)
    assert "You have no app here yet" in page.content.decode()
    assert "ines@quorndle.example" in keeper.get(url("partner-kept", partner)).content.decode()


def test_an_invitation_that_cannot_be_sent_is_told(installer, signed_in, partner, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    address = url("partner-kept-invite", partner)
    page = signed_in(installer).post(address, {"email": "ines@quorndle.example"}, follow=True)
    assert "could not be sent" in page.content.decode()


def test_a_developer_registers_an_app_and_it_is_theirs(ours, partner, developer):
    typed = {"name": "Reader", "vendor": "Somebody else", "needs": "required users.email: to sign in"}
    page = ours.post(url("partner-register", partner), typed, follow=True).content.decode()
    app = App.objects.get()
    assert (app.partner, app.vendor, app.registered_by) == (partner, "Quorndle", developer)
    assert "No district has added it yet" in page
    ours.post(url("partner-edit", partner, app_id=app.pk), {"name": "Reader 2", "in_development": "on"})
    app.refresh_from_db()
    assert (app.name, app.in_development) == ("Reader 2", True)
    assert "registered by ines@quorndle.example" in ours.get(url("partner-apps", partner)).content.decode()


def test_the_districts_that_added_it_are_seen_with_their_state_and_keys(ours, partner, grant):
    key = apps.add_key(grant, oauth1=True, name="Server")
    page = ours.get(url("partner-app", partner, app_id=grant.app_id)).content.decode()
    for said in ("Riverbend", "Enabled", key.client_id, "Server", "never used"):
        assert said in page
    assert key.client_secret not in page
    apps.disable(grant)
    page = ours.get(url("partner-app", partner, app_id=grant.app_id)).content.decode()
    assert "has not enabled it" in page


def test_the_pair_is_shown_on_request_and_a_key_is_made_and_the_district_sees_both(ours, partner, grant):
    show = url("partner-key-show", partner, number=grant.pk)
    assert "no key here whose secret can be read" in ours.post(show, follow=True).content.decode()
    key = apps.add_key(grant, oauth1=True)
    assert key.client_secret in ours.post(show).content.decode()
    made = ours.post(url("partner-key-make", partner, number=grant.pk))
    assert "no-store" in made["Cache-Control"]
    assert "shown only now" in made.content.decode()
    acts = [entry.act for entry in audit.entries(grant.district_id) if entry.actor == "ines@quorndle.example"]
    assert acts == ["key.add", "key.show"]


def test_a_bearer_is_renewed_by_its_partner_unless_the_district_revoked_it(ours, partner, grant):
    first = partner_access.bearers_of([grant])[grant.pk]
    renew = url("partner-bearer-renew", partner, number=grant.pk)
    assert "is a new one" in ours.post(renew, follow=True).content.decode()
    second = partner_access.bearers_of([grant])[grant.pk]
    assert second not in ("", first)
    credential = grant.credentials.get(revoked_at=None)
    with pytest.raises(keys.IsABearer):
        keys.renew_secret(credential)
    keys.revoke_key(credential.client_id)
    assert "has revoked the bearer" in ours.post(renew, follow=True).content.decode()
    assert partner_access.bearers_of([grant])[grant.pk] == ""


def test_who_works_for_a_district_too_finds_both(administrator, console, partner, district):
    partners.employ(partner, administrator.email)
    page = console.get("/").content.decode()
    assert reverse("partner") in page
    assert reverse("dashboard", kwargs={"tenant": district.pk}) in page


def test_a_developer_checks_what_the_app_is_given_without_anybodys_name(ours, partner, grant):
    fill(grant.district)
    grant.district.refresh_from_db()
    address = url("partner-sanity", partner, number=grant.pk)
    assert "It has not been checked yet" in ours.get(address).content.decode()
    ours.post(url("partner-sanity-start", partner, number=grant.pk))
    assert "Under way" in ours.get(address).content.decode()
    check = sanity.walk(SanityCheck.objects.get())
    assert (check.phase, check.started_by) == ("done", "ines@quorndle.example")
    page = ours.get(address).content.decode()
    assert "Students without grades" in page
    assert "student-0" in page
    assert "Of student-0" not in page
    apps.disable(grant)
    assert ours.get(address).status_code == 404


def test_another_partner_and_a_district_are_not_there(
    ours, partner, district, grant, signed_in, administrator
):
    other = partners.add_partner("Tessivale")
    theirs = catalogue.enter({"name": "Maths"}, partners.employ(other, "x@tessivale.example"))
    assert ours.get(url("partner-apps", other)).status_code == 404
    assert ours.get(url("partner-app", partner, app_id=theirs.pk)).status_code == 404
    assert ours.get(reverse("dashboard", kwargs={"tenant": district.pk})).status_code == 404
    assert ours.get(reverse("partners")).status_code == 404
    assert signed_in(administrator).get(url("partner-apps", partner)).status_code == 404
    stranger = signed_in(Developer.objects.get(partner=other).account)
    assert stranger.post(url("partner-key-make", other, number=grant.pk)).status_code == 404


def test_who_was_let_go_comes_in_no_more(ours, partner, developer):
    jo = partners.employ(partner, "jo@quorndle.example")
    ours.post(url("partner-let-go", partner, developer_id=jo.pk))
    assert [one.account.email for one in partners.developers_of(partner)] == ["ines@quorndle.example"]
    page = ours.post(url("partner-let-go", partner, developer_id=developer.pk), follow=True)
    assert "Somebody has to remain" in page.content.decode()


def test_a_key_of_the_partner_api_is_shown_once_and_revoked(ours, partner):
    page = ours.post(url("partner-keys", partner), {"name": "Nightly"}).content.decode()
    secret = re.search(r'id="partner-key">([^<]+)<', page)[1]
    key = partners.key_of(secret)
    assert key is not None
    listed = ours.get(url("partner-keys", partner)).content.decode()
    assert "Nightly" in listed
    assert secret not in listed
    ours.post(url("partner-key-revoke", partner, key_id=key.pk))
    assert partners.key_of(secret) is None


def test_who_works_for_two_partners_chooses(ours, partner, developer):
    other = partners.add_partner("Tessivale")
    partners.employ(other, developer.account.email)
    page = ours.get("/", follow=True).content.decode()
    assert url("partner-apps", partner) in page
    assert url("partner-apps", other) in page


def test_product_support_sees_apps_districts_and_sanity_and_nothing_it_could_change(
    ours, partner, grant, signed_in
):
    apps.add_key(grant, oauth1=True, name="Server")
    ours.post(url("partner-invite", partner), {"email": "sol@quorndle.example", "role": "product support"})
    support = Developer.objects.get(account__email="sol@quorndle.example")
    client = signed_in(support.account)
    pages = [
        client.get(url("partner-apps", partner)),
        client.get(url("partner-app", partner, app_id=grant.app_id)),
        client.get(url("partner-sanity", partner, number=grant.pk)),
    ]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "Riverbend" in pages[1].content.decode()
    for page in pages:
        assert not [
            word
            for word in ("Register an app", "Make an OAuth 2 key", "Partner API")
            if word in page.content.decode()
        ]
    barred = {
        "partner-register": {}, "partner-edit": {"app_id": grant.app_id}, "partner-key-show": {"number": grant.pk},
        "partner-key-make": {"number": grant.pk}, "partner-bearer-renew": {"number": grant.pk}, "partner-developers": {},
        "partner-invite": {}, "partner-let-go": {"developer_id": support.pk}, "partner-keys": {},
        "partner-key-revoke": {"key_id": 1}, "partner-key-end": {"key_id": 1}, "partner-sign-in-add": {"app_id": grant.app_id},
    }  # fmt: skip
    assert [
        page for page, rest in barred.items() if client.post(url(page, partner, **rest)).status_code != 404
    ] == []
    assert len(barred) + 4 == len(partners_own)
    page = ours.post(url("partner-let-go", partner, developer_id=grant.app.registered_by_id), follow=True)
    assert "Somebody has to remain" in page.content.decode()


def test_a_key_of_the_partner_api_is_given_an_end_and_opens_nothing_after_it(ours, partner):
    secret = partners.make_key(partner, "Nightly", "ines@quorndle.example")[1]
    key = partners.key_of(secret)
    end = url("partner-key-end", partner, key_id=key.pk)
    page = ours.post(end, {"ends": "2001-01-01"}, follow=True).content.decode()
    assert "This moment is over" in page
    assert "has an end now" in ours.post(end, {"ends": "2101-12-31"}, follow=True).content.decode()
    key.refresh_from_db()
    assert key.expires_at.isoformat() == "2102-01-01T00:00:00+00:00"
    PartnerKey.objects.update(expires_at=timezone.now())
    assert partners.key_of(secret) is None
    assert "Ended" in ours.get(url("partner-keys", partner)).content.decode()
    assert "has no end" in ours.post(end, {"ends": ""}, follow=True).content.decode()
    assert partners.key_of(secret) is not None


def test_an_installation_operator_makes_a_partners_key_and_revokes_a_leaked_one(
    installer, signed_in, partner
):
    keeper = signed_in(installer)
    add = url("partner-kept-key-add", partner)
    assert "at most 200 characters" in keeper.post(add, {"name": "x" * 201}).content.decode()
    assert keeper.post(add, {"name": "Nightly", "ends": "never"}).status_code == 422
    page = keeper.post(add, {"name": "Nightly", "ends": "2101-12-31"}).content.decode()
    key = partners.key_of(re.search(r'id="partner-key">([^<]+)<', page)[1])
    assert key.made_by == installer.email
    keeper.post(url("partner-kept-key-end", partner, key_id=key.pk), {"ends": ""})
    key.refresh_from_db()
    assert key.expires_at is None
    keeper.post(url("partner-kept-key-revoke", partner, key_id=key.pk))
    assert not partners.keys_of(partner).exists()
    assert [entry.act for entry in audit.entries(None, act="partner_key")] == [
        "partner_key.revoke", "partner_key.expire", "partner_key.make",
    ]  # fmt: skip
