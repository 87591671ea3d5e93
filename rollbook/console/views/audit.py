"""The audit log: looked through, exported, and checked; a district's, and the installation's own."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district, in_installation
from rollbook.console.audit import FAMILIES, line_of
from rollbook.flows import audit
from rollbook.store.models import AuditEntry, District

PAGE = 50
DAYS = (1, 7, 30, 90, 365)


@in_district(Act.SEE_AUDIT)
def show_audit(request: HttpRequest, district: District) -> HttpResponse:
    return _page(request, district.pk)


@in_district(Act.SEE_AUDIT)
def export_audit(request: HttpRequest, district: District) -> StreamingHttpResponse:
    return _file(request, district.pk, f"audit-{district.pk}.csv")


@require_POST
@in_district(Act.SEE_AUDIT)
def verify_audit(request: HttpRequest, district: District) -> HttpResponse:
    return _page(request, district.pk, audit.verify(district.pk))


@in_installation(Act.SEE_INSTALLATION_AUDIT)
def show_installation_audit(request: HttpRequest) -> HttpResponse:
    return _page(request, None)


@in_installation(Act.SEE_INSTALLATION_AUDIT)
def export_installation_audit(request: HttpRequest) -> StreamingHttpResponse:
    return _file(request, None, "audit-installation.csv")


@require_POST
@in_installation(Act.SEE_INSTALLATION_AUDIT)
def verify_installation_audit(request: HttpRequest) -> HttpResponse:
    return _page(request, None, audit.verify(None))


def _page(request: HttpRequest, chain: int | None, verdict: audit.Verdict | None = None) -> HttpResponse:
    found = _found(request, chain)
    number = _number(request.GET.get("page", ""), 1)
    start = (number - 1) * PAGE
    shown = list(found[start : start + PAGE + 1])
    context = {
        "nav": "audit",
        "lines": [line_of(entry) for entry in shown[:PAGE]],
        "verdict": verdict,
        "families": FAMILIES,
        "days": [(day, _days(day)) for day in DAYS],
        "chosen": {name: request.GET.get(name, "")[:200] for name in ("q", "act", "days")},
        "page": number,
        "earlier": _at(request, number + 1) if len(shown) > PAGE else "",
        "later": _at(request, number - 1) if number > 1 else "",
        "export": _address("audit-export", chain),
        "verify": _address("audit-verify", chain),
        "query": request.GET.urlencode(),
    }
    return render(request, "console/audit.html", context)


def _found(request: HttpRequest, chain: int | None) -> QuerySet[AuditEntry]:
    days = _number(request.GET.get("days", ""), 0)
    since = timezone.now() - timedelta(days=days) if days in DAYS else None
    search, act = request.GET.get("q", "").strip()[:200], request.GET.get("act", "")
    return audit.entries(chain, search, act if act in FAMILIES else "", since=since)


def _days(number: int) -> str:
    return _("The last day") if number == 1 else _("The last %d days") % number


def _number(text: str, least: int) -> int:
    return max(int(text), least) if text.isascii() and text.isdecimal() and len(text) < 7 else least


def _at(request: Any, page: int) -> str:
    """This list, another page of it."""
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


def _address(name: str, chain: int | None) -> str:
    return reverse(name, kwargs={"tenant": chain}) if chain else reverse(f"installation-{name}")


class Echo:
    """Gives back what it is asked to write: the csv writer's lines, one at a time."""

    def write(self, line: str) -> str:
        return line


def _file(request: HttpRequest, chain: int | None, name: str) -> StreamingHttpResponse:
    found = _found(request, chain)
    audit.record(chain, "audit.export", "audit", "", after=dict(request.GET.items()))
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(found: QuerySet[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(Echo())
    for row in audit.rows(found):
        yield writer.writerow(row)
