"""The sanity check of one application as its maker runs it: counts, lines and ids of what the app is given anyway; never a name."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from rollbook.console.access import Act
from rollbook.console.partners import as_developer
from rollbook.console.words import COLLECTIONS, severity_words, vocabulary_words
from rollbook.engine.sanity.check import Report, Told
from rollbook.engine.sanity.lines import WHO
from rollbook.flows import partner_access, sanity
from rollbook.store.models import Grant, Partner

COLOURS = {"error": ("red", "cross"), "warning": ("yellow", "warning"), "note": ("azure", "info")}


@as_developer(Act.CHECK_OWN_SANITY)
def show_sanity(request: HttpRequest, partner: Partner, number: int) -> HttpResponse:
    grant = _enabled_or_404(partner, number)
    done, walking = sanity.latest(grant), sanity.under_way(grant)
    report = sanity.report_of(done) if done else Report()
    context = {
        "nav": "partner-apps",
        "grant": grant,
        "done": done,
        "walking": walking,
        "percent": 100 * walking.done // walking.known if walking and walking.known else 0,
        "counts": [(COLLECTIONS.get(name, name), count) for name, count in report.counts.items()],
        "roles": [(vocabulary_words(role), count) for role, count in report.roles.items()],
        "lines": [_line(line) for line in report.lines if line.count or line.group == "classic"],
    }
    return render(request, "console/partner_sanity.html", context)


def _line(told: Told) -> dict[str, Any]:
    colour, icon = COLOURS[told.severity] if told.count else ("green", "check")
    words = severity_words(told.severity) if told.count else ""
    return {"told": told, "colour": colour, "icon": icon, "words": words, "who": gettext(WHO[told.who])}


@require_POST
@as_developer(Act.CHECK_OWN_SANITY)
def start_sanity(request: Any, partner: Partner, number: int) -> HttpResponse:
    grant = _enabled_or_404(partner, number)
    sanity.ask(grant, request.user.email)
    return redirect("partner-sanity", partner_id=partner.pk, number=grant.pk)


def _enabled_or_404(partner: Partner, number: int) -> Grant:
    """A disabled app gets nothing, and so nothing is told of it."""
    try:
        grant = partner_access.find_application(partner, number)
    except partner_access.NoSuchApplication as refusal:
        raise Http404 from refusal
    if not grant.enabled:
        raise Http404
    return grant
