"""The catalogue: apps are entered and found again, by the operator or by a partner's developers, and whose they are is kept."""

import pytest
from django.utils import timezone

from rollbook.engine.needs import parse_lines
from rollbook.engine.web_addresses import BadRedirect
from rollbook.flows import audit, catalogue, partners
from rollbook.flows.apps import AppExists, add_app, grant_app
from rollbook.flows.districts import add_district
from rollbook.store.models import App, Developer, Partner
from tests.engine.test_pictures import png
from tests.mailbox import mail_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return partners.add_partner("Quorndle", "https://quorndle.example")


@pytest.fixture
def developer(partner: Partner) -> Developer:
    return partners.employ(partner, "ines@quorndle.example", "Ines")


def names(search: str = "", **options: bool) -> list[str]:
    return [app.name for app in catalogue.browse(search, **options)]


def test_the_catalogue_is_searched_by_app_and_by_company_and_hides_what_is_in_development():
    catalogue.enter({"name": "Reader", "vendor": "Quorndle"})
    catalogue.enter({"name": "Maths", "vendor": "Tessivale"})
    catalogue.enter({"name": "Aloud", "vendor": "Quorndle", "in_development": True})
    assert names() == ["Maths", "Reader"]
    assert names(with_development=True) == ["Aloud", "Maths", "Reader"]
    assert names("quorn") == ["Reader"]
    assert names("READ quorn") == ["Reader"]
    assert names("maths quorn") == []


def test_what_is_said_of_an_app_is_kept_and_what_is_not_named_stays():
    needs = parse_lines("required users.email: to sign in")
    app = catalogue.enter({"name": " Reader  One ", "redirect_uris": ["https://r.example/b"], "needs": needs})
    catalogue.edit(app, {"description": "Books.\r\nMany.", "start_url": "https://r.example"})
    app.refresh_from_db()
    assert (app.name, app.description, app.start_url) == ("Reader One", "Books.\nMany.", "https://r.example")
    assert app.redirect_uris == ["https://r.example/b"]
    assert catalogue.needs_of(app) == needs


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ({"name": "  "}, catalogue.AppNameNeeded),
        ({"name": "Taken"}, AppExists),
        ({"name": "x" * 201}, catalogue.TextTooLong),
        ({"name": "A", "contact_email": "nobody"}, catalogue.BadContact),
        ({"name": "A", "redirect_uris": ["http://a.example"]}, BadRedirect),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_entered(entry, refusal):
    catalogue.enter({"name": "Taken"})
    with pytest.raises(refusal):
        catalogue.enter(entry)
    assert App.objects.count() == 1


def test_who_registered_an_app_is_kept_also_when_they_leave(partner, developer):
    partners.employ(partner, "jo@quorndle.example")
    app = catalogue.enter({"name": "Reader", "vendor": "Somebody else"}, developer)
    assert (app.partner, app.vendor, app.registered_by) == (partner, "Quorndle", developer)
    partners.let_go(developer, timezone.now())
    app.refresh_from_db()
    assert app.registered_by == developer
    assert partners.posts_of(developer.account) == []
    assert [one.account.email for one in partners.developers_of(partner)] == ["jo@quorndle.example"]


def test_the_last_developer_stays(developer):
    with pytest.raises(partners.LastDeveloper):
        partners.let_go(developer, timezone.now())


def test_a_developer_is_invited_by_e_mail_with_a_link_and_comes_back_after_leaving(partner, developer):
    with mail_server() as mailbox:
        invited, is_sent = partners.invite(partner, " Jo@Quorndle.example ", "Jo")
        assert is_sent
        assert mailbox.recipients == ["jo@quorndle.example"]
        assert "/password/set/" in mailbox.letters[0].get_payload()
        with pytest.raises(partners.AlreadyDeveloper):
            partners.invite(partner, "jo@quorndle.example")
    partners.let_go(invited, timezone.now())
    assert partners.employ(partner, "jo@quorndle.example").pk == invited.pk
    assert partners.developers_of(partner).count() == 2


def test_a_partners_key_is_shown_once_and_opens_nothing_once_revoked(partner):
    key, secret = partners.make_key(partner, "Nightly", "ines@quorndle.example")
    assert secret not in (key.checksum, key.beginning)
    assert secret.startswith(key.beginning)
    assert partners.key_of(secret) == key
    partners.revoke_key(partner, key.pk, "ines@quorndle.example", timezone.now())
    assert partners.key_of(secret) is None
    with pytest.raises(partners.NoSuchPartnerKey):
        partners.revoke_key(partner, key.pk, "ines@quorndle.example", timezone.now())


def test_a_logo_is_kept_as_it_is_served_and_can_be_taken_away():
    app = catalogue.enter({"name": "Reader"})
    logo = catalogue.set_logo(app, png())
    assert (logo.kind, bytes(logo.content)) == ("image/png", png())
    catalogue.set_logo(app, png(200, 200))
    catalogue.remove_logo(app)
    assert not hasattr(App.objects.get(pk=app.pk), "logo")


def test_an_app_leaves_the_catalogue_unless_a_district_added_it():
    one, other = add_app("One"), add_app("Other")
    grant_app(add_district("Riverbend"), other, "full", [])
    catalogue.remove(one)
    with pytest.raises(catalogue.AppInUse):
        catalogue.remove(other)
    assert [app.name for app in App.objects.all()] == ["Other"]


def test_what_happens_in_the_catalogue_stands_in_the_installations_audit_log(partner, developer):
    app = catalogue.enter({"name": "Reader"}, developer)
    catalogue.edit(app, {"name": "Reader", "description": "Books."})
    acts = [(entry.act, entry.about) for entry in audit.entries(None)]
    assert acts[:2] == [("app.edit", "Reader"), ("app.add", "Reader")]
    assert {"partner.add", "developer.invite"} <= {act for act, _ in acts}
