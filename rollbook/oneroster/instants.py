"""Dates and date-times as clients write them, read into what can be compared. No clock."""

import re
from datetime import date

MICROSECONDS = 1_000_000
DAY = 86_400

# A "+" that a form decoder took for a space may stand before the offset.
DATE_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?P<offset>[Zz]|[+\- ][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def instant(text: str) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 date or date-time; finer parts are cut off.

    A date is its midnight UTC; a time without an offset is UTC. Raises ValueError when `text` is neither.
    """
    found = DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    days = date.fromisoformat(found["date"]).toordinal() - date(1970, 1, 1).toordinal()
    clock = _clock(found["hour"], found["minute"], found["second"])
    fraction = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    return (days * DAY + clock - _offset(found["offset"])) * MICROSECONDS + fraction


def day(text: str) -> str:
    """The date `YYYY-MM-DD` of an ISO 8601 date, or of a date-time in UTC. Raises ValueError when `text` is neither."""
    days = instant(text) // MICROSECONDS // DAY + date(1970, 1, 1).toordinal()
    try:
        return date.fromordinal(days).isoformat()
    except OverflowError as fault:
        raise ValueError(text) from fault


def _clock(hour: str | None, minute: str | None, second: str | None) -> int:
    """Seconds since midnight; second 60 is a leap second."""
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        raise ValueError(f"{hour}:{minute}:{second}")
    return hours * 3600 + minutes * 60 + seconds


def _offset(text: str | None) -> int:
    """Seconds east of UTC."""
    if text is None or text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    return (-1 if text[0] == "-" else 1) * (hours * 3600 + minutes * 60)
