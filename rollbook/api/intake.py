"""Where operators' own programs bring packages and look at runs: everything under /api/v1. A token says who asks, and of which district;
below /api/v1/sync it is a key of an organization.

What is refused is answered in one form, a problem of RFC 9457; what is allowed is decided by the flows.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError

from rollbook.api import (
    app_calls,
    approval_calls,
    audit_calls,
    catalogue_calls,
    delivery_calls,
    key_calls,
    look_calls,
    operator_calls,
    partners_calls,
    rate,
    sync_calls,
)
from rollbook.api.intake_routes import ROOT, ROUTES, Route, openapi
from rollbook.api.refusals import NoSuchAddress, TooManyRequests
from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.report import csv_of, masked
from rollbook.flows import uploads
from rollbook.flows.acting import API, acting
from rollbook.flows.connections import NoSuchConnection, SwitchedOff, connections_of, find_connection
from rollbook.flows.notify import import_address
from rollbook.flows.questions import FLOWS as QUESTIONS
from rollbook.flows.roles import NotAllowed, reach_of
from rollbook.flows.tokens import note_use, token_of
from rollbook.refusal import Refusal
from rollbook.store.found import Found, found_by
from rollbook.store.models import OperatorToken, Run

LATEST = 25
FORM = "multipart/form-data"
JSON, PROBLEM = "application/json", "application/problem+json"
log = logging.getLogger(__name__)

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


class NoToken(Refusal):
    """Show a token of this installation that still holds: `Authorization: Bearer rollbook_…`."""


class NoSuchRun(Refusal):
    """There is no such run in the district of this token."""


class NotThisWay(Refusal):
    """This address does not answer this method: Allow says which it does."""


class FormByPut(Refusal):
    """Send a form by POST; by PUT, the body is the zip itself."""


class BadForm(Refusal):
    """The form cannot be read. Send one file in a form of multipart/form-data, or the zip itself as the body."""


STATUS: dict[type[Refusal], int] = {
    NoToken: 401,
    NotAllowed: 403,
    NoSuchAddress: 404,
    NoSuchRun: 404,
    NoSuchConnection: 404,
    NotThisWay: 405,
    uploads.NothingSent: 400,
    uploads.BrokenOff: 400,
    BadForm: 400,
    uploads.NotForUploads: 409,
    SwitchedOff: 409,
    uploads.LengthNeeded: 411,
    uploads.TooLarge: 413,
    FormByPut: 415,
    uploads.NotAZip: 422,
    TooManyRequests: 429,
    **app_calls.STATUS,
    **key_calls.STATUS,
    **delivery_calls.STATUS,
    **catalogue_calls.STATUS,
    **look_calls.STATUS,
    **operator_calls.STATUS,
    **partners_calls.STATUS,
    **approval_calls.STATUS,
    **sync_calls.STATUS,
}


def answer(request: HttpRequest) -> HttpResponseBase:
    """The answer to any request under /api/v1. Never raises: a fault is logged."""
    try:
        return _answer(request)
    except Refusal as refusal:
        return _problem(refusal)
    except Exception:
        # The door of a process that serves others: one request is lost, and its caller is told so.
        log.exception("a fault in %s %s", request.method, ROOT)
        return _said(500, "The fault is ours", "It is in the log of the server. Nothing was changed.")


def _answer(request: HttpRequest) -> HttpResponseBase:
    """Who asks comes before what: a stranger learns nothing but which addresses there are."""
    route, numbers = _route(request)
    if route.is_open:
        return HttpResponse(openapi(settings.PUBLIC_URL), content_type=JSON)
    if route.name in sync_calls.HANDLES:
        return sync_calls.opened(request, route.name, _bearer(request), numbers)
    now = datetime.now(UTC)
    token = token_of(_bearer(request), now)
    if token is None:
        raise NoToken
    rate.take(rate.TOKEN, token.pk)
    if route.act is None or not reach_of(token.account).may(route.act, token.district_id):
        raise NotAllowed
    note_use(token, now)
    with acting(f"{token.account.email} (token {token.pk})", API):
        return HANDLES[route.name](request, token, numbers)


def _route(request: HttpRequest) -> tuple[Route, dict[str, int]]:
    found = [(route, match) for route in ROUTES if (match := route.pattern.fullmatch(request.path_info))]
    if not found:
        raise NoSuchAddress
    for route, match in found:
        if request.method in route.methods:
            return route, {name: int(text) for name, text in match.groupdict().items()}
    raise NotThisWay(", ".join(method for route, _ in found for method in route.methods))


def _bearer(request: HttpRequest) -> str:
    scheme, _, secret = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _connections(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    told = [
        {"id": one.pk, "name": one.name, "kind": one.kind, "enabled": one.enabled}
        for one in connections_of(token.district)
    ]
    return _json({"connections": told})


def _deliver(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    connection = find_connection(numbers["connection"], token.district)
    by = f"{token.account.email} ({token.name})"[:200]
    with _package(request) as package:
        run = uploads.start_upload(connection, package, by, only_preview=request.GET.get("dry_run") == "1")
    log.info("token %s: a package for connection %s, run %s", token.pk, connection.pk, run.pk)
    told = _told(run)
    response = _json(told, 202)
    response["Location"] = told["href"]
    return response


@contextmanager
def _package(request: HttpRequest) -> Iterator[Path]:
    """The package on disk, whichever way it came."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length.isdecimal():
        with uploads.received(_chunks(request), None, settings.UPLOAD_LIMIT) as package:
            yield package
        return
    uploads.refuse_too_large(int(length), settings.UPLOAD_LIMIT)
    if request.content_type != FORM:
        with uploads.received(request.read, int(length), settings.UPLOAD_LIMIT) as package:
            yield package
        return
    if request.method != "POST":
        raise FormByPut
    request.upload_handlers = [uploads.ToDisk(request)]
    try:
        files = list(request.FILES.values())
    except (MultiPartParserError, SuspiciousOperation) as fault:
        raise BadForm from fault
    except OSError as fault:
        raise uploads.BrokenOff from fault
    if len(files) != 1 or not files[0].size:
        raise uploads.NothingSent
    yield files[0].path
    request.close()


def _chunks(request: HttpRequest) -> Callable[[int], bytes]:
    """What reads a body whose length nobody said; Django's own reading stops where the length is. Raises LengthNeeded for a form."""
    environ = request.META
    is_chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
    if request.content_type == FORM or not is_chunked or not environ.get("wsgi.input_terminated"):
        raise uploads.LengthNeeded
    read: Callable[[int], bytes] = environ["wsgi.input"].read
    return read


def _runs(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    runs = Run.objects.filter(district=token.district).exclude(flow__in=QUESTIONS)
    latest = runs.select_related("plan").order_by("-pk")[:LATEST]
    return _json({"runs": [_told(run) for run in latest]})


def _run(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return _json(_told(_find_run(token, numbers["run"])))


def _find_run(token: OperatorToken, number: int) -> Run:
    run = Run.objects.filter(district=token.district, pk=number).select_related("plan").first()
    if run is None:
        raise NoSuchRun(str(number))
    return run


def _told(run: Run) -> dict[str, Any]:
    plan = getattr(run, "plan", None)
    href = f"{settings.PUBLIC_URL}{ROOT}/runs/{run.pk}"
    running = "waiting" if run.phase == "waiting" else "running"
    return {
        "id": run.pk,
        "connection": run.connection_id,
        "state": "ended" if run.outcome else running,
        "phase": run.phase,
        "outcome": run.outcome,
        "message": run.message,
        "startedBy": run.started_by,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "publication": run.publication,
        "counts": run.findings,
        "changes": plan.counts if plan else {},
        "href": href,
        "findings": f"{href}/findings",
        "page": import_address(run),
    }


def _findings(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    run = _find_run(token, numbers["run"])
    found = _narrowed(request, run)
    told = {
        "run": run.pk,
        "severities": found.severities,
        "totals": [
            {
                "code": one.code, "title": CATALOGUE[one.code].title if one.code in CATALOGUE else one.code,
                "severity": one.severity, "file": one.file, "total": one.total, "listed": one.listed,
            }
            for one in found.tallies
        ],
        "findings": [
            {
                "code": one.code, "severity": one.severity, "file": one.file, "line": one.line, "field": one.field,
                "value": one.value, "delivered": one.delivered, "records": one.count, "sourcedId": one.source_id,
                "message": one.message,
            }
            for one in map(masked, found.listed)
        ],
    }  # fmt: skip
    return _json(told)


def _findings_csv(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    run = _find_run(token, numbers["run"])
    lines = "".join(csv_of(_narrowed(request, run).listed))
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="findings-{run.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _narrowed(request: HttpRequest, run: Run) -> Found:
    return found_by(run).narrowed(
        **{name: request.GET.get(name, "") for name in ("code", "severity", "file")}
    )


HANDLES: dict[str, Handle] = {
    "connections": _connections,
    "deliver": _deliver,
    "runs": _runs,
    "run": _run,
    "findings": _findings,
    "findings_csv": _findings_csv,
    **app_calls.HANDLES,
    **key_calls.HANDLES,
    **look_calls.HANDLES,
    **delivery_calls.HANDLES,
    **catalogue_calls.HANDLES,
    **operator_calls.HANDLES,
    **partners_calls.HANDLES,
    **approval_calls.HANDLES,
    **audit_calls.HANDLES,
}


def _json(told: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(told), status=status, content_type=JSON)
    response["Cache-Control"] = "no-store"
    return response


def _problem(refusal: Refusal) -> HttpResponse:
    """The one place where this door translates a refusal: its words, then what it was about."""
    status = STATUS.get(type(refusal), 409)
    about = f" ({refusal})" if str(refusal) and status not in (401, 405, 429) else ""
    response = _said(status, _title(refusal), refusal.words + about)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Rollbook"'
    if status == 405:
        response["Allow"] = str(refusal)
    if isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return response


def _title(refusal: Refusal) -> str:
    """NotAZip → Not a zip."""
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(refusal).__name__)
    return name.strip().capitalize()


def _said(status: int, title: str, detail: str) -> HttpResponse:
    body = orjson.dumps({"title": title, "status": status, "detail": detail})
    return HttpResponse(body, status=status, content_type=PROBLEM)
