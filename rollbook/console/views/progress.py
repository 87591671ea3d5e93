"""A run that is under way: how far it is, asked for again and again by its page and by the list; and cancelling it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.access import Act, in_district
from rollbook.console.imports import imports_of
from rollbook.console.progress import shown_progress
from rollbook.flows import jobs
from rollbook.refusal import Refusal
from rollbook.store.models import District, Run


@in_district(Act.SEE_IMPORTS)
def show_progress(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    """A piece of a page; once the run has ended, the word to load the whole page anew."""
    shown = shown_progress(_run_or_404(district, run_id))
    if shown is None:
        return HttpResponseClientRefresh()
    template = "console/progress_line.html" if "line" in request.GET else "console/progress_now.html"
    # What is said aloud is sent only when it is another than the page has said already.
    context = {"progress": shown, "is_news": request.GET.get("step") != str(shown.step), "again": True}
    return render(request, template, context)


@require_POST
@in_district(Act.DECIDE_HOLDS)
def cancel(request: Any, district: District, run_id: int) -> HttpResponse:
    run = _run_or_404(district, run_id)
    try:
        ended = jobs.cancel(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        words = (
            _("The import is cancelled.") if ended.outcome else _("The import ends at its next safe point.")
        )
        messages.success(request, words)
    return redirect("import", tenant=district.pk, run_id=run.pk)


def _run_or_404(district: District, run_id: int) -> Run:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    return run
