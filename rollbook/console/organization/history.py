"""The runs of a sync connection: when each was, who began it, what it came to."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404, rostering_page
from rollbook.console.organization.live import Walk, walk_of
from rollbook.console.organization.words import ACTIONS, outcome_badge, run_kind
from rollbook.flows.sync.records import NOT_TAKEN
from rollbook.flows.sync.runs import runs_of
from rollbook.store.models import Organization, SyncRun

PAGE = 25


@in_organization(Act.SEE_ROSTERING)
def show_runs(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    found = runs_of(connection).select_related("connection", "organization")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found[: PAGE + 1])
    context = {
        "runs": [_line(run) for run in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_first": not before,
    }
    return rostering_page(request, connection, "sync-runs", "organization/runs.html", context)


def _line(run: SyncRun) -> dict[str, Any]:
    return {
        "run": run,
        "kind": run_kind(run),
        "outcome": outcome_badge(run),
        "walk": _walk(run),
        "changes": _changes(run),
        "failed": sum(counts.get(name, 0) for counts in run.statistics.values() for name in NOT_TAKEN),
    }


def _walk(run: SyncRun) -> Walk | None:
    return None if run.outcome else walk_of(run)


def _changes(run: SyncRun) -> list[tuple[Any, int]]:
    """What was done, of all kinds together."""
    done = ((words, sum(of.get(name, 0) for of in run.statistics.values())) for name, words in _DONE)
    return [(words, number) for words, number in done if number]


_DONE = [(name, words) for name, words in ACTIONS.items() if name not in NOT_TAKEN]
