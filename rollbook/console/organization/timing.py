"""Auto-sync: when a sync begins by itself, by the organization's clock, and the days on which it changes nothing or removes nothing."""

import re
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page
from rollbook.console.organization.stating import timing_words
from rollbook.engine.sync.policy import BadPolicy
from rollbook.engine.sync.timing import BY_HAND, CRON, MONTH, NIGHT, WEEK
from rollbook.flows import directory
from rollbook.flows.districts import UnknownTimeZone
from rollbook.flows.sync import connections, schedule, spans
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncSpan

EVERY: dict[str, tuple[Any, Any]] = {
    NIGHT: (gettext_lazy("Every night"), gettext_lazy("Once a day, at the time below.")),
    WEEK: (gettext_lazy("Every week"), gettext_lazy("On one day of the week.")),
    MONTH: (gettext_lazy("Every month"), gettext_lazy("On one day of the month.")),
    CRON: (
        gettext_lazy("By a calendar expression"),
        gettext_lazy("Five fields as cron has them, for times that the others cannot say."),
    ),
    BY_HAND: (gettext_lazy("Off"), gettext_lazy("It begins only when somebody clicks Sync now.")),
}
"""The ways of beginning by itself, each with its words."""

ASKED = {NIGHT: ("at",), WEEK: ("at", "weekday"), MONTH: ("at", "day"), CRON: ("cron",)}
"""Which fields each way needs; what it does not need stays as it is."""

WRONG = {
    "at": gettext_lazy("Write a time of the day, such as 02:30."),
    "weekday": gettext_lazy("Choose a day of the week."),
    "day": gettext_lazy("Write a day from 1 to 28, which every month has."),
    "every": gettext_lazy("Choose how often it begins."),
}
SPANS: dict[str, tuple[Any, Any]] = {
    spans.BLACKOUT.value: (
        gettext_lazy("Blackout"),
        gettext_lazy("Nothing is changed on these days. What was due is made up for once, afterwards."),
    ),
    spans.ADDITIONS.value: (
        gettext_lazy("Additions only"),
        gettext_lazy("People and classes come in and change; nobody and nothing is removed."),
    ),
}
NAMED = re.compile(r"timing\.(\w+)")


@in_organization(Act.SEE_ROSTERING)
@changing
def show_auto(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    if request.method != "POST":
        return _page(request, connection)
    try:
        connections.edit(connection, {}, {"timing": _filled(request)})
    except BadPolicy as refusal:
        return _page(request, connection, _beside(refusal.words))
    times = timing_words(connections.policy_of(connection).timing)
    messages.success(request, _("Auto-sync is set: %(times)s.") % {"times": times})
    return _back(connection)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def set_zone(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        directory.edit_organization(organization, time_zone=request.POST.get("zone", "").strip())
    except UnknownTimeZone as refusal:
        return _page(request, connection, {"zone": refusal.words})
    messages.success(request, _("The clock of your organization is set."))
    return _back(connection)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def add_days(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    sent = request.POST
    first, last = _day(sent.get("first", "")), _day(sent.get("last", ""))
    if first is None or last is None:
        return _page(request, connection, {"last" if first else "first": _("Choose a day.")})
    try:
        spans.add_span(connection, sent.get("kind", ""), first, last, request.user.email, sent.get("why", ""))
    except spans.BadSyncDays as refusal:
        return _page(request, connection, {"last": refusal.words})
    messages.success(request, _("These days are in the calendar."))
    return _back(connection)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def remove_days(request: Any, organization: Organization, connection_id: int, days_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        spans.remove_span(connection, days_id, request.user.email)
    except Refusal as refusal:
        raise Http404 from refusal
    messages.success(request, _("They are days like any other again. Who removed them stays known."))
    return _back(connection)


def _back(connection: SyncConnection) -> HttpResponse:
    return redirect("sync-auto", organization_id=connection.organization_id, connection_id=connection.pk)


def _filled(request: HttpRequest) -> dict[str, Any]:
    """What was chosen, as the settings have it. What is no number stays a text, and is refused as one."""
    sent = request.POST
    every = sent.get("every", "")
    found: dict[str, Any] = {"every": every}
    for name in ASKED.get(every, ()):
        text = sent.get(name, "").strip()
        is_number = name in ("weekday", "day") and text.isascii() and text.isdecimal() and len(text) < 6
        found[name] = int(text) if is_number else text
    return found


def _beside(words: str) -> dict[str, Any]:
    """The field that the words are about, with words for people who see it."""
    found = NAMED.match(words)
    name = found.group(1) if found else "every"
    if name == "cron":
        return {name: _("The expression") + words.removeprefix("timing.cron")}
    return {name: WRONG.get(name, words)}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _page(
    request: HttpRequest, connection: SyncConnection, wrong: dict[str, Any] | None = None
) -> HttpResponse:
    now = timezone.now()
    times = connections.policy_of(connection).timing
    kept = {name: str(getattr(times, name)) for name in ("every", "at", "weekday", "day", "cron")}
    sent = request.POST.dict() if wrong else {}
    context = {
        "now": now,
        "times": timing_words(times),
        "every": [(name, words, meaning) for name, (words, meaning) in EVERY.items()],
        "filled": kept | {"zone": connection.organization.time_zone, "kind": "blackout"} | sent,
        "weekdays": [(str(number), words) for number, words in WEEKDAYS.items()],
        "zones": directory.time_zones(),
        "starts": schedule.next_starts(connection, now),
        "kinds": [(name, words, meaning) for name, (words, meaning) in SPANS.items()],
        **_days(connection, now),
        "wrong": wrong or {},
    }
    return rostering_page(
        request, connection, "sync-auto", "organization/auto.html", context, status=422 if wrong else 200
    )


def _days(connection: SyncConnection, now: Any) -> dict[str, list[dict[str, Any]]]:
    today = timezone.localdate(now)
    every = SyncSpan.objects.filter(connection=connection).order_by("first_day", "pk")
    ahead: list[dict[str, Any]] = []
    past: list[dict[str, Any]] = []
    for span in every:
        counts = span.removed_at is None and span.last_day >= today
        is_on = counts and span.first_day <= today
        told = {"span": span, "words": SPANS[span.kind][0], "is_on": is_on}
        (ahead if counts else past).append(told)
    return {"ahead": ahead, "past": past[::-1][:20]}
