"""The sign-in service that a district or an organization has of its own for those who work in its console: set up, tried out, required."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rollbook.console import own_door
from rollbook.console.access import Act, in_district
from rollbook.console.organization.access import in_organization
from rollbook.engine.signing_in.claims import ENTRA, GOOGLE, PRESETS, REPLAYED
from rollbook.flows.own_sign_in import leaving, setting_up
from rollbook.flows.own_sign_in.setting_up import Owner
from rollbook.flows.signing_in.providers import ClientIdNeeded
from rollbook.refusal import Refusal
from rollbook.store.models import District

CLAIMS = {
    "tenant": gettext_lazy("Tenant"),
    "subject": gettext_lazy("Subject: who it is there"),
    "email": gettext_lazy("E-mail address"),
    "email_verified": gettext_lazy("The address is vouched for"),
}
SWITCHES: dict[str, Callable[[Owner], object]] = {
    "on": lambda owner: setting_up.switch(setting_up.the_own_of(owner), True),
    "off": lambda owner: setting_up.switch(setting_up.the_own_of(owner), False),
    "require": lambda owner: setting_up.require(owner, True),
    "not-require": lambda owner: setting_up.require(owner, False),
    "remove": lambda owner: setting_up.remove(setting_up.the_own_of(owner)),
}
DONE = {
    "on": gettext_lazy("Who works here can sign in by it now."),
    "off": gettext_lazy("Nobody can sign in by it any more."),
    "require": gettext_lazy("It is required from now on: a password opens these pages no more."),
    "not-require": gettext_lazy("It is not required any more: a password opens these pages again."),
    "remove": gettext_lazy("The sign-in service was removed."),
}


def _show(request: Any, owner: Owner) -> HttpResponse:
    if request.method != "POST":
        return _page(request, owner, "")
    try:
        setting_up.keep(owner, request.POST.get("preset", ""), **_filled(request.POST))
    except Refusal as refusal:
        return _page(request, owner, refusal.words)
    messages.success(request, _("The sign-in service is kept."))
    _ask(request, owner)
    return redirect(own_door.settings_address(owner))


def _turn(request: Any, owner: Owner) -> HttpResponse:
    wanted = next((name for name in SWITCHES if name in request.POST), "")
    if wanted:
        try:
            SWITCHES[wanted](owner)
        except Refusal as refusal:
            messages.error(request, refusal.words)
        else:
            messages.success(request, str(DONE[wanted]))
    return redirect(own_door.settings_address(owner))


def _test(request: Any, owner: Owner) -> HttpResponse:
    """To the service and back, and then to a page that tells what it said; nobody is signed in by it, and nothing is kept."""
    own = setting_up.own_of(owner)
    if own is None or not own.client_id:
        messages.error(request, (setting_up.NoOwnSignIn if own is None else ClientIdNeeded)().words)
        return redirect(own_door.settings_address(owner))
    return own_door.away(request, own, is_test=True)


def _page(request: Any, owner: Owner, wrong: str) -> HttpResponse:
    own = setting_up.own_of(owner)
    typed = request.POST if wrong else None
    kept = {
        "preset": own.preset if own else ENTRA.key,
        "issuer": own.issuer if own else "",
        "client_id": own.client_id if own else "",
        "tenants": "\n".join(own.tenants) if own else "",
        "leads_back": "yes" if own and own.leads_back else "",
        "domains": "\n".join(own.domains) if own else "\n".join(setting_up.domains_at_first(owner)),
    }
    tested = request.session.get(own_door.TESTED) or {}
    is_district = isinstance(owner, District)
    context = {
        "frame": "console/base.html" if is_district else "organization/base.html",
        "nav": "settings" if is_district else "organization-settings",
        "owner": owner,
        "own": own,
        "presets": [(one, one.key == (typed or kept).get("preset")) for one in PRESETS.values()],
        "replayed": REPLAYED,
        "google": GOOGLE,
        "typed": {name: typed.get(name, text) for name, text in kept.items()} if typed is not None else kept,
        "wrong": wrong,
        "back": setting_up.back_address(own) if own else "",
        "out": leaving.back_address(own) if own else "",
        "door": setting_up.door_address(own) if own else "",
        "turn_url": own_door.settings_address(owner) + "/turn",
        "test_url": own_door.settings_address(owner) + "/test",
        "settings_name": "settings" if is_district else "organization-settings",
        "tested": _told(tested) if own and tested.get("of") == own.key else None,
    }
    if not wrong:
        request.session.pop(own_door.TESTED, None)
    return render(request, "console/own_sign_in.html", context, status=422 if wrong else 200)


def _told(tested: dict[str, Any]) -> dict[str, Any]:
    return {
        "trouble": tested.get("trouble", ""),
        "claims": [(CLAIMS[name], value) for name, value in tested.get("claims", ())],
        "wrong": tested.get("wrong", ""),
    }


def _filled(posted: QueryDict) -> dict[str, Any]:
    told = {name: posted.get(name, "") for name in ("issuer", "client_id", "client_secret")}
    if not told["issuer"].strip():
        told.pop("issuer")  # the preset's
    lists = {name: posted.get(name, "").splitlines() for name in ("tenants", "domains")}
    return {**told, **lists, "leads_back": "leads_back" in posted}


def _ask(request: HttpRequest, owner: Owner) -> None:
    """What the service says of itself; that it says nothing is told, and no reason to keep nothing."""
    try:
        for line in setting_up.learn(setting_up.the_own_of(owner), int(datetime.now(UTC).timestamp())):
            messages.info(request, line)
    except Refusal as refusal:
        messages.warning(request, refusal.words)


of_district = in_district(Act.MANAGE_OPERATORS)
of_organization = in_organization(Act.MANAGE_ADMINISTRATORS)

show_in_district, show_in_organization = of_district(_show), of_organization(_show)
turn_in_district, turn_in_organization = (
    require_POST(of_district(_turn)),
    require_POST(of_organization(_turn)),
)
test_in_district, test_in_organization = require_GET(of_district(_test)), require_GET(of_organization(_test))
