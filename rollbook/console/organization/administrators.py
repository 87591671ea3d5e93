"""Who administers an organization in this console, or some of its sites: invited, given another role, and let go."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.flows import administrators, directory_lists
from rollbook.flows.administrators import ORGANIZATION, SITE
from rollbook.refusal import Refusal
from rollbook.store.models import Administrator, Organization

ROLES: dict[str, Any] = {
    ORGANIZATION: gettext_lazy("Organization administrator"),
    SITE: gettext_lazy("Site administrator"),
}
SAY: dict[str, Any] = {
    ORGANIZATION: gettext_lazy(
        "Sets up rostering, and works on all sites, members, classes and administrators."
    ),
    SITE: gettext_lazy("Looks at the people and classes of their own sites, and changes nothing."),
}


class RoleForm(forms.Form):
    """What somebody does here, and a site administrator at which sites."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=list(ROLES.items()))
    sites = forms.MultipleChoiceField(
        label=gettext_lazy("Sites, for a site administrator"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, organization: Organization, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        named = directory_lists.site_names(organization).items()
        self.fields["sites"].choices = [(str(number), name) for number, name in named]  # type: ignore[attr-defined]  # a choice field

    def clean_sites(self) -> list[int]:
        return [int(one) for one in self.cleaned_data["sites"]]


class InviteForm(RoleForm):
    """A person who is to administer here."""

    field_order = ("email", "name", "role", "sites")

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@in_organization(Act.MANAGE_ADMINISTRATORS)
def show_administrators(request: HttpRequest, organization: Organization) -> HttpResponse:
    return _list(request, organization, InviteForm(organization))


@require_POST
@in_organization(Act.MANAGE_ADMINISTRATORS)
def invite(request: HttpRequest, organization: Organization) -> HttpResponse:
    form = InviteForm(organization, request.POST)
    if not form.is_valid():
        return _list(request, organization, form)
    told = form.cleaned_data
    try:
        made, was_told = administrators.invite(
            organization, told["email"], told["role"], told["name"], _sites_of(form)
        )
    except Refusal as refusal:
        form.add_error(_field_of(refusal), refusal.words)
        return _list(request, organization, form)
    words = (
        _("%(email)s administers here now, and was told by e-mail how to sign in.")
        if was_told
        else _("%(email)s administers here now. The e-mail could not be sent: on the sign-in page, “Forgot your password?” sends them a link.")
    )  # fmt: skip
    messages.success(request, words % {"email": made.account.email})
    return redirect("administrators", organization_id=organization.pk)


@in_organization(Act.MANAGE_ADMINISTRATORS)
def change_role(request: HttpRequest, organization: Organization, administrator_id: int) -> HttpResponse:
    found = _administrator_or_404(organization, administrator_id)
    sites = [str(one) for one in found.sites]
    stored = {"role": found.role, "sites": sites}
    form = RoleForm(organization, request.POST if request.method == "POST" else stored)
    if request.method == "POST" and form.is_valid():
        try:
            administrators.change(found, form.cleaned_data["role"], _sites_of(form))
            messages.success(request, _("%(email)s has another role now.") % {"email": found.account.email})
            return _back(request, organization, found)
        except Refusal as refusal:
            form.add_error(_field_of(refusal), refusal.words)
    context = {
        "nav": "administrators",
        "administrator": found,
        "form": form,
        "chosen": _chosen(request, sites),
        "roles_say": [(ROLES[role], SAY[role]) for role in ROLES],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "organization/administrator.html", context, status=status)


@require_POST
@in_organization(Act.MANAGE_ADMINISTRATORS)
def let_go(request: HttpRequest, organization: Organization, administrator_id: int) -> HttpResponse:
    found = _administrator_or_404(organization, administrator_id)
    try:
        administrators.let_go(found, timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("administrators", organization_id=organization.pk)
    messages.success(request, _("%(email)s administers here no more.") % {"email": found.account.email})
    return _back(request, organization, found)


def _back(request: Any, organization: Organization, found: Administrator) -> HttpResponse:
    """To the list; who has just ended their own right to see it, to the first page."""
    if found.account_id == request.user.pk and (found.left_at or found.role == SITE):
        return redirect("home")
    return redirect("administrators", organization_id=organization.pk)


def _list(request: Any, organization: Organization, form: InviteForm) -> HttpResponse:
    names = directory_lists.site_names(organization)
    rows = [
        {
            "administrator": one,
            "role": ROLES.get(one.role, one.role),
            "sites": [names[site] for site in one.sites if site in names],
            "is_you": one.account_id == request.user.pk,
            "has_password": one.account.has_usable_password(),
        }
        for one in administrators.administrators_of(organization)
    ]
    context = {
        "nav": "administrators",
        "rows": rows,
        "form": form,
        "chosen": _chosen(request, []),
        "roles_say": [(ROLES[role], SAY[role]) for role in ROLES],
    }
    return render(request, "organization/administrators.html", context, status=422 if form.errors else 200)


def _chosen(request: HttpRequest, stored: list[str]) -> list[str]:
    """The sites whose boxes are ticked."""
    return request.POST.getlist("sites") if request.method == "POST" else stored


def _sites_of(form: RoleForm) -> list[int]:
    """Only a site administrator has sites; what is ticked beside another role was meant for nobody."""
    found: list[int] = form.cleaned_data["sites"]
    return found if form.cleaned_data["role"] == SITE else []


def _administrator_or_404(organization: Organization, administrator_id: int) -> Administrator:
    found = administrators.administrators_of(organization).filter(pk=administrator_id).first()
    if found is None:
        raise Http404
    return found


def _field_of(refusal: Refusal) -> str | None:
    """Where in the form it is said."""
    places = {
        "SitesForSites": "sites",
        "LastAdministrator": "role",
        "AlreadyAdministrator": "email",
        "NotAnAddress": "email",
        "NameTooLong": "name",
    }
    return places.get(type(refusal).__name__)
