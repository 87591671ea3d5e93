"""The preview of a sync: what it would do, before anything is done. It is approved exactly as it is shown, or made anew."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page, run_or_404
from rollbook.console.organization.reasons import hold_words
from rollbook.console.organization.record_words import BUNDLES, said
from rollbook.console.organization.records import ShownRecord, choices, shown
from rollbook.console.organization.setting_fields import shown_changes
from rollbook.console.organization.words import KINDS, run_kind
from rollbook.engine.sync.schools import WANTED
from rollbook.flows.sync import deciding, holds, mapping, retrying, runs, settings
from rollbook.flows.sync.foretelling import Bundle, Foretold, foretell
from rollbook.flows.sync.mapping import Placed
from rollbook.flows.sync.records import Asked, find
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncRun

FIRST, NAMED = 12, 8
"""So many records are shown on the page, and so many of each bundle of removals."""


@dataclass(frozen=True)
class ShownBundle:
    """Removals that are ticked apart, the first of them with their names."""

    bundle: Bundle
    words: Any
    first: list[ShownRecord]

    @property
    def others(self) -> int:
        return self.bundle.number - len(self.first)


@in_organization(Act.MANAGE_ROSTERING)
def show_preview(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    run = run_or_404(connection, run_id)
    if run.outcome != "previewed" or not run.fingerprint:
        return redirect("sync-run", organization.pk, connection.pk, run.pk)
    foretold = foretell(run)
    page = find(run, Asked(), limit=FIRST)
    context = {
        "run": run,
        "kind": run_kind(run),
        "is_undo": run.task.get("kind") == runs.UNDO,
        "is_first": bool(run.stakes.get("first")),
        "stale": _stale(run),
        **_schools(connection, run),
        "proposed": shown_changes(settings.proposed(run)),
        "foretold": foretold,
        "figures": [(KINDS[one.kind], one) for one in foretold.figures],
        "bundles": _bundles(run, foretold),
        "skipped": [said(code, number) for code, number in foretold.skipped.items()],
        "left_out": [(KINDS[kind], number) for kind, number in run.counts.get("leftOut", {}).items()],
        "held": [(one, hold_words(one)) for one in foretold.held],
        "records": [shown(one) for one in page.records],
        "has_more": bool(page.following),
        **choices(run, Asked()),
    }
    return rostering_page(request, connection, "sync-runs", "organization/preview.html", context)


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def begin(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    """Lets through exactly what was shown, with the removals that were ticked."""
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    if request.POST.get("fingerprint") != run.fingerprint:
        return _refused(request, run, holds.OutOfDate(str(run.pk)))
    try:
        holds.approve(run, request.user.email, ticked=request.POST.getlist("tick"))
    except Refusal as refusal:
        return _refused(request, run, refusal)
    return _to_run(run)


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def anew(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    """Another preview of the same, from the source and the directory as they are now."""
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    return _planned_anew(request, run)


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def unmap(request: Any, organization: Organization, connection_id: int, run_id: int) -> HttpResponse:
    """Takes a school off its site, which makes another plan."""
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    try:
        mapping.unmap(run.connection, request.POST.get("school", "")[:255], request.user.email)
    except Refusal as refusal:
        return _refused(request, run, refusal)
    return _planned_anew(request, run)


def _planned_anew(request: Any, run: SyncRun) -> HttpResponse:
    try:
        made = retrying.anew(run, request.user.email)
    except Refusal as refusal:
        return _refused(request, run, refusal)
    return _to_run(made)


def _refused(request: HttpRequest, run: SyncRun, refusal: Refusal) -> HttpResponse:
    messages.error(request, refusal.words)
    return redirect("sync-preview", run.organization_id, run.connection_id, run.pk)


def _to_run(run: SyncRun) -> HttpResponse:
    return redirect("sync-run", run.organization_id, run.connection_id, run.pk)


def _stale(run: SyncRun) -> str:
    """Why it can be carried out no more, in words; empty where it can."""
    try:
        holds.refuse_unless_current(run)
    except holds.OutOfDate as refusal:
        return refusal.words
    return ""


def _schools(connection: SyncConnection, run: SyncRun) -> dict[str, list[Placed]]:
    """The schools that go to a site, and those that become one. A run about a part, or one that takes back, has nothing to do with them."""
    if not runs.speaks_for_all(run):
        return {}
    try:
        board = mapping.board(connection)
    except deciding.NeverRead:
        return {}
    new = [one for one in (*board.waiting, *board.aside) if one.school.state == WANTED]
    return {"mapped": list(board.mapped), "new_sites": new}


def _bundles(run: SyncRun, foretold: Foretold) -> list[ShownBundle]:
    return [
        ShownBundle(
            one,
            BUNDLES[one.name],
            [shown(told) for told in find(run, Asked(bundle=one.name), limit=NAMED).records],
        )
        for one in foretold.bundles
    ]
