"""Deciding about a plan that waits: one that is held, or one that was only shown; and planning the way back to an earlier roster."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.imports import imports_of
from rollbook.flows import holds
from rollbook.flows.ingest import Prepared
from rollbook.flows.previews import apply_preview, preview
from rollbook.flows.undo import prepare_return, prepare_undo
from rollbook.refusal import Refusal
from rollbook.store.models import District, Run

VERBS = {
    "apply": holds.apply_once,
    "raise": holds.apply_and_raise,
    "reject": holds.reject,
    "relink": holds.relink,
}


@require_POST
@in_district(Act.DECIDE_HOLDS)
def decide(request: Any, district: District, run_id: int) -> HttpResponse:
    run = _run_or_404(district, run_id)
    verb = VERBS.get(request.POST.get("decision", ""))
    if verb is None or not hasattr(run, "hold"):
        raise Http404
    try:
        ended = verb(holds.find_hold(run.pk), request.user.email, request.POST.get("why", ""))
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    if ended.pk != run.pk:
        messages.info(
            request, _("The delivery was planned anew. Look at what is left to change, and decide.")
        )
    elif ended.outcome == "success":
        messages.success(request, _("The plan was applied."))
    else:
        messages.success(request, _("The plan is not applied. What is served stays."))
    return redirect("import", tenant=district.pk, run_id=ended.pk)


@require_POST
@in_district(Act.DECIDE_HOLDS)
def apply_shown(request: Any, district: District, run_id: int) -> HttpResponse:
    """Apply a plan that was shown and not applied."""
    run = _run_or_404(district, run_id)
    try:
        ended = apply_preview(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    if ended.outcome == "held":
        messages.warning(request, _("The limits hold this plan. Look at it, and decide."))
    else:
        messages.success(request, _("The plan was applied."))
    return redirect("import", tenant=district.pk, run_id=run.pk)


WAYS_BACK: dict[str, Callable[[Run, str], Prepared]] = {"before": prepare_undo, "after": prepare_return}


@require_POST
@in_district(Act.DECIDE_HOLDS)
def plan_return(request: Any, district: District, run_id: int) -> HttpResponse:
    """Plan the way back to the roster as it was before or after a run. Nothing is applied yet: the plan is shown."""
    run = _run_or_404(district, run_id)
    way = WAYS_BACK.get(request.POST.get("to", ""))
    if way is None:
        raise Http404
    try:
        planned = preview(way(run, request.user.email))
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    messages.info(request, _("This is the way back. Look at it, and apply it if it is right."))
    return redirect("import", tenant=district.pk, run_id=planned.pk)


def _run_or_404(district: District, run_id: int) -> Run:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    return run
