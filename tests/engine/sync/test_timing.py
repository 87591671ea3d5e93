"""When a sync is due: nights, weeks, months and lines of cron, by a clock that is put forward and back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rollbook.engine.sync.policy import BadPolicy, read_policy
from rollbook.engine.sync.timing import Pattern, cron_pattern, last_due, next_due, pattern_of

CHICAGO = ZoneInfo("America/Chicago")
NIGHT = Pattern((time(2, 30),))


def at(text: str, zone: ZoneInfo = CHICAGO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def after(pattern: Pattern, text: str, zone: ZoneInfo = CHICAGO) -> str:
    found = next_due(pattern, zone, at(text, zone))
    assert found
    return found.name


def named(section: str) -> Pattern:
    every, _, rest = section.partition(" ")
    told = {"at": "02:00", "weekday": "0", "day": "1", "cron": rest} | dict(
        one.split("=") for one in rest.split() if every != "cron"
    )
    found = pattern_of(every, told["at"], int(told["weekday"]), int(told["day"]), told["cron"])
    assert found
    return found


@pytest.mark.parametrize(
    ("said", "now", "due"),
    [
        ("night at=02:30", "2026-09-01T02:29", "2026-09-01T02:30"),
        ("night at=02:30", "2026-09-01T02:30", "2026-09-02T02:30"),
        ("week at=05:00 weekday=6", "2026-09-01T12:00", "2026-09-06T05:00"),
        ("month at=23:00 day=28", "2026-02-28T23:30", "2026-03-28T23:00"),
        ("cron 30 2 * * mon-fri", "2026-09-04T12:00", "2026-09-07T02:30"),
        ("cron 0 */6 * * *", "2026-09-04T12:00", "2026-09-04T18:00"),
        ("cron 0 4 29 2 *", "2026-01-01T00:00", "2028-02-29T04:00"),
        ("cron 15 1 1,15 sep-dec *", "2026-06-30T00:00", "2026-09-01T01:15"),
        ("cron 0 3 13 * fri", "2026-11-01T00:00", "2026-11-06T03:00"),
        ("cron 0 3 * * 7", "2026-11-02T00:00", "2026-11-08T03:00"),
        ("cron 0 3 * * fri-sun", "2026-11-05T12:00", "2026-11-06T03:00"),
        ("cron 0 3 * * */2", "2026-11-02T04:00", "2026-11-03T03:00"),
    ],
)
def test_a_sync_is_due_when_its_settings_say(said: str, now: str, due: str) -> None:
    assert after(named(said), now) == due


def test_by_hand_is_never_due() -> None:
    assert pattern_of("by-hand", "02:00", 0, 1, "") is None


def test_a_night_without_half_past_two_has_it_an_hour_later_and_one_with_two_has_it_once() -> None:
    # 8 March 2026: the clock is put forward from 2 to 3; 1 November: back from 2 to 1.
    found = next_due(NIGHT, CHICAGO, at("2026-03-08T00:00"))
    assert found
    assert found.at == datetime(2026, 3, 8, 8, 30, tzinfo=UTC)
    one = Pattern((time(1, 30),))
    moment, seen = at("2026-11-01T00:00"), []
    while (due := next_due(one, CHICAGO, moment)) and due.at < at("2026-11-02T00:00"):
        seen.append(due.at)
        moment = due.at
    assert seen == [datetime(2026, 11, 1, 6, 30, tzinfo=UTC)]


def test_two_times_that_the_jump_of_the_clock_brings_together_are_one() -> None:
    both = cron_pattern("30 2,3 * * *")
    found = next_due(both, CHICAGO, at("2026-03-08T00:00"))
    assert found
    assert (found.at, found.name) == (datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "2026-03-08T03:30")
    assert after(both, "2026-03-08T04:00") == "2026-03-09T02:30"


def test_the_same_night_begins_with_the_day_of_each_zone() -> None:
    now = datetime(2026, 9, 1, 20, 0, tzinfo=UTC)
    dues = {}
    for zone in ("Pacific/Auckland", "Europe/Berlin", "America/Chicago"):
        found = next_due(NIGHT, ZoneInfo(zone), now)
        assert found
        dues[zone] = found.at - now
    assert sorted(dues, key=lambda zone: dues[zone]) == [
        "Europe/Berlin",
        "America/Chicago",
        "Pacific/Auckland",
    ]


def test_what_was_missed_is_the_latest_and_nothing_from_before_it_was_said() -> None:
    now = at("2026-09-10T12:00")
    found = last_due(NIGHT, CHICAGO, now, now - timedelta(days=30))
    assert found
    assert found.name == "2026-09-10T02:30"
    assert last_due(NIGHT, CHICAGO, now, at("2026-09-10T02:30")) is None
    assert last_due(NIGHT, CHICAGO, now, at("2026-09-10T02:29")) == found


@pytest.mark.parametrize(
    "said",
    [
        {"at": "24:00"},
        {"at": "2"},
        {"every": "week", "weekday": 7},
        {"every": "month", "day": 31},
        {"every": "cron"},
        {"every": "cron", "cron": "0 2 * *"},
        {"every": "cron", "cron": "0 2 31 2 *"},
        {"every": "cron", "cron": "60 2 * * *"},
        {"every": "cron", "cron": "* * * * *"},
        {"every": "cron", "cron": "0 2 * * fri-tue"},
        {"every": "cron", "cron": "0 2/0 * * *"},
        {"every": "cron", "cron": "0 2 * foo *"},
    ],
)
def test_a_timing_that_cannot_be_is_refused_by_the_settings(said: dict[str, object]) -> None:
    with pytest.raises(BadPolicy, match="timing"):
        read_policy({"timing": said})
