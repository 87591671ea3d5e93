"""The launch pad's pages: a district's people come in, see their apps and launch them. They need no address of e-mail and no console.

One browser is one person's: who comes in takes the place of whoever was there, and leaving leaves nothing behind.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from rollbook.client_address import client_address
from rollbook.engine.launching import BADGE, PASSWORD, PROVIDER
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.broker import visits
from rollbook.flows.broker.subjects import ONWARD
from rollbook.flows.launching import apps, coming_in, own_provider, pads, teaching
from rollbook.flows.launching.people import name_of
from rollbook.flows.launching.standing import LaunchPerson, person_of, rostered, stand
from rollbook.flows.signing_in import journeys
from rollbook.refusal import Refusal
from rollbook.store.models import LaunchPad, LaunchSignIn

NEXT, SHOWN_BADGE, CHOOSING, AWAY = "launch_next", "launch_badge", "launch_choosing", "launch_away"
"""What the session holds on the way in: where to go then, a badge that was shown, who chooses a password, who is away at the provider."""

HOLDS = 600
"""Seconds for which a badge that was shown, or a link that was followed, is good in that browser."""

View = Callable[..., HttpResponse]


def at_pad(view: View) -> View:
    """Makes `view(request, pad, …)` answer where the district's launch pad is open; 404 elsewhere."""

    @never_cache
    @wraps(view)
    def opened(request: HttpRequest, place: str, **rest: Any) -> HttpResponse:
        try:
            pad = pads.find_pad(place)
        except pads.PadClosed:
            raise Http404 from None
        with acting(f"launch pad of {pad.district.name}", CONSOLE):
            return view(request, pad, **rest)

    return opened


@require_GET
@at_pad
def show_pad(request: Any, pad: LaunchPad) -> HttpResponse:
    wanted = request.GET.get("next", "")
    if wanted:
        request.session[NEXT] = wanted if _is_ours(wanted) else ""
    person = person_here(request, pad)
    if person is None:
        return _sign_in_page(request, pad)
    if wanted and request.session.pop(NEXT):
        return redirect(wanted)
    user = rostered(pad.district_id, person.user_id)
    context = {
        "name": name_of(user) if user else "",
        "tiles": apps.tiles_of(person, datetime.now(UTC)),
        "classes": teaching.classes_taught(person),
    }
    return page_of(request, pad, "launch_pad/apps.html", context)


def person_here(request: Any, pad: LaunchPad) -> LaunchPerson | None:
    """Who stands at this district's pad; nobody's session of another district counts here."""
    person = person_of(request.session)
    return person if person is not None and person.district_id == pad.district_id else None


@require_GET
@at_pad
def launch_app(request: Any, pad: LaunchPad, grant_id: int) -> HttpResponse:
    person = person_here(request, pad)
    if person is None:
        return redirect("launch-pad", place=pads.place_of(pad))
    try:
        return redirect(apps.launch(person, grant_id, datetime.now(UTC)))
    except apps.NotOnYourPad as refusal:
        return page_of(request, pad, "launch_pad/refused.html", {"words": refusal.words}, 404)


@require_POST
@at_pad
def leave(request: Any, pad: LaunchPad) -> HttpResponse:
    _empty(request)
    return redirect("launch-pad", place=pads.place_of(pad))


# --- By name and password -----------------------------------------------------------------------------------------------------------


@require_POST
@at_pad
def by_password(request: Any, pad: LaunchPad) -> HttpResponse:
    username, password = request.POST.get("username", "")[:300], request.POST.get("password", "")
    try:
        sign_in = coming_in.by_password(pad, username, password, datetime.now(UTC))
    except Refusal as refusal:
        return _sign_in_page(request, pad, refusal.words, username)
    if sign_in.must_change:
        return _to_choosing(request, pad, sign_in)
    return _in(request, pad, sign_in, PASSWORD)


def _to_choosing(request: Any, pad: LaunchPad, sign_in: LaunchSignIn) -> HttpResponse:
    request.session[CHOOSING] = {"sign_in": sign_in.pk, "stamp": sign_in.stamp, "at": int(time.time())}
    request.session.cycle_key()
    return redirect("launch-choose", place=pads.place_of(pad))


@at_pad
def choose_password(request: Any, pad: LaunchPad) -> HttpResponse:
    """Who came by a password that somebody else gave them, or by a link, chooses their own."""
    kept = request.session.get(CHOOSING) or {"sign_in": 0, "stamp": 0, "at": 0}
    sign_in = LaunchSignIn.objects.select_related("account", "district__launch_pad").filter(
        pk=kept["sign_in"], stamp=kept["stamp"], district=pad.district
    ).first()  # fmt: skip
    if sign_in is None or time.time() - kept["at"] > HOLDS:
        return redirect("launch-pad", place=pads.place_of(pad))
    if request.method != "POST":
        return page_of(request, pad, "launch_pad/choose.html", {})
    password = request.POST.get("password", "")
    if password != request.POST.get("again", ""):
        return page_of(request, pad, "launch_pad/choose.html", {"differ": True}, 422)
    try:
        chosen = coming_in.choose_password(pad, sign_in, password, datetime.now(UTC))
    except Refusal as refusal:
        return page_of(request, pad, "launch_pad/choose.html", {"wrong": refusal.words}, 422)
    return _in(request, pad, chosen, PASSWORD)


@at_pad
def by_link(request: Any, pad: LaunchPad) -> HttpResponse:
    """The secret stands behind the # of the address; a script brings it here, so that no log of any server has it."""
    if request.method != "POST":
        return page_of(request, pad, "launch_pad/link.html", {})
    try:
        now = datetime.now(UTC)
        sign_in, _ = coming_in.by_link(pad, request.POST.get("code", "")[:200], now, _address(request))
    except Refusal as refusal:
        return page_of(request, pad, "launch_pad/refused.html", {"words": refusal.words}, 403)
    return _to_choosing(request, pad, sign_in)


# --- By badge and PIN ---------------------------------------------------------------------------------------------------------------


@at_pad
def by_badge(request: Any, pad: LaunchPad) -> HttpResponse:
    """Where the QR code of a badge leads: its secret stands behind the #, like a link's. It can be typed too."""
    if request.method != "POST":
        return page_of(request, pad, "launch_pad/badge.html", {})
    try:
        badge = coming_in.show_badge(pad, request.POST.get("code", "")[:100], _address(request))
    except Refusal as refusal:
        return page_of(request, pad, "launch_pad/badge.html", {"wrong": refusal.words}, 422)
    request.session[SHOWN_BADGE] = {"badge": badge.pk, "at": int(time.time())}
    return redirect("launch-pin", place=pads.place_of(pad))


@at_pad
def by_pin(request: Any, pad: LaunchPad) -> HttpResponse:
    kept = request.session.get(SHOWN_BADGE) or {"at": 0}
    if time.time() - kept["at"] > HOLDS:
        return redirect("launch-badge", place=pads.place_of(pad))
    try:
        owner = coming_in.owner_of(pad, kept["badge"])
        if request.method == "POST":
            now = datetime.now(UTC)
            sign_in = coming_in.by_pin(pad, kept["badge"], request.POST.get("pin", "")[:20], now)
            return _in(request, pad, sign_in, BADGE)
    except (coming_in.NoSuchBadge, coming_in.NotInTheRoster, coming_in.NotThisWay) as refusal:
        return page_of(request, pad, "launch_pad/refused.html", {"words": refusal.words}, 403)
    except Refusal as refusal:
        context = {"wrong": refusal.words, "name": owner.preferred_given_name or owner.given_name}
        return page_of(request, pad, "launch_pad/pin.html", context, 422)
    return page_of(
        request, pad, "launch_pad/pin.html", {"name": owner.preferred_given_name or owner.given_name}
    )


# --- By the district's own provider --------------------------------------------------------------------------------------------------


@require_GET
@at_pad
def by_provider(request: Any, pad: LaunchPad) -> HttpResponse:
    try:
        provider = own_provider.active_provider(pad.district)
        address, kept = journeys.begin(provider, back_address(pad), int(time.time()))
    except own_provider.NoProvider:
        raise Http404 from None
    except journeys.NobodyCame as refusal:
        return _not_recognised(request, pad, refusal.code)
    request.session[AWAY] = kept
    return redirect(address)


@require_GET
@at_pad
def come_back(request: Any, pad: LaunchPad) -> HttpResponse:
    """Each answer is taken once, and from the browser that set out."""
    kept = request.session.pop(AWAY, None)
    if kept is None or kept["state"] != request.GET.get("state", ""):
        return _not_recognised(request, pad, "not-trusted")
    now = datetime.now(UTC)
    answer = {name: request.GET[name] for name in ("code", "state", "iss", "error") if name in request.GET}
    try:
        provider = own_provider.active_provider(pad.district)
        said = journeys.finish(provider, back_address(pad), kept, answer, int(now.timestamp()))
        sign_in = own_provider.by_provider(pad, provider, said, now)
    except journeys.NobodyCame as refusal:
        return _not_recognised(request, pad, refusal.code)
    except own_provider.NotRecognised as refusal:
        context = {"words": refusal.words, "reference": refusal.number}
        return page_of(request, pad, "launch_pad/refused.html", context, 403)
    except Refusal as refusal:
        return page_of(request, pad, "launch_pad/refused.html", {"words": refusal.words}, 403)
    return _in(request, pad, sign_in, PROVIDER)


def _not_recognised(request: Any, pad: LaunchPad, code: str) -> HttpResponse:
    refusal = own_provider.turned_away(pad, code)
    context = {"words": refusal.words, "reference": refusal.number}
    return page_of(request, pad, "launch_pad/refused.html", context, 403)


def back_address(pad: LaunchPad) -> str:
    """Where the provider sends people back to, as it is registered there: by the Tenant ID, which never changes."""
    return settings.PUBLIC_URL + reverse("launch-provider-back", kwargs={"place": str(pad.district_id)})


# --- What they have in common ---------------------------------------------------------------------------------------------------------


def _in(request: Any, pad: LaunchPad, sign_in: LaunchSignIn, by: str) -> HttpResponse:
    kept = {name: request.session[name] for name in (NEXT, ONWARD) if name in request.session}
    _empty(request)
    stand(request.session, sign_in, by, datetime.now(UTC))
    request.session.update(kept)
    request.session.set_expiry(0)
    return _onwards(request, pad)


def _onwards(request: Any, pad: LaunchPad) -> HttpResponse:
    """To where they were sent from, or to their apps. Browsers hold the pages that a form leads to for the form's own, and ours may lead
    nowhere else: a page in between begins anew.
    """
    wanted = request.session.pop(NEXT, "")
    if wanted:
        return page_of(request, pad, "launch_pad/onwards.html", {"wanted": wanted})
    return redirect("launch-pad", place=pads.place_of(pad))


def _empty(request: Any) -> None:
    """Whoever was in this browser, here or in a product, is out."""
    visits.leave(request.session, datetime.now(UTC))
    logout(request)


def _is_ours(address: str) -> bool:
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def _sign_in_page(request: Any, pad: LaunchPad, wrong: str = "", username: str = "") -> HttpResponse:
    provider = own_provider.provider_of(pad.district)
    offered = pads.ways_offered(pad)
    context = {
        "wrong": wrong,
        "username": username,
        "with_password": PASSWORD in offered,
        "with_badge": BADGE in offered,
        "provider": provider if provider and provider.is_active and PROVIDER in offered else None,
    }
    return page_of(request, pad, "launch_pad/sign_in.html", context, 422 if wrong else 200)


def page_of(
    request: HttpRequest, pad: LaunchPad, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    frame = {"pad": pad, "district": pad.district, "place": pads.place_of(pad)}
    return render(request, template, frame | context, status=status)


def _address(request: HttpRequest) -> str:
    return client_address(request.META) or ""


ROUTES: list[URLPattern | URLResolver] = [
    path("", show_pad, name="launch-pad"),
    path("/password", by_password, name="launch-password"),
    path("/password/choose", choose_password, name="launch-choose"),
    path("/link", by_link, name="launch-link"),
    path("/badge", by_badge, name="launch-badge"),
    path("/badge/pin", by_pin, name="launch-pin"),
    path("/provider", by_provider, name="launch-provider"),
    path("/provider/callback", come_back, name="launch-provider-back"),
    path("/apps/<int:grant_id>", launch_app, name="launch-app"),
    path("/leave", leave, name="launch-leave"),
]
