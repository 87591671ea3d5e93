"""A sync run: how far it is while it runs, live; what it came to afterwards, failures first; and what can be done about either."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.findings import Group, groups_of
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page, run_or_404
from rollbook.console.organization.live import events, walk_of
from rollbook.console.organization.reasons import hold_words
from rollbook.console.organization.record_words import WAS, said
from rollbook.console.organization.records import choices, shown
from rollbook.console.organization.words import ACTIONS, KINDS, outcome_badge, run_kind
from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.codes import Code
from rollbook.flows.sync import resuming, retrying, runs, undoing
from rollbook.flows.sync.cancel import cancel
from rollbook.flows.sync.holds import holds_of
from rollbook.flows.sync.records import NOT_TAKEN, Asked, codes, failures, not_taken
from rollbook.flows.sync.report import WORDS
from rollbook.refusal import Refusal
from rollbook.store.found import found_in
from rollbook.store.models import Case, Organization, SyncRun
from rollbook.store.sync_shelf import run_folder

DONE = {action: WAS[word] for action, word in WORDS.items()} | {
    name: words for name, words in ACTIONS.items() if name not in NOT_TAKEN
}
"""What was done, by the names under which a run counts it."""

FIRST = 12
"""So many of what failed are shown with the sums."""


@in_organization(Act.SEE_ROSTERING)
def show_run(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    run = run_or_404(connection, run_id)
    sees_people = request.product_reach.may(Act.MANAGE_ROSTERING, organization)  # type: ignore[attr-defined]  # the door gives it
    if run.outcome == "previewed" and run.fingerprint and sees_people:
        return redirect("sync-preview", organization.pk, connection.pk, run.pk)
    context = {"run": run, "kind": run_kind(run), "outcome": outcome_badge(run), "sees_people": sees_people}
    if not run.outcome:
        return rostering_page(
            request,
            connection,
            "sync-runs",
            "organization/run_walk.html",
            context | {"walk": walk_of(run), "streams": settings.STREAMS > 0},
        )
    return rostering_page(
        request, connection, "sync-runs", "organization/run.html", context | _result(run, sees_people)
    )


def _result(run: SyncRun, sees_people: bool) -> dict[str, Any]:
    failed = not_taken(run)
    waiting = holds_of(run, only_open=True)
    return {
        "statistics": _statistics(run),
        "failed": failed,
        "failures": [shown(one) for one in failures(run, FIRST)] if failed and sees_people else [],
        "codes": [said(code, number) for code, number in codes(run)],
        "found": _found(run),
        "held": [(one, hold_words(one)) for one in waiting],
        "held_operations": sum(one.operations for one in waiting),
        "cases": Case.objects.filter(connection=run.connection_id, closed_at=None).count(),
        "can_undo": bool(run.journal) and run.task.get("kind") != runs.UNDO and not _is_undone(run),
        "drifted": run.verified.get("drifted", 0),
        **choices(run, Asked()),
    }


def _found(run: SyncRun) -> list[tuple[Group, Code | None]]:
    """What was wrong in what the source gave: by code, with what it means; nobody is named."""
    groups = groups_of(found_in(run_folder(run)))
    return [(one, CATALOGUE.get(one.code)) for one in groups]


def _is_undone(run: SyncRun) -> bool:
    return SyncRun.objects.filter(undoes=run, outcome__in=("success", "partly")).exists()


def _statistics(run: SyncRun) -> list[dict[str, Any]]:
    """By kind: what was planned, what was done of it, action by action, and what was not taken."""
    planned, done = run.counts.get("operations", {}), run.statistics
    return [
        {
            "kind": kind,
            "words": words,
            "planned": sum(planned.get(kind, {}).values()),
            "done": [(DONE[name], number) for name, number in done.get(kind, {}).items() if name in DONE],
            "failed": sum(done.get(kind, {}).get(name, 0) for name in NOT_TAKEN),
        }
        for kind, words in KINDS.items()
        if planned.get(kind) or done.get(kind)
    ]


# --- While it runs ------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_ROSTERING)
def stream_events(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> StreamingHttpResponse:
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    answer = StreamingHttpResponse(events(run), content_type="text/event-stream; charset=utf-8")
    answer["X-Accel-Buffering"] = "no"  # a proxy in front would keep it until it has a page full
    return answer


@in_organization(Act.SEE_ROSTERING)
def show_now(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    """A piece of the page; once the run has ended, the word to load the whole page anew."""
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    if run.outcome:
        return HttpResponseClientRefresh()
    return render(request, "organization/run_now.html", {"walk": walk_of(run)})


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def cancel_run(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    def act(run: SyncRun) -> None:
        is_over = cancel(run, request.user.email).outcome
        messages.success(
            request, _("The sync is cancelled.") if is_over else _("The sync ends between two batches.")
        )

    return _acted(request, organization, connection_id, run_id, act)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def resume_run(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    def act(run: SyncRun) -> None:
        resuming.resume(run, request.user.email)
        messages.success(request, _("The sync is given to another worker. Nothing is done twice."))

    return _acted(request, organization, connection_id, run_id, act)


# --- Afterwards ---------------------------------------------------------------------------------------------------------------------


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def retry_run(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    """One record (`number`), all that were not taken, or (`whole`) everything."""
    numbers = [int(one) for one in request.POST.getlist("number") if one.isascii() and one.isdecimal()]

    def act(run: SyncRun) -> SyncRun:
        if "whole" in request.POST:
            return runs.enqueue(run.connection, request.user.email, runs.FULL)
        return retrying.retry(run, request.user.email, numbers or None)

    return _acted(request, organization, connection_id, run_id, act)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def undo_run(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    return _acted(
        request, organization, connection_id, run_id, lambda run: undoing.undo(run, request.user.email)
    )


def _acted(
    request: HttpRequest,
    organization: Organization,
    connection_id: int,
    run_id: int,
    act: Callable[[SyncRun], SyncRun | None],
) -> HttpResponse:
    """Does it, and shows the run that came of it; what is refused is said on the page of this one."""
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    try:
        made = act(run)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        made = None
    return redirect("sync-run", organization.pk, connection_id, made.pk if made else run.pk)
