"""Comparing on a page: a list of people or a package that somebody brings, held against the roster or a server. Nothing is stored of it,
but for a day what a server was asked for.
"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from rollbook.connectors.oneroster_rest import ONEROSTER_REST
from rollbook.console.access import Act, in_district
from rollbook.console.comparing import shown_comparison
from rollbook.engine.compare import Compared
from rollbook.flows import compare as flow
from rollbook.flows import jobs, uploads
from rollbook.flows.connections import connections_of, find_connection
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District

BY = {
    "sourcedId": gettext_lazy("Id (sourcedId)"),
    "username": gettext_lazy("Username"),
    "identifier": gettext_lazy("Identifier"),
    "email": gettext_lazy("E-mail"),
}


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
            if _asks_server(request, file):
                connection = _connection(request, district)
                asked = jobs.enqueue_comparison(connection, file, brought.name, request.user.email)
                return redirect("question", tenant=district.pk, run_id=asked.pk)
            found = [shown_comparison(one) for one in _compared(request, district, file, folder / "work")]
    except Refusal as refusal:
        about = f" ({refusal})" if isinstance(refusal, flow.NoSuchColumn) else ""
        return _page(request, district, f"{refusal.words}{about}", 422)
    context = {"nav": "imports", "found": found, "name": brought.name}
    return render(request, "console/compared.html", context)


def _compared(request: Any, district: District, file: Path, work: Path) -> list[Compared]:
    by = request.POST.get("by", "")
    if _is_list(request, file):
        return [
            flow.compare_list(file, district, by or "email", work, request.POST.get("column", "").strip())
        ]
    return flow.compare_with_roster(file, _connection(request, district), work)


def _is_list(request: Any, file: Path) -> bool:
    return bool(request.POST.get("by", "")) or flow.is_list(file)


def _asks_server(request: Any, file: Path) -> bool:
    """What another system is asked takes minutes: a worker does it."""
    return request.POST.get("side") == "server" and not _is_list(request, file)


def _connection(request: Any, district: District) -> Connection:
    number = request.POST.get("connection", "")
    return find_connection(int(number) if number.isdecimal() and len(number) < 19 else 0, district)


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
