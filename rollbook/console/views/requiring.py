"""Whether who works in a district, or administers an organization, needs a second step: a card on the page of its settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.organization.access import in_organization
from rollbook.flows import second_steps
from rollbook.store.models import District, Organization


@require_POST
@in_district(Act.MANAGE_OPERATORS)
def require_in_district(request: Any, district: District) -> HttpResponse:
    is_required = request.POST.get("required") == "yes"
    second_steps.require_in_district(district, is_required)
    messages.success(request, _told(is_required))
    return redirect("settings", tenant=district.pk)


@require_POST
@in_organization(Act.MANAGE_ADMINISTRATORS)
def require_in_organization(request: Any, organization: Organization) -> HttpResponse:
    is_required = request.POST.get("required") == "yes"
    second_steps.require_in_organization(organization, is_required)
    messages.success(request, _told(is_required))
    return redirect("organization-settings", organization_id=organization.pk)


def _told(is_required: bool) -> str:
    if is_required:
        return _("A second step is required from now on. Who has none sets one up with their next click.")
    return _("A second step is not required any more. Who has one is still asked for it.")
