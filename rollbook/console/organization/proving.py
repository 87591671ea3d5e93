"""Connecting by sign-in: away to the service where the roster is, back with a district that was proved, and on in the wizard."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from rollbook.client_address import client_address
from rollbook.console.entering import CONNECT, PROVED, answer_of, away, gone_by, proved, remember
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.connecting import STEPS, go_on, tested
from rollbook.console.organization.frame import why_not
from rollbook.engine.signing_in.claims import PRESETS, REPLAYED
from rollbook.flows.signing_in import journeys, tries
from rollbook.flows.sync import proving
from rollbook.flows.sync.proving import NotProved, Way
from rollbook.refusal import Refusal
from rollbook.store.models import Hub, Organization

ELSEWHERE = frozenset({"cross-site", "same-site"})
"""Where a link of somebody else's stands: nobody is connected by following one."""


@require_GET
@in_organization(Act.SEE_ROSTERING)
def set_out(request: Any, organization: Organization, way: str) -> HttpResponse:
    """To the service, where who is signed in already comes straight back. One that does not know us yet is set up first."""
    if reason := why_not(request, organization):
        return render(
            request, "organization/not_here.html", {"nav": "rostering", "why_not": reason}, status=403
        )
    found = _way_or_404(organization, way)
    if request.headers.get("Sec-Fetch-Site") in ELSEWHERE:
        return redirect("sync-setup", organization.pk)
    if found.hub is not None:
        return _to_hub(request, organization, found, found.hub)
    if found.provider is not None:
        return away(request, found.provider, CONNECT, found.key)
    messages.info(
        request,
        _("%(service)s does not know this installation yet. Say here how it does, and connect the roster from there.")
        % {"service": found.title},
    )  # fmt: skip
    return redirect("sign-in-add-by", organization.pk, found.preset.key)


@never_cache
@require_GET
@login_required
def come_back(request: Any, hub_id: int) -> HttpResponse:
    """From a hub. Each answer is taken once, and from the browser that set out: it knows for which organization that was."""
    hub, gone = Hub.objects.filter(pk=hub_id).first(), gone_by(request)
    if gone is None or hub is None or gone.get("hub") != hub.pk:
        messages.error(request, _("This browser did not set out for there, or is back already: begin again."))
        return redirect("home")
    try:
        said = journeys.finish(hub, back(hub), gone["kept"], answer_of(request), _now())
    except journeys.NobodyCame as refusal:
        return proved(request, gone["organization"], gone["way"], {"outcome": refusal.code})
    told = proving.told(Way(hub.name, PRESETS[hub.preset], hub), said)
    return proved(request, gone["organization"], gone["way"], told)


@require_GET
@in_organization(Act.SEE_ROSTERING)
def show_proved(request: Any, organization: Organization) -> HttpResponse:
    """What was proved is used here, once: the source is connected and tested, or a page says why not and what to do."""
    what = request.session.pop(PROVED, None)
    if what is None or what["organization"] != organization.pk:
        return redirect("sync-setup", organization.pk)
    way = _way_or_404(organization, what["way"])
    if reason := why_not(request, organization):
        return render(
            request, "organization/not_here.html", {"nav": "rostering", "why_not": reason}, status=403
        )
    try:
        if "outcome" in what:
            raise proving.NobodyProved(what["outcome"])
        proof = proving.prove(organization, way, what)
    except NotProved as refusal:
        return _not_proved(request, way, refusal)
    if way.hub is None:
        return _by_own_key(request, organization, proof)
    try:
        made = proving.connect(organization, proof)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("sync-setup", organization.pk)
    wrong = tested(request, made)
    if wrong:
        messages.error(request, wrong)
    return go_on(made, wrong)


def back(hub: Hub) -> str:
    """Where the hub sends people back to, as it is registered there."""
    return settings.PUBLIC_URL + reverse("connect-back", args=[hub.pk])


def _to_hub(request: Any, organization: Organization, way: Way, hub: Hub) -> HttpResponse:
    if not tries.may_set_out(client_address(request.META) or ""):
        return _not_proved(request, way, proving.NobodyProved("too-many"))
    try:
        address, kept = journeys.begin(hub, back(hub), _now())
    except journeys.NobodyCame as refusal:
        return _not_proved(request, way, proving.NobodyProved(refusal.code))
    remember(
        request, kept, {"hub": hub.pk, "organization": organization.pk, "way": way.key, "purpose": CONNECT}
    )
    return redirect(address)


def _by_own_key(request: Any, organization: Organization, proof: proving.Proof) -> HttpResponse:
    """The product has no key there: whose district it is, is known, and what opens it is asked."""
    messages.success(
        request,
        _("You signed in for the district %(tenant)s. Where its roster is listed, and the key, are left to say.")
        % {"tenant": proof.tenant},
    )  # fmt: skip
    told = {"tenant": proof.tenant, "issuer": proof.issuer}
    return redirect(f"{reverse('sync-connect', args=[organization.pk, 'partner'])}?{urlencode(told)}")


def _not_proved(request: Any, way: Way, refusal: NotProved) -> HttpResponse:
    context = {
        "nav": "rostering",
        "steps": STEPS,
        "step": "connect",
        "way": way,
        "words": refusal.words,
        "code": refusal.code,
        "replayed": REPLAYED,
    }
    return render(request, "organization/setup_not_proved.html", context, status=403)


def _way_or_404(organization: Organization, key: str) -> Way:
    try:
        return proving.find_way(organization, key)
    except proving.NoSuchWay as refusal:
        raise Http404 from refusal


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
