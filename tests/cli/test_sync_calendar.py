"""`rollbook sync calendar`, `days` and `cancel`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rollbook.flows.sync import runs
from tests.command import rollbook
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments: str, expect: int = 0) -> Any:
    return json.loads(rollbook("sync", *arguments, "--json", expect=expect).stdout)


def test_days_are_put_in_a_sync_does_not_run_on_them_and_what_waits_is_cancelled(tmp_path: Path) -> None:
    deliver(tmp_path / "roster", school())
    connection = connected(an_organization(time_zone="America/Chicago"), tmp_path / "roster")
    number = str(connection.pk)
    waiting = runs.enqueue(connection, "a")
    day = timezone.now().date()
    until = str(day + timedelta(days=2))
    span = told("days", "add", number, "blackout", "--from", str(day - timedelta(days=2)), "--until", until)
    [row] = told("calendar")
    assert (row["every"], row["blackoutUntil"], row["timeZone"]) == ("night", until, "America/Chicago")
    assert row["next"]
    assert "changes nothing" in rollbook("sync", "run", number, expect=1).stderr
    assert [one["number"] for one in told("days", "list", number)] == [span["number"]]
    assert told("cancel", str(waiting.pk))["outcome"] == "cancelled"
    assert "come to its end" in rollbook("sync", "cancel", str(waiting.pk), expect=1).stderr
    rollbook("sync", "days", "remove", number, str(span["number"]))
    assert told("days", "list", number) == []
    assert told("calendar")[0]["blackoutUntil"] == ""
    rollbook("sync", "days", "add", number, "blackout", "--from", "soon", "--until", until, expect=1)
