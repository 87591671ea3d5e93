"""The calendar in the console: what runs when, days planned and removed, schedules, rehearsals, what the other pages say of them."""

import html
import zipfile
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rollbook.flows import jobs
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.spans import BLACKOUT, add_span
from rollbook.flows.timetable import schedule_of
from rollbook.store.models import Connection, District, Rehearsal, Run, Span
from tests import cast
from tests.delivered import deliver

CHICAGO = ZoneInfo("America/Chicago")
NOON = datetime(2026, 6, 8, 12, tzinfo=CHICAGO)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def pull(district: District) -> Connection:
    return Connection.objects.create(district=district, kind="sftp_pull", name="The SIS")


def address(page: str, district: District, **about: int) -> str:
    return reverse(page, kwargs={"tenant": district.pk, **about})


def text(console: Client, page: str, district: District, **about: int) -> str:
    answer = console.get(address(page, district, **about))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def plan(console: Client, district: District, **filled: str):
    about = {
        "kind": "blackout",
        "first": "2026-06-10",
        "last": "2026-08-09",
        "connection": "",
        "why": "roll-over",
    }
    return console.post(address("span-add", district), about | filled, follow=True)


def test_an_empty_calendar_says_what_to_plan_first(console, district, pull):
    page = text(console, "calendar", district)
    assert "Nothing is planned" in page
    assert "Only when somebody asks" in page
    assert "Whenever a package is brought" in page
    assert "America/Chicago" in page


def test_a_blackout_is_planned_with_who_and_why_and_removed(console, district, administrator):
    page = plan(console, district).content.decode()
    assert "Wednesday, June 10, 2026 – Sunday, Aug. 9, 2026" in page
    assert "roll-over" in page
    assert f"added by {administrator.email}" in page
    span = Span.objects.get()
    answer = console.post(address("span-remove", district, span_id=span.pk), follow=True)
    assert "removed by" in answer.content.decode()
    assert console.post(address("span-remove", district, span_id=span.pk)).status_code == 404


@pytest.mark.parametrize(
    "filled",
    [
        {"last": "2026-06-09"},
        {"first": "soon"},
        {"kind": "holiday"},
        {"connection": "99"},
        {"last": "2028-01-01"},
    ],
)
def test_what_cannot_be_planned_is_said_and_stays_in_the_form(console, district, filled):
    answer = plan(console, district, **filled)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert "roll-over" in answer.content.decode()
    assert not Span.objects.exists()


def test_another_districts_connection_cannot_be_named(console, district, elsewhere):
    other = Connection.objects.get(district=elsewhere)
    assert plan(console, district, connection=str(other.pk)).status_code == 422


def test_a_schedule_is_set_told_in_words_and_cleared(console, district, pull):
    where = address("schedule", district, connection_id=pull.pk)
    assert "02:30" in console.get(where).content.decode()
    answer = console.post(
        where, {"time": ["02:30", "", "14:00"], "weekday": ["mon", "tue", "wed", "thu", "fri"]}, follow=True
    )
    page = answer.content.decode()
    assert "Monday to Friday at 02:30 and 14:00" in page
    assert "today at 14:00" in page
    assert "in 2 h 0 min" in page
    assert console.post(where, {"time": ["25:00"], "weekday": ["mon"]}).status_code == 422
    console.post(where, {"clear": "1"})
    assert schedule_of(pull) is None


def test_tomorrow_and_days_to_come_are_told_by_name(console, district, pull):
    where = address("schedule", district, connection_id=pull.pk)
    console.post(where, {"time": ["02:30"], "weekday": ["tue"]})
    assert "tomorrow at 02:30" in text(console, "calendar", district)
    console.post(where, {"time": ["02:30"], "weekday": ["thu"]})
    assert "on Thursday, June 11, 2026 at 02:30" in text(console, "calendar", district)


def test_a_blackout_stands_on_the_dashboard_the_connection_and_the_import(console, district, tmp_path: Path):
    deliver(district, cast.riverbend(tmp_path / "first"))
    pull = Connection.objects.create(district=district, kind="sftp_pull", name="The SIS")
    today = NOON.date()
    add_span(district, BLACKOUT, today, today + timedelta(9), "Helen")
    way_in = Connection.objects.get(district=district, kind="upload")
    run = carry_out(
        prepare(
            way_in,
            cast.riverbend(tmp_path / "next", {"users": {cast.KOFI: {"givenName": "Kwame"}}}),
            "a test",
        )
    )
    dashboard = text(console, "dashboard", district)
    assert "Blackout" in dashboard
    assert "1 delivery is kept." in dashboard
    assert "There is a blackout until June 17, 2026" in text(
        console, "connection", district, connection_id=pull.pk
    )
    report = text(console, "import", district, run_id=run.pk)
    assert "Kept: blackout until June 17, 2026." in report
    assert "Everything: what is not in it counts as removed" in report
    assert "1 delivery is kept" in text(console, "calendar", district)
    assert "Import it despite the blackout" in report
    answer = console.post(address("kept-import", district, run_id=run.pk))
    latest = Run.objects.latest("pk")
    assert answer.url == address("import", district, run_id=latest.pk)
    assert (latest.despite_blackout, latest.snapshot_id) == (True, run.snapshot_id)
    assert console.post(address("kept-import", district, run_id=0)).status_code == 404


def test_despite_the_blackout_only_who_asks_for_it(console, district, pull):
    where = address("connection-run", district, connection_id=pull.pk)
    console.post(where)
    console.post(where, {"despite": "1"})
    assert list(Run.objects.order_by("pk").values_list("despite_blackout", flat=True)) == [False, True]


def rehearse(console: Client, district: District, package: Path | None, on: str = "2027-09-01"):
    connection = Connection.objects.get(district=district, kind="upload")
    filled: dict[str, object] = {"connection": str(connection.pk), "on": on}
    if package:
        filled["package"] = SimpleUploadedFile("year.zip", BytesIO(package.read_bytes()).read())
    return console.post(address("rehearsals", district), filled)


@pytest.mark.django_db(transaction=True)
def test_a_package_is_rehearsed_and_its_report_read(console, district, tmp_path: Path):
    deliver(district, cast.riverbend(tmp_path / "first"))
    assert "Nothing was rehearsed yet" in text(console, "rehearsals", district)
    package = cast.riverbend_zip(tmp_path / "year.zip", {"users": {cast.NOAH: None}})
    asked = rehearse(console, district, package)
    waiting = console.get(asked.url)
    assert "It goes on if you leave this page" in waiting.content.decode()
    assert "hx-get" in waiting.content.decode()
    jobs.work_off()
    assert console.get(f"{asked.url}/progress")["HX-Refresh"] == "true"
    page = " ".join(console.get(asked.url, follow=True).content.decode().split())
    assert "Rehearsal for Sept. 1, 2027" in page
    assert "year.zip" in page
    assert "Students without any class" in page
    assert Rehearsal.objects.get().on_day == date(2027, 9, 1)
    assert "year.zip" in text(console, "rehearsals", district)
    assert rehearse(console, district, None).status_code == 302
    assert "year.zip" not in text(console, "imports", district), "it is no import"


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_that_comes_to_nothing_says_why_and_one_may_be_cancelled(
    console, district, tmp_path: Path
):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as odd:
        odd.writestr("letter.txt", "Dear office")
    asked = rehearse(console, district, tmp_path / "odd.zip").url
    jobs.work_off()
    page = " ".join(console.get(asked).content.decode().split())
    assert Run.objects.get(flow="rehearsal").message in html.unescape(page)
    assert "Ask again" in page
    again = rehearse(console, district, tmp_path / "odd.zip").url
    assert "Cancelled by" in console.post(f"{again}/cancel", follow=True).content.decode()
    assert not Rehearsal.objects.exists()


def test_what_cannot_be_rehearsed_is_said(console, district, tmp_path: Path, settings):
    note = tmp_path / "note.zip"
    note.write_text("no zip")
    assert rehearse(console, district, note).status_code == 422
    assert rehearse(console, district, None).status_code == 422, "nothing is kept yet"
    assert rehearse(console, district, note, on="yesterday").status_code == 422
    settings.UPLOAD_LIMIT = 10
    note.write_bytes(b"x" * 80_000)
    assert rehearse(console, district, note).status_code == 413
    assert not Rehearsal.objects.exists()


def test_a_report_of_another_district_is_not_there(console, district, elsewhere):
    other = Rehearsal.objects.create(
        district=elsewhere,
        connection=Connection.objects.get(district=elsewhere),
        on_day=NOON.date(),
        report={},
    )
    assert console.get(address("rehearsal", district, rehearsal_id=other.pk)).status_code == 404
