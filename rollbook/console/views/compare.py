"""Comparing on a page: a list of people or a package that somebody brings, held against the roster or a server. Nothing is stored of it."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from rollbook.connectors.oneroster_rest import ONEROSTER_REST
from rollbook.console.access import Act, in_district
from rollbook.console.imports import Badge
from rollbook.console.words import COLLECTIONS, field_words
from rollbook.engine.compare import Compared
from rollbook.flows import compare as flow
from rollbook.flows import uploads
from rollbook.flows.connections import connections_of, find_connection
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District

LARGEST_FILE = 4_000_000
"""Bytes of a file of what was found that is laid into the page; the command has no such bound."""

MARKS = {
    "matched": (gettext_lazy("in both"), "green", "check"),
    "different": (gettext_lazy("differ"), "orange", "changed"),
    "only-first": (gettext_lazy("only in what you brought"), "azure", "added"),
    "only-second": (gettext_lazy("only on the other side"), "red", "removed"),
    "ambiguous": (gettext_lazy("more than one fits"), "yellow", "warning"),
    "held": (gettext_lazy("on broken lines"), "yellow", "stop"),
}
BY = {
    "sourcedId": gettext_lazy("Id (sourcedId)"),
    "username": gettext_lazy("Username"),
    "identifier": gettext_lazy("Identifier"),
    "email": gettext_lazy("E-mail"),
}


@dataclass(frozen=True)
class Figure:
    """A count; `file` is a data: address of the rows behind it as CSV, empty where there are none or too many."""

    mark: Badge
    file: str
    name: str


@dataclass(frozen=True)
class Shown:
    """One comparison in words."""

    title: Any
    figures: list[Figure]
    fields: list[tuple[Any, int]]
    only_first: str
    only_second: str


@csrf_exempt  # only until the form may be read; `_read` asks for the token
@in_district(Act.COMPARE)
def compare(request: Any, district: District) -> HttpResponse:
    if request.method != "POST":
        return _page(request, district)
    try:
        uploads.refuse_too_large(int(request.META.get("CONTENT_LENGTH") or 0), settings.UPLOAD_LIMIT)
    except Refusal as refusal:
        return _page(request, district, refusal.words, 413)
    request.upload_handlers = [uploads.ToDisk(request)]
    return _read(request, district)


@csrf_protect
def _read(request: Any, district: District) -> HttpResponse:
    try:
        brought = request.FILES.get("file")
        if brought is None or not brought.size:
            raise uploads.NothingSent
        with uploads.workplace() as folder:
            file = folder / Path(brought.name).name
            os.link(brought.path, file)
            found = [_shown(one) for one in _compared(request, district, file, folder / "work")]
    except Refusal as refusal:
        about = f" ({refusal})" if isinstance(refusal, flow.NoSuchColumn) else ""
        return _page(request, district, f"{refusal.words}{about}", 422)
    context = {"nav": "imports", "found": found, "name": brought.name}
    return render(request, "console/compared.html", context)


def _compared(request: Any, district: District, file: Path, work: Path) -> list[Compared]:
    by = request.POST.get("by", "")
    if by or flow.is_list(file):
        return [
            flow.compare_list(file, district, by or "email", work, request.POST.get("column", "").strip())
        ]
    number = request.POST.get("connection", "")
    connection = find_connection(int(number) if number.isdecimal() and len(number) < 19 else 0, district)
    if request.POST.get("side") == "server":
        return flow.compare_with_connection(file, connection, work, lambda words: None)
    return flow.compare_with_roster(file, connection, work)


def _shown(found: Compared) -> Shown:
    figures = []
    for outcome, (words, colour, icon) in MARKS.items():
        if found.counts[outcome]:
            file = found.files.get(outcome)
            figures.append(
                Figure(
                    Badge(words, colour, icon, found.counts[outcome]),
                    _as_data(file),
                    file.name if file else "",
                )
            )
    return Shown(
        COLLECTIONS["users"] if found.title == "people" else COLLECTIONS[found.title],
        figures,
        [(field_words(name), number) for name, number in found.fields.items()],
        ", ".join(found.columns_first),
        ", ".join(found.columns_second),
    )


def _as_data(file: Path | None) -> str:
    if file is None or file.stat().st_size > LARGEST_FILE:
        return ""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(file.read_bytes()).decode()


def _page(request: Any, district: District, wrong: str = "", status: int = 200) -> HttpResponse:
    own = connections_of(district)
    asked = request.POST if status == 422 else {}
    context = {
        "nav": "imports",
        "connections": own,
        "servers": [one for one in own if _is_server(one)],
        "keys": BY.items(),
        "asked": asked,
        "largest": _("at most %(size)s MB") % {"size": settings.UPLOAD_LIMIT // 1_000_000},
        "wrong": wrong,
    }
    return render(request, "console/compare.html", context, status=status)


def _is_server(connection: Connection) -> bool:
    return connection.kind == ONEROSTER_REST.kind and connection.enabled
