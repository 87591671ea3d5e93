"""Holds: what a limit keeps back and why, who would lose what by it, and the decision: let it through once, raise the limit, or reject it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page
from rollbook.console.organization.reasons import Places, before_and_after, hold_words, places_of
from rollbook.engine.sync.guarding import MEANINGS
from rollbook.flows.sync import holds, losing, raising
from rollbook.refusal import Refusal
from rollbook.store.models import Case, Organization, SyncConnection, SyncHold

PLACE = "sync-holds"
DECIDED_SHOWN, ALSO_SHOWN = 20, 100


@in_organization(Act.SEE_ROSTERING)
def show_holds(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """Numbers only: who is affected stands on the page of each, for those who decide."""
    connection = connection_or_404(organization, connection_id)
    decided = SyncHold.objects.filter(connection=connection, decision__in=DECISIONS).order_by(
        "-decided_at", "-pk"
    )
    found = holds.open_page(connection, _number(request.GET.get("after", "")))
    waiting, done = found[: holds.PAGE], list(decided[:DECIDED_SHOWN])
    places = places_of([*waiting, *done])
    context = {
        "holds": [_shown(hold, places) for hold in waiting],
        "after": waiting[-1].pk if len(found) > holds.PAGE else None,
        "is_first": not request.GET.get("after"),
        "decided": [_shown(hold, places) | {"decision": DECISIONS[hold.decision]()} for hold in done],
        "cases": Case.objects.filter(connection=connection, closed_at=None).count(),
        "may_decide": request.product_reach.may(Act.MANAGE_ROSTERING, organization),
    }
    return rostering_page(request, connection, PLACE, "organization/holds.html", context)


DECISIONS = {
    "approve": lambda: _("Let through once"),
    "raised": lambda: _("Limit raised"),
    "discard": lambda: _("Rejected"),
    "expired": lambda: _("Given up: nobody decided"),
}


@in_organization(Act.MANAGE_ROSTERING)
def show_hold(request: Any, organization: Organization, connection_id: int, hold_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    return _page(request, connection, _hold_or_404(connection, hold_id))


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def decide(request: Any, organization: Organization, connection_id: int, hold_id: int) -> HttpResponse:
    """What takes time is a worker's; the history shows how far it is."""
    connection = connection_or_404(organization, connection_id)
    hold = _hold_or_404(connection, hold_id)
    decision = request.POST.get("decision", "")
    if decision not in WAYS:
        raise Http404
    chosen = [hold.pk, *(one.pk for one in _others(hold) if str(one.pk) in request.POST.getlist("also"))]
    try:
        words = WAYS[decision](hold, chosen, request.user.email, request.POST.get("why", ""))
    except Refusal as refusal:
        return _page(request, connection, hold, refusal.words)
    messages.success(request, words)
    return redirect(PLACE, organization_id=organization.pk, connection_id=connection.pk)


def _let_through(hold: SyncHold, chosen: list[int], by: str, why: str) -> str:
    holds.let_through(hold.run, by, why, chosen)
    return _("It is being carried out, this once. It goes on if you leave this page.")


def _raise(hold: SyncHold, _chosen: list[int], by: str, why: str) -> str:
    raising.raise_limit(hold, by, why)
    return _("The limit is raised. The plan is being made anew with it; what no limit holds is carried out.")


def _reject(hold: SyncHold, chosen: list[int], by: str, why: str) -> str:
    holds.discard(hold.run, by, why, chosen)
    return _("It is rejected: the directory stays as it is. A later sync that finds the same asks again.")


WAYS = {"approve": _let_through, "raise": _raise, "reject": _reject}


def _page(request: Any, connection: SyncConnection, hold: SyncHold, wrong: str = "") -> HttpResponse:
    begin = _number(request.GET.get("after", ""))
    found = losing.affected(hold, begin)
    context = _shown(hold) | {
        "run": hold.run,
        "raised": raising.raised(hold) if not hold.decision else None,
        "meaning": MEANINGS.get(hold.code, ""),
        "are_known": losing.are_known(hold),
        "sums": losing.sums_of(hold),
        "people": found[: losing.PAGE],
        "after": found[losing.PAGE - 1].loss.place if len(found) > losing.PAGE else None,
        "is_first": not begin,
        "also": _together(request, hold),
        "out_of_date": _out_of_date(hold),
        "only_shown": hold.run.outcome == "previewed" and not hold.decision,
        "decision": DECISIONS[hold.decision]() if hold.decision in DECISIONS else hold.decision,
        "wrong": wrong,
        "why": request.POST.get("why", ""),
    }
    return rostering_page(
        request, connection, PLACE, "organization/hold.html", context, status=422 if wrong else 200
    )


def _others(hold: SyncHold) -> list[SyncHold]:
    """What else of the same plan waits."""
    return [one for one in holds.holds_of(hold.run, only_open=True) if one.pk != hold.pk]


def _together(request: Any, hold: SyncHold) -> list[dict[str, Any]]:
    """The others, ticked where they are about nobody else: what two limits hold is let through by both."""
    others = _others(hold)[:ALSO_SHOWN] if not hold.decision else []
    places = places_of(others)
    chosen = request.POST.getlist("also") if request.method == "POST" else None
    inner = {one.pk for one in losing.contained_in(hold, others)}
    return [
        _shown(one, places) | {"ticked": str(one.pk) in chosen if chosen is not None else one.pk in inner}
        for one in others
    ]


def _out_of_date(hold: SyncHold) -> str:
    """Why it can no longer be carried out as it was shown; empty where it can."""
    if hold.decision:
        return ""
    try:
        holds.refuse_unless_current(hold.run)
    except Refusal as refusal:
        return refusal.words
    return ""


def _shown(hold: SyncHold, places: Places | None = None) -> dict[str, Any]:
    return {"hold": hold, "words": hold_words(hold, places), "figures": before_and_after(hold)}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _hold_or_404(connection: SyncConnection, hold_id: int) -> SyncHold:
    hold = (
        SyncHold.objects.filter(connection=connection, pk=hold_id)
        .select_related("run__organization__product")
        .first()
    )
    if hold is None:
        raise Http404
    hold.connection = hold.run.connection = connection
    return hold
