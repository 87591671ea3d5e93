"""Find: a person or a class as one app sees it. Explain: why it does or does not, for one app or for all of them."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rollbook.console.access import Act, in_district
from rollbook.console.looking import Step, Table, facts_of, name_of, steps_of, table_of, tables_of
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.words import COLLECTIONS, ONE_OF
from rollbook.engine.explaining import Explanation
from rollbook.flows import explain as explaining
from rollbook.flows import find as finding
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant
from rollbook.store.visibility import NotVisible

MOST_PAGES = 10_000


@dataclass(frozen=True)
class Explained:
    """One record and why the app sees it, or does not."""

    subject: explaining.Subject
    one: Any
    why: Explanation
    steps: list[Step]


@in_district(Act.FIND)
def show_find(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant, text = grant_or_404(district, grant_id), request.GET.get("q", "").strip()
    start, only = _start(request), request.GET.get("of", "")
    schools = request.reach.schools(Act.FIND, district.pk)
    tables: list[Table] = []
    wrong = ""
    if text:
        try:
            tables = [
                _found(grant, name, text, start, schools) for name in finding.WORDS if only in ("", name)
            ]
        except Refusal as refusal:
            wrong = refusal.words
    context = {
        "text": text,
        "wrong": wrong,
        "tables": [one for one in tables if one.total],
        "start": start,
        "pages": _pages(text, tables, start),
        "may_explain": request.reach.may(Act.EXPLAIN, district.pk),
        "notice": _notice(grant),
    }
    return app_page(request, grant, "app-find", "console/app_find.html", context)


def _found(grant: Grant, collection: str, text: str, start: int, schools: finding.Schools) -> Table:
    seen = finding.find(grant, collection, text, start, schools)
    return table_of(grant, collection, COLLECTIONS[collection], seen.records, seen.total, collection)


def _pages(text: str, tables: list[Table], start: int) -> list[tuple[Any, str]]:
    """Links to further pages, each of one collection."""
    links: list[tuple[Any, str]] = []
    for table in tables:
        if start and len(tables) == 1:
            links.append((_("Before"), _page_url(text, table.collection, max(start - finding.PAGE, 0))))
        if table.total > start + finding.PAGE:
            words = _("Next") if len(tables) == 1 else _("More: %(what)s") % {"what": table.words}
            links.append((words, _page_url(text, table.collection, start + finding.PAGE)))
    return links


def _page_url(text: str, collection: str, start: int) -> str:
    return "?" + urlencode({"q": text, "of": collection, "from": str(start)})


def _start(request: Any) -> int:
    text = request.GET.get("from", "0")
    return min(int(text), MOST_PAGES) if text.isdecimal() and len(text) < 9 else 0


def _notice(grant: Grant) -> str:
    """What is to be known before all: that the app gets nothing at all."""
    if grant.removed_at is not None:
        return _("This app was removed from the district: it gets nothing any more.")
    if not grant.enabled:
        return _("This app is disabled and gets nothing now. What is shown here is what it would get.")
    return ""


@in_district(Act.FIND)
def show_found(request: Any, district: District, grant_id: int, collection: str) -> HttpResponse:
    grant, start = grant_or_404(district, grant_id), _start(request)
    schools = request.reach.schools(Act.FIND, district.pk)
    if collection not in finding.WORDS:
        raise Http404
    try:
        record = finding.one(grant, collection, request.GET.get("id", ""), schools)
    except NotVisible as refusal:
        raise Http404 from refusal
    tables = tables_of(grant, finding.parts(grant, collection, record, start))
    context = {
        "collection": collection,
        "one": ONE_OF[collection],
        "record": record,
        "name": name_of(record),
        "facts": facts_of(record),
        "tables": tables,
        "more_url": _more_url(record, tables, start),
        "may_explain": request.reach.may(Act.EXPLAIN, district.pk),
        "notice": _notice(grant),
    }
    return app_page(request, grant, "app-find", "console/app_found.html", context)


def _more_url(record: Any, tables: list[Table], start: int) -> str:
    """Where the next records stand, if any collection has more."""
    longest = max((table.total for table in tables), default=0)
    if longest <= start + finding.MOST:
        return ""
    return "?" + urlencode({"id": str(record["sourcedId"]), "from": str(start + finding.MOST)})


# --- Explain ----------------------------------------------------------------------------------------------------------------------------------


@in_district(Act.EXPLAIN)
def show_explain(request: Any, district: District, grant_id: int) -> HttpResponse:
    """Of what was typed, exactly; or of one record of the roster by its number, where the roster led here."""
    grant, text = grant_or_404(district, grant_id), request.GET.get("q", "").strip()
    subjects = _subjects(request, grant, text)
    explained = [_explained(request, grant, one) for one in subjects]
    context = {"text": text, "explained": explained}
    return app_page(request, grant, "app-find", "console/app_explain.html", context)


def _subjects(request: Any, grant: Grant, text: str) -> list[explaining.Subject]:
    district = grant.district
    if text:
        # An app may know people by other ids than the roster: here they are known by either.
        real = finding.real_id(grant, "users", text)
        return (
            explaining.subjects(district, text)
            or explaining.subjects(district, real)
            or [explaining.nobody(text)]
        )
    for collection in explaining.COLLECTIONS:
        number = request.GET.get(collection, "")
        if number.isdecimal() and len(number) < 19:
            found = explaining.subject_of(district, collection, int(number))
            return [found] if found else []
    return []


def _explained(request: Any, grant: Grant, subject: explaining.Subject) -> Explained:
    why = explaining.explain(grant, subject)
    return Explained(subject, ONE_OF[subject.collection], why, steps_of(request, grant, subject, why))


@in_district(Act.EXPLAIN)
def show_apps_of(request: Any, district: District, collection: str, record_id: str) -> HttpResponse:
    """Which apps see this person or class, each with the first thing in the way."""
    subject = explaining.subject_of(district, collection, int(record_id))
    if subject is None:
        raise Http404
    context = {
        "nav": "roster",
        "subject": subject,
        "one": ONE_OF[collection],
        "apps": explaining.explain_all(district, subject),
    }
    return render(request, "console/record_apps.html", context)
