"""The page where anybody may check a package, without signing in and without scripts; and the catalogue of findings beside it.

Nothing that is sent is kept: it lies on disk while it is judged, and is gone with the answer.
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from rollbook.client_address import client_address
from rollbook.console.findings import Group, Row, chapters, groups_of, kind_of, rows_of
from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.package import NotAPackage
from rollbook.engine.report import csv_of
from rollbook.flows import uploads, validation
from rollbook.refusal import Refusal
from rollbook.store.found import Found

LISTED = 100
STATUS: dict[type[Refusal], int] = {uploads.TooLarge: 413, validation.TooOften: 429, validation.Busy: 503}
"""Else 422."""


@dataclass(frozen=True)
class Verdict:
    """One way of judging, as it is shown. `file` is a data: address of all listed findings as CSV."""

    words: Any
    failed: bool
    groups: list[Group]
    rows: list[Row]
    total: int
    is_all: bool
    file: str
    name: str


def if_switched_on(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Where the setting says no, there is no such page."""

    @wraps(view)
    def asked(request: HttpRequest, **rest: Any) -> HttpResponse:
        if not settings.VALIDATE:
            raise Http404
        return view(request, **rest)

    return asked


@csrf_exempt  # there is no sign-in that a form of somebody else's could make use of
@if_switched_on
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def validate(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    try:
        return _judged(request)
    except Refusal as refusal:
        words = _too_large() if isinstance(refusal, uploads.TooLarge) else refusal.words
        return _page(request, words, STATUS.get(type(refusal), 422))
    except (MultiPartParserError, SuspiciousOperation, OSError):
        return _page(request, uploads.BrokenOff().words, 400)


@if_switched_on
@require_safe
def show_kinds(request: HttpRequest) -> HttpResponse:
    return render(request, "console/open_kinds.html", {"chapters": chapters()})


@if_switched_on
@require_safe
def show_kind(request: HttpRequest, code: str) -> HttpResponse:
    if code not in CATALOGUE:
        raise Http404
    return render(request, "console/open_kind.html", {"kind": kind_of(CATALOGUE[code])})


def _judged(request: Any) -> HttpResponse:
    """Size and turn come first: nothing of the package is read before."""
    uploads.refuse_too_large(int(request.META.get("CONTENT_LENGTH") or 0), settings.VALIDATE_LIMIT)
    validation.take_turn(client_address(request.META) or "", time.time())
    request.upload_handlers = [uploads.ToDisk(request)]
    package = request.FILES.get("package")
    if package is None or not package.size:
        raise uploads.NothingSent
    if package.size > settings.VALIDATE_LIMIT:
        raise uploads.TooLarge
    try:
        judged = validation.judged(package.path)
    except NotAPackage as refusal:
        return _page(request, refusal.words, 422)
    verdicts = [
        _verdict(_("By the letter of the standard"), judged.letter, "by-the-letter"),
        _verdict(_("As an import reads it"), judged.as_import, "as-import"),
    ]
    return render(request, "console/validated.html", {"verdicts": verdicts, "name": package.name})


def _verdict(words: Any, found: Found, name: str) -> Verdict:
    written = "".join(csv_of(found.listed)).encode()
    return Verdict(
        words, found.failed, groups_of(found), rows_of(found.listed[:LISTED]), found.total,
        found.total == len(found.listed[:LISTED]),
        "data:text/csv;charset=utf-8;base64," + base64.b64encode(written).decode(), name,
    )  # fmt: skip


def _page(request: HttpRequest, wrong: str = "", status: int = 200) -> HttpResponse:
    context = {"wrong": wrong, "largest": settings.VALIDATE_LIMIT // 1_000_000}
    return render(request, "console/validate.html", context, status=status)


def _too_large() -> str:
    return _("This package is larger than %(size)s MB, which is the most that is checked here.") % {
        "size": settings.VALIDATE_LIMIT // 1_000_000
    }
