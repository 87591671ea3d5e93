"""The calendar: when a daily schedule falls due by a zone's clock, and which days belong to a stretch of days. `now` is passed in.

A time that a day does not have (the clock is put forward over it) is due as much later as the clock jumps; one that a day has twice is
due the first time: as RFC 5545, 3.3.5, reads local times.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ALL_WEEK = frozenset(range(7))

LOOKED_AT = 9
"""Days to either side in which a schedule falls due at least once: a week, and a day that a zone may have left out."""


@dataclass(frozen=True)
class Daily:
    """Times of the day, without a zone, and the weekdays (Monday is 0) on which they are due."""

    times: tuple[time, ...]
    weekdays: frozenset[int] = ALL_WEEK


@dataclass(frozen=True, order=True)
class Due:
    """One moment at which a schedule is due. `name` is the day and time by the district's clock, "2026-03-08T02:30"."""

    at: datetime
    name: str


@dataclass(frozen=True)
class Days:
    """Days in a row, the first and the last among them."""

    first: date
    last: date


def local_day(now: datetime, zone: ZoneInfo) -> date:
    """Which day it is there."""
    return now.astimezone(zone).date()


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which a clock in `zone` shows `at` on `day`."""
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def dues(daily: Daily, zone: ZoneInfo, first: date, last: date) -> list[Due]:
    """Every due moment of these days, in order. Two that fall together (02:30 into 03:30) are one, under the later name."""
    found: dict[datetime, Due] = {}
    day = first
    while day <= last:
        if day.weekday() in daily.weekdays:
            for at in sorted(daily.times):
                moment = instant_of(day, at, zone)
                found[moment] = Due(moment, f"{day.isoformat()}T{at:%H:%M}")
        day += timedelta(days=1)
    return sorted(found.values())


def last_due(daily: Daily, zone: ZoneInfo, now: datetime) -> Due | None:
    """The latest moment up to `now`; None for a schedule without times or weekdays."""
    day = local_day(now, zone)
    past = [due for due in dues(daily, zone, day - timedelta(LOOKED_AT), day + timedelta(1)) if due.at <= now]
    return past[-1] if past else None


def next_due(daily: Daily, zone: ZoneInfo, now: datetime) -> Due | None:
    """The first moment after `now`; None for a schedule without times or weekdays."""
    day = local_day(now, zone)
    ahead = [due for due in dues(daily, zone, day - timedelta(2), day + timedelta(LOOKED_AT)) if due.at > now]
    return ahead[0] if ahead else None


def stretch_end(spans: Iterable[Days], day: date) -> date | None:
    """The last day of the stretch that `day` lies in, where spans that overlap or follow one another are one; None if it lies in none."""
    end = None
    for span in sorted(spans, key=lambda one: one.first):
        if span.first <= (day if end is None else end + timedelta(1)) and span.last >= (end or day):
            end = span.last
    return end
