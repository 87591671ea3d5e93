"""The ways in of a district: the list, adding one by its kind, its settings, its test, its own runs."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.connectors.contract import Connector
from rollbook.console.access import Act, in_district
from rollbook.console.imports import ImportRun, imports_of, shown
from rollbook.flows import connections, jobs
from rollbook.flows.overdue import overdue
from rollbook.flows.spans import blackout_end, today_of
from rollbook.flows.timetable import schedule_of
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District

RUNS = 10


@dataclass(frozen=True)
class Line:
    """A connection as it is listed."""

    connection: Connection
    kind: str
    last: ImportRun | None
    is_late: bool


@dataclass(frozen=True)
class Field:
    """One setting to be filled in; `kept` says that a secret is known already."""

    name: str
    title: str
    meaning: str
    value: str
    required: bool
    secret: bool
    lines: bool
    choices: tuple[str, ...]
    kept: bool


@in_district(Act.MANAGE_CONNECTIONS)
def show_connections(request: HttpRequest, district: District) -> HttpResponse:
    late = {one.connection.pk for one in overdue(district.pk, timezone.now())}
    lines = []
    for one in connections.connections_of(district):
        last = imports_of(district).filter(connection=one).first()
        lines.append(
            Line(one, connections.KINDS[one.kind].title, shown(last) if last else None, one.pk in late)
        )
    context = {"nav": "connections", "lines": lines, "kinds": connections.ADDED.values()}
    return render(request, "console/connections.html", context)


@in_district(Act.MANAGE_CONNECTIONS)
def add_connection(request: HttpRequest, district: District, kind: str) -> HttpResponse:
    connector = connections.ADDED.get(kind)
    if connector is None:
        raise Http404
    draft = Connection(district=district, kind=kind, name=connector.title)
    if request.method != "POST":
        return _page(request, draft, connector, "")
    try:
        made = connections.add_connection(
            district, kind, request.POST.get("name", ""), _filled(request, connector),
            prefix=request.POST.get("prefix", ""), expected_every_hours=_hours(request),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, draft, connector, refusal.words)
    messages.success(request, _("The connection was added. Test it before the first night."))
    return redirect("connection", tenant=district.pk, connection_id=made.pk)


@in_district(Act.MANAGE_CONNECTIONS)
def show_connection(request: HttpRequest, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    connector = connections.KINDS[connection.kind]
    if request.method != "POST":
        return _page(request, connection, connector, "")
    try:
        connections.edit_connection(
            connection, _filled(request, connector),
            name=request.POST.get("name", ""), prefix=request.POST.get("prefix", ""),
            enabled="enabled" in request.POST, expected_every_hours=_hours(request),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, connection, connector, refusal.words)
    messages.success(request, _("The connection was changed."))
    return redirect("connection", tenant=district.pk, connection_id=connection.pk)


@in_district(Act.MANAGE_CONNECTIONS)
def change_way(request: HttpRequest, district: District, connection_id: int, kind: str) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    connector = connections.ADDED.get(kind)
    if connector is None:
        raise Http404
    if request.method != "POST":
        return _way_page(request, connection, connector, "")
    try:
        connections.change_way(connection, kind, _filled(request, connector))
    except Refusal as refusal:
        return _way_page(request, connection, connector, refusal.words)
    messages.success(request, _("Its deliveries come this way from now on. Test it before the next night."))
    return redirect("connection", tenant=district.pk, connection_id=connection.pk)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def test_connection(request: HttpRequest, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    try:
        tested, wrong = connections.test_connection(connection), ""
    except Refusal as refusal:
        tested, wrong = [], refusal.words
    return _page(request, connection, connections.KINDS[connection.kind], wrong, tested)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def run_connection(request: Any, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    try:
        run = jobs.enqueue_fetch(
            connection,
            request.user.email,
            only_preview="preview" in request.POST,
            despite_blackout="despite" in request.POST,
        )
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("connection", tenant=district.pk, connection_id=connection.pk)
    messages.info(request, _("The import goes on if you leave this page."))
    return redirect("import", tenant=district.pk, run_id=run.pk)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def remove_connection(request: HttpRequest, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    try:
        connections.remove_connection(connection)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("connection", tenant=district.pk, connection_id=connection_id)
    messages.success(request, _("The connection was removed."))
    return redirect("connections", tenant=district.pk)


def _page(
    request: HttpRequest,
    connection: Connection,
    connector: Connector,
    wrong: str,
    tested: list[str] | None = None,
) -> HttpResponse:
    is_kept = connection.pk is not None
    runs = imports_of(connection.district).filter(connection=connection)[:RUNS] if is_kept else []
    context = {
        "nav": "connections",
        "connection": connection,
        "connector": connector,
        "fields": [_field(request, connection, option) for option in connector.options],
        "name": request.POST.get("name", connection.name),
        "prefix": request.POST.get("prefix", connection.prefix),
        "every": request.POST.get("every", connection.expected_every_hours or ""),
        "runs": [shown(run) for run in runs],
        "wrong": wrong,
        "tested": tested,
        "can_fetch": connector.fetch is not None,
        "other_ways": [way for way in connections.ADDED.values() if way.kind != connector.kind],
        "blackout": blackout_end(connection, today_of(connection.district)) if is_kept else None,
    }
    return render(
        request, "console/connection.html", context, status=422 if wrong and tested is None else 200
    )


def _way_page(request: HttpRequest, connection: Connection, connector: Connector, wrong: str) -> HttpResponse:
    """The settings of a way that a connection does not come by yet, as they are filled in."""
    draft = Connection(district=connection.district, kind=connector.kind)
    context = {
        "nav": "connections",
        "connection": connection,
        "connector": connector,
        "was": connections.KINDS[connection.kind],
        "fields": [_field(request, draft, option) for option in connector.options],
        "wrong": wrong,
        "loses_schedule": connector.fetch is None and schedule_of(connection) is not None,
    }
    return render(request, "console/connection_way.html", context, status=422 if wrong else 200)


def _field(request: HttpRequest, connection: Connection, option: Any) -> Field:
    kept = connection.settings.get(option.name, option.default)
    text = "\n".join(map(str, kept)) if isinstance(kept, list) else _word(kept)
    return Field(
        name=option.name,
        title=option.title,
        meaning=option.meaning,
        value="" if option.secret else request.POST.get(option.name, text),
        required=option.required,
        secret=option.secret,
        lines=option.lines,
        choices=option.choices,
        kept=option.secret
        and any(name.startswith(option.name) for name in connections.secrets_of(connection)),
    )


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _filled(request: HttpRequest, connector: Connector) -> dict[str, str]:
    return {option.name: request.POST.get(option.name, "") for option in connector.options}


def _hours(request: HttpRequest) -> int | None:
    text = request.POST.get("every", "").strip()
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


def _connection_or_404(district: District, connection_id: int) -> Connection:
    try:
        return connections.find_connection(connection_id, district)
    except connections.NoSuchConnection as refusal:
        raise Http404 from refusal
