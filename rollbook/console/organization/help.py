"""Ask for help: a question to the product's support from any page of rostering, with that page and the run it was about attached."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import PLACES
from rollbook.console.organization.words import outcome_badge, run_kind
from rollbook.flows.sync import helping
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncRun

ROUTE = re.compile(r"[a-z][a-z-]{0,59}")


@in_organization(Act.SEE_ROSTERING)
def ask_help(request: Any, organization: Organization) -> HttpResponse:
    """Whoever may look may ask, also where the plan does not include what they would change."""
    sent = request.POST if request.method == "POST" else request.GET
    connection, run = _attached(organization, sent)
    page = sent.get("page", "")
    page = page if ROUTE.fullmatch(page) else ""
    if request.method != "POST":
        return _page(request, organization, connection, run, page)
    try:
        helping.ask(
            organization,
            request.user.email,
            request.POST.get("words", ""),
            page=page,
            connection=connection,
            run=run,
            language=get_language() or "",
        )
    except Refusal as refusal:
        return _page(request, organization, connection, run, page, refusal.words)
    messages.success(
        request,
        _(
            "Product support has your question. You get an e-mail when it is answered; the answer stands on this page."
        ),
    )
    if connection is None:
        return redirect("rostering", organization_id=organization.pk)
    return redirect("sync-overview", organization_id=organization.pk, connection_id=connection.pk)


def _attached(organization: Organization, sent: Any) -> tuple[SyncConnection | None, SyncRun | None]:
    """What the address or the form names, as far as it is this organization's."""
    runs = SyncRun.objects.filter(organization=organization).select_related("connection")
    run = runs.filter(pk=_number(sent.get("run", ""))).first()
    if run is not None:
        return run.connection, run
    own = SyncConnection.objects.filter(organization=organization)
    return own.filter(pk=_number(sent.get("connection", ""))).first(), None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _page(
    request: HttpRequest,
    organization: Organization,
    connection: SyncConnection | None,
    run: SyncRun | None,
    page: str,
    wrong: str = "",
) -> HttpResponse:
    place = next((one for one in PLACES if one.route == page), None)
    context = {
        "nav": "rostering",
        "connection": connection,
        "about": run,
        "kind": run_kind(run) if run else "",
        "outcome": outcome_badge(run) if run else None,
        "page": page,
        "place": place,
        "words": request.POST.get("words", ""),
        "wrong": wrong,
        "questions": helping.requests_of(organization)[:10],
    }
    return render(request, "organization/help.html", context, status=422 if wrong else 200)
