"""A sync run under way, as a piece of any page that waits for it: the step in words and a bar, asked for again and again."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404
from rollbook.console.organization.words import PHASES
from rollbook.flows.sync.standing import Standing, standing
from rollbook.store.models import Organization, SyncConnection, SyncRun


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
    return Walking(run, now, _step(now))


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


def run_or_404(connection: SyncConnection, run_id: int, *kinds: str) -> SyncRun:
    """The run of this number, if it is this connection's, and of one of these kinds where any are named."""
    run = SyncRun.objects.filter(connection=connection, pk=run_id).first()
    if run is None or (kinds and run.task.get("kind") not in kinds):
        raise Http404
    run.connection = connection
    return run


def _step(now: Standing) -> Any:
    if now.cancelled_by:
        return _("Cancelling: it ends at the next safe point.")
    if now.ahead:
        return ngettext(
            "Waiting: %(number)s other sync of this organization comes first.",
            "Waiting: %(number)s other syncs of this organization come first.",
            now.ahead,
        ) % {"number": now.ahead}
    if now.nobody_works:
        return _("Waiting: no worker runs at the moment. It begins as soon as one does.")
    return PHASES.get(now.phase, now.phase)
