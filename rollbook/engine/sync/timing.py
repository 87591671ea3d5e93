"""Timing: when a sync falls due by the organization's clock. Every way of saying it, from each night to a line of cron, is one pattern.

A time that a day does not have, or has twice, is read as `engine.calendar` reads it. `now` is passed in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rollbook.engine.calendar import Due, instant_of, local_day

BY_HAND, NIGHT, WEEK, MONTH, CRON = "by-hand", "night", "week", "month", "cron"

LOOKED_AT = 366 * 8 + 2
"""Days to either side in which every pattern falls due that ever does: 29 February may be eight years away."""

MOST_A_DAY = 24
"""So often a sync runs by itself in a day at most: a whole read is work for the source too."""

NAMES = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
FIELDS = ("the minute", "the hour", "the day of the month", "the month", "the weekday")


@dataclass(frozen=True)
class Pattern:
    """Times of the day, and the days they are due on. Monday is weekday 0. Where both days and weekdays are narrowed, either is enough."""

    times: tuple[time, ...]
    days: frozenset[int] = frozenset(range(1, 32))
    months: frozenset[int] = frozenset(range(1, 13))
    weekdays: frozenset[int] = frozenset(range(7))
    either: bool = False

    def falls_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.weekday() in self.weekdays
        return by_day or by_weekday if self.either else by_day and by_weekday


def pattern_of(every: str, at: str, weekday: int, day: int, cron: str) -> Pattern | None:
    """The settings of the section `timing` as a pattern; None where it runs by hand only. Raises ValueError, which names the setting."""
    if every == BY_HAND:
        return None
    if every == CRON:
        return cron_pattern(cron)
    times = (_time(at),)
    if every == WEEK:
        if not 0 <= weekday <= 6:
            raise ValueError("timing.weekday is 0 (Monday) to 6 (Sunday).")
        return Pattern(times, weekdays=frozenset({weekday}))
    if every == MONTH:
        if not 1 <= day <= 28:
            raise ValueError("timing.day is 1 to 28, which every month has.")
        return Pattern(times, days=frozenset({day}))
    return Pattern(times)


def cron_pattern(text: str) -> Pattern:
    """A line of cron: minute, hour, day of the month, month, weekday; with *, ranges, lists, steps and English names of months and days.

    Raises ValueError.
    """
    fields = text.split()
    if len(fields) != len(RANGES):
        raise ValueError(f"timing.cron has five fields, such as “30 2 * * mon-fri”; this has {len(fields)}.")
    minutes, hours, days, months, weekdays = (_field(place, one) for place, one in enumerate(fields))
    times = tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes))
    if len(times) > MOST_A_DAY:
        raise ValueError(f"timing.cron is due {len(times)} times a day; at most {MOST_A_DAY} are.")
    pattern = Pattern(
        times,
        days,
        months,
        frozenset((one - 1) % 7 for one in weekdays),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    if not any(pattern.falls_on(date(2024, 1, 1) + timedelta(one)) for one in range(LOOKED_AT)):
        raise ValueError("timing.cron is never due: no month has such a day.")
    return pattern


def last_due(pattern: Pattern, zone: ZoneInfo, now: datetime, since: datetime) -> Due | None:
    """The latest moment after `since` and up to `now`; None where there was none."""
    day, first = local_day(now, zone) + timedelta(1), local_day(since, zone) - timedelta(1)
    while day >= first:
        past = [due for due in _dues(pattern, zone, day) if since < due.at <= now]
        if past:
            return max(past)
        day -= timedelta(1)
    return None


def next_due(pattern: Pattern, zone: ZoneInfo, now: datetime) -> Due | None:
    """The first moment after `now`."""
    day = local_day(now, zone) - timedelta(1)
    for _ in range(LOOKED_AT):
        ahead = [due for due in _dues(pattern, zone, day) if due.at > now]
        if ahead:
            return min(ahead)
        day += timedelta(1)
    return None


def _dues(pattern: Pattern, zone: ZoneInfo, day: date) -> Iterator[Due]:
    """Those of one day. Two that fall together (02:30 into 03:30, where the clock jumps) are one, under the later name."""
    if not pattern.falls_on(day):
        return
    found: dict[datetime, Due] = {}
    for at in pattern.times:
        moment = instant_of(day, at, zone)
        found[moment] = Due(moment, f"{day.isoformat()}T{at:%H:%M}")
    yield from found.values()


def _time(text: str) -> time:
    hour, colon, minute = text.partition(":")
    is_time = bool(colon) and hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and len(hour) <= 2
    if not is_time or int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"timing.at is “{text}”: write a time of the day such as 02:30.")
    return time(int(hour), int(minute))


def _field(place: int, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and 0 < int(step) <= 59):
            raise ValueError(f"timing.cron: “{part}” is no step of {FIELDS[place]}.")
        found |= set(_span(place, span, bool(slash))[:: int(step or 1)])
    return frozenset(found)


def _span(place: int, text: str, is_stepped: bool) -> range:
    lowest, highest = RANGES[place]
    if text == "*":
        return range(lowest, highest + (1 if place != 4 else 0))
    first, dash, last = text.partition("-")
    begin = _number(place, first)
    end = _number(place, last) if dash else highest if is_stepped else begin
    if place == 4 and dash and end < begin and end == 0:
        end = 7  # fri-sun
    if end < begin:
        raise ValueError(f"timing.cron: “{text}” of {FIELDS[place]} ends before it begins.")
    return range(begin, end + 1)


def _number(place: int, text: str) -> int:
    names = NAMES.get(place, ())
    if text.lower() in names:
        return names.index(text.lower()) + (1 if place == 3 else 0)
    lowest, highest = RANGES[place]
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise ValueError(f"timing.cron: “{text}” is not {FIELDS[place]} ({lowest} to {highest}).")
    return int(text)
