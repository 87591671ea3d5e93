"""The apps of a district: what each may read, of which schools, and when it last did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.console.access import Act, in_district
from rollbook.console.activity import moment
from rollbook.console.cells import Cell, Names
from rollbook.console.words import PERMISSIONS
from rollbook.store.models import AccessRow, District, Grant
from rollbook.store.visibility import Rule


@dataclass(frozen=True)
class AppRow:
    """A grant as it is listed. `schools` is None where it is to all."""

    grant: Grant
    permission: Any
    schools: list[Cell] | None
    last_access: datetime | None


@in_district(Act.SEE_APPS)
def show_apps(request: HttpRequest, district: District) -> HttpResponse:
    grants = list(Grant.objects.filter(district=district).select_related("app").order_by("app__name", "id"))
    names = Names(district)
    for grant in grants:
        names.want("orgs", chosen_orgs(grant) or [])
    names.look_up()
    accesses = last_accesses(grants)
    rows = [_row(names, grant, accesses.get(grant.pk)) for grant in grants]
    return render(request, "console/apps.html", {"nav": "apps", "apps": rows})


def chosen_orgs(grant: Grant) -> tuple[int, ...] | None:
    """The record ids of the orgs a grant's rule names; None when it names none, and so gives all."""
    return Rule.parse(grant.rule).orgs


def last_accesses(grants: list[Grant]) -> dict[int, int]:
    """{grant: milliseconds}, of those that ever read."""
    rows = AccessRow.objects.filter(grant_id__in=[grant.pk for grant in grants]).order_by()
    return dict(rows.values_list("grant_id").annotate(Max("at")))


def _row(names: Names, grant: Grant, last: int | None) -> AppRow:
    chosen = chosen_orgs(grant)
    schools = None if chosen is None else [names.cell("orgs", one) for one in chosen]
    permission = PERMISSIONS.get(grant.permission, grant.permission)
    return AppRow(grant, permission, schools, None if last is None else moment(last))
