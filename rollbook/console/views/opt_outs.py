"""Opt-outs: who is kept from an app or from every app, since when, and why."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.cells import Cell, Names
from rollbook.console.places import app_page, grant_or_404
from rollbook.flows import opt_outs
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant, OptOut

PAGE = 200


@dataclass(frozen=True)
class Line:
    """One opt-out and the person it is about."""

    made: OptOut
    person: Cell


@in_district(Act.OPT_OUT)
def show_opt_outs(request: Any, district: District, grant_id: int) -> HttpResponse:
    return _page(request, district, grant_or_404(district, grant_id))


@require_POST
@in_district(Act.OPT_OUT)
def add_opt_out(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant, typed = grant_or_404(district, grant_id), request.POST
    try:
        opt_outs.opt_out(
            district, typed.get("person", "").strip(), None if "every" in typed else grant, typed.get("reason", ""),
            by=request.user.email, starts_on=typed.get("starts_on", "").strip() or None,
            ends_on=typed.get("ends_on", "").strip() or None,
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, district, grant, refusal.words)
    messages.success(request, _("From that day on the records of this person are kept back."))
    return redirect("app-optouts", tenant=district.pk, grant_id=grant.pk)


@require_POST
@in_district(Act.OPT_OUT)
def withdraw_opt_out(request: Any, district: District, grant_id: int, made_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    try:
        opt_outs.withdraw(opt_outs.find_opt_out(made_id, district), by=request.user.email)
    except opt_outs.NoSuchOptOut as refusal:
        raise Http404 from refusal
    messages.success(request, _("The opt-out has ended. It stays as history."))
    return redirect("app-optouts", tenant=district.pk, grant_id=grant.pk)


def _page(request: Any, district: District, grant: Grant, wrong: str = "") -> HttpResponse:
    with_past = "past" in request.GET
    found = list(opt_outs.opt_outs_of(district, grant, withdrawn=with_past)[:PAGE])
    names = Names(district)
    names.want("users", (one.user_id for one in found))
    names.look_up()
    context = {
        "lines": [Line(one, names.cell("users", one.user_id)) for one in found],
        "with_past": with_past,
        "typed": request.POST,
        "person": request.POST.get("person") or request.GET.get("person", ""),
        "wrong": wrong,
    }
    return app_page(
        request, grant, "app-optouts", "console/opt_outs.html", context, status=422 if wrong else 200
    )
