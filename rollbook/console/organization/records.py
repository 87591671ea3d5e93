"""The records of a sync run: a list that is narrowed and searched, a page at a time, and the same as CSV. Names of people stand in it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404, rostering_page, run_or_404
from rollbook.console.organization.record_words import (
    BUNDLES,
    FIELDS,
    ONE_OF,
    OUTCOMES,
    WAS,
    WILL,
    Said,
    said,
)
from rollbook.console.organization.words import KINDS, STATES, badge
from rollbook.flows.sync.records import Asked, Told, csv_rows, find, reasons_of
from rollbook.flows.sync.report import WORDS
from rollbook.store.models import Organization, SyncRun

PAGE = 50
MOVE = "move"
"""Stands for an update that takes a member to other sites where records are asked for by what is done."""

LONGEST = 200
BEHIND = ("done", "noted")
TO_DO = {word: WILL[action] for action, word in WORDS.items()} | {"skipped": WAS["skipped"]}
"""What is to be done, by the words of a report."""


@dataclass(frozen=True)
class ShownRecord:
    """A record in words. `changes` are (field, before, after)."""

    told: Told
    kind: Any
    what: Any
    outcome: Badge
    reason: Said
    words: str
    changes: list[tuple[Any, str, str]]

    @property
    def is_new(self) -> bool:
        """Whether all there is to show is what it begins with."""
        return self.told.line.what == "created"

    @property
    def can_be_retried(self) -> bool:
        return self.told.line.outcome in ("reject", "conflict", "retry")


@in_organization(Act.MANAGE_ROSTERING)
def show_records(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    run = run_or_404(connection, run_id)
    asked = asked_of(request)
    page = find(run, asked, request.GET.get("from", "")[:20], PAGE)
    kept = kept_of(asked)
    context = {
        "run": run,
        "records": [shown(one) for one in page.records],
        "next": urlencode({**kept, "from": page.following}) if page.following else "",
        "is_first": not request.GET.get("from"),
        "query": urlencode(kept),
        **choices(run, asked),
    }
    return rostering_page(request, connection, "sync-runs", "organization/run_records.html", context)


@in_organization(Act.MANAGE_ROSTERING)
def download_records(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> StreamingHttpResponse:
    run = run_or_404(connection_or_404(organization, connection_id), run_id)
    answer = StreamingHttpResponse(_lines(run, asked_of(request)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="sync-{run.pk}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """What the csv module writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def _lines(run: SyncRun, asked: Asked) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in csv_rows(run, asked))


def asked_of(request: HttpRequest) -> Asked:
    """What the address asks for; what nobody knows is left out."""
    given = request.GET
    kind, action, outcome = given.get("kind", ""), given.get("action", ""), given.get("outcome", "")
    bundle = given.get("bundle", "")
    return Asked(
        kind="members" if action == MOVE else kind if kind in KINDS else "",
        action=action if action in WILL else "",
        moves=action == MOVE,
        outcome=outcome if outcome in OUTCOMES else "",
        reason=given.get("reason", "").replace("\0", "")[:40],
        bundle=bundle if bundle in BUNDLES else "",
        search=given.get("search", "").replace("\0", "").strip()[:LONGEST],
    )


def kept_of(asked: Asked) -> dict[str, str]:
    """The same as an address asks for it."""
    named = {
        "kind": asked.kind,
        "action": MOVE if asked.moves else asked.action,
        "outcome": asked.outcome,
        "reason": asked.reason,
        "bundle": asked.bundle,
        "search": asked.search,
    }
    return {name: value for name, value in named.items() if value}


def choices(run: SyncRun, asked: Asked) -> dict[str, Any]:
    """What the form above a list offers."""
    is_shown = run.outcome == "previewed"
    outcomes = ("planned", "held", "left-out", "noted") if is_shown else tuple(OUTCOMES)
    return {
        "asked": asked,
        "chosen_action": MOVE if asked.moves else asked.action,
        "kinds": KINDS.items(),
        "actions": [*WILL.items(), (MOVE, FIELDS["sites"])],
        "outcomes": [(name, OUTCOMES[name][0]) for name in outcomes],
        "reasons": [(code, said(code).title) for code in reasons_of(run)],
        "bundle": BUNDLES.get(asked.bundle),
    }


def shown(told: Told) -> ShownRecord:
    """A record in words."""
    line = told.line
    return ShownRecord(
        told=told,
        kind=ONE_OF.get(line.kind, line.kind),
        what=(WAS if line.outcome in BEHIND else TO_DO).get(line.what, line.what),
        outcome=badge(OUTCOMES, line.outcome),
        reason=said(line.reason),
        words=line.words,
        changes=[(FIELDS.get(name, name), *_shown(name, *values)) for name, *values in told.changes],
    )


def _shown(field: str, before: str, after: str) -> tuple[Any, Any]:
    """A field's values as they are read: roles and states have words of their own."""
    return (_value(field, before), _value(field, after))


def _value(field: str, value: str) -> Any:
    if field == "state":
        return STATES[value][0] if value in STATES else value
    return VALUES.get(value, value) if field in ("form", "central", "primary") else value


VALUES = {"class": _("Class"), "group": _("Group"), "yes": _("yes")}
