"""Held plans nobody decides about: a reminder a day, through a real mail server, and an end after some days."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message as Email
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from pytest_django import Settings

from rollbook.flows import holds, jobs, operators, post, schedule
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.keeping import set_keeping
from rollbook.flows.waiting import look_after_holds
from rollbook.store.models import Connection, District, Hold, Run, User
from tests import cast
from tests.delivered import a_district, deliver
from tests.installation import free_port
from tests.kept import kept

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Box(Message):
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Email] = []

    def handle_message(self, message: Email) -> None:
        self.mails.append(message)

    @property
    def subjects(self) -> list[str]:
        return [mail["subject"] for mail in self.mails]


@pytest.fixture
def box(settings: Settings) -> Iterator[Box]:
    """A real mail server, to which Rollbook is set up to send."""
    box, port = Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield box
    controller.stop()
    asyncio.set_event_loop(None)


def held(folder: Path) -> Hold:
    """Riverbend without most of its birth dates is held."""
    district = a_district()
    operators.add_operator(
        "brandt@riverbend.example", operators.DISTRICT, district, "Helen Brandt", "a long password 1"
    )
    deliver(district, cast.riverbend(folder / "first"))
    rows = dict.fromkeys([f"student-{number:03}" for number in range(1, 40)])
    short = cast.riverbend(folder / "short", {"demographics": rows})
    run = carry_out(prepare(Connection.objects.get(district=district), short, "a test"))
    return run.hold


kept_hold = kept(held)


@pytest.fixture
def hold(kept_hold: Hold, box: Box) -> Hold:
    """It is, and its operator was told so once."""
    post.send_due()
    assert box.subjects == ["An import is held (Riverbend)"]
    return kept_hold


def test_it_is_told_again_each_day_and_once_only(hold: Hold, box: Box):
    since = hold.created_at
    assert look_after_holds(hold.district_id, since + 23 * HOUR) == 0
    assert look_after_holds(hold.district_id, since + 25 * HOUR) == 1
    assert look_after_holds(hold.district_id, since + 26 * HOUR) == 0
    assert look_after_holds(hold.district_id, since + 50 * HOUR) == 1
    post.send_due()
    assert box.subjects[1:] == ["An import is still held (Riverbend)"] * 2
    text = box.mails[1].get_payload()
    assert f"Import {hold.run_id} waits since" in text
    assert f"/imports/{hold.run_id}" in text
    assert "39 of 45 demographics would be removed" in text
    assert "student-" not in text


def test_after_its_days_it_is_rejected_as_expired_and_the_old_data_stay(hold: Hold, box: Box):
    set_keeping(hold.district, hold_days=3)
    before = User.objects.filter(district=hold.district_id).count()
    assert look_after_holds(hold.district_id, hold.created_at + 73 * HOUR) == 1
    assert look_after_holds(hold.district_id, hold.created_at + 99 * HOUR) == 0
    run = Run.objects.get(pk=hold.run_id)
    assert (run.outcome, run.hold.decision, run.hold.decided_by) == ("expired", "expired", "")
    assert "Nobody decided within 3 days" in run.message
    post.send_due()
    assert box.subjects[1:] == ["A held import was given up (Riverbend)"]
    assert User.objects.filter(district=hold.district_id).count() == before
    assert District.objects.get(pk=hold.district_id).publication == 1
    with pytest.raises(holds.AlreadyDecided):
        holds.apply_once(run.hold, "Helen", "too late")


def test_what_was_decided_is_left_alone(hold: Hold, box: Box):
    holds.reject(hold, "Helen", "the office knows")
    assert look_after_holds(hold.district_id, hold.created_at + 999 * HOUR) == 0
    assert post.send_due() == 0


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_is_about_to_apply_is_not_given_up(hold: Hold, box: Box):
    jobs.enqueue_decision(hold, "apply", "Helen", "the office knows")
    assert look_after_holds(hold.district_id, hold.created_at + 999 * HOUR) == 0
    jobs.work_off()
    assert Run.objects.get(pk=hold.run_id).outcome == "success"
    assert post.send_due() == 0


def test_the_clock_of_the_server_looks_after_holds(hold: Hold, box: Box):
    Hold.objects.filter(pk=hold.pk).update(created_at=hold.created_at - 25 * HOUR)
    schedule.look_after_all()
    assert box.subjects[1:] == ["An import is still held (Riverbend)"]
