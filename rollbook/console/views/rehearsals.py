"""Rehearsals of a district: what a delivery would do on a day to come. Nothing of it is kept but the report."""

from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from rollbook.console.access import Act, in_district
from rollbook.console.rehearsals import shown_report
from rollbook.flows import jobs, rehearsals, uploads
from rollbook.flows.connections import connections_of, find_connection
from rollbook.flows.districts import MANUAL
from rollbook.flows.spans import today_of
from rollbook.refusal import Refusal
from rollbook.store.models import District, Run

LISTED = 20


@csrf_exempt  # only until the form may be read; `_read` asks for the token
@in_district(Act.MANAGE_CALENDAR)
def show_rehearsals(request: Any, district: District) -> HttpResponse:
    if request.method != "POST":
        return _page(request, district)
    try:
        uploads.refuse_too_large(int(request.META.get("CONTENT_LENGTH") or 0), settings.UPLOAD_LIMIT)
    except uploads.TooLarge as refusal:
        return _page(request, district, refusal.words, {}, 413)
    request.upload_handlers = [uploads.ToDisk(request)]
    return _read(request, district)


@in_district(Act.MANAGE_CALENDAR)
def show_rehearsal(request: HttpRequest, district: District, rehearsal_id: int) -> HttpResponse:
    try:
        rehearsal = rehearsals.find_rehearsal(district, rehearsal_id)
    except rehearsals.NoSuchRehearsal as refusal:
        raise Http404 from refusal
    context = {"nav": "calendar", "rehearsal": rehearsal, "report": shown_report(rehearsal)}
    return render(request, "console/rehearsal.html", context)


@csrf_protect
def _read(request: Any, district: District) -> HttpResponse:
    try:
        asked = _asked(request, district)
    except Refusal as refusal:
        return _page(request, district, refusal.words, request.POST, 422)
    return redirect("question", tenant=district.pk, run_id=asked.pk)


def _asked(request: Any, district: District) -> Run:
    """A worker rehearses; the page of the question leads to the report."""
    number = request.POST.get("connection", "")
    connection = find_connection(int(number) if number.isdecimal() and len(number) < 19 else 0, district)
    package = request.FILES.get("package")
    path = Path(package.path) if package is not None and package.size else None
    if path is not None:
        uploads.refuse_no_zip(path)
    on = _day(request.POST.get("on", ""))
    return jobs.enqueue_rehearsal(connection, path, _name(package), on, request.user.email)


def _name(package: Any) -> str:
    return Path(package.name or "").name if package is not None else ""


def _page(
    request: HttpRequest, district: District, wrong: str = "", filled: Any = None, status: int = 200
) -> HttpResponse:
    found = list(rehearsals.rehearsals_of(district)[:LISTED])
    context = {
        "nav": "calendar",
        "connections": [one for one in connections_of(district) if one.kind != MANUAL],
        "listed": [(one, rehearsals.verdict_words(one.report)) for one in found],
        "today": today_of(district).isoformat(),
        "largest": _("at most %(size)s MB") % {"size": settings.UPLOAD_LIMIT // 1_000_000},
        "filled": filled or {},
        "wrong": wrong,
    }
    return render(request, "console/rehearsals.html", context, status=status)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise rehearsals.BadDay(text) from fault
