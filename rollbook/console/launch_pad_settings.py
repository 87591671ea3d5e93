"""The launch pad as a district keeps it: on or off, the address, who comes in by which way, its own provider, first passwords from a file."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rollbook.connectors.contract import ConnectorRefusal
from rollbook.console.access import Act, in_district
from rollbook.console.launch_pad import back_address
from rollbook.engine.launching import WAYS, WayRule
from rollbook.engine.signing_in.claims import ANY, LAUNCH_PAD, PRESETS
from rollbook.engine.signing_in.ladder import CHOSEN
from rollbook.flows.applications import applications
from rollbook.flows.launching import apps, own_provider, pads, passwords, people
from rollbook.refusal import Refusal
from rollbook.store.models import District, LaunchProvider, Org

WAY_WORDS = {
    "password": gettext_lazy("Username and password"),
    "badge": gettext_lazy("Badge and PIN"),
    "provider": gettext_lazy("The district's own sign-in service"),
}
RUNG_WORDS = {
    "sourced-id": gettext_lazy("sourcedId of the roster"),
    "identifier": gettext_lazy("Identifier, such as a student number"),
    "username": gettext_lazy("Username of the roster"),
    "email": gettext_lazy("Verified e-mail address of one of the domains"),
}
COUNTED = timedelta(days=30)
MOST_FILE = 1_000_000


@in_district(Act.HAND_OUT_SIGN_INS)
def show_launching(request: Any, district: District) -> HttpResponse:
    return _launching_page(request, district)


def _launching_page(request: Any, district: District, wrong: str = "") -> HttpResponse:
    pad, now = pads.pad_of(district), datetime.now(UTC)
    counts = apps.launches(district, apps.today_of(district, now - COUNTED))
    today = apps.today_of(district, now)
    schools = request.reach.schools(Act.HAND_OUT_SIGN_INS, district.pk)
    context = {
        "nav": "launching",
        "wrong": wrong,
        "pad": pad,
        "address": pads.address_of(pad),
        "usual": [(way, WAY_WORDS[way], way in pad.ways) for way in WAYS],
        "rules": [_row(rule) for rule in [*pads.rules_of(pad), WayRule(ways=())]],
        "orgs": _orgs(district),
        "provider": own_provider.provider_of(district),
        "apps": [(one, counts.get(one.pk, 0), apps.is_on_pads(one, today)) for one in applications(district)],
        "locked": people.standings(district, people.locked(district, schools)),
    }
    return render(request, "launch_pad/settings.html", context, status=422 if wrong else 200)


def _row(rule: WayRule) -> dict[str, Any]:
    ways = [(way, WAY_WORDS[way], way in rule.ways) for way in WAYS]
    return {"schools": rule.schools, "grades": ", ".join(sorted(rule.grades)), "ways": ways}


def _orgs(district: District) -> list[Org]:
    return list(Org.objects.filter(district=district, status="active", type="school").order_by("name", "id"))


@require_POST
@in_district(Act.MANAGE_LAUNCH_PAD)
def switch_launching(request: Any, district: District) -> HttpResponse:
    pad = pads.switch(district, request.POST.get("to") == "on")
    words = _("The launch pad is open.") if pad.is_on else _("The launch pad is closed. Who was in is out.")
    messages.success(request, words)
    return redirect("launching", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_LAUNCH_PAD)
def set_address(request: Any, district: District) -> HttpResponse:
    try:
        pads.set_slug(district, request.POST.get("slug", ""))
    except Refusal as refusal:
        return _launching_page(request, district, refusal.words)
    messages.success(
        request, _("The address is changed. The one with the Tenant ID opens the launch pad too.")
    )
    return redirect("launching", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_LAUNCH_PAD)
def set_ways(request: Any, district: District) -> HttpResponse:
    names = dict(Org.objects.filter(district=district).values_list("id", "sourced_id"))
    try:
        pads.set_ways(district, request.POST.getlist("usual"), _typed_rules(request, names))
    except Refusal as refusal:
        return _launching_page(request, district, refusal.words)
    messages.success(request, _("The ways in are saved."))
    return redirect("launching", tenant=district.pk)


def _typed_rules(request: HttpRequest, names: dict[int, str]) -> list[dict[str, Any]]:
    """The rows of the form; one without any way is none."""
    rules = []
    for number in range(pads.MOST_RULES + 1):
        ways = request.POST.getlist(f"ways-{number}")
        if ways:
            chosen = [int(one) for one in request.POST.getlist(f"schools-{number}") if one.isdecimal()]
            grades = request.POST.get(f"grades-{number}", "").replace(",", " ").split()
            schools = [names[one] for one in chosen if one in names]
            rules.append({"schools": schools, "grades": grades, "ways": ways})
    return rules


# --- The district's own provider ----------------------------------------------------------------------------------------------------


@in_district(Act.MANAGE_LAUNCH_PAD)
def show_provider(request: Any, district: District) -> HttpResponse:
    found = own_provider.provider_of(district)
    if request.method != "POST":
        return _provider_page(request, district, found)
    if "remove" in request.POST:
        own_provider.remove_provider(district)
        messages.success(request, _("The sign-in service is removed."))
        return redirect("launching", tenant=district.pk)
    try:
        own_provider.set_provider(district, request.POST.get("preset", ""), **_typed_provider(request))
    except (Refusal, ConnectorRefusal) as refusal:
        return _provider_page(request, district, own_provider.provider_of(district), refusal.words)
    messages.success(request, _("The sign-in service is saved."))
    return redirect("launching-provider", tenant=district.pk)


def _typed_provider(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST
    return {
        "name": typed.get("name", ""),
        "issuer": typed.get("issuer", ""),
        "client_id": typed.get("client_id", ""),
        "client_secret": typed.get("client_secret", ""),
        "tenants": typed.get("tenants", "").splitlines(),
        "domains": typed.get("domains", "").split(),
        "rungs": typed.getlist("rung"),
        "is_active": typed.get("is_active") == "yes",
    }


def _kept_provider(found: LaunchProvider | None) -> dict[str, str]:
    """The form as it is filled in before anybody types."""
    if found is None:
        return {"preset": ANY.key}
    columns = ("preset", "name", "issuer", "client_id")
    lists = {name: "\n".join(getattr(found, name)) for name in ("tenants", "domains")}
    return {name: getattr(found, name) for name in columns} | lists


def _provider_page(
    request: HttpRequest, district: District, found: LaunchProvider | None, wrong: str = ""
) -> HttpResponse:
    usual = found.rungs if found else CHOSEN
    usual = request.POST.getlist("rung") if wrong else usual
    context = {
        "nav": "launching",
        "wrong": wrong,
        "provider": found,
        "typed": request.POST if wrong else _kept_provider(found),
        "presets": [(one.key, one.title) for one in PRESETS.values() if one is not LAUNCH_PAD],
        "rungs": [(rung, RUNG_WORDS[rung], rung in usual) for rung in CHOSEN],
        "back": back_address(pads.pad_of(district)),
    }
    return render(request, "launch_pad/provider.html", context, status=422 if wrong else 200)


# --- First passwords ----------------------------------------------------------------------------------------------------------------


@require_POST
@in_district(Act.MANAGE_LAUNCH_PAD)
def take_passwords(request: Any, district: District) -> HttpResponse:
    """A file of first passwords; what was wrong with a line is said, all others are given."""
    file = request.FILES.get("file")
    try:
        if file is None or file.size > MOST_FILE:
            raise passwords.NotACsvOfPasswords
        lines = passwords.give_first_passwords(
            district, file.read(), datetime.now(UTC), most=passwords.MOST_LINES
        )
    except Refusal as refusal:
        return _launching_page(request, district, refusal.words)
    given = sum(not one.wrong for one in lines)
    words = ngettext(
        "%(count)d person has a first password.", "%(count)d people have a first password.", given
    )
    context = {
        "nav": "launching",
        "lines": [one for one in lines if one.wrong],
        "words": words % {"count": given},
    }
    return render(request, "launch_pad/passwords.html", context)


ROUTES: list[URLPattern | URLResolver] = [
    path("launch-pad", show_launching, name="launching"),
    path("launch-pad/switch", switch_launching, name="launching-switch"),
    path("launch-pad/address", set_address, name="launching-address"),
    path("launch-pad/ways", set_ways, name="launching-ways"),
    path("launch-pad/provider", show_provider, name="launching-provider"),
    path("launch-pad/passwords", take_passwords, name="launching-passwords"),
]
