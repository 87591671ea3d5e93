"""Days and moments as the reader writes them, in the zone in force (the district's on its pages). What is no date stays as it is."""

import re
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from rollbook.oneroster.collections import COLLECTION

DAY_FIELDS = frozenset(
    field.name for collection in COLLECTION.values() for field in collection.fields if field.type == "date"
)
"""Fields of the standard that hold a day."""

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
WRITTEN = re.compile(
    r"(?<![\w/.:+-])(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z| UTC|[+-]\d\d:\d\d))?(?![\w/:+-]|\.\w)"
)
"""A day, or a moment with its zone, that stands by itself: not in the name of a file, an id or an address."""


def day(value: str | date | None) -> str:
    """A stored day as the reader writes days."""
    text = str(value or "")
    try:
        return date_format(date.fromisoformat(text), "DATE_FORMAT") if ISO_DAY.fullmatch(text) else text
    except ValueError:
        return text


def moment_text(at: datetime) -> str:
    """A moment in the zone in force. The long form: short ones read as two different days in two countries."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def dated(sentence: str | None) -> str:
    """A sentence of ours with its days and moments as the reader writes them. Not for values that were delivered, nor for what to type."""
    return WRITTEN.sub(_written, sentence or "")


def _written(found: re.Match[str]) -> str:
    iso, time, zone = found.groups()
    if not time:
        return day(iso)
    try:
        return moment_text(datetime.fromisoformat(f"{iso}T{time}{'Z' if zone == ' UTC' else zone}"))
    except ValueError:
        return found.group()


def days_words(first: str | None, last: str | None) -> str:
    """The days on which something holds, both included; empty where there is neither a beginning nor an end."""
    if first and last:
        return _("from %(first)s to %(last)s") % {"first": day(first), "last": day(last)}
    if first:
        return _("from %(first)s") % {"first": day(first)}
    return _("to %(last)s") % {"last": day(last)} if last else ""
