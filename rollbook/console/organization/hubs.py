"""Support: the roster hubs where the product is registered, so that its customers connect by signing in there and type nothing."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_product
from rollbook.console.organization.proving import back
from rollbook.engine.signing_in.claims import PRESETS, REPLAYED
from rollbook.flows.sync import hubs
from rollbook.refusal import Refusal
from rollbook.store.models import Hub, Product

TYPED = ("name", "issuer", "client_id", "listing")


@in_product(Act.SUPPORT_ROSTERING)
def show_hubs(request: HttpRequest, product: Product) -> HttpResponse:
    found = [(one, back(one)) for one in hubs.hubs_of(product)]
    context = {"nav": "support", "hubs": found, "presets": hubs.ROSTERING.values(), "replayed": REPLAYED}
    return render(request, "organization/hubs.html", context)


@in_product(Act.SUPPORT_ROSTERING)
def add_hub(request: Any, product: Product, preset: str) -> HttpResponse:
    kind = hubs.ROSTERING.get(preset)
    if kind is None:
        raise Http404
    draft = Hub(product=product, preset=preset, name=kind.title, issuer=kind.issuer)
    if request.method != "POST":
        return _page(request, draft)
    try:
        made = hubs.register(product, preset, **_filled(request, draft))
    except Refusal as refusal:
        return _page(request, draft, refusal.words)
    messages.success(
        request, _("Kept. Register the redirect address there; your customers can connect then.")
    )
    return redirect("support-hub", product.pk, made.pk)


@in_product(Act.SUPPORT_ROSTERING)
def show_hub(request: Any, product: Product, hub_id: int) -> HttpResponse:
    hub = _hub_or_404(product, hub_id)
    if request.method != "POST":
        return _page(request, hub)
    try:
        hubs.change_hub(hub, **_filled(request, hub))
    except Refusal as refusal:
        return _page(request, _hub_or_404(product, hub_id), refusal.words)
    messages.success(request, _("The hub was changed."))
    return redirect("support-hub", product.pk, hub.pk)


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def remove_hub(request: Any, product: Product, hub_id: int) -> HttpResponse:
    hubs.remove_hub(_hub_or_404(product, hub_id))
    messages.success(request, _("The hub was removed."))
    return redirect("support-hubs", product.pk)


def _page(request: Any, hub: Hub, wrong: str = "") -> HttpResponse:
    typed = {name: request.POST.get(name, getattr(hub, name)) for name in TYPED}
    context = {
        "nav": "support",
        "hub": hub,
        "preset": PRESETS[hub.preset],
        "back": back(hub) if hub.pk else "",
        "typed": typed | {"tenant": request.POST.get("tenant", hub.names.get("tenant", ""))},
        "wrong": wrong,
        "replayed": REPLAYED,
    }
    return render(request, "organization/hub.html", context, status=422 if wrong else 200)


def _filled(request: Any, hub: Hub) -> dict[str, Any]:
    told = {name: request.POST.get(name, "") for name in (*TYPED, *hubs.SECRET)}
    names = hub.names | ({"tenant": request.POST["tenant"]} if "tenant" in request.POST else {})
    return told | {"names": names}


def _hub_or_404(product: Product, number: int) -> Hub:
    found = hubs.hubs_of(product).filter(pk=number).first()
    if found is None:
        raise Http404
    return found
