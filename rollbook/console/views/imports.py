"""The imports of a district: the list, and the report of one."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.access import Act, in_district
from rollbook.console.calendar import delivery_words, left_out
from rollbook.console.imports import imports_of, shown
from rollbook.console.plans import shown_hold
from rollbook.console.previews import shown_preview, ways_back
from rollbook.console.progress import shown_progress
from rollbook.console.proofs import shown_certificate
from rollbook.console.reports import is_kept, report_of
from rollbook.flows.kept import held_before
from rollbook.flows.spans import KEPT
from rollbook.store.models import District, Run

PAGE = 25


@in_district(Act.SEE_IMPORTS)
def show_imports(request: HttpRequest, district: District) -> HttpResponse:
    runs = imports_of(district)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        runs = runs.filter(id__lt=int(before))
    found = list(runs[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    context = {
        "nav": "imports",
        "runs": [shown(run) for run in found[:PAGE]],
        "older": older,
        "is_first": not before,
    }
    return render(request, "console/imports.html", context)


@in_district(Act.SEE_IMPORTS)
def show_import(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    context = {
        "nav": "imports",
        "shown": shown(run),
        "progress": shown_progress(run),
        "held": shown_hold(run),
        "report": report_of(run),
        "plan_kept": is_kept(run),
        "previewed": shown_preview(run),
        "back": ways_back(run),
        "behind": held_before(run) if run.outcome == KEPT else None,
        "certificate": shown_certificate(run),
        **_of_delivery(run),
    }
    return render(request, "console/import.html", context)


def _of_delivery(run: Run) -> dict[str, Any]:
    """What kind of delivery it was, and what was left out of its plan."""
    plan = getattr(run, "plan", None)
    return {"delivered": delivery_words(plan), "left_out": left_out(plan)} if plan else {}
