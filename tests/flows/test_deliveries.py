"""Deliveries: brought to OpenSSH's own server, kept for an app to fetch, tried again, withheld, and started by the district's clock."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from rollbook.connectors.contract import BadSetting
from rollbook.engine.scope import FULL
from rollbook.engine.tailoring import BadTemplate
from rollbook.flows import deliveries, export_tests, exports, handing_over, operators, post
from rollbook.flows.apps import disable
from rollbook.flows.deliveries import BLOCKED, CANCELLED, DOWNLOAD, FAILED, SUCCESS
from rollbook.flows.dispatch import dispatch_due, prune_packages
from rollbook.flows.drops import LoginTaken
from rollbook.flows.handing_over import BACK_OFF, walk
from rollbook.flows.opt_outs import opt_out
from rollbook.flows.permission_edits import edit_permissions
from rollbook.flows.pickups import find_pickup, note_fetched, packages_for
from rollbook.flows.publish import publish_due, set_rule
from rollbook.flows.sanity_plans import set_limit
from rollbook.flows.timetable import BadSchedule
from rollbook.store.models import Connection, Delivery, District, Export, Grant, Pin
from rollbook.store.visibility import basic
from tests import cast
from tests.connectors.sshd import Sshd
from tests.delivered import a_district, a_grant, deliver
from tests.flows.packages import rows_of, take_in

pytestmark = pytest.mark.django_db

CHICAGO = ZoneInfo("America/Chicago")
PICKUP = {"login": "reading-app", "password": "correct horse battery"}


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.fixture
def grant(district: District) -> Grant:
    return enabled(district)


@pytest.fixture
def unserved(db: None) -> Grant:
    """Of a district that serves nothing yet."""
    return enabled(a_district())


def enabled(district: District, app: str = "An app") -> Grant:
    grant = a_grant(district, app=app)
    Grant.objects.filter(pk=grant.pk).update(enabled=True)
    grant.refresh_from_db()
    return grant


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def to(sshd: Sshd, folder: Path, **more: str) -> dict[str, str]:
    filled = {
        "host": "127.0.0.1", "port": str(sshd.port), "login": sshd.login, "path": str(folder), "host_key": sshd.host_key(),
        "private_key": sshd.client_key, "timeout_seconds": "5",
    }  # fmt: skip
    return filled | more


def pushed(grant: Grant, **more: str) -> Delivery:
    ended = walk(deliveries.hand_over(grant, "Helen", **more).pk)
    assert ended is not None
    return ended


def test_a_package_is_brought_whole_under_its_own_name(sshd, grant, incoming):
    exports.set_export(grant, "push", to(sshd, incoming), "Helen", enabled=True)
    assert "Files can be put" in export_tests.test_here(grant, "Helen").found[1]
    assert list(incoming.iterdir()) == []
    ended = pushed(grant)
    assert (ended.outcome, ended.mode, ended.publication, ended.from_publication) == (
        SUCCESS,
        "bulk",
        1,
        None,
    )
    [file] = incoming.iterdir()
    assert file.name == ended.file_name == f"rollbook-{grant.district_id}-1-bulk.zip"
    assert file.stat().st_size == ended.bytes
    assert {f"{name}.csv": len(rows) for name, rows in rows_of(file).items()} == ended.counts
    assert not Pin.objects.exists(), "the publication is kept no longer than it is read"
    assert walk(ended.pk) is None, "what has ended is not walked again"


def test_a_delivery_that_was_killed_is_made_again_to_the_same_end(sshd, grant, incoming):
    exports.set_export(grant, "push", to(sshd, incoming), "Helen", enabled=True)
    first = pushed(grant)
    Delivery.objects.filter(pk=first.pk).update(outcome="", phase="sending")
    (incoming / f".{first.file_name}.part").write_text("half of it")
    again = walk(first.pk)
    assert again is not None
    assert (again.outcome, again.sha256) == (SUCCESS, first.sha256)
    assert [file.name for file in incoming.iterdir()] == [first.file_name]


def test_how_far_it_is_is_told_by_who_walks_it(sshd, grant, incoming, monkeypatch):
    monkeypatch.setattr(handing_over, "OFTEN", -1.0)
    exports.set_export(grant, "push", to(sshd, incoming), "Helen", enabled=True)
    ended = pushed(grant)
    assert (ended.outcome, ended.done, ended.known) == (SUCCESS, ended.bytes, ended.bytes)


def test_what_is_cancelled_while_it_is_sent_is_not_seen_there(sshd, grant, incoming, monkeypatch):
    monkeypatch.setattr(handing_over, "OFTEN", -1.0)
    exports.set_export(grant, "push", to(sshd, incoming), "Helen", enabled=True)
    telling = handing_over._Telling.__call__

    def cancelled(tell: handing_over._Telling, done: int, known: int) -> None:
        if tell.delivery.phase == "sending":
            deliveries.cancel(tell.delivery, "Helen")
        telling(tell, done, known)

    monkeypatch.setattr(handing_over._Telling, "__call__", cancelled)
    assert pushed(grant).outcome == CANCELLED
    assert list(incoming.iterdir()) == []


def test_changes_are_sent_since_the_last_delivery_that_succeeded(sshd, grant, district, incoming, tmp_path):
    exports.set_export(grant, "push", to(sshd, incoming, mode="delta"), "Helen", enabled=True)
    first = pushed(grant)
    assert first.mode == "bulk"
    assert "no package to which changes could be added" in first.reason
    deliver(district, cast.riverbend(tmp_path / "second", {"users": {cast.AMARA: {"givenName": "Amarachi"}}}))
    second = pushed(grant)
    assert (second.mode, second.from_publication, second.publication) == ("delta", 1, 2)
    assert second.counts["users.csv"] == 1
    whole = walk(deliveries.ask(grant, DOWNLOAD, "Helen", mode="bulk").pk)
    assert whole is not None
    held = take_in(take_in({}, incoming / first.file_name), incoming / second.file_name)
    assert held == take_in({}, deliveries.kept_package(whole))
    set_rule(grant, basic(district.pk, [cast.RIVERBEND_HIGH]), "a test")
    third = pushed(grant)
    assert third.mode == "bulk"
    assert "Deleted records are off" in third.reason


def test_what_is_wrong_with_a_server_is_said_in_words(sshd, grant, incoming):
    exports.set_export(grant, "push", to(sshd, incoming, path=f"{incoming}/missing"), "Helen", enabled=True)
    assert "There is no folder" in pushed(grant).reason
    exports.set_export(grant, "push", to(sshd, incoming, host_key=f"ssh-ed25519 SHA256:{'A' * 43}"), "Helen")
    stranger = pushed(grant)
    assert stranger.outcome == FAILED
    assert "another key than the one accepted" in stranger.reason
    exports.set_export(grant, "push", to(sshd, incoming, host_key=""), "Helen")
    assert sshd.host_key() in export_tests.test_here(grant, "Helen").found[0]
    assert "No host key has been accepted" in pushed(grant).reason
    assert list(incoming.iterdir()) == []


def test_a_server_that_does_not_answer_is_tried_again_later_and_then_given_up(
    sshd, grant, district, incoming
):
    operators.add_operator(
        "helen@example.org", operators.DISTRICT, district, "Helen", "seven quiet herons at noon"
    )
    exports.set_export(grant, "push", to(sshd, incoming, port="1"), "Helen", enabled=True)
    waiting = deliveries.ask(grant, "push", "schedule", due="2026-11-02T02:00")
    now = timezone.now()
    for number, pause in enumerate(BACK_OFF):
        with time_machine.travel(now, tick=False):
            assert [one.pk for one in deliveries.waiting(now)] == [waiting.pk]
            tried = walk(waiting.pk)
            assert tried is not None
            assert (tried.outcome, tried.attempts, tried.not_before) == ("", number + 1, now + pause)
            assert deliveries.waiting(now + pause - timedelta(seconds=1)) == []
        now += pause
    ended = walk(waiting.pk)
    assert ended is not None
    assert ended.outcome == FAILED
    assert "nothing listens there" in ended.reason
    post.send_due()
    [told] = mail.outbox
    assert "nothing listens there" in told.body
    assert f"/apps/{grant.pk}/export" in told.body


def test_an_app_that_may_see_nothing_gets_nothing(sshd, grant, district, incoming):
    exports.set_export(grant, "push", to(sshd, incoming), "Helen", enabled=True)
    disable(grant)
    assert pushed(grant).outcome == BLOCKED
    Grant.objects.filter(pk=grant.pk).update(enabled=True, ends_on="2020-01-01")
    assert "outside the dates" in pushed(grant).reason
    Grant.objects.filter(pk=grant.pk).update(ends_on=None, permission="none")
    assert "permissions are None" in pushed(grant).reason
    Grant.objects.filter(pk=grant.pk).update(permission="full", removed_at=timezone.now())
    assert pushed(grant).outcome == BLOCKED
    assert list(incoming.iterdir()) == []


def test_a_delivery_that_is_cancelled_ends_as_that(unserved):
    waiting = deliveries.ask(unserved, DOWNLOAD, "Helen")
    deliveries.cancel(waiting, "Helen")
    assert walk(waiting.pk) is None
    waiting.refresh_from_db()
    assert waiting.outcome == CANCELLED
    with pytest.raises(deliveries.NotUnderWay):
        deliveries.cancel(waiting, "Helen")


def test_an_app_that_fetches_finds_its_packages_until_its_permissions_change(grant, district):
    exports.set_export(grant, "pickup", PICKUP, "Helen", enabled=True)
    found = find_pickup("reading-app")
    assert found is not None
    assert found[0] == grant.pk
    made = pushed(grant)
    [waiting] = packages_for(grant.pk)
    assert (waiting.name, waiting.size) == (made.file_name, made.bytes)
    other = a_grant(district, app="Another app")
    assert packages_for(other.pk) == []
    note_fetched(made.pk, "203.0.113.7")
    made.refresh_from_db()
    assert made.picked_up_at is not None
    set_rule(grant, basic(district.pk, [cast.RIVERBEND_HIGH]), "a test")
    assert packages_for(grant.pk) == [], "it shows more than the app may see now"
    assert prune_packages(district.pk, timezone.now()) == 1
    with pytest.raises(deliveries.NotKept):
        deliveries.kept_package(Delivery.objects.get(pk=made.pk))
    disable(grant)
    assert find_pickup("reading-app") is None


@pytest.mark.parametrize("of_every_app", [False, True])
def test_who_opts_out_is_in_no_package_that_waits(grant, district, tmp_path, of_every_app):
    exports.set_export(grant, "pickup", PICKUP, "Helen", enabled=True)
    other = enabled(district, "Another app")
    exports.set_export(other, "pickup", PICKUP | {"login": "another-app"}, "Helen", enabled=True)
    pushed(grant)
    pushed(other)
    opt_out(district, cast.AMARA, None if of_every_app else grant, "a parent's letter")
    assert packages_for(grant.pk) == []
    assert bool(packages_for(other.pk)) is not of_every_app, "another app is still told of her"
    made = pushed(grant)
    deliver(district, cast.riverbend(tmp_path / "next", {"users": {cast.KOFI: {"middleName": "N"}}}))
    [waiting] = packages_for(grant.pk)
    assert waiting.delivery_id == made.pk
    assert cast.AMARA not in str(rows_of(waiting.path))
    assert prune_packages(district.pk, timezone.now()) == 1 + of_every_app


def test_a_package_waits_until_somebody_in_it_is_out_and_the_days_of_the_app_are_over(district):
    with time_machine.travel("2027-03-01T12:00:00-06:00", tick=False):
        grant = enabled(district)
        edit_permissions(grant, FULL, (None, "2027-03-03"))
        exports.set_export(grant, "pickup", PICKUP, "Helen", enabled=True)
        opt_out(district, cast.AMARA, grant, "a letter", starts_on="2027-03-02", ends_on="2027-03-02")
        pushed(grant)
    for day, waits in (("01", True), ("02", False), ("03", True), ("04", False)):
        with time_machine.travel(f"2027-03-{day}T13:00:00-06:00", tick=False):
            publish_due(district.pk)
            assert bool(packages_for(grant.pk)) is waits, day


def test_changes_are_told_since_the_package_that_was_fetched(grant, district, tmp_path):
    exports.set_export(grant, "pickup", PICKUP | {"mode": "delta"}, "Helen", enabled=True)
    note_fetched(pushed(grant).pk, "")
    for number in (2, 3):
        edits = {"users": {cast.AMARA: {"givenName": f"Amara {number}"}}}
        deliver(district, cast.riverbend(tmp_path / str(number), edits))
        made = pushed(grant)
        assert (made.mode, made.from_publication) == ("delta", 1), "the one before was never fetched"


def test_a_download_is_kept_for_a_day(grant, district):
    made = walk(deliveries.ask(grant, DOWNLOAD, "Helen", version="1.1").pk)
    assert made is not None
    path = deliveries.kept_package(made)
    assert zipfile.ZipFile(path).testzip() is None
    assert prune_packages(district.pk, timezone.now() + timedelta(hours=23)) == 0
    assert prune_packages(district.pk, timezone.now() + timedelta(hours=25)) == 1
    assert not path.exists()


def test_the_schedule_asks_once_whatever_the_clock_does(unserved):
    exports.set_export(
        unserved, "pickup", PICKUP | {"times": "02:30", "weekdays": "sun, mon"}, "Helen", enabled=True
    )
    Export.objects.update(set_at=datetime(2026, 3, 1, tzinfo=UTC))

    def look(text: str) -> int:
        return dispatch_due(
            unserved.district_id, datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)
        )

    assert look("2026-03-08 01:59") == 1, "of the Monday before"
    assert look("2026-03-08 03:29") == 0, "the clock has no 02:30 on that day"
    assert look("2026-03-08 03:30") == 1
    assert look("2026-03-08 03:31") == 0
    assert look("2026-03-10 12:00") == 1, "of Monday"
    assert look("2026-03-13 12:00") == 0
    assert look("2026-11-01 01:00") == 1
    assert set(Delivery.objects.values_list("due", flat=True)) == {
        "2026-03-02T02:30", "2026-03-08T02:30", "2026-03-09T02:30", "2026-10-26T02:30",
    }  # fmt: skip
    disable(unserved)
    assert look("2026-11-03 12:00") == 0


def test_a_template_gives_files_of_the_apps_own(grant):
    template = """
        # for an app that knows no OneRoster
        pupils.csv from roles
        keep role is student
        keep orgSourcedId.name contains High
        Number = userSourcedId
        First name = userSourcedId.givenName
        School = orgSourcedId.name
        sexes.csv from demographics
        Who = sourcedId.familyName
        Sex = sex
    """
    made = walk(deliveries.ask(grant, DOWNLOAD, "Helen", template=template).pk)
    assert made is not None
    assert (made.outcome, made.mode) == (SUCCESS, "custom")
    with zipfile.ZipFile(deliveries.kept_package(made)) as archive:
        assert archive.namelist() == ["pupils.csv", "sexes.csv"]
        lines = archive.read("pupils.csv").decode().split("\r\n")
    assert lines[0] == "Number,First name,School"
    assert f"{cast.AMARA},Amara,Riverbend High School" in lines
    assert not any(cast.KOFI in line for line in lines)


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("Number = sourcedId", 1, "name a file first"),
        ("a.csv from pupils", 1, "has no file pupils"),
        ("a.csv from users\nNumber = number", 2, "has no column number"),
        ("a.csv from users\n\nOrg = grades.name", 3, "leads nowhere"),
        ("a.csv from users\nWord = password", 2, "passwords are never told"),
        ("a.csv from users", 1, "has no columns"),
        ("a.csv from users\nNumber: sourcedId", 2, "is neither"),
    ],
)
def test_a_template_that_cannot_be_used_names_its_line(unserved, template, line, words):
    with pytest.raises(BadTemplate, check=lambda refusal: refusal.line == line and words in refusal.words):
        deliveries.ask(unserved, DOWNLOAD, "Helen", template=template)


def test_settings_are_checked_and_secrets_kept_encrypted(
    sshd, district, unserved, incoming, django_assert_num_queries
):
    with pytest.raises(BadSetting):
        exports.set_export(unserved, "push", {"host": "sftp://x", "login": "a", "password": "b"}, "Helen")
    with pytest.raises(BadSetting):
        exports.set_export(unserved, "push", to(sshd, incoming, file_name="../x.zip"), "Helen")
    with pytest.raises(BadSchedule):
        exports.set_export(unserved, "push", to(sshd, incoming, times="25:00"), "Helen")
    assert exports.export_of(unserved) is None
    Connection.objects.create(
        district=unserved.district, kind="sftp_drop", name="SIS", settings={"login": "reading-app"}
    )
    with pytest.raises(LoginTaken):
        exports.set_export(unserved, "pickup", PICKUP, "Helen")
    kept = exports.set_export(unserved, "push", to(sshd, incoming), "Helen", enabled=True)
    stored = Export.objects.raw("SELECT id, secrets AS written FROM store_export")[0].written  # type: ignore[attr-defined]  # of this query alone
    assert "PRIVATE KEY" not in stored
    assert "PRIVATE KEY" not in json.dumps(exports.told(kept))
    edited = exports.set_export(unserved, "push", {"path": "/elsewhere", "private_key": ""}, "Helen")
    assert exports.secrets_of(edited) == {
        "private_key": sshd.client_key.strip()
    } or "private_key" in exports.secrets_of(edited)
    exports.remove_export(unserved)
    with pytest.raises(exports.NoExport):
        deliveries.hand_over(unserved, "Helen")


def test_a_sanity_check_over_its_limit_keeps_an_export_back(grant):
    exports.set_export(grant, "pickup", PICKUP, "Helen", enabled=True)
    set_limit(grant, "courses-without-classes", 0, "Helen")
    ended = pushed(grant)
    assert ended.outcome == BLOCKED
    assert "The sanity check keeps it back." in ended.reason
    assert packages_for(grant.pk) == []
    set_limit(grant, "courses-without-classes", None, "Helen")
    assert pushed(grant).outcome == SUCCESS
