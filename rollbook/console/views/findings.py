"""What a run found, one by one and to download; what every code means; and what this district counts its warnings for."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.findings import chapters, choices_of, groups_of, kind_of, mark_of, rows_of
from rollbook.console.imports import imports_of
from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.raised import choices
from rollbook.engine.report import csv_of, masked
from rollbook.flows.severities import latest_of, set_severity, severities_of
from rollbook.refusal import Refusal
from rollbook.store.found import found_by
from rollbook.store.models import District, Run, SeverityChange

PAGE = 50
NARROWED_BY = ("severity", "code", "file")


@in_district(Act.SEE_IMPORTS)
def show_findings(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run, narrow = _run_or_404(district, run_id), _narrow(request)
    everything = found_by(run)
    found = everything.narrowed(**narrow)
    first = min(_number(request.GET.get("from", "")), max(len(found.listed) - 1, 0))
    listed = found.listed[first : first + PAGE]
    context = {
        "nav": "imports",
        "run": run,
        "groups": groups_of(found),
        "rows": rows_of(listed),
        "total": found.total,
        "place": (first + 1, first + len(listed), len(found.listed)),
        "before": max(first - PAGE, 0) if first else None,
        "after": first + PAGE if first + PAGE < len(found.listed) else None,
        "choices": choices_of(everything, narrow),
        "narrowed": urlencode({name: text for name, text in narrow.items() if text}),
        "found_nothing": not everything.tallies,
    }
    return render(request, "console/findings.html", context)


@in_district(Act.SEE_IMPORTS)
def download_findings(
    request: HttpRequest, district: District, run_id: int
) -> HttpResponse | StreamingHttpResponse:
    run = _run_or_404(district, run_id)
    found = found_by(run).narrowed(**_narrow(request))
    answer = StreamingHttpResponse(csv_of(found.listed), content_type="text/csv; charset=utf-8")
    return _as_file(answer, f"findings-{run.pk}.csv")


@in_district(Act.SEE_IMPORTS)
def download_findings_json(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = _run_or_404(district, run_id)
    found = found_by(run).narrowed(**_narrow(request))
    told = {"severities": found.severities, "totals": [vars(one) for one in found.tallies]}
    listed = [masked(one).as_dict() for one in found.listed]
    return _as_file(JsonResponse(told | {"findings": listed}), f"findings-{run.pk}.json")


@in_district(Act.SEE_IMPORTS)
def show_kinds(request: HttpRequest, district: District) -> HttpResponse:
    own = severities_of(district)
    weighed = [(kind_of(CATALOGUE[code]), mark_of(severity)) for code, severity in own.items()]
    context = {"nav": "imports", "chapters": chapters(), "weighed": weighed}
    return render(request, "console/kinds.html", context)


@in_district(Act.SEE_IMPORTS)
def show_kind(request: HttpRequest, district: District, code: str) -> HttpResponse:
    return _kind(request, district, code)


@require_POST
@in_district(Act.MANAGE_SEVERITIES)
def change_severity(request: Any, district: District, code: str) -> HttpResponse:
    if not choices(code):
        raise Http404
    try:
        set_severity(
            district, code, request.POST.get("severity", ""), request.user.email, request.POST.get("why", "")
        )
    except Refusal as refusal:
        return _kind(request, district, code, refusal.words)
    messages.success(request, _("Set. It holds from the next package on; earlier reports stay as they are."))
    return redirect("finding", tenant=district.pk, code=code)


def _kind(request: HttpRequest, district: District, code: str, wrong: str = "") -> HttpResponse:
    if code not in CATALOGUE:
        raise Http404
    latest = latest_of(district).get(code)
    severity = severities_of(district).get(code, "warning")
    context = {
        "nav": "imports",
        "kind": kind_of(CATALOGUE[code]),
        "choices": [(one, mark_of(one), one == severity) for one in choices(code)],
        "own": mark_of(severity) if severity != "warning" else None,
        "latest": latest,
        "decisions": SeverityChange.objects.filter(district=district, code=code).order_by("-id")[:20],
        "why": request.POST.get("why", ""),
        "wrong": wrong,
    }
    return render(request, "console/kind.html", context, status=422 if wrong else 200)


def _run_or_404(district: District, run_id: int) -> Run:
    run = imports_of(district).filter(id=run_id).first()
    if run is None:
        raise Http404
    return run


def _narrow(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "")[:200] for name in NARROWED_BY}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _as_file(answer: Any, name: str) -> Any:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
