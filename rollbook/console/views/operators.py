"""Who works in this district: inviting someone, a new password for someone, and the end of their work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, Reach, in_district
from rollbook.console.forms import InviteForm, RoleForm
from rollbook.console.words import REFUSALS, ROLES, ROLES_OF_A_DISTRICT, ROLES_SAY
from rollbook.flows import operators
from rollbook.flows.names import NameTooLong
from rollbook.refusal import Refusal
from rollbook.store.models import Account, District, LastSignIn, Operator


@dataclass(frozen=True)
class OperatorRow:
    """An operator as listed. `is_yours` says whether the reader may change this person's sign-in."""

    operator: Operator
    role: Any
    last_sign_in: datetime | None
    has_password: bool
    is_you: bool
    is_yours: bool
    schools: list[str]


@in_district(Act.MANAGE_OPERATORS)
def show_operators(request: HttpRequest, district: District) -> HttpResponse:
    return _list(request, district, InviteForm())


@require_POST
@in_district(Act.MANAGE_OPERATORS)
def invite(request: HttpRequest, district: District) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _list(request, district, form)
    try:
        operator = operators.add_operator(
            form.cleaned_data["email"],
            form.cleaned_data["role"],
            district,
            form.cleaned_data["name"],
            schools=form.cleaned_data["schools"],
        )
    except Refusal as refusal:
        form.add_error(_field_of(refusal), _words(refusal))
        return _list(request, district, form)
    if operator.account.has_usable_password():
        operators.tell(operator)
        messages.success(
            request,
            _("%(email)s now works in this district, with the password they have.")
            % {"email": operator.account.email},
        )
        return redirect("operators", tenant=district.pk)
    try:
        operators.judge_reach(operator.account, _reach(request))
    except operators.NotYours:
        messages.success(
            request,
            _("%(email)s now works in this district. They have no password yet: “Forgot your password?” sends them a link.")
            % {"email": operator.account.email},
        )  # fmt: skip
        operators.tell(operator)
        return redirect("operators", tenant=district.pk)
    link = operators.password_link(operator.account)
    return _link(request, district, operator.account, link, is_sent=operators.tell(operator, link))


@in_district(Act.MANAGE_OPERATORS)
def change_role(request: Any, district: District, operator_id: int) -> HttpResponse:
    operator = _operator_or_404(district, operator_id)
    stored = {"role": operator.role, "schools": "\n".join(operators.school_ids(operator))}
    form = RoleForm(request.POST) if request.method == "POST" else RoleForm(stored)
    if request.method == "POST" and form.is_valid():
        try:
            operators.judge_reach(operator.account, _reach(request))
            operators.change_role(
                operator, form.cleaned_data["role"], form.cleaned_data["schools"], by=request.user
            )
            messages.success(
                request, _("%(email)s has another role now.") % {"email": operator.account.email}
            )
            return redirect("operators", tenant=district.pk)
        except Refusal as refusal:
            form.add_error(None, _words(refusal))
    context = {"nav": "operators", "operator": operator, "form": form, "roles": _roles()}
    status = 422 if request.method == "POST" else 200
    return render(request, "console/operator_role.html", context, status=status)


@require_POST
@in_district(Act.MANAGE_OPERATORS)
def reset_password(request: HttpRequest, district: District, operator_id: int) -> HttpResponse:
    account = _operator_or_404(district, operator_id).account
    try:
        operators.judge_reach(account, _reach(request))
    except Refusal as refusal:
        messages.error(request, _words(refusal))
        return redirect("operators", tenant=district.pk)
    return _link(request, district, account, operators.password_link(account))


@require_POST
@in_district(Act.MANAGE_OPERATORS)
def deactivate(request: Any, district: District, operator_id: int) -> HttpResponse:
    account = _operator_or_404(district, operator_id).account
    try:
        operators.judge_reach(account, _reach(request))
        operators.deactivate(account, by=request.user)
        messages.success(request, _("%(email)s can no longer sign in.") % {"email": account.email})
    except Refusal as refusal:
        messages.error(request, _words(refusal))
    return redirect("operators", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_OPERATORS)
def reactivate(request: HttpRequest, district: District, operator_id: int) -> HttpResponse:
    account = _operator_or_404(district, operator_id).account
    try:
        operators.judge_reach(account, _reach(request))
        operators.reactivate(account)
        messages.success(request, _("%(email)s can sign in again.") % {"email": account.email})
    except Refusal as refusal:
        messages.error(request, _words(refusal))
    return redirect("operators", tenant=district.pk)


def _list(request: Any, district: District, form: InviteForm) -> HttpResponse:
    found = (
        Operator.objects.filter(_works_here(request, district))
        .select_related("account")
        .order_by("account__email")
    )
    posts = list(found)
    seen = dict(
        LastSignIn.objects.filter(account_id__in=[post.account_id for post in posts]).values_list(
            "account_id", "at"
        )
    )
    elsewhere = _elsewhere(request, posts)
    rows = [
        OperatorRow(
            operator=post,
            role=ROLES.get(post.role, post.role),
            last_sign_in=seen.get(post.account_id),
            has_password=post.account.has_usable_password(),
            is_you=post.account_id == request.user.pk,
            is_yours=post.account_id not in elsewhere,
            schools=operators.school_ids(post) if post.schools else [],
        )
        for post in posts
    ]
    context = {"nav": "operators", "operators": rows, "form": form, "roles": _roles()}
    return render(request, "console/operators.html", context, status=422 if form.errors else 200)


def _roles() -> list[tuple[Any, Any]]:
    return [(words, ROLES_SAY[name]) for name, words in ROLES_OF_A_DISTRICT.items()]


def _field_of(refusal: Refusal) -> str:
    """Where in the form it is said."""
    if isinstance(refusal, NameTooLong):
        return "name"
    return "schools" if isinstance(refusal, operators.SchoolsForSchools | operators.NoSuchSchool) else "email"


def _works_here(request: Any, district: District) -> Q:
    """Operators of the district; the installation's own are shown to one another only."""
    here = Q(district=district)
    return here | Q(role=operators.INSTALLATION) if request.reach.is_installation else here


def _elsewhere(request: Any, posts: list[Operator]) -> set[Any]:
    """The accounts among these that also work where the reader does not."""
    mine = request.reach.districts
    if mine is None:
        return set()
    return operators.working_elsewhere([post.account_id for post in posts], mine)


def _operator_or_404(district: District, operator_id: int) -> Operator:
    operator = Operator.objects.filter(id=operator_id, district=district).select_related("account").first()
    if operator is None:
        raise Http404
    return operator


def _reach(request: Any) -> frozenset[int] | None:
    reach: Reach = request.reach
    return reach.districts


def _link(
    request: HttpRequest, district: District, account: Account, link: str, *, is_sent: bool = False
) -> HttpResponse:
    """The page that shows a link once. It stands in the answer to a POST, so it is in no address and no history."""
    context = {"nav": "operators", "email": account.email, "link": link, "is_sent": is_sent}
    return render(request, "console/password_link.html", context)


def _words(refusal: Refusal) -> str:
    return str(REFUSALS.get(type(refusal).__name__, refusal.words))
