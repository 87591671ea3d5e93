"""Sanity check: what an app sees, counted and looked over; how far a check is; when it is made by itself, what keeps exports back, licences."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.access import Act, in_district
from rollbook.console.dates import dated
from rollbook.console.looking import NAMED_BY_APP, collection_words, found_url
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.words import severity_words, vocabulary_words
from rollbook.engine.sanity.check import Report, Told
from rollbook.engine.sanity.lines import GROUPS, LINES, WHO
from rollbook.engine.sanity.written import csv_lines
from rollbook.flows import sanity, sanity_plans
from rollbook.flows.timetable import WEEKDAYS
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant, SanityCheck, SanityPlan

LISTED = 10
FIRST = 5
"""Examples that a line shows at once."""

COLOURS = {"error": "red", "warning": "yellow", "note": "azure"}
ICONS = {"error": "cross", "warning": "warning", "note": "info"}
HIGH, STEP = 18, 8
"""A trend's drawing: its height, and the points' distance."""

LICENSED = {
    "people": gettext_lazy("all people it is given"),
    "students": gettext_lazy("students"),
    "teachers": gettext_lazy("teachers"),
}

DAYS = tuple(map(gettext_lazy, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")))


@dataclass(frozen=True)
class Example:
    """A record concerned, and where it is seen."""

    text: str
    url: str


@dataclass(frozen=True)
class Row:
    """One line of the report as it is shown. `points` draw what it counted in the last checks."""

    told: Told
    mark: tuple[str, str, Any]
    who: str
    examples: list[Example]
    more: int
    change: int | None
    past: list[int | None]
    points: str
    limit: float | None


@in_district(Act.CHECK_SANITY)
def show_sanity(request: Any, district: District, grant_id: int) -> HttpResponse:
    return _page(request, district, grant_or_404(district, grant_id))


@require_POST
@in_district(Act.CHECK_SANITY)
def start_sanity(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    sanity.ask(grant, request.user.email, schools=_schools(request, district))
    return redirect("app-sanity", tenant=district.pk, grant_id=grant.pk)


@in_district(Act.CHECK_SANITY)
def show_progress(request: Any, district: District, grant_id: int) -> HttpResponse:
    """A piece of the page; once the check has ended, the word to load the whole page anew."""
    grant = grant_or_404(district, grant_id)
    walking = sanity.under_way(grant, _schools(request, district))
    if walking is None:
        return HttpResponseClientRefresh()
    return render(
        request, "console/sanity_now.html", {"grant": grant, "walking": walking, "percent": _percent(walking)}
    )


@in_district(Act.CHECK_SANITY)
def download_sanity(request: Any, district: District, grant_id: int, check_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    found = _check_or_404(grant, check_id, _schools(request, district))
    answer = HttpResponse(csv_lines(sanity.report_of(found)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="sanity-{found.pk}.csv"'
    return answer


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def set_plan(request: Any, district: District, grant_id: int) -> HttpResponse:
    """When it is checked by itself."""
    grant, typed = grant_or_404(district, grant_id), request.POST
    times = typed.get("times", "").replace(",", " ").split()
    return _kept(
        request,
        district,
        grant,
        lambda: sanity_plans.set_times(grant, times, typed.getlist("day"), request.user.email),
    )


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def set_limit(request: Any, district: District, grant_id: int) -> HttpResponse:
    """Above which share of a line exports are kept back."""
    grant, typed = grant_or_404(district, grant_id), request.POST

    def keep() -> Any:
        text = typed.get("percent", "").strip().rstrip(" %").replace(",", ".")
        try:
            percent = float(text) if text else None
        except ValueError as fault:
            raise sanity_plans.BadPercent(text) from fault
        return sanity_plans.set_limit(grant, typed.get("line", ""), percent, request.user.email)

    return _kept(request, district, grant, keep)


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def set_licences(request: Any, district: District, grant_id: int) -> HttpResponse:
    """How many people it is licensed for."""
    grant, typed = grant_or_404(district, grant_id), request.POST

    def keep() -> Any:
        text = "".join(typed.get("licences", "").replace(",", "").split())
        if text and not text.isdecimal():
            raise sanity_plans.BadLicences(text)
        return sanity_plans.set_licences(
            grant, int(text) if text else None, typed.get("licensed", ""), request.user.email
        )

    return _kept(request, district, grant, keep)


def _kept(request: Any, district: District, grant: Grant, keep: Any) -> HttpResponse:
    try:
        keep()
    except Refusal as refusal:
        return _page(request, district, grant, refusal.words)
    messages.success(request, _("Saved."))
    return redirect("app-sanity", tenant=district.pk, grant_id=grant.pk)


def _schools(request: Any, district: District) -> tuple[int, ...] | None:
    """The schools whoever looks is bound to."""
    schools = request.reach.schools(Act.CHECK_SANITY, district.pk)
    return None if schools is None else tuple(sorted(schools))


def _check_or_404(grant: Grant, number: int, schools: sanity.Schools) -> SanityCheck:
    try:
        return sanity.find_check(grant, number, schools)
    except sanity.NoSuchCheck as refusal:
        raise Http404 from refusal


def _page(request: HttpRequest, district: District, grant: Grant, wrong: str = "") -> HttpResponse:
    schools = _schools(request, district)
    number = request.GET.get("check", "")
    shown = (
        _check_or_404(grant, int(number), schools) if number.isdecimal() else sanity.latest(grant, schools)
    )
    walking, plan = sanity.under_way(grant, schools), sanity_plans.plan_of(grant)
    report = sanity.report_of(shown) if shown else Report()
    limits = plan.limits if plan else {}
    groups = _groups(grant, shown, report, limits) if shown else []
    reach: Any = request
    context = {
        "wrong": wrong,
        "shown": shown,
        "walking": walking,
        "percent": _percent(walking) if walking else 0,
        "counts": collection_words(report.counts),
        "roles": [(vocabulary_words(role), number) for role, number in report.roles.items()],
        "groups": [one for one in groups if one[2]],
        "silent": [one for one in groups if not one[2]],
        "checks": sanity.checks_of(grant, schools)[:LISTED],
        "is_part": schools is not None,
        "may_plan": reach.reach.may(Act.MANAGE_DELIVERIES, district.pk),
        "plan": plan,
        "times": ", ".join(plan.times) if plan else "",
        "days": _days(plan),
        "next": sanity_plans.next_check(plan, timezone.now()) if plan and plan.times else None,
        "limits": [(code, _title(code), percent) for code, percent in sorted(limits.items())],
        "licences": "" if plan is None or plan.licences is None else plan.licences,
        "licensed": [
            (one, words, one == (plan.licensed if plan else "people")) for one, words in LICENSED.items()
        ],
        "choices": [(one.code, one.title) for one in (report.lines or LINES)],
    }
    return app_page(
        request, grant, "app-sanity", "console/app_sanity.html", context, status=422 if wrong else 200
    )


def _days(plan: SanityPlan | None) -> list[tuple[str, Any, bool]]:
    """(code, words, whether it is ticked) of each weekday; all of them as long as nothing is planned."""
    chosen = plan.weekdays if plan and plan.times else range(7)
    days = zip(WEEKDAYS, DAYS, strict=True)
    return [(code, words, place in chosen) for place, (code, words) in enumerate(days)]


def _percent(walking: SanityCheck) -> int:
    return min(99, 100 * walking.done // walking.known) if walking.known else 0


def _title(code: str) -> str:
    return next((one.title for one in LINES if one.code == code), code)


def _groups(
    grant: Grant, shown: SanityCheck, report: Report, limits: dict[str, float]
) -> list[tuple[str, str, list[Row], int]]:
    """(name, title, rows that count something or are classic, how many found nothing) of each group."""
    past = sanity.trend(shown)
    groups = []
    for group, title in GROUPS.items():
        lines = [one for one in report.lines if one.group == group]
        told = [one for one in lines if one.count or group == "classic"]
        if lines:
            rows = [_row(grant, one, past.get(one.code, []), limits.get(one.code)) for one in told]
            groups.append((group, title, rows, len(lines) - len(told)))
    return groups


def _row(grant: Grant, told: Told, past: list[int | None], limit: float | None) -> Row:
    before = next((one for one in past[-2:-1] if one is not None), None)
    shown = [
        Example(one.id or dated(one.said), _example_url(grant, told.collection, one.id))
        for one in told.examples
    ]
    mark = ("green", "check", _("none")) if not told.count else _mark(told.severity)
    return Row(
        told=told,
        mark=mark,
        who=_(WHO[told.who]),
        examples=shown[:FIRST],
        # Where fewer are named than could be, an example is of all of them.
        more=max(told.count - FIRST, 0) if len(shown) >= min(told.count, FIRST) else 0,
        change=None if before is None else told.count - before,
        past=past,
        points=_points(past),
        limit=limit,
    )


def _mark(severity: str) -> tuple[str, str, Any]:
    return COLOURS[severity], ICONS[severity], severity_words(severity)


def _example_url(grant: Grant, collection: str, sourced_id: str) -> str:
    return found_url(grant, collection, sourced_id) if sourced_id and collection in NAMED_BY_APP else ""


def _points(past: Iterable[int | None]) -> str:
    """The drawing of the numbers, from left to right."""
    known = [(place, number) for place, number in enumerate(past) if number is not None]
    most = max((number for _, number in known), default=0)
    if len({number for _, number in known}) < 2:
        return ""  # a flat line says nothing that the number does not
    return " ".join(f"{STEP * place + 2},{2 + HIGH - HIGH * number // most}" for place, number in known)
