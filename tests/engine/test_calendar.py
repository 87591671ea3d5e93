"""Schedules by a zone's clock: once a day, whatever the clock does; and stretches of days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollbook.engine.calendar import ALL_WEEK, Daily, Days, dues, instant_of, last_due, next_due, stretch_end
from rollbook.engine.succession import still_needed, supersedes

ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc", "posix", "right"))
)
CHICAGO, SAMOA = ZoneInfo("America/Chicago"), ZoneInfo("Pacific/Apia")
MINUTE = timedelta(minutes=1)

zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(2000, 1, 10), date(2037, 12, 20))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def exists(day: date, zone: ZoneInfo) -> bool:
    """Samoa had no 30 December 2011."""
    noon = datetime.combine(day, time(12), zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day


@settings(deadline=None)
@given(zones, days, times)
@example(ZoneInfo("America/Chicago"), date(2026, 3, 6), time(2, 30))
@example(ZoneInfo("America/Chicago"), date(2026, 10, 30), time(1, 30))
@example(ZoneInfo("Australia/Lord_Howe"), date(2026, 10, 2), time(2, 15))
@example(ZoneInfo("America/Sao_Paulo"), date(2017, 10, 13), time(0, 0))
@example(ZoneInfo("Pacific/Apia"), date(2011, 12, 28), time(2, 0))
@example(ZoneInfo("America/Nuuk"), date(2024, 3, 28), time(23, 30))
@example(ZoneInfo("Africa/Casablanca"), date(2026, 2, 13), time(2, 59))
def test_a_daily_time_is_due_exactly_once_a_day(zone: ZoneInfo, first: date, at: time):
    """A minute at a time through a week, as the server looks: each start by its name, and each day has one."""
    last = first + timedelta(6)
    daily = Daily((at,))
    found = dues(daily, zone, first, last)
    wanted = [first + timedelta(n) for n in range(7) if exists(first + timedelta(n), zone)]
    assert [date.fromisoformat(due.name[:10]) for due in found] == wanted
    assert all(due.at - before.at > timedelta(hours=20) for before, due in pairwise(found))
    for due in found:
        told = [last_due(daily, zone, due.at + MINUTE * n) for n in (-1, 0, 1, 59, 61, 600)]
        assert [one == due for one in told] == [False, True, True, True, True, True]
        assert next_due(daily, zone, due.at - MINUTE) == due


@settings(deadline=None)
@given(zones, days, times)
def test_a_time_that_a_day_has_is_what_the_clock_shows(zone: ZoneInfo, day: date, at: time):
    """And one it has not is passed over by the clock within the jump."""
    shown = instant_of(day, at, zone).astimezone(zone)
    if (shown.date(), shown.time()) == (day, at):
        assert shown.fold == 0, "of two, the first"
        return
    before = instant_of(day, at, zone) - timedelta(days=1)
    jump = shown.replace(tzinfo=None) - datetime.combine(day, at)
    assert timedelta(0) < jump <= timedelta(days=1)
    assert before.astimezone(zone).utcoffset() != shown.utcoffset()


@settings(deadline=None)
@given(zones, days, st.lists(times, min_size=1, max_size=4), st.sets(st.integers(0, 6), min_size=1))
def test_what_is_next_is_later_the_last(zone: ZoneInfo, day: date, at: list[time], weekdays: set[int]):
    daily = Daily(tuple(at), frozenset(weekdays))
    now = datetime.combine(day, time(12), UTC)
    following = next_due(daily, zone, now)
    assert following is not None
    assert following.at > now
    assert last_due(daily, zone, following.at) == following
    before = last_due(daily, zone, following.at - MINUTE)
    assert before is not None
    assert before.at <= now


def test_chicago_in_words():
    at_half_past_two = Daily((time(2, 30),))
    spring = dues(at_half_past_two, CHICAGO, date(2026, 3, 7), date(2026, 3, 9))
    assert [due.at for due in spring] == [
        utc("2026-03-07 08:30"),
        utc("2026-03-08 08:30"),
        utc("2026-03-09 07:30"),
    ]
    autumn = dues(Daily((time(1, 30),)), CHICAGO, date(2026, 10, 31), date(2026, 11, 2))
    assert [due.at for due in autumn] == [
        utc("2026-10-31 06:30"),
        utc("2026-11-01 06:30"),
        utc("2026-11-02 07:30"),
    ]


def test_two_times_that_fall_together_are_one():
    both = dues(Daily((time(2, 30), time(3, 30))), CHICAGO, date(2026, 3, 8), date(2026, 3, 8))
    assert [due.name for due in both] == ["2026-03-08T03:30"]


def test_a_day_that_a_zone_left_out_is_not_due():
    found = dues(Daily((time(2, 0),)), SAMOA, date(2011, 12, 29), date(2011, 12, 31))
    assert [due.name for due in found] == ["2011-12-29T02:00", "2011-12-31T02:00"]


def test_only_on_its_weekdays():
    weekdays = dues(Daily((time(2, 0),), frozenset({0, 4})), CHICAGO, date(2026, 11, 1), date(2026, 11, 14))
    assert [due.name[:10] for due in weekdays] == ["2026-11-02", "2026-11-06", "2026-11-09", "2026-11-13"]


def test_without_times_nothing_is_due():
    assert last_due(Daily(()), CHICAGO, utc("2026-11-01")) is None
    assert next_due(Daily((), ALL_WEEK), CHICAGO, utc("2026-11-01")) is None


JUNE = Days(date(2026, 6, 1), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("spans", "day", "end"),
    [
        ([JUNE], date(2026, 5, 31), None),
        ([JUNE], date(2026, 6, 1), date(2026, 6, 30)),
        ([JUNE], date(2026, 6, 30), date(2026, 6, 30)),
        ([JUNE], date(2026, 7, 1), None),
        ([JUNE, Days(date(2026, 7, 1), date(2026, 7, 9))], date(2026, 6, 3), date(2026, 7, 9)),
        ([Days(date(2026, 7, 2), date(2026, 7, 9)), JUNE], date(2026, 6, 3), date(2026, 6, 30)),
        ([JUNE, Days(date(2026, 6, 5), date(2026, 6, 6))], date(2026, 6, 5), date(2026, 6, 30)),
        ([Days(date(2026, 6, 20), date(2026, 8, 1)), JUNE], date(2026, 6, 1), date(2026, 8, 1)),
    ],
)
def test_a_stretch_ends_where_no_span_goes_on(spans: list[Days], day: date, end: date | None):
    assert stretch_end(spans, day) == end


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=6), st.integers(0, 50))
def test_a_stretch_is_all_days_in_a_row(numbers: list[tuple[int, int]], number: int):
    zero = date(2026, 6, 1)
    spans = [Days(zero + timedelta(first), zero + timedelta(first + length)) for first, length in numbers]
    covered = {first + n for first, length in numbers for n in range(length + 1)}
    end = stretch_end(spans, zero + timedelta(number))
    if number not in covered:
        assert end is None
        return
    last = next(n for n in range(number, 60) if n + 1 not in covered)
    assert end == zero + timedelta(last)


def test_a_complete_delivery_makes_the_earlier_ones_needless():
    full, changes = {"users": "bulk", "orgs": "bulk"}, {"users": "delta"}
    assert supersedes(full, changes)
    assert supersedes(full, full)
    assert not supersedes({"users": "bulk"}, full)
    assert not supersedes(changes, changes)


@pytest.mark.parametrize(
    ("line", "needed"),
    [("", []), ("b", [0]), ("bbb", [2]), ("bdd", [0, 1, 2]), ("ddb", [2]), ("bdbd", [2, 3])],
)
def test_what_is_still_needed_of_a_line(line: str, needed: list[int]):
    words = {"b": {"users": "bulk"}, "d": {"users": "delta"}}
    assert still_needed([words[one] for one in line]) == needed
