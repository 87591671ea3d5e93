"""Who asks to read the district's roster by an invitation: the list, one of them with what it may see, and the answer."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.access import Act, in_district, reach_of
from rollbook.console.imports import Badge
from rollbook.console.levels import levels_of
from rollbook.engine.scope import Rule
from rollbook.flows.applications import is_requested
from rollbook.flows.apps import grant_of
from rollbook.flows.sync import at_once, inviting
from rollbook.flows.sync.inviting import Lets
from rollbook.refusal import Refusal
from rollbook.store.models import District, Invitation

AGREED = "invitation_agreed"
"""What the session holds of an organization that has agreed already."""

STATES: dict[str, Badge] = {
    "waiting": Badge(gettext_lazy("Waits for you"), "yellow", "warning"),
    "expired": Badge(gettext_lazy("Not answered in 14 days"), "secondary", "clock"),
    "declined": Badge(gettext_lazy("Declined"), "secondary", "cross"),
    "accepted": Badge(gettext_lazy("Accepted"), "green", "check"),
    "taken back": Badge(gettext_lazy("Taken back"), "orange", "stop"),
    "connected": Badge(gettext_lazy("Accepted and connected"), "green", "check"),
    "withdrawn": Badge(gettext_lazy("Withdrawn"), "secondary", "cross"),
}
CHOICES: dict[Lets, tuple[Any, Any]] = {
    Lets.AS_IT_IS: (
        gettext_lazy("What it sees already"),
        gettext_lazy("Its permissions stay as they are. You can look at them first."),
    ),
    Lets.ROSTER: (
        gettext_lazy("What a roster sync needs"),
        gettext_lazy("All schools, their classes and the people in them, new ones too. No demographics, no guardians."),
    ),
    Lets.EVERYTHING: (
        gettext_lazy("Everything (Full)"),
        gettext_lazy("All there is, demographics too. Choose this only if you mean it."),
    ),
    Lets.LATER: (
        gettext_lazy("Nothing yet: I choose schools and fields next"),
        gettext_lazy("You come to its permissions, and it sees nothing before you have saved them."),
    ),
}  # fmt: skip


@in_district(Act.MANAGE_APPS)
def show_invitations(request: Any, district: District) -> HttpResponse:
    lines = [(one, STATES[inviting.standing_of(one)]) for one in inviting.invitations_for(district)[:100]]
    return render(request, "console/invitations.html", {"nav": "apps", "lines": lines})


@in_district(Act.MANAGE_APPS)
def show_invitation(request: Any, district: District, invitation_id: int) -> HttpResponse:
    try:
        invitation = inviting.find_invitation(invitation_id, district=district)
    except inviting.NoSuchInvitation as refusal:
        raise Http404 from refusal
    wrong = ""
    if request.method == "POST":
        try:
            return _answered(request, invitation)
        except Refusal as refusal:
            wrong = refusal.words
            invitation.refresh_from_db()
    return _page(request, district, invitation, wrong)


@login_required
def follow_link(request: Any, token: str) -> HttpResponse:
    """The signed link of an invitation: it leads whoever manages the district's apps to its page, and nobody else anywhere."""
    try:
        invitation = inviting.invitation_of(token)
    except inviting.NoSuchInvitation as refusal:
        raise Http404 from refusal
    if not reach_of(request.user).may(Act.MANAGE_APPS, invitation.district_id):
        raise Http404
    return redirect("roster-invitation", tenant=invitation.district_id, invitation_id=invitation.pk)


@login_required
def come_now(request: Any, token: str) -> HttpResponse:
    """Who signed in for the district on the way from an organization that has agreed already: its page, or in words that it is not theirs."""
    try:
        invitation, by = at_once.come_by(token)
    except Refusal as refusal:
        return render(request, "console/invitation_not_yours.html", {"words": refusal.words}, status=403)
    if not at_once.may_answer(request.user, invitation.district_id):
        words = at_once.NotOfThisDistrict().words
        return render(
            request, "console/invitation_not_yours.html", {"words": words, "way": request.path}, status=403
        )
    request.session[AGREED] = {"invitation": invitation.pk, "by": by}
    return redirect("roster-invitation", tenant=invitation.district_id, invitation_id=invitation.pk)


def _answered(request: Any, invitation: Invitation) -> HttpResponse:
    by, tenant = request.user.email, invitation.district_id
    if "decline" in request.POST:
        inviting.decline(invitation, by)
        messages.success(request, _("You declined. The organization sees that you did."))
        return redirect("roster-invitations", tenant=tenant)
    lets = request.POST.get("lets", "")
    grant, waits = inviting.accept(invitation, lets, by, request.POST.get("why", ""))
    name = {"name": grant.title}
    if waits:
        messages.info(request, _("Accepted. %(name)s sees nothing until a second person has agreed.") % name)
        return redirect("approvals", tenant=tenant)
    agreed = request.session.pop(AGREED, None) or {}
    if agreed.get("invitation") == invitation.pk and lets != Lets.LATER:
        _connect(request, invitation, agreed["by"])
        return redirect("roster-invitation", tenant=tenant, invitation_id=invitation.pk)
    messages.success(request, _("Accepted. %(name)s can read as soon as the organization connects.") % name)
    if lets == Lets.LATER:
        return redirect("app-permissions-edit", tenant=tenant, grant_id=grant.pk)
    return redirect("roster-invitation", tenant=tenant, invitation_id=invitation.pk)


def _connect(request: Any, invitation: Invitation, by: str) -> None:
    """The organization agreed before its side signed out, so nothing waits for it."""
    try:
        found = at_once.agreed(invitation, by, waits=False).found
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return
    told = _("You can sign out here, and go on as %(by)s.") % {"by": by}
    messages.success(request, " ".join([_("Connected successfully") + ".", *found, told]))


def _page(request: Any, district: District, invitation: Invitation, wrong: str) -> HttpResponse:
    product = invitation.organization.product
    grant = grant_of(district, product.app) if product.app else None
    offered = inviting.choices(invitation)
    typed = request.POST.get("lets", offered[0])
    context = {
        "nav": "apps",
        "invitation": invitation,
        "product": product,
        "grant": None if grant is None or is_requested(grant) else grant,
        "levels": levels_of(Rule.parse(grant.rule)) if grant else None,
        "mark": STATES[inviting.standing_of(invitation)],
        "is_open": inviting.is_open(invitation),
        "choices": [(one, *CHOICES[one], one == typed) for one in offered],
        "wrong": wrong,
    }
    return render(request, "console/invitation.html", context, status=422 if wrong else 200)
