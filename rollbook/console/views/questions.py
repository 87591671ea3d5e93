"""Questions that a worker answers: how far one is, its answer where that is no page of its own, cancelling it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.access import Act, in_district
from rollbook.console.comparing import shown_comparison
from rollbook.console.progress import shown_progress
from rollbook.console.words import FLOWS
from rollbook.flows import jobs, questions
from rollbook.refusal import Refusal
from rollbook.store.models import District, Run

MAY = {
    questions.REHEARSAL: (Act.MANAGE_CALENDAR, "rehearsals"),
    questions.COMPARISON: (Act.COMPARE, "compare"),
    questions.TRIAL: (Act.MANAGE_CONNECTIONS, "connections"),
}
"""Who may see the answer, and the page from which it was asked."""


@in_district(Act.SEE_IMPORTS)
def show_question(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = _question_or_404(request, district, run_id)
    context = {"nav": "calendar" if run.flow == questions.REHEARSAL else "imports", "run": run}
    progress = shown_progress(run)
    if progress or run.outcome != questions.ANSWERED:
        more = {"progress": progress, "flow": FLOWS[run.flow], "asked_at": MAY[run.flow][1]}
        return render(request, "console/question.html", context | more)
    try:
        return _answered(request, district, run, context)
    except questions.NoSuchQuestion as refusal:
        raise Http404 from refusal


@in_district(Act.SEE_IMPORTS)
def show_question_progress(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    """A piece of a page; once it is answered, the word to load the whole page anew."""
    progress = shown_progress(_question_or_404(request, district, run_id))
    if progress is None:
        return HttpResponseClientRefresh()
    context = {"progress": progress, "is_news": request.GET.get("step") != str(progress.step), "again": True}
    return render(request, "console/question_now.html", context)


@require_POST
@in_district(Act.SEE_IMPORTS)
def cancel_question(request: Any, district: District, run_id: int) -> HttpResponse:
    run = _question_or_404(request, district, run_id)
    try:
        jobs.cancel(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("It is cancelled."))
    return redirect("question", tenant=district.pk, run_id=run.pk)


def _answered(request: HttpRequest, district: District, run: Run, context: dict[str, Any]) -> HttpResponse:
    if run.flow == questions.REHEARSAL:
        return redirect("rehearsal", tenant=district.pk, rehearsal_id=questions.answer_of(run))
    if run.flow == questions.TRIAL:
        to = redirect("preparation", tenant=district.pk, connection_id=run.connection_id)
        to["Location"] += f"?samples={run.pk}"
        return to
    found = [shown_comparison(one) for one in questions.compared_of(run)]
    more = {"found": found, "name": run.task["name"], "is_kept": True}
    return render(request, "console/compared.html", context | more)


def _question_or_404(request: Any, district: District, run_id: int) -> Run:
    try:
        run = questions.find_question(district, run_id)
    except questions.NoSuchQuestion as refusal:
        raise Http404 from refusal
    if not request.reach.may(MAY[run.flow][0], district.pk):
        raise Http404
    return run
