"""`rollbook catalogue`, `partner` and `email`, as an operator types them."""

import json

import pytest

from rollbook.flows import apps, catalogue
from rollbook.flows.districts import add_district
from tests.api.calls import get
from tests.cli.typed import typed
from tests.engine.test_pictures import png
from tests.mailbox import mail_server

pytestmark = pytest.mark.django_db


def test_an_app_is_entered_shown_edited_and_removed(tmp_path):
    typed(
        "catalogue", "add", "Reader", "--vendor", "Quorndle", "--need", "required users.email: to sign in",
        "--redirect-uri", "https://r.example/back", "--development",
    )  # fmt: skip
    assert typed("catalogue", "list").stdout.startswith("None yet")
    [row] = json.loads(typed("catalogue", "list", "--development", "--json").stdout)
    assert (row["name"], row["vendor"], row["development"]) == ("Reader", "Quorndle", True)
    typed("catalogue", "edit", "Reader", "--released", "--start-url", "https://r.example")
    whole = json.loads(typed("catalogue", "show", "Reader", "--json").stdout)
    assert whole["needs"] == ["required users.email: to sign in"]
    assert (whole["startUrl"], whole["redirectUris"]) == ("https://r.example", ["https://r.example/back"])
    (tmp_path / "logo.png").write_bytes(png())
    typed("catalogue", "logo", "Reader", str(tmp_path / "logo.png"))
    assert "Reader" in typed("catalogue", "show", "Reader").stdout
    typed("catalogue", "remove", "Reader")
    assert json.loads(typed("catalogue", "list", "--json").stdout) == []


def test_what_is_wrong_is_said_on_one_line():
    refused = typed("catalogue", "add", "Reader", "--need", "required shoes: sizes", expect=1)
    assert "“shoes” is none of" in refused.stderr
    assert "https://" in typed("catalogue", "add", "Reader", "--website", "http://r.example", expect=1).stderr


def test_an_app_is_entered_for_the_partner_whose_developer_registers_it():
    typed("partner", "add", "Quorndle")
    with mail_server():
        typed("partner", "invite", "Quorndle", "ines@quorndle.example")
        typed("partner", "invite", "Quorndle", "sol@quorndle.example", "--role", "product support")
    typed("catalogue", "add", "Reader", "--partner", "Quorndle", "--registered-by", "ines@quorndle.example")
    whole = json.loads(typed("catalogue", "show", "Reader", "--json").stdout)
    assert (whole["partner"], whole["registeredBy"]) == ("Quorndle", "ines@quorndle.example")
    typed("catalogue", "add", "Maths", "--partner", "Quorndle", expect=2)
    roles = {
        row["email"]: row["role"]
        for row in json.loads(typed("partner", "developers", "Quorndle", "--json").stdout)
    }
    assert roles == {"ines@quorndle.example": "partner", "sol@quorndle.example": "product support"}


def test_a_partners_key_is_given_an_end():
    typed("partner", "add", "Quorndle")
    made = json.loads(
        typed("partner", "key", "add", "Quorndle", "--name", "Nightly", "--days", "30", "--json").stdout
    )
    assert (made["state"], bool(made["expires"])) == ("live", True)
    assert "has no end" in typed("partner", "key", "expire", "Quorndle", str(made["key"]), "--never").stdout
    assert "UTC" in typed("partner", "key", "expire", "Quorndle", str(made["key"]), "--days", "1").stdout
    typed("partner", "key", "expire", "Quorndle", str(made["key"]), expect=2)


def test_a_partner_has_developers_keys_and_districts():
    typed("partner", "add", "Quorndle", "--website", "https://quorndle.example")
    with mail_server() as mailbox:
        invited = json.loads(typed("partner", "invite", "Quorndle", "ines@quorndle.example", "--json").stdout)
    assert invited["sent"] is True
    assert mailbox.recipients == ["ines@quorndle.example"]
    assert [
        row["email"] for row in json.loads(typed("partner", "developers", "Quorndle", "--json").stdout)
    ] == ["ines@quorndle.example"]
    made = json.loads(typed("partner", "key", "add", "Quorndle", "--name", "Nightly", "--json").stdout)
    assert get("/applications", made["secret"]).json() == {"status": 1, "applications": []}
    assert made["secret"] not in typed("partner", "key", "list", "Quorndle").stdout
    assert typed("partner", "districts", "Quorndle", "--json").stdout.strip() == "[]"
    typed("partner", "key", "revoke", "Quorndle", str(made["key"]))
    assert get("/applications", made["secret"]).status_code == 401
    assert (
        "Somebody has to remain"
        in typed("partner", "let-go", "Quorndle", "ines@quorndle.example", expect=1).stderr
    )


def test_a_message_is_shown_and_with_a_word_sent():
    app = catalogue.enter({"name": "Maths", "contact_email": "rosters@tessivale.example"})
    grant = str(apps.grant_app(add_district("Riverbend"), app, "full", []).pk)
    words = ("email", "write", grant, "--about", "silence", "--by", "brandt@riverbend.example")
    with mail_server() as mailbox:
        assert "To: rosters@tessivale.example" in typed(*words).stdout
        assert mailbox.letters == []
        typed(*words, "--send")
        assert mailbox.recipients == ["rosters@tessivale.example"]
    [row] = json.loads(typed("email", "list", grant, "--json").stdout)
    assert (row["by"], row["sent"]) == ("brandt@riverbend.example", ["rosters@tessivale.example"])
