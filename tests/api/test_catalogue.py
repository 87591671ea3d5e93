"""The catalogue, its partners and mail to developers under /api/v1, in the form that the document of the API says."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from rollbook.api.intake_routes import ROOT
from rollbook.flows import apps, catalogue, operators, partner_access, partners
from rollbook.flows.districts import add_district
from rollbook.flows.tokens import make_token
from rollbook.store.models import App, District
from tests.api.calls import path_of
from tests.api.test_intake import fits
from tests.engine.test_pictures import png
from tests.mailbox import mail_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> District:
    return add_district("Riverbend")


def secret_of(role: str, district: District) -> str:
    place = None if role == operators.INSTALLATION else district
    account = operators.add_operator(f"{role.split()[0]}@example.org", role, place).account
    return make_token(account, district, "A program", datetime.now(UTC))[1]


@pytest.fixture
def keeper(district: District) -> str:
    """A token of an installation operator."""
    return secret_of(operators.INSTALLATION, district)


@pytest.fixture
def secret(district: District) -> str:
    """A token of the district's administrator."""
    return secret_of(operators.DISTRICT, district)


def ask(method: str, path: str, secret: str, said: Any = None) -> Any:
    body = b"" if said is None else json.dumps(said).encode()
    headers = {"Authorization": f"Bearer {secret}"}
    return Client().generic(method, ROOT + path, body, "application/json", headers=headers)


SAID = {
    "name": "Reader", "vendor": "Quorndle", "redirectUris": ["https://r.example/back"],
    "needs": ["required users.email: to sign in"], "contactEmail": "dev@quorndle.example", "inDevelopment": True,
}  # fmt: skip


def test_an_app_is_entered_looked_at_edited_and_removed(keeper):
    made = ask("POST", "/catalogue", keeper, SAID)
    assert made.status_code == 201, made.content
    fits("AppEntry", made.json())
    assert SAID.items() <= made.json().items()
    address = f"/catalogue/{made.json()['id']}"
    shown = ask("PATCH", address, keeper, {"logo": b64encode(png()).decode()}).json()
    assert Client().get(path_of(shown["logo"])).content == png()
    assert ask("PATCH", address, keeper, {"logo": None}).json() == made.json()
    edited = ask("PATCH", address, keeper, {"inDevelopment": False, "startUrl": "https://r.example"})
    assert edited.json() == made.json() | {"inDevelopment": False, "startUrl": "https://r.example"}
    assert ask("GET", address, keeper).json() == edited.json()
    assert ask("DELETE", address, keeper).status_code == 204
    assert ask("GET", address, keeper).status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "A", "website": "http://a.example"}, 422),
        ({"name": "A", "needs": ["required shoes: sizes"]}, 422),
        ({"name": "A", "needs": "users"}, 400),
        ({"name": "A", "inDevelopment": "yes"}, 400),
        ({"name": "A", "colour": "red"}, 400),
        ({"name": "A", "logo": "no picture"}, 400),
        ({"name": "A", "logo": "PHN2Zy8+"}, 422),
        ({"name": "Taken"}, 409),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_entered(keeper, said, status):
    catalogue.enter({"name": "Taken"})
    assert ask("POST", "/catalogue", keeper, said).status_code == status
    assert App.objects.count() == 1


def test_only_an_installation_operator_keeps_the_catalogue_and_the_partners(secret):
    app = catalogue.enter({"name": "Reader"})
    assert ask("GET", f"/catalogue/{app.pk}", secret).status_code == 200
    for method, path in (("POST", "/catalogue"), ("PATCH", f"/catalogue/{app.pk}"), ("DELETE", f"/catalogue/{app.pk}"),
                         ("GET", "/partners"), ("POST", "/partners")):  # fmt: skip
        assert ask(method, path, secret, {"name": "X"}).status_code == 403


def test_partners_and_their_developers(keeper):
    made = ask("POST", "/partners", keeper, {"name": "Quorndle"}).json()
    fits("Partner", made)
    people = f"/partners/{made['id']}/developers"
    with mail_server() as mailbox:
        for name in ("ines", "jo"):
            invited = ask("POST", people, keeper, {"email": f"{name}@quorndle.example"})
            assert (invited.status_code, invited.json()["sent"]) == (201, True)
    assert len(mailbox.letters) == 2
    listed = ask("GET", people, keeper).json()
    fits("Developers", listed)
    ids = [one["id"] for one in listed["developers"]]
    assert ask("DELETE", f"{people}/{ids[0]}", keeper).status_code == 204
    assert ask("DELETE", f"{people}/{ids[0]}", keeper).status_code == 404
    assert ask("DELETE", f"{people}/{ids[1]}", keeper).status_code == 409
    assert ask("POST", people, keeper, {"email": "nobody"}).status_code == 422
    fits("Partners", ask("GET", "/partners", keeper).json())


def test_a_message_is_shown_and_only_when_told_so_sent(district, secret):
    app = catalogue.enter({"name": "Maths", "contact_email": "rosters@tessivale.example"})
    grant = apps.grant_app(district, app, "full", [])
    address = f"/apps/{grant.pk}/mails"
    said = {"about": "question", "note": "When do you read?"}
    with mail_server() as mailbox:
        shown = ask("POST", address, secret, said)
        assert shown.status_code == 200
        fits("DeveloperMail", shown.json())
        assert mailbox.letters == []
        sent = ask("POST", address, secret, said | {"send": True})
    assert sent.status_code == 201
    assert sent.json()["recipients"] == [{"email": "rosters@tessivale.example", "sent": True}]
    told = ask("GET", address, secret).json()
    fits("DeveloperMails", told)
    assert told["mails"] == [sent.json()]
    assert ask("POST", address, secret, {"about": "gossip"}).status_code == 422
    elsewhere = apps.grant_app(add_district("Cedar Valley"), app, "full", [])
    assert ask("POST", f"/apps/{elsewhere.pk}/mails", secret, said).status_code == 404


def test_a_partners_keys_are_made_given_an_end_and_revoked(keeper):
    partner = partners.add_partner("Quorndle")
    place = f"/partners/{partner.pk}/keys"
    made = ask("POST", place, keeper, {"name": "Nightly", "expiresAt": "2101-01-01T00:00:00Z"})
    assert made.status_code == 201
    fits("PartnerSecret", made.json())
    assert partners.key_of(made.json()["secret"]).partner == partner
    one = f"{place}/{made.json()['id']}"
    ended = ask("PATCH", one, keeper, {"expiresAt": None}).json()
    fits("PartnerKey", ended)
    assert (ended["state"], ended["expiresAt"]) == ("live", None)
    listed = ask("GET", place, keeper).json()
    fits("PartnerKeys", listed)
    assert [key["name"] for key in listed["keys"]] == ["Nightly"]
    assert made.json()["secret"] not in str(listed)
    refused = {"expiresAt": "2001-01-01T00:00:00Z"}, {"expiresAt": "tomorrow"}, {}, {"expires": None}
    assert [ask("PATCH", one, keeper, said).status_code for said in refused] == [422, 400, 400, 400]
    assert ask("POST", place, keeper, {"name": " "}).status_code == 422
    assert ask("DELETE", one, keeper).status_code == 204
    assert [ask(method, one, keeper, {"expiresAt": None}).status_code for method in ("DELETE", "PATCH")] == [
        404,
        404,
    ]
    assert ask("GET", place, keeper).json() == {"keys": []}


def test_where_a_partners_apps_were_added_is_told_and_a_bearer_renewed(keeper, district):
    partner = partners.add_partner("Quorndle")
    partners.employ(partner, "ines@quorndle.example")
    said = SAID | {"partner": partner.pk, "registeredBy": "ines@quorndle.example"}
    app = ask("POST", "/catalogue", keeper, said).json()
    assert (app["partner"], app["registeredBy"], app["vendor"]) == (
        partner.pk,
        "ines@quorndle.example",
        "Quorndle",
    )
    assert ask("POST", "/catalogue", keeper, SAID | {"partner": partner.pk}).status_code == 404
    grant = apps.grant_app(district, App.objects.get(), "full", [])
    key = apps.add_key(grant, oauth1=True, name="Server")
    told = ask("GET", f"/partners/{partner.pk}/applications", keeper).json()
    fits("PartnerApplications", told)
    [one] = told["applications"]
    assert (one["id"], one["tenantId"], one["enabled"]) == (grant.pk, district.pk, True)
    assert one["keys"] == [{"clientId": key.client_id, "name": "Server", "oauth1": True, "usedAt": None}]
    assert key.client_secret not in str(told)
    first = partner_access.bearers_of([grant])[grant.pk]
    place = f"/partners/{partner.pk}/applications/{grant.pk}/bearer"
    assert ask("POST", place, keeper).status_code == 204
    assert partner_access.bearers_of([grant])[grant.pk] not in ("", first)
    assert ask("POST", place.replace(str(grant.pk), "999"), keeper).status_code == 404


def test_a_name_longer_than_its_place_is_refused_in_words(keeper, secret):
    partner = partners.add_partner("Quorndle")
    long = {"name": "x" * 201}
    for path in ("/partners", f"/partners/{partner.pk}/keys", "/catalogue"):
        answer = ask("POST", path, keeper, long)
        assert answer.status_code == 422, path
        assert "at most 200 characters" in answer.json()["detail"]
    invited = ask(
        "POST", f"/partners/{partner.pk}/developers", keeper, long | {"email": "ines@quorndle.example"}
    )
    assert invited.status_code == 422
    strange = {"email": f"{'x' * 60}@{'.'.join(['y' * 60] * 2)}.example"}
    assert ask("POST", f"/partners/{partner.pk}/developers", keeper, strange).status_code == 422
