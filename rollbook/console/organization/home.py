"""An organization's first page, with what it has in figures, and its settings with the way to its integrations."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.organization.access import Act, in_organization
from rollbook.store.models import Group, Member, Organization, Site, SyncConnection


@in_organization(Act.SEE_ROSTERING)
def show_organization(request: HttpRequest, organization: Organization) -> HttpResponse:
    members = Member.objects.filter(organization=organization)
    context = {
        "nav": "organization",
        "sites": Site.objects.filter(organization=organization, state="active").count(),
        "members": members.exclude(state__in=("archived", "purged")).count(),
        "groups": Group.objects.filter(organization=organization, state="active").count(),
        "connections": list(SyncConnection.objects.filter(organization=organization).order_by("pk")),
    }
    return render(request, "organization/home.html", context)


@in_organization(Act.SEE_ROSTERING)
def show_settings(request: HttpRequest, organization: Organization) -> HttpResponse:
    connections = SyncConnection.objects.filter(organization=organization).order_by("pk")
    context = {"nav": "organization-settings", "connections": list(connections)}
    return render(request, "organization/settings.html", context)
