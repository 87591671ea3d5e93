"""The calendar from the command line: days and schedules, what a blackout keeps, rehearsing, importing all the same."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.store.models import Connection, District
from tests import cast
from tests.delivered import a_district, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


def rollbook(*words: object, expect: int = 0) -> str:
    """What the command says, on both streams."""
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == expect, done.output
    return done.output


def delivered_in_utc(folder: Path) -> District:
    district = a_district(time_zone="UTC")
    deliver(district, cast.riverbend(folder / "first"))
    return district


district = kept(delivered_in_utc)


def test_days_are_planned_kept_rehearsed_and_removed(district: District, tmp_path: Path):
    [way_in], today = Connection.objects.values_list("pk", flat=True), timezone.now().date()
    last = today + timedelta(40)
    rollbook("blackout", "add", district.pk, "--from", today, "--until", last, "--why", "roll-over")
    [row] = json.loads(rollbook("blackout", "list", district.pk, "--json"))
    assert (row["until"], row["why"]) == (str(last), "roll-over")
    assert json.loads(rollbook("additions-only", "list", district.pk, "--json")) == []
    changed = cast.riverbend(tmp_path / "next", {"users": {cast.KOFI: {"givenName": "Kwame"}}})
    kept = rollbook("import", district.pk, changed, "--yes", expect=5)
    assert f"Kept: blackout until {last}." in kept
    told = rollbook("rehearse", way_in, changed, "--on", today + timedelta(60))
    assert "It would be applied, without asking anybody." in told
    assert "without any class" in told
    report = json.loads(rollbook("rehearse", way_in, "--json", expect=3))
    assert (report["verdict"], report["counts"]) == ("kept", {"users": {"update": 1}})
    assert json.loads(rollbook("schedule", "show", district.pk, "--json"))[0]["kept"] == 1
    number = kept.partition("Run ")[2].partition(":")[0]
    assert "success" in rollbook("blackout", "import", number)
    assert "no longer kept" in rollbook("blackout", "import", number, expect=1)
    rollbook("import", district.pk, cast.riverbend(tmp_path / "last"), "--yes", "--despite-blackout")
    rollbook("blackout", "remove", district.pk, row["number"])
    assert "(soon)" in rollbook("blackout", "add", district.pk, "--from", "soon", "--until", last, expect=1)


def test_a_schedule_is_set_shown_and_cleared(district: District):
    pull = Connection.objects.create(district=district, kind="sftp_pull", name="The SIS")
    with time_machine.travel("2026-03-06 12:00+00:00", tick=False):
        words = rollbook("schedule", "set", pull.pk, "--at", "14:00", "--at", "2:30", "--on", "mon,fri")
        assert words == f"Connection {pull.pk}: 02:30, 14:00 on mon, fri. Next: 2026-03-06T14:00+00:00.\n"
        row = json.loads(rollbook("schedule", "show", district.pk, "--json"))[-1]
    assert (row["at"], row["on"]) == (["02:30", "14:00"], ["mon", "fri"])
    assert "no longer asked by itself" in rollbook("schedule", "clear", pull.pk)
    upload = Connection.objects.get(kind="upload")
    assert "come by themselves" in rollbook("schedule", "set", upload.pk, "--at", "02:30", expect=1)
    assert "A schedule is" in rollbook("schedule", "set", pull.pk, "--at", "25:00", expect=1)
