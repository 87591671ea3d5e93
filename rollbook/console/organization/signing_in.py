"""How an organization's members come in: its identity providers, each set up, tried out and switched on."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rollbook.console.entering import TEST, TESTED, away
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404, why_not
from rollbook.console.organization.people import name_of
from rollbook.engine.signing_in.claims import NAMES, PRESETS, REPLAYED
from rollbook.engine.signing_in.ladder import CHOSEN, OUTCOMES, REASONS
from rollbook.flows.directory import is_number
from rollbook.flows.signing_in import providers, reviews
from rollbook.flows.sync import lending, proving
from rollbook.refusal import Refusal
from rollbook.store.models import IdentityProvider, Member, Organization, SyncConnection

RUNGS = {
    "tenant": gettext_lazy("Issuer and tenant"),
    "link": gettext_lazy("Known sign-in"),
    "sourced-id": gettext_lazy("sourcedId of the roster"),
    "identifier": gettext_lazy("Identifier"),
    "username": gettext_lazy("Username"),
    "email": gettext_lazy("E-mail address"),
    "review": gettext_lazy("Nobody found"),
    "seat": gettext_lazy("Membership and seat"),
    "provider": gettext_lazy("The sign-in service"),
}
SAID = {
    "yes": (gettext_lazy("Yes"), "green", "check"),
    "no": (gettext_lazy("No"), "secondary", "close"),
    "ask": (gettext_lazy("Nobody guesses"), "yellow", "warning"),
    "refuse": (pgettext_lazy("result of a step", "Stop"), "red", "stop"),
}
OWNERS = {
    "provider": gettext_lazy("Whoever keeps the sign-in service"),
    "organization": gettext_lazy("An administrator of this organization"),
    "roster": gettext_lazy("Whoever keeps the roster"),
    "nobody": "",
}
CLAIMS = {
    "issuer": gettext_lazy("Issuer"),
    "tenant": gettext_lazy("Tenant"),
    "subject": gettext_lazy("Subject: who it is there"),
    "sourced_id": gettext_lazy("sourcedId"),
    "identifier": gettext_lazy("Identifier"),
    "username": gettext_lazy("Username"),
    "email": gettext_lazy("E-mail address"),
    "email_verified": gettext_lazy("The address is vouched for"),
    "role": gettext_lazy("Staff or pupil"),
}
USED = {
    "sourced-id": gettext_lazy("The sourcedId of the roster that goes with it"),
    "identifier": gettext_lazy("The identifier, such as a pupil's number"),
    "username": gettext_lazy("The username: only where the same name always is the same person"),
    "email": gettext_lazy("The e-mail address, if it is vouched for and of a declared domain"),
}
SEATS = {
    "rostered": gettext_lazy("Where its roster has the person (usual)"),
    "always": gettext_lazy("For everybody it lets in"),
    "never": gettext_lazy("For nobody: only who has a seat already comes in by it"),
}


@in_organization(Act.SEE_SIGN_IN)
def show_providers(request: HttpRequest, organization: Organization) -> HttpResponse:
    found = list(providers.providers(organization))
    frame = frame_of(request, organization, "sign-in")
    context = frame | {
        "lent": lending.lent(organization) if frame["may_manage"] else [],
        "providers": [(one, PRESETS[one.preset]) for one in found],
        "door": settings.PUBLIC_URL + reverse("enter", args=[organization.pk]),
    }
    return render(request, "organization/sign_in.html", context)


@in_organization(Act.MANAGE_SIGN_IN)
def choose_preset(request: HttpRequest, organization: Organization) -> HttpResponse:
    context = frame_of(request, organization, "sign-in") | {
        "presets": list(PRESETS.values()),
        "replayed": REPLAYED,
    }
    return render(request, "organization/sign_in_add.html", context)


@in_organization(Act.MANAGE_SIGN_IN)
def add_provider(request: HttpRequest, organization: Organization, preset: str) -> HttpResponse:
    kind = PRESETS.get(preset)
    if kind is None:
        raise Http404
    offer = _offer(request, organization, preset)
    draft = proving.draft_of(offer) if offer else providers.draft(organization, preset)
    if request.method != "POST":
        return _page(request, draft, "", offer)
    try:
        if offer is not None:
            made = proving.take_up(offer, **_filled(request.POST))
        else:
            made = providers.add_provider(organization, preset, **_filled(request.POST))
    except Refusal as refusal:
        return _page(request, draft, refusal.words, offer)
    here = _("Kept. Test it, and switch it on.")
    there = _("Kept. Register the redirect address there, test it, and switch it on.")
    messages.success(request, here if preset == "launch-pad" else there)
    _ask(request, made)
    return redirect("sign-in-provider", organization_id=organization.pk, provider_id=made.pk)


@require_POST
@in_organization(Act.MANAGE_SIGN_IN)
def take_lent(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    """A district of this installation lets its people in: set up and switched on at once."""
    try:
        made = lending.take_up(connection_or_404(organization, connection_id))
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("sign-in", organization_id=organization.pk)
    messages.success(request, _("Your members can sign in by %(name)s now.") % {"name": made.name})
    return redirect("sign-in", organization_id=organization.pk)


@in_organization(Act.MANAGE_SIGN_IN)
def show_provider(request: HttpRequest, organization: Organization, provider_id: int) -> HttpResponse:
    provider = _provider_or_404(organization, provider_id)
    if request.method != "POST":
        return _page(request, provider, "")
    try:
        providers.edit_provider(provider, **_filled(request.POST))
    except Refusal as refusal:
        return _page(request, _provider_or_404(organization, provider_id), refusal.words)
    messages.success(request, _("The sign-in service was changed."))
    _ask(request, provider)
    return redirect("sign-in-provider", organization_id=organization.pk, provider_id=provider.pk)


@require_POST
@in_organization(Act.MANAGE_SIGN_IN)
def switch_provider(request: HttpRequest, organization: Organization, provider_id: int) -> HttpResponse:
    provider = _provider_or_404(organization, provider_id)
    try:
        providers.switch(provider, "on" in request.POST)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        said = (
            _("Members can sign in by it now.")
            if provider.is_active
            else _("Nobody can sign in by it any more.")
        )
        messages.success(request, said)
    return redirect("sign-in-provider", organization_id=organization.pk, provider_id=provider.pk)


@require_POST
@in_organization(Act.MANAGE_SIGN_IN)
def remove_provider(request: HttpRequest, organization: Organization, provider_id: int) -> HttpResponse:
    providers.remove_provider(_provider_or_404(organization, provider_id))
    messages.success(request, _("The sign-in service was removed."))
    return redirect("sign-in", organization_id=organization.pk)


@require_GET
@in_organization(Act.MANAGE_SIGN_IN)
def test_provider(request: HttpRequest, organization: Organization, provider_id: int) -> HttpResponse:
    """To the provider and back like a member, and then to a page that tells what it said; nobody is signed in by it."""
    provider = _provider_or_404(organization, provider_id)
    if not provider.client_id:
        messages.error(request, providers.ClientIdNeeded().words)
        return redirect("sign-in-provider", organization_id=organization.pk, provider_id=provider.pk)
    return away(request, provider, TEST)


@in_organization(Act.MANAGE_SIGN_IN)
def show_tested(request: Any, organization: Organization, provider_id: int) -> HttpResponse:
    provider = _provider_or_404(organization, provider_id)
    tested = request.session.get(TESTED) or {}
    if tested.get("provider") != provider.pk:
        return redirect("sign-in-provider", organization_id=organization.pk, provider_id=provider.pk)
    context = frame_of(request, organization, "sign-in") | {
        "provider": provider,
        "trouble": tested.get("trouble", ""),
        "claims": [(CLAIMS[name], value) for name, value in tested.get("claims", ())],
        "steps": steps_of(tested.get("steps", ())),
        "would": tested.get("would", ""),
        "words": OUTCOMES.get(tested.get("would", ""), ("", ""))[0],
        "member": _who(organization, tested.get("member")),
    }
    return render(request, "organization/sign_in_tested.html", context)


def _who(organization: Organization, number: int | None) -> str:
    """Who that is; the number alone where nobody is there any more."""
    found = Member.objects.filter(organization=organization, id=number).first()
    return f"{name_of(found)} ({number})" if found else str(number or "")


def steps_of(kept: Any) -> list[dict[str, Any]]:
    """The steps of a ladder, in words."""
    return [
        {
            "rung": RUNGS.get(one["rung"], one["rung"]),
            "said": dict(zip(("words", "colour", "icon"), SAID[one["said"]], strict=True)),
            "why": REASONS.get(one["why"]) or OUTCOMES.get(one["why"], (one["why"], ""))[0],
            "owner": OWNERS[one["owner"]],
            "members": one["members"],
        }
        for one in kept
    ]


def frame_of(request: Any, organization: Organization, tab: str) -> dict[str, Any]:
    """What every page of this part has: which tab it is, how much waits, and whether who looks may change anything."""
    may_manage = request.product_reach.may(Act.MANAGE_SIGN_IN, organization)
    waits = reviews.waiting(organization).count() if may_manage else 0
    return {"nav": "sign-in", "tab": tab, "may_manage": may_manage, "waits": waits}


def _offer(request: HttpRequest, organization: Organization, preset: str) -> proving.Offer | None:
    """What is known of a roster that was connected first; the address says which."""
    number = request.GET.get("roster", "")
    if not is_number(number):
        return None
    offer = proving.offer_of(connection_or_404(organization, int(number)))
    return offer if offer is not None and offer.preset.key == preset else None


def _page(
    request: HttpRequest, provider: IdentityProvider, wrong: str, offer: proving.Offer | None = None
) -> HttpResponse:
    organization = provider.organization
    typed = request.POST if request.method == "POST" else None
    kept = {
        "name": provider.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "tenants": "\n".join(provider.tenants),
        "domains": "\n".join(provider.domains),
        "seats": provider.seats,
        "connection": str(provider.connection_id or ""),
    }
    chosen = typed.getlist("rung") if typed is not None else provider.rungs
    rosters = SyncConnection.objects.filter(organization=organization, target_kind="directory").order_by("pk")
    context = frame_of(request, organization, "sign-in") | {
        "provider": provider,
        "preset": PRESETS[provider.preset],
        "replayed": REPLAYED,
        "typed": {name: typed.get(name, text) for name, text in kept.items()} if typed is not None else kept,
        "rungs": [(rung, USED[rung], rung in chosen) for rung in CHOSEN],
        "seats": list(SEATS.items()),
        "names": [(name, CLAIMS[name], _named(provider, typed, name)) for name in NAMES],
        "rosters": [(str(one.pk), one.name) for one in rosters],
        "wrong": wrong,
        "has_secret": bool(provider.client_secret) or bool(offer and offer.hub and offer.hub.client_secret),
        "offer": offer,
        "way": proving.way_of(provider) if provider.pk and not why_not(request, organization) else None,
        "back": settings.PUBLIC_URL + reverse("enter-back", args=[organization.pk, provider.pk or 0])
        if provider.pk
        else "",
    }
    return render(request, "organization/sign_in_provider.html", context, status=422 if wrong else 200)


def _named(provider: IdentityProvider, typed: QueryDict | None, name: str) -> str:
    return str(typed.get(f"name-{name}", "") if typed is not None else provider.names.get(name, ""))


def _filled(posted: QueryDict) -> dict[str, Any]:
    return {
        "name": posted.get("name", ""),
        "issuer": posted.get("issuer", ""),
        "client_id": posted.get("client_id", ""),
        "client_secret": posted.get("client_secret", ""),
        "tenants": posted.get("tenants", "").splitlines(),
        "domains": posted.get("domains", "").splitlines(),
        "rungs": posted.getlist("rung"),
        "names": {name: posted.get(f"name-{name}", "") for name in NAMES},
        "connection": posted.get("connection", ""),
        "seats": posted.get("seats", "rostered"),
    }


def _ask(request: HttpRequest, provider: IdentityProvider) -> None:
    """What the provider says of itself; that it says nothing is told and no reason to keep nothing."""
    try:
        for line in providers.learn(provider, int(datetime.now(UTC).timestamp())):
            messages.info(request, line)
    except Refusal as refusal:
        messages.warning(request, refusal.words)


def _provider_or_404(organization: Organization, provider_id: int) -> IdentityProvider:
    found = providers.providers(organization).filter(pk=provider_id).first()
    if found is None:
        raise Http404
    return found
