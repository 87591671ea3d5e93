"""The changes of a plan: counted by school, searched, one by one with its fields, down to the line of the file it came from; all as CSV."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from rollbook.console.access import Act, in_district
from rollbook.console.imports import imports_of
from rollbook.console.plans import (
    ACTION_WORDS,
    record_of,
    shown_change,
    shown_line,
    shown_schools,
)
from rollbook.console.words import COLLECTIONS
from rollbook.engine.lines import DeliveredLine, line_of
from rollbook.oneroster.tables import BINDINGS
from rollbook.store.models import District, Run
from rollbook.store.plan_schools import schools_of
from rollbook.store.plans import NO_SCHOOL, Narrow, csv_rows, find_change, find_changes
from rollbook.store.shelf import place

PAGE = 50
FILES = {table.file for binding in BINDINGS.values() for table in binding.tables}


@in_district(Act.SEE_IMPORTS)
def show_changes(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = _planned_or_404(district, run_id)
    narrow = _narrow(request, run)
    start = _number(request.GET.get("after", ""))
    found = find_changes(_plan(run), narrow, after=start, limit=PAGE + 1)
    kept = _kept(narrow)
    context = {
        "nav": "imports",
        "run": run,
        "changes": [shown_change(one) for one in found[:PAGE]],
        "next": urlencode({**kept, "after": str(found[PAGE - 1].number)}) if len(found) > PAGE else "",
        "is_first": not start,
        "asked": narrow,
        "query": urlencode(kept),
        "collections": [(name, words) for name, words in COLLECTIONS.items() if name in run.plan.counts],
        "actions": ACTION_WORDS.items(),
        "schools": shown_schools(run) if narrow.school else [],
        "no_school": NO_SCHOOL,
    }
    return render(request, "console/plan_changes.html", context)


@in_district(Act.SEE_IMPORTS)
def show_change(request: HttpRequest, district: District, run_id: int, number: int) -> HttpResponse:
    run = _planned_or_404(district, run_id)
    change = find_change(_plan(run), number)
    if change is None:
        raise Http404
    line = _line(run, change.file, change.line or 0)
    context = {
        "nav": "imports",
        "run": run,
        "shown": shown_change(change),
        "record": record_of(district, change),
        "line": shown_line(line) if line else None,
    }
    return render(request, "console/plan_change.html", context)


@in_district(Act.SEE_IMPORTS)
def show_schools(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    run = _planned_or_404(district, run_id)
    context = {"nav": "imports", "run": run, "schools": shown_schools(run)}
    return render(request, "console/plan_schools.html", context)


@in_district(Act.SEE_IMPORTS)
def show_line(request: HttpRequest, district: District, run_id: int) -> HttpResponse:
    """One line of a file of this import, as it was delivered."""
    run = imports_of(district).filter(id=run_id).first()
    line = _line(run, request.GET.get("file", ""), _number(request.GET.get("line", ""))) if run else None
    if run is None or line is None:
        raise Http404
    return render(request, "console/plan_line.html", {"nav": "imports", "run": run, "line": shown_line(line)})


@in_district(Act.SEE_IMPORTS)
def download_changes(request: HttpRequest, district: District, run_id: int) -> StreamingHttpResponse:
    run = _planned_or_404(district, run_id)
    lines = _lines(run, _narrow(request, run))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="changes-{run.pk}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """What the csv module writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def _lines(run: Run, narrow: Narrow) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in csv_rows(_plan(run), narrow))


def _narrow(request: HttpRequest, run: Run) -> Narrow:
    collection, action = request.GET.get("collection", ""), request.GET.get("action", "")
    school = request.GET.get("school", "")[:255]
    return Narrow(
        collection=collection if collection in COLLECTIONS else "",
        action=action if action in ACTION_WORDS else "",
        search=request.GET.get("search", "").strip()[:200],
        school=school,
        schools=schools_of(run.plan) if school else None,
    )


def _kept(narrow: Narrow) -> dict[str, str]:
    asked = {"collection": narrow.collection, "action": narrow.action, "search": narrow.search}
    return {name: value for name, value in {**asked, "school": narrow.school}.items() if value}


def _line(run: Run, file: str, line: int) -> DeliveredLine | None:
    """What stands there in the delivery; None where nothing does, or the delivery is no longer kept."""
    if run.snapshot is None or run.snapshot.removed_at or file not in FILES:
        return None
    return line_of(place(run.snapshot.shelf_name), file, line)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _plan(run: Run) -> Path:
    return place(run.plan.shelf_name)


def _planned_or_404(district: District, run_id: int) -> Any:
    run = imports_of(district).filter(id=run_id).first()
    if run is None or not hasattr(run, "plan") or not _plan(run).exists():
        raise Http404
    return run
