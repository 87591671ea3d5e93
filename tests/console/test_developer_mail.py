"""E-mail developer in the console: shown word for word first, then sent, and kept; never with a pupil in it."""

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows import apps, catalogue, operators, partners
from rollbook.store.models import DeveloperMail, Grant
from tests.mailbox import mail_server


@pytest.fixture
def grant(district) -> Grant:
    developer = partners.employ(partners.add_partner("Quorndle"), "ines@quorndle.example", "Ines")
    partners.employ(developer.partner, "jo@quorndle.example")
    return apps.grant_app(district, catalogue.enter({"name": "Reader"}, developer), "full", [])


def url(grant: Grant) -> str:
    return reverse("app-email", kwargs={"tenant": grant.district_id, "grant_id": grant.pk})


def test_a_message_is_shown_then_sent_then_kept(console: Client, grant):
    typed = {"template": "question", "note": "When do you read our roster?", "to": "registered"}
    with mail_server() as mailbox:
        shown = console.post(url(grant), typed).content.decode()
        assert "This will be sent" in shown
        assert mailbox.letters == []
        page = console.post(url(grant), typed | {"act": "send"}, follow=True).content.decode()
    assert mailbox.recipients == ["ines@quorndle.example"]
    assert mailbox.letters[0]["Reply-To"] == "brandt@riverbend.example"
    assert "Helen Brandt" in mailbox.letters[0].get_payload()
    assert "It is sent to ines@quorndle.example" in page
    assert "A question: Reader at Riverbend" in page


def test_a_pupil_in_the_note_is_refused_and_the_note_stays(ids, console: Client, grant):
    answer = console.post(
        url(grant), {"template": "question", "note": "Amara Okonkwo is missing", "act": "send"}
    )
    assert answer.status_code == 422
    assert "Pupils&#x27; data never goes out" in answer.content.decode()
    assert "Amara Okonkwo is missing" in answer.content.decode()
    assert not DeveloperMail.objects.exists()


def test_an_app_without_an_address_says_who_can_enter_one(console: Client, district):
    grant = apps.grant_app(district, catalogue.enter({"name": "Silent"}), "full", [])
    assert "No address of a developer is known" in console.get(url(grant)).content.decode()


def test_the_help_desk_does_not_write(signed_in, district, grant):
    account = operators.add_operator("desk@riverbend.example", "help desk", district).account
    assert signed_in(account).get(url(grant)).status_code == 404
