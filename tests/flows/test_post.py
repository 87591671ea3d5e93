"""E-mails to operators: written with what they tell of, sent afterwards by a real mail server, tried again when it is down."""

import json
from datetime import timedelta

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import operators, post
from rollbook.flows.notify import tell_operators
from rollbook.flows.schedule import look_after_all
from rollbook.store.models import Account, District, Letter
from tests.command import rollbook
from tests.delivered import a_district
from tests.flows.test_waiting import Box, box
from tests.installation import free_port

pytestmark = pytest.mark.django_db
__all__ = ["box"]


class SendsAndDies(EmailBackend):
    """What is left of a process that is killed once the mail server has the letter."""

    def send_messages(self, email_messages):
        super().send_messages(email_messages)
        raise KeyboardInterrupt


@pytest.fixture
def district(box: Box) -> District:
    """Two people run it, and one who has left did."""
    district = a_district()
    for name in ("brandt", "tanaka", "olsen"):
        operators.add_operator(f"{name}@riverbend.example", operators.DISTRICT, district)
    Account.objects.filter(email="olsen@riverbend.example").update(is_active=False)
    return district


@pytest.fixture
def down(settings, district: District) -> int:
    """The mail server is not there; its port, for later."""
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = free_port()
    return port


def test_what_is_rolled_back_was_never_told(district: District):
    with transaction.atomic():
        assert tell_operators(district, "An import is held", "Look.") == 2
        transaction.set_rollback(True)
    assert not Letter.objects.exists()


def test_each_letter_leaves_once_and_nothing_is_kept_of_it(district: District, box: Box):
    tell_operators(district, "An import is held", "Look.")
    assert post.send_due() == 2
    assert post.send_due() == 0
    assert sorted(mail["To"] for mail in box.mails) == [
        "brandt@riverbend.example",
        "tanaka@riverbend.example",
    ]
    assert not Letter.objects.exists()


def test_a_mail_server_that_is_down_is_tried_again_ever_later_and_the_letter_then_leaves(
    district: District, box: Box, down: int, settings
):
    tell_operators(district, "An import is held", "Look.")
    moment = timezone.now()
    waits = []
    for _ in range(3):
        assert post.send_due(moment) == 0
        [tried] = Letter.objects.exclude(fault="").filter(tries__gt=len(waits))
        waits.append(round((tried.next_at - moment).total_seconds()))
        Letter.objects.exclude(pk=tried.pk).delete()
        moment = tried.next_at
    assert waits == [5, 30, 120]
    assert tried.fault == "ConnectionRefusedError"
    settings.EMAIL_PORT = down
    assert post.send_due(moment - timedelta(seconds=1)) == 0
    assert post.send_due(moment) == 1
    assert box.subjects == ["An import is held (Riverbend)"]


def test_a_process_that_dies_while_sending_leaves_the_letter_to_others_under_the_same_name(
    district: District, box: Box, settings
):
    tell_operators(district, "An import is held", "Look.")
    Letter.objects.order_by("pk")[1].delete()
    living, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "tests.flows.test_post.SendsAndDies"
    with pytest.raises(KeyboardInterrupt):
        post.send_due()
    settings.EMAIL_BACKEND = living
    assert post.send_due() == 0, "it may still be at it"
    assert post.send_due(timezone.now() + post.TAKEN_FOR + timedelta(seconds=1)) == 1
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_after_three_days_it_is_given_up_until_a_person_has_it_tried_again(
    district: District, box: Box, down: int, settings
):
    tell_operators(district, "An import is held", "Look.")
    Letter.objects.order_by("pk")[1].delete()
    later = timezone.now() + post.PATIENCE + timedelta(seconds=1)
    post.send_due(later)
    assert post.send_due(later + timedelta(days=1)) == 0
    assert Letter.objects.get().given_up_at == later
    [told] = json.loads(rollbook("mail", "list", "--json").stdout)
    assert (told["fault"], told["nextTry"]) == ("ConnectionRefusedError", "")
    assert "could not leave: 1" in rollbook("mail", "send", expect=1).stdout
    settings.EMAIL_PORT = down
    assert "sent: 1" in rollbook("mail", "send", "--district", str(district.pk)).stdout
    assert json.loads(rollbook("mail", "list", "--json").stdout) == []
    assert len(box.mails) == 1


def test_the_dashboard_says_that_e_mails_do_not_leave(district: District, down: int, client: Client):
    client.force_login(Account.objects.get(email="brandt@riverbend.example"))
    address = reverse("dashboard", kwargs={"tenant": district.pk})
    tell_operators(district, "An import is held", "Look.")
    assert "E-mails could not be sent" not in client.get(address).content.decode()
    look_after_all()
    page = client.get(address).content.decode()
    assert "E-mails could not be sent" in page
    assert "ConnectionRefusedError" in page
