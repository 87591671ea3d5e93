"""What apps took: the access history of one app with what it may take in a day, and of one person every app that received them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.activity import result_words
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.words import ASKED_FOR, COLLECTIONS
from rollbook.flows import access_history, audit, disclosure
from rollbook.flows.access_history import CALL, PAGE, Taking
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store import accesses
from rollbook.store.models import District, Grant, User

PLACE = "app-access"
DAYS = (1, 7, 30, 90, 365)
MODES = {
    "bulk": gettext_lazy("Package, whole"),
    "delta": gettext_lazy("Package, what changed"),
    "success": gettext_lazy("Delivered"),
    "failed": gettext_lazy("Failed"),
    "blocked": gettext_lazy("Held back"),
    "cancelled": gettext_lazy("Cancelled"),
}


@dataclass(frozen=True)
class Row:
    """A call or a package as it is listed."""

    one: Taking
    what: Any
    words: Any
    is_call: bool


@in_district(Act.SEE_ACCESS_HISTORY)
def show_access(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    return _history(request, grant_or_404(district, grant_id))


@in_district(Act.SEE_ACCESS_HISTORY)
def export_access(request: HttpRequest, district: District, grant_id: int) -> StreamingHttpResponse:
    grant = grant_or_404(district, grant_id)
    days = _days(request)
    access_history.note_export(grant, days)
    response = StreamingHttpResponse(_lines(grant, _since(days)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="access-{grant.pk}.csv"'
    return response


@require_POST
@in_district(Act.MANAGE_APPS)
def set_allowance(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    try:
        access_history.set_allowance(grant, *(_wanted(request, name) for name in ("requests", "records")))
    except Refusal as refusal:
        return _history(request, grant, refusal.words)
    messages.success(request, _("What the app may take in a day was changed."))
    return redirect(PLACE, tenant=district.pk, grant_id=grant.pk)


def _wanted(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _history(request: Any, grant: Grant, wrong: str = "") -> HttpResponse:
    days, page = _days(request), _number(request.GET.get("page", ""), 1)
    only_bad = "bad" in request.GET
    since = _since(days)
    found = access_history.takings(grant, since, page, only_bad=only_bad)
    total = access_history.count(grant, since, only_bad=only_bad)
    context = {
        "rows": [_row(one) for one in found],
        "total": total,
        "days": [(day, _day_words(day)) for day in DAYS],
        "chosen": days,
        "only_bad": only_bad,
        "page": page,
        "earlier": _at(request, page + 1) if page * PAGE < total else "",
        "later": _at(request, page - 1) if page > 1 else "",
        "used": access_history.days(grant, timezone.now(), 7),
        "unused": [(one, COLLECTIONS.get(one.collection, one.collection)) for one in disclosure.unused(grant, timezone.now())],
        "unread_days": disclosure.UNREAD_DAYS,
        "wrong": wrong,
        "typed": {
            "requests": request.POST.get("requests", grant.daily_requests or ""),
            "records": request.POST.get("records", grant.daily_records or ""),
        },
        "may_allow": request.reach.may(Act.MANAGE_APPS, grant.district_id) and not grant.removed_at,
    }  # fmt: skip
    return app_page(
        request, grant, PLACE, "console/app_history_of_access.html", context, 422 if wrong else 200
    )


def _row(one: Taking) -> Row:
    if one.kind != CALL:
        return Row(one, MODES.get(one.what, one.what), MODES.get(one.status, one.status), False)
    return Row(one, ASKED_FOR.get(one.what, one.what), result_words(int(one.status)), True)


def _days(request: HttpRequest) -> int:
    days = _number(request.GET.get("days", ""), 0)
    return days if days in DAYS else accesses.DAYS


def _since(days: int) -> int:
    return int((timezone.now() - timedelta(days=days)).timestamp() * 1000)


def _day_words(number: int) -> str:
    return _("The last day") if number == 1 else _("The last %d days") % number


def _number(text: str, least: int) -> int:
    return max(int(text), least) if text.isascii() and text.isdecimal() and len(text) < 7 else least


def _at(request: Any, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


class Echo:
    """Gives back what it is asked to write: the csv writer's lines, one at a time."""

    def write(self, line: str) -> str:
        return line


def _lines(grant: Grant, since: int) -> Iterator[str]:
    writer = csv.writer(Echo())
    for row in access_history.csv_rows(grant, since):
        yield writer.writerow(row)


# --- One person ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """What one app had to do with the person, as it is shown."""

    one: disclosure.Disclosure
    fields: list[tuple[Any, list[str], list[str]]]


@in_district(Act.SEE_ACCESS_HISTORY)
def find_person(request: HttpRequest, district: District) -> HttpResponse:
    """Who exactly is asked about: nobody can leaf through people here."""
    asked = request.GET.get("q", "").strip()[:200].replace("\0", "")
    found = _people(district, asked) if asked else []
    if len(found) == 1:
        return redirect("disclosure", tenant=district.pk, record_id=found[0].id)
    context = {"nav": "disclosures", "asked": asked, "found": found}
    return render(request, "console/disclosures.html", context)


def _people(district: District, asked: str) -> list[User]:
    folded = fold(asked)
    one_of = Q(sourced_id=asked) | Q(identifier=asked) | Q(username_folded=folded) | Q(email_folded=folded)
    return list(User.objects.filter(one_of, district=district).order_by("sourced_id")[:20])


@in_district(Act.SEE_ACCESS_HISTORY)
def show_disclosure(request: HttpRequest, district: District, record_id: str) -> HttpResponse:
    person = _person_or_404(district, record_id)
    found = disclosure.disclosures(district, person, timezone.now())
    context = {
        "nav": "disclosures",
        "person": person,
        "received": [_received(one) for one in found if one.received],
        "shared": [one for one in found if not one.received],
    }
    return render(request, "console/disclosure.html", context)


@in_district(Act.SEE_ACCESS_HISTORY)
def export_disclosure(request: HttpRequest, district: District, record_id: str) -> HttpResponse:
    """A file for whoever asked, as JSON or CSV."""
    person = _person_or_404(district, record_id)
    found = disclosure.disclosures(district, person, timezone.now())
    rows = list(disclosure.rows(found))
    audit.record(district.pk, "disclosure.export", "users", person.sourced_id)
    if request.GET.get("format") == "json":
        told = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        response = HttpResponse(
            json.dumps({"sourcedId": person.sourced_id, "apps": told}), content_type="application/json"
        )
        name = f"disclosure-{person.id}.json"
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        csv.writer(response).writerows(rows)
        name = f"disclosure-{person.id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _person_or_404(district: District, record_id: str) -> User:
    person = User.objects.filter(district=district, id=int(record_id)).first()
    if person is None:
        raise Http404
    return person


def _received(one: disclosure.Disclosure) -> Received:
    fields = [
        (
            COLLECTIONS.get(collection, collection),
            sorted(name for name, treatment in shown.items() if treatment == "share"),
            sorted(name for name, treatment in shown.items() if treatment != "share"),
        )
        for collection, shown in sorted(one.fields.items())
    ]
    return Received(one, fields)
