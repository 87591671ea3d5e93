"""The calendar as it is shown: schedules, next starts and days in words, by the district's clock."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.imports import Badge
from rollbook.console.words import COLLECTIONS
from rollbook.engine.calendar import Due
from rollbook.engine.succession import CHANGES, COMPLETE
from rollbook.flows.spans import ADDITIONS, BLACKOUT, kept_of, spans_of, today_of
from rollbook.flows.timetable import Planned
from rollbook.store.models import District, Plan, Schedule, Span

KINDS = {
    BLACKOUT.value: (gettext_lazy("Blackout"), "stop"),
    ADDITIONS.value: (gettext_lazy("Additions only"), "plus"),
}
MEANINGS = {
    BLACKOUT.value: gettext_lazy(
        "Deliveries are kept and not applied. The newest is imported by itself when the blackout is over."
    ),
    ADDITIONS.value: gettext_lazy(
        "What comes and what changes is applied; nobody and nothing is removed until the range is over."
    ),
}


@dataclass(frozen=True)
class Days:
    """A span as it is listed. `state` says whether it is ahead, on, over or removed."""

    span: Span
    kind: Any
    icon: str
    words: str
    whose: Any
    state: Badge
    meaning: Any
    kept: int = 0


def schedule_words(schedule: Schedule) -> str:
    """“Every day at 02:30”, “Monday, Thursday at 02:30 and 14:00”."""
    days = schedule.weekdays
    if len(days) == 7:
        when = _("Every day")
    elif days == [0, 1, 2, 3, 4]:
        when = _("Monday to Friday")
    else:
        when = ", ".join(str(WEEKDAYS[day]) for day in days)
    times = (
        _(" and ").join([", ".join(schedule.times[:-1]), schedule.times[-1]])
        if schedule.times[1:]
        else schedule.times[0]
    )
    return _("%(days)s at %(times)s") % {"days": when, "times": times}


def next_words(due: Due, now: datetime) -> str:
    """“today at 02:30”, “tomorrow at 02:30”, “on Monday, 2 March 2026 at 02:30”; in the zone that is active."""
    local, today = timezone.localtime(due.at), timezone.localtime(now).date()
    time = local.strftime("%H:%M")
    if local.date() == today:
        return _("today at %(time)s") % {"time": time}
    if local.date() == today + timedelta(1):
        return _("tomorrow at %(time)s") % {"time": time}
    return _("on %(day)s at %(time)s") % {"day": day_words(local.date()), "time": time}


def wait_words(due: Due, now: datetime) -> str:
    """How long it is until then, in the two largest units."""
    minutes = max(1, round((due.at - now.astimezone(UTC)).total_seconds() / 60))
    days, hours = divmod(minutes, 24 * 60)
    hours, minutes = divmod(hours, 60)
    if days:
        return _("in %(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("in %(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("in %(minutes)s min") % {"minutes": minutes}


def day_words(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]}, {date_format(day, 'DATE_FORMAT')}"


def shown_plan(planned: Planned, now: datetime) -> dict[str, Any]:
    """One connection's line."""
    return {
        "planned": planned,
        "schedule": schedule_words(planned.schedule) if planned.schedule else "",
        "next": next_words(planned.next, now) if planned.next else "",
        "wait": wait_words(planned.next, now) if planned.next else "",
    }


def shown_days(span: Span, today: date) -> Days:
    kind, icon = KINDS[span.kind]
    return Days(
        span=span,
        kind=kind,
        icon=icon,
        words=_days_words(span),
        whose=span.connection.name if span.connection else _("All connections"),
        state=_state(span, today),
        meaning=MEANINGS[span.kind],
    )


def in_force_today(district: District) -> list[Days]:
    """What holds today, with how many deliveries are kept."""
    today = today_of(district)
    found = [span for span in spans_of(district) if span.first_day <= today <= span.last_day]
    return [
        replace(shown_days(span, today), kept=kept_of(span).count() if span.kind == BLACKOUT else 0)
        for span in found
    ]


def delivery_words(plan: Plan) -> str:
    """What kind of delivery a plan was made of; empty for what came by no package."""
    modes = set(plan.modes.values())
    if not modes:
        return ""
    if modes == {COMPLETE}:
        return _("Everything: what is not in it counts as removed")
    if modes == {CHANGES}:
        return _("Changes only: what is not in it stays")
    return _("Some files hold everything, some changes only")


def left_out(plan: Plan) -> list[tuple[Any, int]]:
    """By collection, how many removals were left out because deliveries only added."""
    return [(COLLECTIONS.get(collection, collection), number) for collection, number in plan.left_out.items()]


def _days_words(span: Span) -> str:
    first, last = day_words(span.first_day), day_words(span.last_day)
    return first if first == last else f"{first} – {last}"


def _state(span: Span, today: date) -> Badge:
    if span.removed_at:
        return Badge(_("Removed"), "secondary", "trash")
    if span.last_day < today:
        return Badge(_("Over"), "secondary", "check")
    if span.first_day <= today:
        return Badge(_("Now"), "yellow", "clock")
    return Badge(_("Ahead"), "azure", "calendar")


def ahead_and_past(district: District, today: date) -> tuple[list[Days], list[Days]]:
    """What counts from today on, by its days; and what is over or was removed, the latest first."""
    every = Span.objects.filter(district=district).select_related("connection").order_by("first_day", "pk")
    ahead: list[Days] = []
    past: list[Days] = []
    for span in every:
        counts = span.removed_at is None and span.last_day >= today
        (ahead if counts else past).append(shown_days(span, today))
    return ahead, past[::-1]
