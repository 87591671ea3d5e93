"""Deciding about a held plan, and looking at the changes of any plan: a page at a time, or all as CSV."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.imports import imports_of
from rollbook.console.plans import rows_of, shown_change
from rollbook.console.words import ACTIONS, COLLECTIONS
from rollbook.flows import holds
from rollbook.refusal import Refusal
from rollbook.store.models import District, Run
from rollbook.store.plans import find_changes
from rollbook.store.shelf import place

PAGE = 50
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


@in_district(Act.SEE_IMPORTS)
def show_changes(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = _planned_or_404(district, run_id)
    narrow = _narrow(request)
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
    found = find_changes(place(run.plan.shelf_name), **narrow, after=start, limit=PAGE + 1)
    kept = {name: value for name, value in narrow.items() if value}
    context = {
        "nav": "imports",
        "run": run,
        "changes": [shown_change(one) for one in found[:PAGE]],
        "next": urlencode({**kept, "after": found[PAGE - 1].number}) if len(found) > PAGE else "",
        "is_first": not start,
        "asked": narrow,
        "query": urlencode(kept),
        "collections": [(name, words) for name, words in COLLECTIONS.items() if name in run.plan.counts],
        "actions": ACTIONS.items(),
    }
    return render(request, "console/plan_changes.html", context)


@in_district(Act.SEE_IMPORTS)
def download_changes(request: HttpRequest, district: District, run_id: int) -> StreamingHttpResponse:
    run = _planned_or_404(district, run_id)
    answer = StreamingHttpResponse(_lines(run, _narrow(request)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="changes-{run.pk}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """What the csv module writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def _lines(run: Run, narrow: dict[str, str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in rows_of(run.plan, **narrow))


def _narrow(request: HttpRequest) -> dict[str, str]:
    collection, action = request.GET.get("collection", ""), request.GET.get("action", "")
    return {
        "collection": collection if collection in COLLECTIONS else "",
        "action": action if action in ACTIONS else "",
        "search": request.GET.get("search", "").strip()[:200],
    }


def _run_or_404(district: District, run_id: int) -> Run:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    return run


def _planned_or_404(district: District, run_id: int) -> Run:
    run = _run_or_404(district, run_id)
    if not hasattr(run, "plan") or not place(run.plan.shelf_name).exists():
        raise Http404
    return run
