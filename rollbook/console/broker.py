"""Where products send people to sign in, and where their servers get tokens: OpenID Connect, as `flows/broker` decides it.

Servers are told no more than the protocol's word for what is wrong; people get a page.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rollbook.flows.broker import addresses, choosing, keys, protocol, visits
from rollbook.flows.broker.clients import live_client
from rollbook.flows.broker.subjects import (
    ONWARD,
    NobodyThere,
    NotShared,
    Standing,
    is_at_the_pad,
    standing_in,
    tenant_of,
)
from rollbook.flows.launching.pads import place_of
from rollbook.flows.launching.standing import AT_THE_PAD
from rollbook.flows.signing_in.providers import providers
from rollbook.store.models import IdentityProvider, Organization

CHOSEN = "rollbook_chosen"
REMEMBERED = 180 * 24 * 3600
LONGEST_WAY = 3600
"""Seconds in which somebody may come back from signing in."""
MOST_BODY = 65_536
LONGEST_HINT = 200
KEPT_BY_CLIENTS = 300
ANEW = frozenset({"login", "select_account"})


# --- What we say of ourselves -----------------------------------------------------------------------------------------------------------


@require_GET
def describe(request: HttpRequest) -> HttpResponse:
    return _open(addresses.description(keys.ALGORITHM))


@require_GET
def show_keys(request: HttpRequest) -> HttpResponse:
    return _open({"keys": keys.published(datetime.now(UTC))})


def _open(content: dict[str, Any]) -> HttpResponse:
    """Anybody's to read, from scripts of any site too, and kept for a while."""
    response = JsonResponse(content)
    response["Cache-Control"] = f"public, max-age={KEPT_BY_CLIENTS}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


# --- A person comes from a product ------------------------------------------------------------------------------------------------------


@csrf_exempt  # other sites send people here, by POST too (Core §3.1.2.1); nothing is done but what GET does
@never_cache
@require_http_methods(["GET", "POST"])
def authorize(request: Any) -> HttpResponse:
    if request.method == "POST":
        # With a POST from another site the browser sends no session along; with the GET that follows it does.
        return _to(f"{request.path}?{request.POST.urlencode()}", 303)
    now = datetime.now(UTC)
    address = f"{addresses.issuer()}/authorize?{request.META.get('QUERY_STRING', '')}"
    try:
        asked = protocol.asked_for(address, now)
        standing = _standing(request, asked)
        if standing is not None and _is_recent(request, asked, standing, now):
            return _with_code(request, asked, standing, address, now)
        if "none" in asked.prompt:
            return _to(protocol.error_at(asked.request, "login_required"))
    except protocol.BadRequestThere as refusal:
        said = {"words": refusal.words, "error": refusal.error, "told": refusal.told}
        return render(request, "console/broker_refused.html", said, status=400)
    except protocol.SendBack as back:
        return _to(back.address)
    except NotShared as refusal:
        return render(request, "console/broker_refused.html", {"words": refusal.words}, status=403)
    hint = "" if tenant_of(asked.login_hint) else asked.login_hint[:LONGEST_HINT]
    _remember_way(request, standing is not None or bool(asked.prompt & ANEW), hint)
    return _lead(request, asked)


def _standing(request: Any, asked: protocol.Asked) -> Standing | None:
    """Who is there and may be meant; None where somebody else is, or nobody."""
    wanted = _wanted(request)
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
    tenant = tenant_of(asked.login_hint)
    try:
        standing = standing_in(request.session, asked.client, number)
    except NobodyThere:
        return None
    if not tenant:
        return standing
    if asked.client.app is not None:
        return standing if str(standing.district_id) == tenant else None
    return standing if is_at_the_pad(standing, request.session) else None


def _wanted(request: Any) -> str:
    """Which organization the client says it is."""
    return str(request.GET.get("organization", ""))


def _is_recent(request: Any, asked: protocol.Asked, standing: Standing, now: datetime) -> bool:
    """Whether they need not sign in again, or just did."""
    way = request.session.get(ONWARD) or {}
    if way.get("to") == request.get_full_path() and standing.at >= way["since"]:
        return True
    if asked.prompt & ANEW:
        return False
    return asked.max_age is None or now.timestamp() - standing.at <= asked.max_age


def _with_code(
    request: Any, asked: protocol.Asked, standing: Standing, address: str, now: datetime
) -> HttpResponse:
    request.session.pop(ONWARD, None)
    hint = request.GET.get("id_token_hint", "")
    if hint and not protocol.is_about(hint, standing):
        return _to(protocol.error_at(asked.request, "login_required", "Somebody else is signed in."))
    if not protocol.leads_there(asked, standing):
        raise protocol.BadRequestThere("invalid_request", "This redirect URI is another district's.")
    visit = visits.begin(request.session, asked.client, standing, now)
    response = _to(protocol.answered(asked, address, visit, now))
    chosen = f"d{standing.district_id}" if standing.district_id else f"o{standing.organization_id}"
    response.set_cookie(
        CHOSEN, chosen, REMEMBERED, path=addresses.PATH, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def _remember_way(request: Any, is_anew: bool, hint: str) -> None:
    """Where they go on to once they are in. Who has to sign in anew is not taken as they are: at the launch pad nobody stands any more."""
    way = request.session.get(ONWARD) or {}
    to = request.get_full_path()
    if way.get("to") != to:
        way = {"to": to, "since": int(time.time())}
    request.session[ONWARD] = way | {"at": int(time.time()), "anew": is_anew, "hint": hint}
    if is_anew:
        request.session.pop(AT_THE_PAD, None)


def _lead(request: Any, asked: protocol.Asked) -> HttpResponse:
    """To the door at which they sign in, or to the question which one that is."""
    remembered = "" if "select_account" in asked.prompt else request.COOKIES.get(CHOSEN, "")
    tenant = tenant_of(asked.login_hint)
    if asked.client.app is not None:
        pad = choosing.pad_meant(asked.client, tenant or request.GET.get("district", ""), remembered)
        if pad is None:
            return _ask(request, asked.client.client_id)
        return redirect(
            f"{reverse('launch-pad', args=[place_of(pad)])}?{urlencode({'next': request.get_full_path()})}"
        )
    if tenant and (found := choosing.pad_providers(asked.client, tenant)):
        wanted = [
            one for one in found if not _wanted(request) or str(one.organization_id) == _wanted(request)
        ]
        if len(wanted) == 1:
            return _by(wanted[0])
    place = choosing.organization_meant(asked.client, _wanted(request), asked.login_hint, remembered)
    if place is None:
        return _ask(request, asked.client.client_id)
    return to_door(place)


def to_door(place: Organization) -> HttpResponse:
    """The organization's only way in at once, else the choice of them."""
    ways = list(providers(place).filter(is_active=True)[:2])
    return _by(ways[0]) if len(ways) == 1 else redirect("enter", organization_id=place.pk)


def _by(provider: IdentityProvider) -> HttpResponse:
    return redirect("enter-by", organization_id=provider.organization_id, provider_id=provider.pk)


def _ask(request: Any, client_id: str) -> HttpResponse:
    return redirect(f"{reverse('broker-choose')}?{urlencode({'client_id': client_id})}")


@never_cache
@require_GET
def choose(request: Any) -> HttpResponse:
    """Which school or district somebody is of: what they choose is put into the question they came with, and remembered once they are in."""
    client = live_client(request.GET.get("client_id", ""))
    way = request.session.get(ONWARD) or {}
    if client is None or not is_ours(way.get("to", "")):
        lost = {"words": protocol.BadRequestThere("", "").words}
        return render(request, "console/broker_refused.html", lost, status=400)
    text = request.GET.get("q", "")[:100]
    if client.app is not None:
        places = [(one.district.name, _chosen(way["to"], "district", one.district_id)) for one in choosing.pads_of(client)]  # fmt: skip
    else:
        found = choosing.organizations_called(client, text)
        places = [(one.name, _chosen(way["to"], "organization", one.pk)) for one in found]
    context = {
        "client": client, "places": places, "text": text, "of_districts": client.app is not None,
        "typing": client.app is None and choosing.has_many(client),
    }  # fmt: skip
    return render(request, "console/broker_choose.html", context)


@never_cache
@require_GET
def choose_other(request: Any) -> HttpResponse:
    """The same question again: they belong somewhere else than was thought."""
    query = urlsplit((request.session.get(ONWARD) or {}).get("to", "")).query
    return _ask(request, dict(parse_qsl(query)).get("client_id", ""))


def _chosen(to: str, name: str, number: int) -> str:
    return f"{to}&{urlencode({name: number})}"


def is_ours(address: str) -> bool:
    """Whether it is an address of this server, and no other's."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def under_way(session: Any) -> dict[str, Any]:
    """On which way somebody is who was sent by a product; empty where they came by themselves, or went away long ago."""
    way: dict[str, Any] = session.get(ONWARD) or {}
    is_over = not way or way.get("used") or time.time() - way["at"] > LONGEST_WAY or not is_ours(way["to"])
    return {} if is_over else way


def onward(session: Any) -> str:
    """Where somebody who has just come in was going; empty where they came by themselves. It is told once."""
    way = under_way(session)
    if way:
        session[ONWARD] = way | {"used": True}
    return str(way.get("to", ""))


# --- Servers of products ----------------------------------------------------------------------------------------------------------------


@csrf_exempt  # a server's call, proved by its own secret: no browser's session counts here
@require_POST
def give_token(request: HttpRequest) -> HttpResponse:
    body = request.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        return _answer({"error": "invalid_request"}, 400)
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    _, text, status = protocol.exchanged(body.decode("utf-8", "replace"), authorization, datetime.now(UTC))
    response = _answer(json.loads(text), status)
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="sign-in"'
    return response


@csrf_exempt  # the same, by an access token
@require_http_methods(["GET", "POST"])
def userinfo(request: HttpRequest) -> HttpResponse:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise protocol.TokenUnknown
        return _answer(protocol.userinfo(token.strip(), datetime.now(UTC)), 200)
    except protocol.TokenUnknown:
        response = _answer({"error": "invalid_token"}, 401)
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return response


def _answer(content: dict[str, Any], status: int) -> HttpResponse:
    response = JsonResponse(content, status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


# --- Signing out ------------------------------------------------------------------------------------------------------------------------


@csrf_exempt  # other sites send people here; without a token of ours for this very browser they are asked first
@never_cache
@require_http_methods(["GET", "POST"])
def end_session(request: Any) -> HttpResponse:
    told = request.GET if request.method == "GET" else request.POST
    goodbye = protocol.goodbye({name: told[name] for name in told})
    if request.method == "POST" and not request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return _to(f"{request.path}?{request.POST.urlencode()}", 303)
    here = request.session.get(visits.BROWSER, "")
    if not here and not request.user.is_authenticated and AT_THE_PAD not in request.session:
        return _gone(request, goodbye.back)
    if goodbye.visit is None or goodbye.visit.browser != here:
        return render(request, "console/broker_leave.html", {"back": goodbye.back, "client": goodbye.client})
    _empty(request)
    return _gone(request, goodbye.back)


@never_cache
@require_POST
def leave(request: Any) -> HttpResponse:
    """They said yes."""
    _empty(request)
    return _gone(request, "")


def _empty(request: Any) -> None:
    """Whoever was in this browser is out, here and wherever they went from here."""
    visits.leave(request.session, datetime.now(UTC))
    logout(request)


def _gone(request: HttpRequest, back: str) -> HttpResponse:
    return _to(back) if back else render(request, "console/broker_left.html")


def _to(address: str, status: int = 302) -> HttpResponse:
    """To an address that was registered, byte for byte."""
    response = HttpResponse(status=status)
    response["Location"] = address
    return response


ROUTES: list[URLPattern | URLResolver] = [
    path(".well-known/openid-configuration", describe, name="broker-description"),
    path("keys", show_keys, name="broker-keys"),
    path("authorize", authorize, name="broker-authorize"),
    path("choose", choose, name="broker-choose"),
    path("elsewhere", choose_other, name="broker-elsewhere"),
    path("token", give_token, name="broker-token"),
    path("userinfo", userinfo, name="broker-userinfo"),
    path("logout", end_session, name="broker-logout"),
    path("leave", leave, name="broker-leave"),
]
