"""E-mail developer: to whom it goes, what stands in it, that it names no pupil, and what is kept of it. Against a real SMTP server."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from rollbook.flows import catalogue, developer_mail, partners
from rollbook.flows.apps import grant_app
from rollbook.flows.developer_mail import ALL
from rollbook.flows.districts import add_district
from rollbook.store.models import Developer, DeveloperMail, District, Grant, User
from rollbook.store.named import names_pupils
from tests.api.roster import Roster, fill
from tests.installation import free_port
from tests.mailbox import mail_server, mail_settings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BY = "brandt@riverbend.example"


@pytest.fixture
def district() -> District:
    return add_district("Riverbend")


@pytest.fixture
def team() -> list[Developer]:
    """Three developers of one partner; the second of them registers the app."""
    partner = partners.add_partner("Quorndle")
    return [partners.employ(partner, f"{name}@quorndle.example", name) for name in ("ann", "ben", "cyd")]


@pytest.fixture
def grant(district: District, team: list[Developer]) -> Grant:
    app = catalogue.enter({"name": "Reader", "contact_email": "help@quorndle.example"}, team[1])
    return grant_app(district, app, "full", [])


def written(
    grant: Grant, note: str = "When do you read?", to: str = "registered", template: str = "question"
):
    return developer_mail.compose(grant, template, note, "Helen Brandt", BY, to)


def emails(people) -> list[str]:
    return [one.email.split("@")[0] for one in people]


def test_of_three_developers_only_the_one_who_registered_the_app_is_written_to(grant):
    with mail_server() as mailbox:
        kept = developer_mail.send(grant, written(grant), BY, NOW)
    assert mailbox.recipients == ["ben@quorndle.example"]
    assert mailbox.letters[0]["Subject"] == "A question: Reader at Riverbend"
    assert mailbox.letters[0]["Reply-To"] == BY
    body = mailbox.letters[0].get_payload()
    for said in (
        "When do you read?",
        f"Tenant ID {grant.district_id}",
        "/ims/oneroster/v1p1",
        "Helen Brandt",
    ):
        assert said in body
    assert (kept.reason, list(developer_mail.sent_to(kept))) == ("", ["ben@quorndle.example"])


def test_all_of_them_get_one_each_when_that_is_asked_for(grant):
    with mail_server() as mailbox:
        developer_mail.send(grant, written(grant, to=ALL), BY, NOW)
    assert mailbox.recipients == [f"{name}@quorndle.example" for name in ("ben", "help", "ann", "cyd")]


def test_when_who_registered_it_has_left_the_contact_is_written_to_and_then_the_others(grant, team):
    partners.let_go(team[1], timezone.now())
    grant.refresh_from_db()
    assert emails(developer_mail.recipients(grant)) == ["help"]
    catalogue.edit(grant.app, {"contact_email": ""})
    assert emails(developer_mail.recipients(grant)) == ["ann", "cyd"]


def test_an_app_the_operator_entered_goes_to_its_contact(district):
    app = catalogue.enter({"name": "Maths", "contact_email": "rosters@tessivale.example"})
    grant = grant_app(district, app, "full", [])
    assert emails(developer_mail.recipients(grant)) == ["rosters"]
    catalogue.edit(app, {"contact_email": ""})
    with pytest.raises(developer_mail.NobodyToWriteTo):
        written(grant)


def test_what_was_sent_is_kept_word_for_word_and_told_to_its_district_alone(grant):
    with mail_server() as mailbox:
        developer_mail.send(grant, written(grant), BY, NOW)
    [kept] = developer_mail.mails_of(grant)
    assert kept.body.splitlines() == mailbox.letters[0].get_payload().splitlines()
    elsewhere = grant_app(add_district("Cedar Valley"), grant.app, "full", [])
    assert list(developer_mail.mails_of(elsewhere)) == []


def test_an_address_the_server_refuses_is_told_and_the_others_get_theirs(grant):
    with mail_server() as mailbox:
        mailbox.refused.add("help@quorndle.example")
        kept = developer_mail.send(grant, written(grant, to=ALL), BY, NOW)
    assert len(mailbox.letters) == 3
    assert [one["email"] for one in kept.recipients if not one["sent"]] == ["help@quorndle.example"]
    assert kept.reason == "The mail server does not take mail for this address."


def test_a_mail_server_that_is_down_is_told_and_kept(grant):
    with mail_settings(free_port()):
        developer_mail.send(grant, written(grant), BY, NOW)
    kept = DeveloperMail.objects.get()
    assert kept.recipients == [{"email": "ben@quorndle.example", "sent": False}]
    assert kept.reason == "The mail server cannot be reached."


@pytest.mark.parametrize(
    ("template", "note", "refusal"),
    [
        ("question", " ", developer_mail.NoteNeeded),
        ("gossip", "x", developer_mail.NoSuchTemplate),
        ("question", "x" * 4001, developer_mail.NoteTooLong),
    ],
)
def test_what_cannot_be_sent_is_refused(grant, template, note, refusal):
    with pytest.raises(refusal):
        written(grant, note, template=template)


class TestPupils:
    """A note that names a pupil is refused; what only sounds like one is not."""

    @pytest.fixture
    def roster(self, district: District) -> Roster:
        roster = fill(district)
        User.objects.filter(sourced_id="student-3").update(
            given_name_folded="ada", family_name_folded="de la cruz", username_folded="ada", identifier="4711"
        )
        return roster

    @pytest.mark.parametrize(
        "note",
        [
            "Why is Ada de la Cruz missing?",
            "It is about DE LA CRUZ, Ada.",
            "Look at student-3!",
            "The pupil with number 4711, please.",
            "user-student-4 cannot sign in",
        ],
    )
    def test_a_pupil_is_not_named(self, grant, roster, note: str):
        with pytest.raises(developer_mail.NamesAPupil):
            written(grant, note)

    @pytest.mark.parametrize(
        "note",
        ["Ada is a fine name for a class.", "We saw error 500 on 47 of 4710 calls.", "Ask teacher-north."],
    )
    def test_other_words_are_free(self, grant, roster, note: str):
        assert note in written(grant, note).body

    def test_an_e_mail_address_of_a_pupil_is_found_in_any_case(self, district, roster):
        email = User.objects.get(sourced_id="student-1").email_folded
        assert names_pupils(district.pk, f"Write to <{email.upper()}>.")
