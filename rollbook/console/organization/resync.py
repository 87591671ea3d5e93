"""Resync: one user is found by e-mail address or name, synced with their groups, and what came of it is told."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import (
    changing,
    connection_or_404,
    rostering_page,
    run_or_404,
    why_not,
)
from rollbook.console.organization.walking import walking
from rollbook.console.organization.words import ACTIONS, KINDS, outcome_badge
from rollbook.flows.sync import resyncing
from rollbook.flows.sync.runs import FOCUS
from rollbook.refusal import Refusal
from rollbook.store.models import Member, Organization, SyncConnection, SyncRun

PLACE = "sync-resync"


@in_organization(Act.MANAGE_ROSTERING)
@changing
def resync(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """A queued sync is a page of its own, that may be left and come back to."""
    connection = connection_or_404(organization, connection_id)
    search, wrong = _text(request.GET.get("q", "")), ""
    if request.method == "POST":
        search = _text(request.POST.get("q", ""))
        try:
            member = resyncing.find_user(connection, _number(request.POST.get("member", "")))
            run = resyncing.resync(connection, member, request.user.email)
        except Refusal as refusal:
            wrong = refusal.words
        else:
            where = {"organization_id": organization.pk, "connection_id": connection.pk, "run_id": run.pk}
            return redirect(reverse("sync-resynced", kwargs=where))
    may = not why_not(request, organization)
    context = {
        "search": search,
        "found": resyncing.find_users(connection, search) if may else [],
        "wrong": wrong,
    }
    return rostering_page(
        request, connection, PLACE, "organization/resync.html", context, status=409 if wrong else 200
    )


@in_organization(Act.MANAGE_ROSTERING)
def show_resynced(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    run = run_or_404(connection, run_id, FOCUS)
    context = {
        "run": run,
        "walk": walking(run),
        "outcome": outcome_badge(run),
        "member": _member(connection, run),
        "statistics": _told(run),
    }
    return rostering_page(request, connection, PLACE, "organization/resynced.html", context)


def _member(connection: SyncConnection, run: SyncRun) -> Member | None:
    number = run.task.get("member", 0)
    return Member.objects.filter(organization=connection.organization_id, id=number).first()


def _told(run: SyncRun) -> list[tuple[Any, list[tuple[Any, int]]]]:
    """What was done, by kind of record."""
    found = []
    for kind, counts in run.statistics.items():
        told = [(ACTIONS[name], number) for name, number in counts.items() if name in ACTIONS]
        if told:
            found.append((KINDS.get(kind, kind), told))
    return found


def _text(text: str) -> str:
    return text.replace("\0", "").strip()[:200]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
