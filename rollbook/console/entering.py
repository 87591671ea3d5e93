"""The members' door: choosing a sign-in service, going there, coming back, and the member's own page. Nobody needs to be signed in for it."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from rollbook.client_address import client_address
from rollbook.console.broker import onward, under_way
from rollbook.console.words import vocabulary_words
from rollbook.engine.signing_in.claims import LAUNCH_PAD, PRESETS
from rollbook.engine.signing_in.ladder import OUTCOMES
from rollbook.flows import members
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.broker import visits
from rollbook.flows.broker.subjects import MEMBER, ONWARD, NobodyThere, NotShared, claims_at_the_pad
from rollbook.flows.launching import pads
from rollbook.flows.launching.standing import AT_THE_PAD
from rollbook.flows.roles import Act, product_reach_of
from rollbook.flows.signing_in import entering, journeys, providers, sessions, tries
from rollbook.flows.sync import proving
from rollbook.store.models import Account, Identity, IdentityProvider, Organization

JOURNEYS, TESTED, PROVED = "journeys", "sign_in_tested", "proved"
"""What the session holds beside who is in as whom: who is away at which provider, what a test came to, and which district was proved."""

MOST_AWAY = 5
"""Windows in which one browser may be away at a provider at the same time."""
ENTER, TEST, CONNECT = "enter", "test", "connect"
"""To come in, to try the service out, and to prove which district's roster is to be connected."""
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ONCE_IN = 60
"""Seconds in which somebody who finds a way in closed gets one reference number."""


@never_cache
@require_GET
def choose(request: HttpRequest, organization_id: int) -> HttpResponse:
    organization = _organization_or_404(organization_id)
    ways = providers.providers(organization).filter(is_active=True)
    context = {"organization": organization, "ways": list(ways), "going": bool(under_way(request.session))}
    return render(request, "console/enter.html", context)


@never_cache
@require_GET
def set_out(request: HttpRequest, organization_id: int, provider_id: int) -> HttpResponse:
    provider = _provider_or_404(organization_id, provider_id)
    if not provider.is_active:
        return _closed(request, provider, "disabled-provider")
    return away(request, provider, ENTER)


def away(request: Any, provider: IdentityProvider, purpose: str, way: str = "") -> HttpResponse:
    """Sends the browser to the provider: to come in, to try the provider out, or by `way` to prove a district."""
    now = datetime.now(UTC)
    if not tries.may_set_out(_address(request)):
        if purpose == CONNECT:
            return proved(request, provider.organization_id, way, {"outcome": "too-many"})
        return _refused(request, provider.organization, "too-many", "")
    if provider.preset == LAUNCH_PAD.key:
        return _from_the_pad(request, provider, purpose)
    asked = under_way(request.session) if purpose == ENTER else {}
    try:
        address, kept = journeys.begin(
            provider,
            _back(provider),
            int(now.timestamp()),
            asked.get("hint", ""),
            anew=bool(asked.get("anew")),
        )
    except journeys.NobodyCame as refusal:
        if purpose == CONNECT:
            return proved(request, provider.organization_id, way, {"outcome": refusal.code})
        return _closed(request, provider, refusal.code)
    remember(request, kept, {"provider": provider.pk, "purpose": purpose, "way": way})
    return redirect(address)


def remember(request: Any, kept: dict[str, Any], about: dict[str, Any]) -> None:
    """What is known of who is away, for their coming back in this browser."""
    several = request.session.get(JOURNEYS, {})
    while len(several) >= MOST_AWAY:
        several.pop(next(iter(several)))
    several[kept["state"]] = about | {"kept": kept}
    request.session[JOURNEYS] = several


def gone_by(request: Any) -> dict[str, Any] | None:
    """What was remembered of who comes back now; once."""
    several = request.session.get(JOURNEYS, {})
    gone: dict[str, Any] | None = several.pop(request.GET.get("state", ""), None)
    if gone is not None:
        request.session[JOURNEYS] = several
    return gone


def answer_of(request: HttpRequest) -> dict[str, str]:
    """What a provider sent along."""
    return {name: request.GET[name] for name in ("code", "state", "iss", "error") if name in request.GET}


def _from_the_pad(request: Any, provider: IdentityProvider, purpose: str) -> HttpResponse:
    """A launch pad of this installation: whoever stands there is who comes; where nobody does, they sign in there first."""
    now = datetime.now(UTC)
    try:
        said = claims_at_the_pad(provider, request.session)
    except NobodyThere:
        for tenant in provider.tenants:
            with suppress(pads.PadClosed):
                place = pads.place_of(pads.find_pad(tenant))
                return redirect(f"{reverse('launch-pad', args=[place])}?{urlencode({'next': request.path})}")
        return _closed(request, provider, "provider-silent")
    except NotShared:
        entered = entering.turned_away(provider, "denied", now, _address(request))
        return _refused(request, provider.organization, entered.outcome, entered.reference)
    if purpose == TEST:
        return _told(request, provider, _report(entering.rehearse(provider, said)))
    return _enter(request, provider, said, now)


@never_cache
@require_GET
def come_back(request: Any, organization_id: int, provider_id: int) -> HttpResponse:
    """Each answer is taken once: a second time there is nobody away to whom it could be."""
    provider = _provider_or_404(organization_id, provider_id)
    gone = gone_by(request)
    if gone is None or gone.get("provider") != provider.pk:
        return _refused(request, provider.organization, "not-trusted", "")
    if tries.is_refused_too_often(_address(request)):
        return _refused(request, provider.organization, "too-many", "")
    now = datetime.now(UTC)
    try:
        said = journeys.finish(
            provider, _back(provider), gone["kept"], answer_of(request), int(now.timestamp())
        )
    except journeys.NobodyCame as refusal:
        if gone["purpose"] == CONNECT:
            return proved(request, provider.organization_id, gone["way"], {"outcome": refusal.code})
        if gone["purpose"] == TEST:
            return _told(request, provider, {"trouble": refusal.told or refusal.words})
        entered = entering.turned_away(provider, refusal.code, now, _address(request))
        return _refused(request, provider.organization, entered.outcome, entered.reference)
    if gone["purpose"] == CONNECT:
        way = proving.Way(provider.name, PRESETS[provider.preset], provider=provider)
        return proved(request, provider.organization_id, gone["way"], proving.told(way, said))
    if gone["purpose"] == TEST:
        return _told(request, provider, _report(entering.rehearse(provider, said)))
    return _enter(request, provider, said, now)


def _enter(request: Any, provider: IdentityProvider, said: dict[str, Any], now: datetime) -> HttpResponse:
    if not provider.is_active:
        entered = entering.turned_away(provider, "disabled-provider", now, _address(request))
    else:
        with acting(f"sign-in by {provider.name}", CONSOLE):
            entered = entering.enter(provider, said, now, _address(request))
    if entered.account is None or entered.identity is None:
        return _refused(request, provider.organization, entered.outcome, entered.reference)
    _take_place(request, entered.account, entered.identity)
    request.session[MEMBER] = {
        "organization": provider.organization_id,
        "identity": entered.identity.pk,
        "at": int(said.get("at") or now.timestamp()),
    }
    to = onward(request.session)
    return redirect(to) if to else redirect("me", organization_id=provider.organization_id)


def _take_place(request: Any, account: Account, identity: Identity) -> None:
    """They are in. Whoever used the product in this browser before is out of it; who stands at a launch pad stays."""
    kept = {
        name: request.session[name]
        for name in (AT_THE_PAD, ONWARD, visits.BROWSER)
        if name in request.session
    }
    visits.make_room(request.session, identity, datetime.now(UTC))
    login(request, account, backend=BACKEND)
    request.session.update(kept)


@never_cache
@require_GET
def show_me(request: Any, organization_id: int) -> HttpResponse:
    """What is there for who is in; who is not any more is out at this very step."""
    organization = _organization_or_404(organization_id)
    came = request.session.get(MEMBER) or {}
    if not request.user.is_authenticated or came.get("organization") != organization.pk:
        return redirect("enter", organization_id=organization.pk)
    try:
        member = sessions.member_of(request.user, organization.pk, came["identity"])
    except sessions.NotInAnyMore as refusal:
        logout(request)
        context = {"organization": organization, "words": refusal.words}
        return render(request, "console/enter_refused.html", context, status=403)
    context = {
        "organization": organization,
        "member": member,
        "roles": [str(vocabulary_words(one)) for one in members.roles_held(member)],
        "sites": members.sites_of(member),
    }
    return render(request, "console/me.html", context)


@never_cache
@require_POST
def leave(request: Any, organization_id: int) -> HttpResponse:
    """Out here; whether also at the provider, where that can be done, they are asked."""
    organization = _organization_or_404(organization_id)
    came = request.session.get(MEMBER) or {}
    provider = sessions.provider_of(organization.pk, came.get("identity", 0))
    visits.leave(request.session, datetime.now(UTC))
    logout(request)
    if provider is None or not journeys.way_out_of(provider, int(datetime.now(UTC).timestamp())):
        return redirect("enter", organization_id=organization.pk)
    return redirect("me-left", organization_id=organization.pk, provider_id=provider.pk)


@never_cache
@require_GET
def show_left(request: HttpRequest, organization_id: int, provider_id: int) -> HttpResponse:
    provider = _provider_or_404(organization_id, provider_id)
    way_out = journeys.way_out_of(provider, int(datetime.now(UTC).timestamp()))
    context = {"organization": provider.organization, "provider": provider, "way_out": way_out}
    return render(request, "console/me_left.html", context)


def proved(request: Any, organization_id: int, way: str, what: dict[str, str]) -> HttpResponse:
    """What came of proving a district is judged on a page of the organization's, by who may connect it there."""
    request.session[PROVED] = {"organization": organization_id, "way": way, **what}
    return redirect("sync-proved", organization_id=organization_id)


def _told(request: Any, provider: IdentityProvider, report: dict[str, Any]) -> HttpResponse:
    """What a test came to is shown on a page of the organization's, to who may look at it there."""
    reach = product_reach_of(request.user) if request.user.is_authenticated else None
    if reach is None or not reach.may(Act.MANAGE_SIGN_IN, provider.organization):
        raise Http404
    request.session[TESTED] = {"provider": provider.pk, **report}
    return redirect("sign-in-tested", organization_id=provider.organization_id, provider_id=provider.pk)


def _report(tried: entering.Tried) -> dict[str, Any]:
    steps = [
        {"rung": one.rung, "said": one.said, "why": one.why, "owner": one.owner, "members": list(one.members)}
        for one in tried.decision.steps
    ]
    return {
        "claims": list(tried.claims),
        "steps": steps,
        "would": tried.would,
        "member": tried.decision.member,
    }


def _closed(request: HttpRequest, provider: IdentityProvider, code: str) -> HttpResponse:
    """Nobody is known to be there, so one attempt a minute and address is enough to be found by."""
    address = _address(request)
    key = f"closed:{provider.pk}:{code}:{address}"
    number = cache.get(key)
    if number is None:
        number = entering.turned_away(provider, code, datetime.now(UTC), address).reference
        cache.set(key, number, ONCE_IN)
    return _refused(request, provider.organization, code, number)


def _refused(request: HttpRequest, organization: Organization, code: str, number: str) -> HttpResponse:
    """Why somebody is not let in, whom they ask, and by which number it is found."""
    words, owner = OUTCOMES[code]
    context = {
        "organization": organization,
        "words": words,
        "code": code,
        "owner": owner,
        "reference": number,
    }
    status = 429 if code == "too-many" else 403
    return render(request, "console/enter_refused.html", context, status=status)


def _back(provider: IdentityProvider) -> str:
    """Where the provider sends people back to, as it is registered there."""
    where = {"organization_id": provider.organization_id, "provider_id": provider.pk}
    return settings.PUBLIC_URL + reverse("enter-back", kwargs=where)


def _organization_or_404(organization_id: int) -> Organization:
    found = Organization.objects.select_related("product").filter(pk=organization_id).first()
    if found is None:
        raise Http404
    return found


def _provider_or_404(organization_id: int, provider_id: int) -> IdentityProvider:
    organization = _organization_or_404(organization_id)
    found = providers.providers(organization).filter(pk=provider_id).first()
    if found is None:
        raise Http404
    return found


def _address(request: HttpRequest) -> str:
    return client_address(request.META) or ""


ROUTES: list[URLPattern | URLResolver] = [
    path("enter", choose, name="enter"),
    path("enter/<int:provider_id>", set_out, name="enter-by"),
    path("enter/<int:provider_id>/callback", come_back, name="enter-back"),
    path("me", show_me, name="me"),
    path("me/leave", leave, name="me-leave"),
    path("me/left/<int:provider_id>", show_left, name="me-left"),
]
