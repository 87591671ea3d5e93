"""The partner API: where a partner's program learns which districts added its apps, and reads each of them through one address.

A partner's key opens the list and the keys; the bearer of a listed application opens that district's reads below it, and nothing else.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rollbook.api import rate, tokens, views
from rollbook.api.call import APPLICATIONS
from rollbook.api.endpoints import ROOT as READS
from rollbook.api.partner_document import openapi
from rollbook.api.refusals import NoSuchAddress, TooManyRequests
from rollbook.flows import partner_access
from rollbook.flows.acting import PARTNER_API, acting
from rollbook.flows.partners import key_of
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.oneroster.operations import BASES
from rollbook.refusal import Refusal
from rollbook.store.models import Grant, PartnerKey

PATH = APPLICATIONS
DOCUMENT = f"{PATH}/openapi.json"
READ = re.compile(rf"{PATH}/([0-9]{{1,18}}){READS}(?:/.*)?", re.DOTALL)
SERVER = re.compile(rf"{PATH}/([0-9]{{1,18}})/server/?")

PAGE, MOST_PAGE = 100, 1_000
VERSION = "v1p1"

BUSY = "The database is taken, as by an import that is being written. Nothing was changed: try again when Retry-After has passed."
TRY_AGAIN_AFTER = 10
"""Seconds."""

log = logging.getLogger(__name__)


class NoPartnerKey(Refusal):
    """Show a key of the partner API that is not revoked: `Authorization: Bearer rollbook_partner_…`. Developers make one in the console."""


class NotThisWay(Refusal):
    """This address does not answer this method: Allow says which it does."""


class BadPage(Refusal):
    """`limit` is a number from 1 to 1000, `offset` a number from 0."""


STATUS: dict[type[Refusal], int] = {
    BadPage: 400,
    NoPartnerKey: 401,
    NoSuchAddress: 404,
    partner_access.NoSuchApplication: 404,
    NotThisWay: 405,
    partner_access.NotEnabled: 409,
    partner_access.NoReadableKey: 409,
    partner_access.EnoughMinted: 409,
    TooManyRequests: 429,
}


def answer(request: HttpRequest) -> HttpResponse:
    """The answer to any request under /applications. Never raises: a fault is logged."""
    if found := READ.fullmatch(request.path_info):
        return views.answer(request, application=int(found[1]))
    try:
        return _answer(request)
    except Refusal as refusal:
        return _refused(refusal)
    except OUT_OF_REACH as fault:
        # On SQLite, a bearer or a key that is made for the first time waits for an import that is being written, but not for ever.
        log.warning("%s %s could not be answered now: %s", request.method, PATH, fault)
        response = _json({"status": 0, "message": BUSY}, 503)
        response["Retry-After"] = str(TRY_AGAIN_AFTER)
        return response
    except Exception:
        # The door of a process that serves others: one request is lost, and its caller is told so.
        log.exception("a fault in %s %s", request.method, PATH)
        return _json({"status": 0, "message": "The fault is ours; it is in the log of the server."}, 500)


def _answer(request: HttpRequest) -> HttpResponse:
    """Who asks comes before what: a stranger learns nothing but which addresses there are."""
    if request.path_info == DOCUMENT:
        _judge(request, "GET")
        return HttpResponse(openapi(settings.PUBLIC_URL), content_type="application/json")
    handle, number = _route(request)
    key = _key(request)
    with acting(f"{key.partner.name} ({key.name})", PARTNER_API):
        return handle(request, key, number)


Handle = Callable[[HttpRequest, PartnerKey, int], HttpResponse]


def _route(request: HttpRequest) -> tuple[Handle, int]:
    if request.path_info.removesuffix("/") == PATH:
        _judge(request, "GET")
        return _applications, 0
    if found := SERVER.fullmatch(request.path_info):
        _judge(request, "GET", "POST")
        return (_mint if request.method == "POST" else _server), int(found[1])
    raise NoSuchAddress


def _judge(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        raise NotThisWay(", ".join(methods))


def _key(request: HttpRequest) -> PartnerKey:
    scheme, _, secret = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    key = key_of(secret.strip()) if scheme.lower() == "bearer" and secret.strip() else None
    if key is None:
        raise NoPartnerKey
    rate.take(rate.PARTNER, key.pk)
    return key


def _applications(request: HttpRequest, key: PartnerKey, _: int) -> HttpResponse:
    """The districts that added the partner's apps, as the field knows this list: numbers as numbers, `enabled` as a word."""
    found = partner_access.applications(key.partner)
    limit = _number(request, "limit", PAGE, 1, MOST_PAGE)
    offset = _number(request, "offset", 0, 0, 10**9)
    grants = list(found[offset : offset + limit])
    bearers = partner_access.bearers_of(grants)
    response = _json({"status": 1, "applications": [_told(grant, bearers[grant.pk]) for grant in grants]})
    response["X-Total-Count"] = str(found.count())
    return response


def _number(request: HttpRequest, name: str, default: int, least: int, most: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) >= least):
        raise BadPage(f"{name} is “{text[:20]}”")
    return min(int(text), most)


def _told(grant: Grant, bearer: str) -> dict[str, Any]:
    return {
        "id": grant.pk,
        "application_id": grant.app_id,
        "tenant_id": grant.district_id,
        "tenant_name": grant.district.name,
        "tenant_status": "Active",
        "bearer": bearer,
        "name": grant.app.name,
        "version": VERSION,
        "enabled": "true" if grant.enabled else "false",
        "oneroster_application_id": str(grant.pk),
    }


def _server(_: HttpRequest, key: PartnerKey, number: int) -> HttpResponse:
    grant = partner_access.find_application(key.partner, number)
    pair = partner_access.readable_key(grant, datetime.now(UTC))
    server = {"client_id": pair.client_id, "client_secret": pair.oauth1_secret, **_addresses()}
    return _json({"status": 1, "server": server, "message": "For OAuth 1.0a and OAuth 2."})


def _mint(_: HttpRequest, key: PartnerKey, number: int) -> HttpResponse:
    grant = partner_access.find_application(key.partner, number)
    made = partner_access.mint(grant)
    server = {"client_id": made.client_id, "client_secret": made.client_secret, **_addresses()}
    return _json({"status": 1, "server": server, "message": "For OAuth 2. Keep the secret: it is not shown again."}, 201)  # fmt: skip


def _addresses() -> dict[str, str]:
    return {
        "endpoint_url": settings.PUBLIC_URL + BASES[("1.1", "rostering")],
        "endpoint_url_v1p2": settings.PUBLIC_URL + BASES[("1.2", "rostering")],
        "token_url": settings.PUBLIC_URL + tokens.PATH,
    }


def _refused(refusal: Refusal) -> HttpResponse:
    """The one place where this door translates a refusal: its words, then what it was about."""
    status = STATUS.get(type(refusal), 409)
    about = f" ({refusal})" if str(refusal) and status not in (401, 405, 429) else ""
    response = _json({"status": 0, "message": refusal.words + about}, status)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Rollbook partner API"'
    if status == 405:
        response["Allow"] = str(refusal)
    if isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return response


def _json(told: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(told), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
