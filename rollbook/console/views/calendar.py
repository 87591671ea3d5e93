"""The calendar of a district: when its connections are asked, blackouts, days of additions only; and the schedule of one connection."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS as DAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.calendar import KINDS, MEANINGS, ahead_and_past, next_words, schedule_words, shown_plan
from rollbook.flows import spans, timetable
from rollbook.flows.connections import KINDS as CONNECTORS
from rollbook.flows.connections import NoSuchConnection, find_connection
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Run

TIMES = 4
"""Boxes for times of the day; the command line takes more."""


@in_district(Act.MANAGE_CALENDAR)
def show_calendar(request: HttpRequest, district: District) -> HttpResponse:
    return _page(request, district)


@require_POST
@in_district(Act.MANAGE_CALENDAR)
def add_span(request: Any, district: District) -> HttpResponse:
    filled = request.POST
    try:
        connection = (
            find_connection(int(filled["connection"]), district)
            if filled.get("connection", "").isdecimal()
            else None
        )
        span = spans.add_span(
            district, _kind(filled.get("kind", "")), _day(filled.get("first", "")), _day(filled.get("last", "")), request.user.email,
            connection=connection, why=filled.get("why", ""),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, district, refusal.words)
    messages.success(request, _("Put into the calendar: %(kind)s.") % {"kind": KINDS[span.kind][0]})
    return redirect("calendar", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_CALENDAR)
def remove_span(request: Any, district: District, span_id: int) -> HttpResponse:
    try:
        spans.remove_span(spans.find_span(district, span_id), request.user.email)
    except spans.NoSuchSpan as refusal:
        raise Http404 from refusal
    messages.success(request, _("It no longer counts. Who removed it stays known."))
    return redirect("calendar", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_CALENDAR)
def import_kept(request: Any, district: District, run_id: int) -> HttpResponse:
    kept = Run.objects.filter(pk=run_id, district=district).first()
    if kept is None:
        raise Http404
    try:
        run = timetable.import_kept(kept, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run_id)
    messages.info(request, _("The import goes on if you leave this page."))
    return redirect("import", tenant=district.pk, run_id=run.pk)


@in_district(Act.MANAGE_CALENDAR)
def show_schedule(request: Any, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    if request.method != "POST":
        return _schedule_page(request, connection)
    if "clear" in request.POST:
        timetable.clear_schedule(connection)
        messages.success(request, _("It is no longer asked by itself."))
        return redirect("calendar", tenant=district.pk)
    try:
        schedule = timetable.set_schedule(
            connection, request.POST.getlist("time"), request.POST.getlist("weekday"), request.user.email
        )
    except Refusal as refusal:
        return _schedule_page(request, connection, refusal.words)
    now = timezone.now()
    due = timetable.next_start(schedule, now)
    when = _(" Next: %(when)s.") % {"when": next_words(due, now)} if due else ""
    messages.success(request, f"{schedule_words(schedule)}.{when}")
    return redirect("calendar", tenant=district.pk)


def _page(request: Any, district: District, wrong: str = "") -> HttpResponse:
    now = timezone.now()
    ahead, past = ahead_and_past(district, spans.today_of(district, now))
    context = {
        "nav": "calendar",
        "now": now,
        "lines": [shown_plan(planned, now) for planned in timetable.timetable(district, now)],
        "can_fetch": [kind for kind, connector in CONNECTORS.items() if connector.fetch],
        "ahead": ahead,
        "past": past,
        "kinds": [(kind, words, MEANINGS[kind]) for kind, (words, icon) in KINDS.items()],
        "filled": request.POST,
        "wrong": wrong,
    }
    return render(request, "console/calendar.html", context, status=422 if wrong else 200)


def _schedule_page(request: Any, connection: Connection, wrong: str = "") -> HttpResponse:
    schedule = timetable.schedule_of(connection)
    times = request.POST.getlist("time") or (schedule.times if schedule else ["02:30"])
    chosen = request.POST.getlist("weekday") or [
        timetable.WEEKDAYS[day] for day in (schedule.weekdays if schedule else range(7))
    ]
    context = {
        "nav": "calendar",
        "connection": connection,
        "schedule": schedule,
        "times": [*times, *[""] * max(1, TIMES - len(times))][: max(TIMES, len(times))],
        "weekdays": [(name, DAYS[day], name in chosen) for day, name in enumerate(timetable.WEEKDAYS)],
        "can_fetch": CONNECTORS[connection.kind].fetch is not None,
        "wrong": wrong,
    }
    return render(request, "console/schedule.html", context, status=422 if wrong else 200)


def _kind(text: str) -> str:
    if text not in KINDS:
        raise spans.NoSuchSpan(text)
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise spans.BadDays(text) from fault


def _connection_or_404(district: District, connection_id: int) -> Connection:
    try:
        return find_connection(connection_id, district)
    except NoSuchConnection as refusal:
        raise Http404 from refusal
