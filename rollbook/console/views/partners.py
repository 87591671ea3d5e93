"""The partners of this installation, as its operators see them: who they are, who works for them, and which apps they registered."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_installation
from rollbook.console.app_form import words_of
from rollbook.flows import partners
from rollbook.refusal import Refusal
from rollbook.store.models import Developer, Partner


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


def _page(request: HttpRequest, partner: Partner, wrong: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "nav": "partners",
        "partner": partner,
        "developers": list(partners.developers_of(partner)),
        "apps": list(partners.apps_of(partner)),
        "keys": list(partners.keys_of(partner)),
        "typed": {name: request.POST.get(name, "") for name in ("email", "name", "role")},
        "wrong": wrong,
    }
    return render(request, "console/partner_kept.html", context, status=422 if wrong else 200)
