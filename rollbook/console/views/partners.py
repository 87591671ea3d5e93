"""The partners of this installation, as its operators see them: who they are, who works for them, and which apps they registered."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_installation
from rollbook.console.app_form import words_of
from rollbook.flows import partners
from rollbook.flows.keys import InThePast
from rollbook.refusal import Refusal
from rollbook.store.models import Developer, Partner, PartnerKey


@in_installation(Act.MANAGE_CATALOGUE)
def show_partners(request: HttpRequest) -> HttpResponse:
    typed = {"name": "", "website": ""}
    wrong = ""
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in typed}
        try:
            partner = partners.add_partner(**typed)
        except Refusal as refusal:
            wrong = words_of(refusal)
        else:
            messages.success(
                request, _("%(name)s is a partner. Invite its first developer.") % {"name": partner.name}
            )
            return redirect("partner-kept", partner_id=partner.pk)
    rows = [
        (one, partners.developers_of(one).count(), partners.apps_of(one).count())
        for one in Partner.objects.order_by("name")
    ]
    context = {"nav": "partners", "partners": rows, "typed": typed, "wrong": wrong}
    return render(request, "console/partners.html", context, status=422 if wrong else 200)


@in_installation(Act.MANAGE_CATALOGUE)
def show_partner(request: HttpRequest, partner_id: int) -> HttpResponse:
    return _page(request, partner_or_404(partner_id))


@require_POST
@in_installation(Act.MANAGE_CATALOGUE)
def invite(request: HttpRequest, partner_id: int) -> HttpResponse:
    partner = partner_or_404(partner_id)
    wrong = invited(request, partner)
    return _page(request, partner, wrong) if wrong else redirect("partner-kept", partner_id=partner.pk)


@require_POST
@in_installation(Act.MANAGE_CATALOGUE)
def let_go(request: HttpRequest, partner_id: int, developer_id: int) -> HttpResponse:
    partner = partner_or_404(partner_id)
    left(request, developer_or_404(partner, developer_id))
    return redirect("partner-kept", partner_id=partner.pk)


@require_POST
@in_installation(Act.MANAGE_CATALOGUE)
def make_key(request: HttpRequest, partner_id: int) -> HttpResponse:
    """The key stands in the answer to a POST, so it is in no address and no history."""
    partner = partner_or_404(partner_id)
    try:
        key, secret = key_made(request, partner)
    except Refusal as refusal:
        return _page(request, partner, wrong_key=words_of(refusal))
    context = {"nav": "partners", "partner": partner, "key": key, "secret": secret, "way_in": way_in()}
    return render(request, "console/partner_secret.html", context)


@require_POST
@in_installation(Act.MANAGE_CATALOGUE)
def turn_key(request: HttpRequest, partner_id: int, key_id: int, turn: str) -> HttpResponse:
    key_turned(request, partner_or_404(partner_id), key_id, turn)
    return redirect("partner-kept", partner_id=partner_id)


def partner_or_404(partner_id: int) -> Partner:
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Http404
    return partner


def developer_or_404(partner: Partner, developer_id: int) -> Developer:
    developer = partners.developers_of(partner).select_related("partner").filter(pk=developer_id).first()
    if developer is None:
        raise Http404
    return developer


def invited(request: HttpRequest, partner: Partner) -> str:
    """Invites whom the form names, and tells it; what is wrong with that, or nothing."""
    try:
        typed = request.POST
        developer, is_sent = partners.invite(
            partner, typed.get("email", ""), typed.get("name", ""), typed.get("role") or partners.PARTNER
        )
    except Refusal as refusal:
        return words_of(refusal)
    about = {"email": developer.account.email}
    if is_sent:
        messages.success(request, _("%(email)s is invited: an e-mail is on its way.") % about)
    else:
        messages.warning(
            request,
            _("%(email)s is invited, but the e-mail could not be sent. They can ask for a password on the page of signing in.") % about,
        )  # fmt: skip
    return ""


def left(request: HttpRequest, developer: Developer) -> None:
    """Ends a developer's work for the partner, and tells it."""
    try:
        partners.let_go(developer, timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(
            request,
            _("%(email)s no longer works for %(partner)s.")
            % {"email": developer.account.email, "partner": developer.partner.name},
        )


def key_made(request: Any, partner: Partner) -> tuple[PartnerKey, str]:
    """The key that the form asks for, and its secret. Raises KeyNameNeeded, NameTooLong, InThePast, EnoughKeys."""
    typed = request.POST
    return partners.make_key(
        partner, typed.get("name", ""), request.user.email, _end_of(typed.get("ends", ""))
    )


def key_turned(request: Any, partner: Partner, number: int, turn: str) -> None:
    """Ends or revokes a key, and tells it."""
    try:
        if turn == "revoke":
            key = partners.revoke_key(partner, number, request.user.email, timezone.now())
        else:
            key = partners.set_key_end(partner, number, _end_of(request.POST.get("ends", "")))
    except partners.NoSuchPartnerKey as refusal:
        raise Http404 from refusal
    except Refusal as refusal:
        messages.error(request, words_of(refusal))
        return
    words = _("The key %(name)s has an end now.") if key.expires_at else _("The key %(name)s has no end.")
    if key.revoked_at:
        words = _("The key %(name)s opens nothing any more.")
    messages.success(request, words % {"name": key.name})


def _end_of(day: str) -> datetime | None:
    """The end of that day of UTC: a company is in no district's zone. None where nothing was written. Raises InThePast for no day."""
    if not day.strip():
        return None
    try:
        found = parse_date(day.strip())
    except ValueError:
        found = None
    if found is None or found.year > 9000:
        raise InThePast(day[:20])
    return datetime.combine(found + timedelta(days=1), time(), UTC)


def way_in() -> str:
    """Where the partner API begins."""
    return f"{settings.PUBLIC_URL}/applications"


def _page(request: HttpRequest, partner: Partner, wrong: str = "", wrong_key: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "nav": "partners",
        "partner": partner,
        "developers": list(partners.developers_of(partner)),
        "apps": list(partners.apps_of(partner)),
        "keys": list(partners.keys_of(partner)),
        "now": timezone.now(),
        "wrong_key": wrong_key,
        "typed": {name: request.POST.get(name, "") for name in ("email", "name", "role", "ends")},
        "wrong": wrong,
    }
    status = 422 if wrong or wrong_key else 200
    return render(request, "console/partner_kept.html", context, status=status)
