"""An organization's first page, with what it has in figures, and its settings with the way to its integrations."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.listing import within
from rollbook.flows import directory_lists
from rollbook.flows.directory_lists import HERE, Sought, SoughtGroups
from rollbook.store.models import Organization, SyncConnection


@in_organization(Act.SEE_ROSTERING)
def show_organization(request: HttpRequest, organization: Organization) -> HttpResponse:
    mine = within(request, organization)
    context = {
        "nav": "organization",
        "sites": len(directory_lists.site_names(organization, mine)),
        "members": directory_lists.members(organization, Sought(), mine).filter(state__in=HERE).count(),
        "groups": directory_lists.groups(organization, SoughtGroups(), mine).filter(state="active").count(),
        "connections": list(SyncConnection.objects.filter(organization=organization).order_by("pk")),
    }
    return render(request, "organization/home.html", context)


@in_organization(Act.SEE_ROSTERING)
def show_settings(request: HttpRequest, organization: Organization) -> HttpResponse:
    connections = SyncConnection.objects.filter(organization=organization).order_by("pk")
    context = {"nav": "organization-settings", "connections": list(connections)}
    return render(request, "organization/settings.html", context)
