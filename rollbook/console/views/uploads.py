"""Bringing a package by hand: chosen or dragged into the page, written to disk as it comes, and then a run like any other."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from rollbook.console.access import Act, in_district
from rollbook.console.calendar import in_force_today
from rollbook.flows import uploads
from rollbook.flows.connections import (
    NoSuchConnection,
    SwitchedOff,
    connections_of,
    find_connection,
    upload_of,
)
from rollbook.flows.spans import BLACKOUT
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Run

STATUS: dict[type[Refusal], int] = {uploads.TooLarge: 413, SwitchedOff: 409, uploads.NotForUploads: 409}
"""Else 422."""


@csrf_exempt  # only until the form may be read; `_read` asks for the token
@in_district(Act.MANAGE_CONNECTIONS)
def upload(request: Any, district: District) -> HttpResponse:
    if request.method != "POST":
        return _page(request, district)
    try:
        uploads.refuse_too_large(int(request.META.get("CONTENT_LENGTH") or 0), settings.UPLOAD_LIMIT)
    except Refusal as refusal:
        return _refused(request, district, refusal, is_read=False)
    request.upload_handlers = [uploads.ToDisk(request)]
    return _read(request, district)


@csrf_protect
def _read(request: Any, district: District) -> HttpResponse:
    try:
        run = _started(request, district)
    except Refusal as refusal:
        return _refused(request, district, refusal)
    if _wants_json(request):
        return JsonResponse({"to": reverse("import", kwargs={"tenant": district.pk, "run_id": run.pk})})
    return redirect("import", tenant=district.pk, run_id=run.pk)


def _started(request: Any, district: District) -> Run:
    package = request.FILES.get("package")
    if package is None or not package.size:
        raise uploads.NothingSent
    if package.size > settings.UPLOAD_LIMIT:
        raise uploads.TooLarge(_largest())
    number = request.POST.get("connection", "")
    connection = (
        find_connection(int(number), district)
        if number.isdecimal() and len(number) < 19
        else upload_of(district)
    )
    return uploads.start_upload(
        connection,
        package.path,
        request.user.email,
        only_preview="only_preview" in request.POST,
        despite_blackout="despite" in request.POST,
    )


def _refused(
    request: HttpRequest, district: District, refusal: Refusal, is_read: bool = True
) -> HttpResponse:
    """`is_read` says whether the form may be looked at again: what is too large is not even read."""
    status = STATUS.get(type(refusal), 422)
    words = f"{refusal.words} ({_largest()})" if isinstance(refusal, uploads.TooLarge) else refusal.words
    if _wants_json(request):
        return JsonResponse({"wrong": words}, status=status)
    chosen = request.POST.get("connection", "") if is_read else ""
    return _page(request, district, words, chosen, status)


def _page(
    request: HttpRequest, district: District, wrong: str = "", chosen: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "nav": "imports",
        "connections": [one for one in connections_of(district) if uploads.takes_uploads(one)],
        "chosen": chosen or request.GET.get("connection", "") or _usual(district),
        "limit": settings.UPLOAD_LIMIT,
        "blackouts": [days for days in in_force_today(district) if days.span.kind == BLACKOUT],
        "largest": _largest(),
        "wrong": wrong,
    }
    return render(request, "console/upload.html", context, status=status)


def _usual(district: District) -> str:
    try:
        usual: Connection = upload_of(district)
    except NoSuchConnection:
        return ""  # there is none for uploads: the person chooses
    return str(usual.pk)


def _largest() -> str:
    return _("at most %(size)s MB") % {"size": settings.UPLOAD_LIMIT // 1_000_000}


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"
