"""A sync run under way, as a piece of any page that waits for it: the step in words and a bar, asked for again and again."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404, run_or_404
from rollbook.console.organization.live import step_words
from rollbook.flows.sync.standing import Standing, standing
from rollbook.store.models import Organization, SyncRun


@dataclass(frozen=True)
class Walking:
    """A run that has not come to its end, with what it does now in words."""

    run: SyncRun
    standing: Standing
    step: Any


def walking(run: SyncRun) -> Walking | None:
    """None where the run has come to its end."""
    if run.outcome:
        return None
    now = standing(run)
    return Walking(run, now, step_words(now))


@in_organization(Act.SEE_ROSTERING)
def show_walk(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    """A piece of a page; once the run has ended, the word to load the whole page anew."""
    connection = connection_or_404(organization, connection_id)
    shown = walking(run_or_404(connection, run_id))
    if shown is None:
        return HttpResponseClientRefresh()
    # What is said aloud is sent only when it is another than the page has said already.
    context = {
        "connection": connection,
        "walk": shown,
        "is_news": request.GET.get("step") != str(shown.step),
        "again": True,
    }
    return render(request, "organization/walk_now.html", context)
