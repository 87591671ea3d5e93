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
from rollbook.flows import holds, jobs
from rollbook.refusal import Refusal
from rollbook.store.models import District, Hold, Run


@require_POST
@in_district(Act.DECIDE_HOLDS)
def decide(request: Any, district: District, run_id: int) -> HttpResponse:
    """What takes time is given to a worker; the page of the run shows how far it is."""
    run = _run_or_404(district, run_id)
    decision = request.POST.get("decision", "")
    if decision not in ("apply", "raise", "reject", "relink") or not hasattr(run, "hold"):
        raise Http404
    try:
        decided = _decided(holds.find_hold(run.pk), decision, request.user.email, request.POST.get("why", ""))
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    if decided.pk != run.pk:
        messages.info(
            request, _("The delivery is planned anew. Look at what is left to change then, and decide.")
        )
    elif decision == "reject":
        messages.success(request, _("The plan is not applied. What is served stays."))
    else:
        messages.info(request, _("The plan is being applied. It goes on if you leave this page."))
    return redirect("import", tenant=district.pk, run_id=decided.pk)


def _decided(hold: Hold, decision: str, by: str, why: str) -> Run:
    if decision == "reject":
        return holds.reject(hold, by, why)
    if decision == "relink":
        return jobs.enqueue_relink(hold, by, why)
    return jobs.enqueue_decision(hold, decision, by, why)


@require_POST
@in_district(Act.DECIDE_HOLDS)
def apply_shown(request: Any, district: District, run_id: int) -> HttpResponse:
    """Apply a plan that was shown and not applied."""
    run = _run_or_404(district, run_id)
    try:
        jobs.enqueue_preview(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.info(request, _("The plan is being applied. It goes on if you leave this page."))
    return redirect("import", tenant=district.pk, run_id=run.pk)


@require_POST
@in_district(Act.DECIDE_HOLDS)
def plan_anew(request: Any, district: District, run_id: int) -> HttpResponse:
    """Plan again what is stale, because the roster is another one now."""
    run = _run_or_404(district, run_id)
    try:
        planned = jobs.enqueue_anew(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    messages.info(request, _("It is planned anew. Look at what would change then."))
    return redirect("import", tenant=district.pk, run_id=planned.pk)


WAYS_BACK: dict[str, Callable[..., Run]] = {"before": jobs.enqueue_undo, "after": jobs.enqueue_return}


@require_POST
@in_district(Act.DECIDE_HOLDS)
def plan_return(request: Any, district: District, run_id: int) -> HttpResponse:
    """Plan the way back to the roster as it was before or after a run. Nothing is applied yet: the plan is shown."""
    run = _run_or_404(district, run_id)
    way = WAYS_BACK.get(request.POST.get("to", ""))
    if way is None:
        raise Http404
    try:
        planned = way(run, request.user.email, only_preview=True)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("import", tenant=district.pk, run_id=run.pk)
    messages.info(request, _("The way back is planned. Look at it then, and apply it if it is right."))
    return redirect("import", tenant=district.pk, run_id=planned.pk)


def _run_or_404(district: District, run_id: int) -> Run:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    return run
