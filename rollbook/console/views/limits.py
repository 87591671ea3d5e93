"""The limits of a district: the numbers above which a plan waits for a person."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from rollbook.console.access import Act, in_district
from rollbook.console.words import COLLECTIONS, LIMITS
from rollbook.flows.limits import NotALimit, limits_of, reset_limits, set_limits
from rollbook.store.models import District, Limit

RULES = ("to_zero", "last_administrator")
ONLY_OF = {"identifying_percent": ("users",), "last_administrator": ("roles",)}
"""Limits that mean something for some collections only."""


@in_district(Act.MANAGE_LIMITS)
def show_limits(request: HttpRequest, district: District) -> HttpResponse:
    own = set(Limit.objects.filter(district=district).values_list("collection", flat=True))
    rows = [
        {
            "collection": collection,
            "words": COLLECTIONS[collection],
            "limits": limits,
            "is_own": collection in own,
        }
        for collection, limits in limits_of(district).items()
    ]
    return render(request, "console/limits.html", {"nav": "limits", "rows": rows})


@in_district(Act.MANAGE_LIMITS)
def edit_limits(request: HttpRequest, district: District, collection: str) -> HttpResponse:
    if collection not in COLLECTIONS:
        raise Http404
    if request.method != "POST":
        return _form(request, district, collection, asdict(limits_of(district)[collection]), "")
    if "reset" in request.POST:
        reset_limits(district, collection)
        messages.success(request, _("The limits are the defaults again."))
        return redirect("limits", tenant=district.pk)
    try:
        set_limits(district, collection, _filled(request, collection))
    except NotALimit as refusal:
        return _form(request, district, collection, request.POST.dict(), refusal.words)
    messages.success(request, _("The limits are set. They hold from the next plan on."))
    return redirect("limits", tenant=district.pk)


def _names(collection: str) -> list[str]:
    return [name for name in LIMITS if collection in ONLY_OF.get(name, (collection,))]


def _filled(request: HttpRequest, collection: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in _names(collection):
        text = request.POST.get(name, "").strip()
        if name in RULES:
            values[name] = bool(text)
        else:
            values[name] = (int(text) if text.isascii() and text.isdecimal() else text) if text else None
    return values


def _form(
    request: HttpRequest, district: District, collection: str, values: dict[str, Any], wrong: str
) -> HttpResponse:
    fields = [
        {
            "name": name,
            "words": LIMITS[name],
            "value": "" if values.get(name) is None else values.get(name),
            "is_rule": name in RULES,
        }
        for name in _names(collection)
    ]
    context = {
        "nav": "limits",
        "collection": collection,
        "words": COLLECTIONS[collection],
        "fields": fields,
        "wrong": wrong,
    }
    return render(request, "console/limits_of.html", context, status=422 if wrong else 200)
