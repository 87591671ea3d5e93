"""A district of this installation as the source: the organization asks it, sees what it answers, and connects."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.imports import Badge
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.connecting import STEPS
from rollbook.console.organization.frame import changing, why_not
from rollbook.console.views.invitations import CHOICES
from rollbook.flows.directory import is_number
from rollbook.flows.sync import at_once, inviting
from rollbook.refusal import Refusal
from rollbook.store.models import District, Invitation, Organization

STATES: dict[str, Badge] = {
    "waiting": Badge(gettext_lazy("Waits for the district"), "azure", "clock"),
    "expired": Badge(gettext_lazy("Not answered in 14 days"), "secondary", "clock"),
    "declined": Badge(gettext_lazy("Declined"), "red", "cross"),
    "withdrawn": Badge(gettext_lazy("Withdrawn"), "secondary", "cross"),
    "accepted": Badge(gettext_lazy("Accepted: connect now"), "green", "check"),
    "taken back": Badge(gettext_lazy("Taken back by the district"), "orange", "stop"),
    "connected": Badge(gettext_lazy("Connected"), "green", "check"),
}


@dataclass(frozen=True)
class Line:
    """One invitation, how it stands, and the link for the district's administrators while they can answer."""

    invitation: Invitation
    state: str
    mark: Badge
    link: str

    @property
    def place(self) -> str:
        """The district by number, and by name once it has accepted."""
        district = self.invitation.district
        is_known = self.state in ("accepted", "connected", "taken back")
        tenant = _("Tenant ID %(number)s") % {"number": district.pk}
        return f"{district.name} ({tenant})" if is_known else tenant


def line_of(invitation: Invitation) -> Line:
    state = inviting.standing_of(invitation)
    link = inviting.link_of(invitation) if state == "waiting" else ""
    return Line(invitation, state, STATES[state], link)


@in_organization(Act.SEE_ROSTERING)
@changing
def invite(request: Any, organization: Organization) -> HttpResponse:
    wrong, own = "", at_once.own_districts(request.user)
    if request.method == "POST" and (found := _own(request, request.POST.get("tenant", ""))):
        own = [found]
    elif request.method == "POST":
        try:
            inviting.invite(organization, request.POST.get("tenant", ""), request.user.email)
        except Refusal as refusal:
            wrong = refusal.words
        else:
            messages.success(
                request, _("The district's administrators are asked. You see their answer on this page.")
            )
            return redirect("sync-invite", organization.pk)
    context = {
        "nav": "rostering",
        "steps": STEPS,
        "step": "connect",
        "why_not": why_not(request, organization),
        "lines": [line_of(one) for one in inviting.invitations_of(organization)[:50]],
        "app": organization.product.app,
        "own": [_offered(organization, one) for one in own] if organization.product.app else [],
        "tenant": request.POST.get("tenant", ""),
        "wrong": wrong,
    }
    return render(request, "organization/setup_district.html", context, status=422 if wrong else 200)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def connect(request: Any, organization: Organization, invitation_id: int) -> HttpResponse:
    invitation = _invitation_or_404(organization, invitation_id)
    try:
        agreed = at_once.agreed(invitation, request.user.email, waits=False)
    except Refusal as refusal:
        return _not_connected(request, organization, invitation, refusal)
    return _connected(request, organization, agreed)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def connect_own(request: Any, organization: Organization) -> HttpResponse:
    """A district in which whoever asks may answer too."""
    district = _own(request, request.POST.get("tenant", ""))
    if district is None:
        raise Http404
    try:
        agreed = at_once.connect(
            organization, district, request.user, request.POST.get("lets", ""), request.user.email
        )
    except Refusal as refusal:
        invitation = inviting.invitations_of(organization).filter(district=district).first()
        return _not_connected(request, organization, invitation, refusal)
    return _connected(request, organization, agreed)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def sign_in_there(request: Any, organization: Organization, invitation_id: int) -> HttpResponse:
    """Out here, and in again as somebody of the district, who comes straight to the invitation; accepting it connects."""
    way = at_once.way_there(_invitation_or_404(organization, invitation_id), request.user.email)
    logout(request)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': way})}")


def _connected(request: Any, organization: Organization, agreed: at_once.Agreed) -> HttpResponse:
    if agreed.connection is None:
        messages.info(
            request,
            _("You agreed for both sides. Connect as soon as the product may see it: its permissions, or a second person, come first."),
        )  # fmt: skip
        return redirect("sync-invite", organization.pk)
    messages.success(request, " ".join([_("Connected successfully") + ".", *agreed.found]))
    return redirect("sync-preset", organization.pk, agreed.connection.pk)


def _not_connected(
    request: Any, organization: Organization, invitation: Invitation | None, refusal: Refusal
) -> HttpResponse:
    messages.error(request, refusal.words)
    if invitation is not None and invitation.connection_id:
        return redirect("sync-test", organization.pk, invitation.connection_id)
    return redirect("sync-invite", organization.pk)


def _own(request: Any, tenant: str) -> District | None:
    """The district with this Tenant ID, if whoever asks may answer for it too."""
    text = tenant.strip()
    found = District.objects.filter(pk=int(text)).first() if is_number(text) else None
    return found if found is not None and at_once.may_answer(request.user, found.pk) else None


def _offered(organization: Organization, district: District) -> tuple[District, list[tuple[str, Any]]]:
    return district, [(one.value, CHOICES[one][0]) for one in at_once.lets_of(organization, district)]


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def withdraw(request: Any, organization: Organization, invitation_id: int) -> HttpResponse:
    try:
        inviting.withdraw(_invitation_or_404(organization, invitation_id), request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("The invitation is withdrawn."))
    return redirect("sync-invite", organization.pk)


def _invitation_or_404(organization: Organization, invitation_id: int) -> Invitation:
    try:
        return inviting.find_invitation(invitation_id, organization)
    except inviting.NoSuchInvitation as refusal:
        raise Http404 from refusal
