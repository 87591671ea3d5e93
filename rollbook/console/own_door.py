"""The door of who works here and has a sign-in service of the district's or organization's own: finding it, going there, coming back.

And what stands before the pages of who requires it. Nobody needs to be signed in for it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from rollbook.console.sessions import address_of
from rollbook.engine.signing_in.claims import PRESETS, masked
from rollbook.engine.signing_in.ladder import OUTCOMES
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.own_sign_in import coming, setting_up
from rollbook.flows.own_sign_in.coming import Came
from rollbook.flows.own_sign_in.setting_up import Own, Owner
from rollbook.flows.signing_in import journeys, tries
from rollbook.store.models import District

JOURNEYS, SHOWN, CAME_BY, TESTED, HINT = "own_journeys", "own_shown", "own_came_by", "own_tested", "own_hint"
"""What the browser's session holds: who is away; which services have said who this is, and of whom; by which alone they came; a
test; the address they gave."""

MOST_AWAY = 5
METHOD = "openid_connect"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: Any) -> HttpResponse:
    """By the domain of somebody's address, which stands in no address of ours; whether it is anybody's is told to nobody."""
    email, onward = request.POST.get("email", "").strip()[:254], _onward(request)
    if email:
        request.session[HINT] = email
    found = [(one, PRESETS[one.preset]) for one in setting_up.of_address(email)]
    context = {"email": email, "found": found, "next": onward}
    return render(request, "console/own_door.html", context)


@never_cache
@require_GET
def set_out(request: Any, whose: str) -> HttpResponse:
    own = _own_or_404(whose)
    if not own.is_active:
        return _refused(request, own, coming.turned_away(own, "disabled-provider", address_of(request)))
    return away(request, own, onward=_onward(request))


def away(request: Any, own: Own, *, is_test: bool = False, onward: str = "") -> HttpResponse:
    """Sends the browser to the service, to come in, to show who is in already, or to try it out."""
    now = datetime.now(UTC)
    if not tries.may_set_out(address_of(request)):
        return _refused(request, own, Came("too-many"))
    hint = (request.user.email if request.user.is_authenticated else None) or request.session.get(HINT, "")
    try:
        address, kept = journeys.begin(own, setting_up.back_address(own), int(now.timestamp()), hint)
    except journeys.NobodyCame as refusal:
        return _refused(request, own, Came(refusal.code))
    several = request.session.get(JOURNEYS, {})
    while len(several) >= MOST_AWAY:
        several.pop(next(iter(several)))
    several[kept["state"]] = {"of": own.key, "test": is_test, "kept": kept, "next": onward}
    request.session[JOURNEYS] = several
    return redirect(address)


@never_cache
@require_GET
def come_back(request: Any, whose: str) -> HttpResponse:
    """Each answer is taken once, and from the browser that set out."""
    own = _own_or_404(whose)
    several = request.session.get(JOURNEYS, {})
    gone = several.pop(request.GET.get("state", ""), None)
    if gone is None or gone["of"] != whose:
        return _refused(request, own, Came("not-trusted"))
    request.session[JOURNEYS] = several
    address, now = address_of(request), datetime.now(UTC)
    if tries.is_refused_too_often(address):
        return _refused(request, own, Came("too-many"))
    answer = {name: request.GET[name] for name in ("code", "state", "iss", "error") if name in request.GET}
    try:
        said = journeys.finish(own, setting_up.back_address(own), gone["kept"], answer, int(now.timestamp()))
    except journeys.NobodyCame as refusal:
        if gone["test"]:
            return _tested(request, own, {"trouble": refusal.told or refusal.words})
        return _refused(request, own, coming.turned_away(own, refusal.code, address))
    if gone["test"]:
        claims, wrong = coming.rehearse(own, said)
        told = [(name, masked(getattr(claims, name))) for name in ("tenant", "subject", "email")]
        verified = "yes" if claims.email_verified else "no"
        return _tested(request, own, {"claims": [*told, ("email_verified", verified)], "wrong": wrong})
    return _come(request, own, said, gone["next"], now)


def _come(request: Any, own: Own, said: Mapping[str, Any], onward: str, now: datetime) -> HttpResponse:
    # A member's account has no address: whoever has it came by another door, and is nobody here.
    signed_in = request.user if request.user.is_authenticated and request.user.email else None
    with acting(f"sign-in service of {own.owner.name}", CONSOLE):
        came = coming.come(own, said, now, address_of(request), signed_in)
    if came.account is None:
        return _refused(request, own, came)
    if signed_in is None:
        request.came_by = METHOD
        login(request, came.account, backend=BACKEND)
        request.session[CAME_BY] = [own.key, own.issuer]
    _keep_shown(request, own, came)
    return redirect(onward or "/")


def _keep_shown(request: Any, own: Own, came: Came) -> None:
    shown = shown_in(request) | {own.key: own.issuer}
    request.session[SHOWN] = {"whom": str(came.account.pk) if came.account else "", "by": shown}


# --- Before other pages -------------------------------------------------------------------------------------------------------------


def shown_in(request: Any) -> dict[str, str]:
    """The services that have said in this session who is signed in, and their issuers."""
    kept = request.session.get(SHOWN) or {}
    return dict(kept["by"]) if kept.get("whom") == str(request.user.pk) else {}


def barred(request: Any, owner: Owner) -> HttpResponse | None:
    """In the place of a page of who requires their own sign-in service: the way there. None: the page may be shown."""
    if not owner.requires_own_sign_in or not coming.bars(request.user, owner, shown_in(request)):
        return None
    own = setting_up.own_of(owner)
    context = {"owner": owner, "own": own, "next": _here(request)}
    return render(request, "console/own_door_required.html", context, status=403)


def is_over(request: Any) -> bool:
    """Whether who came in by a service alone may be in no more; then they are out."""
    came = request.session.get(CAME_BY)
    if not came or not request.user.is_authenticated or coming.still_holds(request.user, *came):
        return False
    logout(request)
    messages.info(request, _("You are signed out: the sign-in service you came in by lets you in no more."))
    return True


def _here(request: Any) -> str:
    return request.get_full_path() if request.method == "GET" and not request.htmx else "/"


# --- Answers ------------------------------------------------------------------------------------------------------------------------


def _refused(request: Any, own: Own, came: Came) -> HttpResponse:
    """Why somebody is not let in, and whom they ask."""
    if came.outcome not in ("too-many", "provider-silent"):
        tries.note_refused(address_of(request))
    owner = OUTCOMES[came.outcome][1] if came.outcome in OUTCOMES else ""
    context = {"own": own, "words": came.words, "code": came.outcome, "owner": owner}
    status = 429 if came.outcome == "too-many" else 403
    return render(request, "console/own_door_refused.html", context, status=status)


def _tested(request: Any, own: Own, report: dict[str, Any]) -> HttpResponse:
    """Kept for the page of who tries it out, which asks whether they may see it."""
    request.session[TESTED] = {"of": own.key, **report}
    return redirect(settings_address(own.owner))


def settings_address(owner: Owner) -> str:
    """The page on which the owner's service is set up."""
    if isinstance(owner, District):
        return reverse("own-sign-in", args=[owner.pk])
    return reverse("organization-own-sign-in", args=[owner.pk])


def _own_or_404(whose: str) -> Own:
    own = setting_up.by_key(whose)
    if own is None:
        raise Http404
    return own


def _onward(request: Any) -> str:
    """The page of ours to go on to."""
    onward = str(request.POST.get("next", "") or request.GET.get("next", ""))[:2000]
    return onward if onward and url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else ""


ROUTES: list[URLPattern | URLResolver] = [
    path("sign-in/by", find, name="own-door"),
    path("sign-in/by/<slug:whose>", set_out, name="own-door-go"),
    path("sign-in/by/<slug:whose>/callback", come_back, name="own-door-back"),
]
