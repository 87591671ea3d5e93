"""Rostering of an organization at a glance: what it is connected to, how that stands, what waits for whom, and pausing and ending it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import (
    changing,
    connection_or_404,
    rostering_page,
    sign_in_offer,
    why_not,
)
from rollbook.console.organization.stating import WALK, stated, timing_words
from rollbook.console.organization.synced import synced
from rollbook.console.organization.words import ACTIONS, KINDS, STATES, badge, outcome_badge, run_kind
from rollbook.flows.sync import connections, customer, helping, runs
from rollbook.flows.sync.overview import TABLES, Overview, overview
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncRun

LISTS = {"sites": "sites", "members": "members", "groups": "groups", "memberships": "groups"}
"""The route of the page on which records of a kind stand; who is in a class stands on the page of the class."""

ICONS = {"sites": "school", "members": "people", "groups": "classes", "memberships": "enrollments"}


@in_organization(Act.SEE_ROSTERING)
def show_rostering(request: HttpRequest, organization: Organization) -> HttpResponse:
    found = connections.connections(organization)
    if len(found) == 1 and "all" not in request.GET:
        return redirect("sync-overview", organization_id=organization.pk, connection_id=found[0].pk)
    now = timezone.now()
    context = {
        "nav": "rostering",
        "lines": [stated(overview(one, now)) for one in found],
        "why_not": why_not(request, organization),
        "questions": helping.requests_of(organization).filter(connection=None)[:5],
    }
    return render(request, "organization/rostering.html", context)


@in_organization(Act.SEE_ROSTERING)
def show_overview(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    seen = overview(connection, timezone.now())
    policy = connections.policy_of(connection)
    asked_here = Q(connection=connection) | Q(
        connection=None
    )  # what was asked before there was a connection too
    context = {
        "seen": seen,
        "stated": stated(seen),
        "walk": _walk(connection),
        "tiles": _tiles(seen),
        "statistics": _statistics(seen.last) if seen.last else [],
        "last": _line(seen.last) if seen.last else None,
        "recent": [_line(run) for run in seen.recent],
        "timing": timing_words(policy.timing),
        "creates": policy.people.create,
        "synced": synced(policy, organization),
        "offer": sign_in_offer(request, connection),
        "questions": helping.requests_of(organization).filter(asked_here)[:3],
    }
    return rostering_page(request, connection, "sync-overview", "organization/overview.html", context)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def sync_now(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    only_shown = "preview" in request.POST or connection.first_applied_at is None
    try:
        run = runs.enqueue(connection, request.user.email, runs.FULL, preview=only_shown)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return _back(connection)
    return redirect("sync-run", organization_id=organization.pk, connection_id=connection.pk, run_id=run.pk)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def pause(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    return _go(
        request, organization, connection_id, connections.pause, _("It is paused: nothing begins by itself.")
    )


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def go_on(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """Back to the preview that somebody stands before, where it is asked from there."""
    back = _go(request, organization, connection_id, customer.go_on, _("It goes on."))
    shown = request.POST.get("preview", "")
    if not (shown.isascii() and shown.isdecimal() and len(shown) < 19):
        return back
    return redirect(
        "sync-preview", organization_id=organization.pk, connection_id=connection_id, run_id=int(shown)
    )


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def disconnect(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    return _go(
        request,
        organization,
        connection_id,
        connections.disconnect,
        _("It is disconnected. What it brought stays."),
    )


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def request_again(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    return _go(
        request, organization, connection_id, connections.request_again, _("Test it: then it is activated.")
    )


def _go(
    request: Any,
    organization: Organization,
    connection_id: int,
    act: Callable[[SyncConnection, str], SyncConnection],
    words: str,
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        act(connection, request.POST.get("why", ""))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, words)
    return _back(connection)


def _back(connection: SyncConnection) -> HttpResponse:
    return redirect("sync-overview", organization_id=connection.organization_id, connection_id=connection.pk)


# --- What is shown ------------------------------------------------------------------------------------------------------------------


def _walk(connection: SyncConnection) -> list[dict[str, Any]]:
    """The way to the first sync, while it is walked."""
    if connection.state not in WALK or connection.first_applied_at is not None:
        return []
    return [
        {"words": words, "is_here": name == connection.state}
        for name, words in (
            ("requested", _("Requested: you test it")),
            ("waiting", _("Waiting for activation: product support")),
            ("active", _("Active: you look at the first sync")),
        )
    ]


def _tiles(seen: Overview) -> list[dict[str, Any]]:
    tiles = []
    for kind in TABLES:
        states = seen.counts[kind]
        living = sum(number for state, number in states.items() if state != "archived")
        tiles.append(
            {
                "kind": kind,
                "words": KINDS[kind],
                "route": LISTS[kind],
                "icon": ICONS[kind],
                "number": living,
                "states": [badge(STATES, name, states[name]) for name in STATES if states.get(name)],
            }
        )
    return tiles


def _statistics(run: SyncRun) -> list[tuple[Any, list[tuple[Any, int]]]]:
    """By kind, what was done or not taken, and how often."""
    found = [
        (
            words,
            [
                (said, run.statistics[kind][name])
                for name, said in ACTIONS.items()
                if run.statistics[kind].get(name)
            ],
        )
        for kind, words in KINDS.items()
        if kind in run.statistics
    ]
    return [(words, told) for words, told in found if told]


def _line(run: SyncRun) -> dict[str, Any]:
    return {"run": run, "kind": run_kind(run), "outcome": outcome_badge(run)}
