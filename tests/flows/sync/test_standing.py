"""How far a sync run is, by what the last one of its connection took; and when it is said to stand still."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.flows.jobs.beats import WORKER, a_name, beating
from rollbook.flows.sync import holds, resuming, runs, turns
from rollbook.flows.sync.progress import Teller
from rollbook.flows.sync.standing import standing
from rollbook.flows.sync.walk import walk
from rollbook.store.models import SyncConnection, SyncRun
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection(tmp_path: Path) -> SyncConnection:
    deliver(tmp_path, school())
    return connected(an_organization(), tmp_path)


def begun(connection: SyncConnection, **columns: object) -> SyncRun:
    """A run that has its turn."""
    run = runs.enqueue(SyncConnection.objects.get(pk=connection.pk), "somebody")
    turns.give_turns()
    SyncRun.objects.filter(pk=run.pk).update(**columns)
    return SyncRun.objects.select_related("connection", "organization").get(pk=run.pk)


def test_the_time_left_is_that_of_the_phases_to_come_as_they_took_the_last_time(
    connection: SyncConnection,
) -> None:
    first = begun(connection)
    assert standing(first).seconds_left is None
    walk(first.pk)
    shown = SyncRun.objects.get(pk=first.pk)
    assert set(shown.durations) == {"fetching", "reading", "planning"}
    holds.approve(shown, "somebody")
    turns.give_turns()
    walk(first.pk)
    SyncRun.objects.filter(pk=first.pk).update(
        durations={"fetching": 100, "reading": 20, "planning": 10, "applying": 60, "verifying": 10}
    )
    now = timezone.now()
    run = begun(connection, phase="fetching", phase_at=now - timedelta(seconds=40), moved_at=now)
    assert (standing(run, now).seconds_left, standing(run, now).percent) == (160, 20)
    here = {"phase": "applying", "phase_at": now - timedelta(seconds=30), "done": 25, "known": 100}
    SyncRun.objects.filter(pk=run.pk).update(**here)
    run.refresh_from_db()
    assert (standing(run, now).seconds_left, standing(run, now).percent) == (100, 72)


def test_only_what_comes_on_is_no_standing_still_and_only_that_is_resumed(connection: SyncConnection) -> None:
    now = timezone.now()
    long_ago = now - timedelta(minutes=7)
    waits = runs.enqueue(connection, "somebody")
    assert standing(waits).nobody_works
    with beating(a_name(WORKER)):
        assert not standing(waits).nobody_works
    run = begun(
        connection, phase="applying", done=3, turn_at=long_ago, moved_at=long_ago, started_at=long_ago
    )
    tell = Teller(run, _told=1.0)
    tell("applying", 3)
    assert standing(SyncRun.objects.get(pk=run.pk), now).is_still
    before = SyncRun.objects.get(pk=run.pk).fence
    again = resuming.resume(run, "somebody", now)
    assert (again.fence, standing(again, now).is_still) == (before + 1, False)
    with pytest.raises(resuming.NotStill):
        resuming.resume(again, "somebody", now)
