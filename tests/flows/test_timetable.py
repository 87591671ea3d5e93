"""Schedules: what is due is started once, by whichever host looks first, whatever the clock does."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connections

from rollbook.flows import schedule, timetable
from rollbook.flows.fetch import NothingToFetch
from rollbook.flows.timetable import BadSchedule, clear_schedule, next_start, set_schedule, start_due
from rollbook.store.models import Connection, District, Run, Start
from tests.delivered import a_district

pytestmark = pytest.mark.django_db

CHICAGO = ZoneInfo("America/Chicago")
ALL_WEEK = timetable.WEEKDAYS


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.fixture
def district() -> District:
    return a_district()


@pytest.fixture
def pull(district: District) -> Connection:
    return Connection.objects.create(district=district, kind="sftp_pull", name="The SIS")


def scheduled(pull: Connection, since: str, *times: str, weekdays: tuple[str, ...] = ALL_WEEK) -> None:
    with time_machine.travel(local(since), tick=False):
        set_schedule(pull, times, weekdays, "Helen")


def look(district: District, at: datetime) -> int:
    return start_due(district.pk, at.astimezone(UTC))


def done(district: District) -> None:
    Run.objects.filter(district=district, outcome="").update(outcome="success")


def test_what_is_due_is_started_once(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30")
    assert look(district, local("2026-03-03 02:29")) == 0
    assert look(district, local("2026-03-03 02:30")) == 1
    done(district)
    assert look(district, local("2026-03-03 02:31")) == 0
    [start] = Start.objects.all()
    assert start.due == "2026-03-03T02:30"
    assert (start.run.connection_id, start.run.started_by, start.run.phase) == (
        pull.pk,
        "schedule",
        "waiting",
    )


@pytest.mark.parametrize("night", ["2026-03-08", "2026-11-01"], ids=["forward", "back"])
def test_on_the_nights_when_the_clock_changes_it_runs_once(district, pull, night):
    """Looked at every half hour of three days, as two hosts do."""
    scheduled(pull, "2026-01-01 12:00", "01:30", "02:30")
    first = local(night) - timedelta(days=1)
    look(district, first)
    done(district)
    moment = first.astimezone(UTC)
    while moment < (local(night) + timedelta(days=2)).astimezone(UTC):
        moment += timedelta(minutes=30)
        for _ in range(2):
            look(district, moment)
            done(district)
    day = datetime.fromisoformat(night)
    days = [f"{day + timedelta(n):%Y-%m-%d}" for n in (-1, 0, 1)]
    assert [start.due for start in Start.objects.order_by("pk")[1:]] == [
        f"{one}T{at}" for one in days for at in ("01:30", "02:30")
    ]


def test_what_was_missed_is_made_up_for_once(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30", "04:00")
    assert look(district, local("2026-03-05 11:00")) == 1
    done(district)
    assert look(district, local("2026-03-05 11:01")) == 0
    assert Start.objects.get().due == "2026-03-05T04:00"


def test_a_schedule_does_not_reach_back(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30")
    assert look(district, local("2026-03-02 12:01")) == 0


def test_nothing_is_started_behind_a_run_that_is_under_way(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30", "02:40")
    look(district, local("2026-03-03 02:30"))
    assert look(district, local("2026-03-03 02:40")) == 0
    done(district)
    assert look(district, local("2026-03-03 02:55")) == 1


def test_what_is_off_or_cleared_is_asked_no_more(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30")
    Connection.objects.filter(pk=pull.pk).update(enabled=False)
    assert look(district, local("2026-03-03 03:00")) == 0
    assert next_start(timetable.schedule_of(pull), local("2026-03-03 03:00")) is None
    Connection.objects.filter(pk=pull.pk).update(enabled=True)
    assert clear_schedule(pull)
    assert not clear_schedule(pull)
    assert look(district, local("2026-03-03 03:00")) == 0


def test_only_on_its_weekdays_and_the_next_start_says_when(district, pull):
    scheduled(pull, "2026-03-06 12:00", "2:30", weekdays=("mon", "fri"))
    assert look(district, local("2026-03-08 03:30")) == 0
    due = next_start(timetable.schedule_of(pull), local("2026-03-06 12:00"))
    assert due.at == local("2026-03-09 02:30")


@pytest.mark.parametrize(
    ("times", "weekdays"),
    [
        (["25:00"], ["mon"]),
        ([], ["mon"]),
        (["02:30"], []),
        (["02:30"], ["monday"]),
        (["12+05"], ["mon"]),
        (["2.30"], ["mon"]),
    ],
)
def test_what_is_no_schedule_is_refused(pull, times, weekdays):
    with pytest.raises(BadSchedule):
        set_schedule(pull, times, weekdays, "Helen")


def test_what_comes_by_itself_has_no_schedule(district):
    with pytest.raises(NothingToFetch):
        set_schedule(Connection.objects.get(district=district), ["02:30"], ALL_WEEK, "Helen")


def test_the_server_looks_for_what_is_due(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30")
    with time_machine.travel(local("2026-03-03 02:31"), tick=False):
        schedule.look_after(district.pk)
    assert Start.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_hosts_one_starts_it(district, pull):
    scheduled(pull, "2026-03-02 12:00", "02:30")
    hosts, started = Barrier(4), []

    def host() -> None:
        hosts.wait()
        started.append(look(district, local("2026-03-03 02:30")))
        for alias in connections:
            connections[alias].close()

    threads = [Thread(target=host) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [0, 0, 0, 1]
    assert Run.objects.count() == Start.objects.count() == 1
