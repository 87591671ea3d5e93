"""Rehearsals of a district: what a delivery would do on a day to come. Nothing of it is kept but the report."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.access import Act, in_district
from rollbook.store.models import District


@in_district(Act.MANAGE_CALENDAR)
def show_rehearsals(request: HttpRequest, district: District) -> HttpResponse:
    return render(request, "console/rehearsals.html", {"nav": "calendar"})


@in_district(Act.MANAGE_CALENDAR)
def show_rehearsal(request: HttpRequest, district: District, rehearsal_id: int) -> HttpResponse:
    return render(request, "console/rehearsals.html", {"nav": "calendar"})
