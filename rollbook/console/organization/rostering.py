"""Rostering of an organization at a glance: what it is connected to, how far that is, and what waits for somebody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import why_not
from rollbook.store.models import Organization, SyncConnection


@in_organization(Act.SEE_ROSTERING)
def show_rostering(request: HttpRequest, organization: Organization) -> HttpResponse:
    connections = SyncConnection.objects.filter(organization=organization).order_by("pk")
    context = {
        "nav": "rostering",
        "connections": list(connections),
        "why_not": why_not(request, organization),
    }
    return render(request, "organization/rostering.html", context)
