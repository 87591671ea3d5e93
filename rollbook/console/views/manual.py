"""Manual records: the list, the forms to add and edit a person or an enrollment, and the look at what will change before it does."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.access import Act, in_district
from rollbook.console.cells import Names, Row, rows_of, want_names
from rollbook.console.manual import (
    CHOSEN,
    Problems,
    carried,
    chooser,
    enrollment_form,
    person_form,
    said,
    said_elsewhere,
    told,
    typed_enrollment,
    typed_person,
)
from rollbook.console.sheets import SHEETS, name_of
from rollbook.console.words import ONE_OF
from rollbook.flows.manual import acts
from rollbook.flows.manual.acts import Problem, Shown, Wanted
from rollbook.flows.manual.entries import Entry, entry_of, new_id
from rollbook.flows.manual.records import STATUSES, manual_enrollments, manual_people
from rollbook.refusal import Refusal
from rollbook.store.models import RECORDS, District, Enrollment, Record

PAGE = 50
STATUS_WORDS = (
    ("active", gettext_lazy("Active")),
    ("deleted", gettext_lazy("Deleted")),
    ("all", gettext_lazy("Active and deleted")),
)


@dataclass(frozen=True)
class Draft:
    """A form under way: what is typed so far, of which record (None where it is to be added)."""

    collection: str
    entry: Entry
    record: Record | None

    @property
    def wanted(self) -> Wanted:
        return Wanted("edit" if self.record else "add", self.entry, self.record)


@in_district(Act.EDIT_ROSTER)
def show_manual(request: HttpRequest, district: District, collection: str = "users") -> HttpResponse:
    search = request.GET.get("q", "").strip()[:200].replace("\0", "")
    status = request.GET.get("status", "active")
    status = status if status in STATUSES else "active"
    every = {"users": manual_people, "enrollments": manual_enrollments}
    found: Any = every[collection](district, search, status)
    start = _whole(request.GET.get("from")) or 0
    some = list(found[start : start + PAGE + 1])
    context = {
        "nav": "manual",
        "collection": collection,
        "tabs": [(name, SHEETS[name].words, find(district).count()) for name, find in every.items()],
        "rows": _rows(district, collection, some[:PAGE]),
        "columns": _columns(collection),
        "search": search,
        "status": status,
        "statuses": STATUS_WORDS,
        "following": start + PAGE if len(some) > PAGE else None,
        "is_empty": not any(find(district, status="all").exists() for find in every.values()),
    }
    return render(request, "console/manual.html", context)


def _columns(collection: str) -> list[Any]:
    return [column for column in SHEETS[collection].columns if column.field != "metadata"]


def _rows(district: District, collection: str, records: list[Any]) -> list[Row]:
    names, columns = Names(district), _columns(collection)
    want_names(names, columns, records)
    names.look_up()
    return rows_of(names, SHEETS[collection], columns, records)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else None


@in_district(Act.EDIT_ROSTER)
def show_choices(request: HttpRequest, district: District, field: str) -> HttpResponse:
    """What a search finds, beside what is chosen: a part of a form."""
    if field not in CHOSEN:
        raise Http404
    found = chooser(district, field, request.GET.getlist(field), request.GET)
    return render(request, "console/manual_choices.html", {"chooser": found})


@in_district(Act.EDIT_ROSTER)
def add_record(request: HttpRequest, district: District, collection: str) -> HttpResponse:
    if request.method != "POST":
        return _form(request, district, Draft(collection, _blank(collection, request.GET), None))
    return _step(request, district, Draft(collection, _typed(collection, request.POST, None), None))


@in_district(Act.EDIT_ROSTER)
def edit_record(request: HttpRequest, district: District, collection: str, record_id: str) -> HttpResponse:
    record = _record_or_404(district, collection, record_id)
    if not acts.is_manual(record) or record.status != "active":
        return redirect("record", tenant=district.pk, collection=collection, record_id=record_id)
    stored = entry_of(acts.manual_connection(district), record, collection)
    if request.method != "POST":
        return _form(request, district, Draft(collection, stored, record))
    return _step(request, district, Draft(collection, _typed(collection, request.POST, stored), record))


@in_district(Act.EDIT_ROSTER)
def turn_record(
    request: HttpRequest, district: District, collection: str, record_id: str, verb: str
) -> HttpResponse:
    """Delete or restore: what it will change is looked at, then it is done."""
    record = _record_or_404(district, collection, record_id)
    if not acts.is_manual(record) or (record.status == "active") != (verb == "delete"):
        return redirect("record", tenant=district.pk, collection=collection, record_id=record_id)
    wanted = Wanted(verb, Entry(collection, record.sourced_id), record)
    try:
        if request.method == "POST":
            return _confirmed(request, district, wanted)
        return _shown(request, district, wanted, acts.show(district, wanted))
    except Refusal as refusal:
        messages.error(request, _words_of(refusal))
        return _to_record(district, wanted)


def _blank(collection: str, asked: QueryDict) -> Entry:
    values = {name: asked.get(name, "") for name in ("userSourcedId", "classSourcedId") if name in asked}
    return Entry(collection, new_id(), values if collection == "enrollments" else {})


def _typed(collection: str, typed: QueryDict, stored: Entry | None) -> Entry:
    return typed_person(typed, stored) if collection == "users" else typed_enrollment(typed, stored)


def _record_or_404(district: District, collection: str, record_id: str) -> Record:
    found = RECORDS[collection]._default_manager.filter(district=district, id=int(record_id)).first()
    if found is None:
        raise Http404
    return found


# --- Step by step -----------------------------------------------------------------------------------------------------------------


def _step(request: HttpRequest, district: District, draft: Draft) -> HttpResponse:
    """A form comes back to be filled in further, goes on to be looked at, or is confirmed."""
    step = request.POST.get("step", "show")
    if step in ("find", "more", "back"):
        return _form(request, district, draft)
    try:
        if step == "do":
            return _confirmed(request, district, draft.wanted)
        return _shown(request, district, draft.wanted, acts.show(district, draft.wanted))
    except acts.NotAccepted as refusal:
        return _form(request, district, draft, refusal.problems, refusal.words)
    except (acts.IdTaken, acts.DeletedByHand) as refusal:
        problem = Problem(None, "sourcedId", refusal.words)
        return _form(request, district, draft, [problem], refusal.words)
    except Refusal as refusal:
        return _form(request, district, draft, (), refusal.words)


def _form(
    request: HttpRequest, district: District, draft: Draft, problems: Problems = (), wrong: str = ""
) -> HttpResponse:
    made = person_form if draft.collection == "users" else enrollment_form
    context = {
        "nav": "manual",
        "collection": draft.collection,
        "one": ONE_OF[draft.collection],
        "record": draft.record,
        "name": name_of(draft.record) if draft.record else "",
        "sourced_id": draft.entry.sourced_id,
        "id_problems": said(problems, "sourcedId"),
        "wrong": wrong,
        "elsewhere": said_elsewhere(problems, draft.collection),
        **made(district, draft.entry, problems, request.POST),
    }
    template = (
        "console/manual_person.html" if draft.collection == "users" else "console/manual_enrollment.html"
    )
    return render(request, template, context, status=422 if wrong else 200)


def _shown(
    request: HttpRequest, district: District, wanted: Wanted, shown: Shown, wrong: str = ""
) -> HttpResponse:
    context = {
        "nav": "manual",
        "wanted": wanted,
        "one": ONE_OF[wanted.entry.collection],
        "name": name_of(wanted.record) if wanted.record else wanted.entry.sourced_id,
        "changes": told(district, shown.changes),
        "notes": [*shown.notes, *_notes(district, wanted)],
        "seen": shown.fingerprint,
        "carried": carried(request.POST),
        "wrong": wrong,
    }
    return render(request, "console/manual_shown.html", context, status=409 if wrong else 200)


def _notes(district: District, wanted: Wanted) -> list[str]:
    """What goes and comes with a person."""
    if wanted.entry.collection != "users" or wanted.verb not in ("delete", "restore") or not wanted.record:
        return []
    number = Enrollment.objects.filter(district=district, user_id=wanted.record.id, status="active").count()
    if not number:
        return []
    if wanted.verb == "delete":
        return [
            _("Enrollments of this person that are no longer served until they are restored: %d") % number
        ]
    return [_("Enrollments of this person that are served again: %d") % number]


def _confirmed(request: Any, district: District, wanted: Wanted) -> HttpResponse:
    """It is done; or, where something came between, shown again with all that was typed."""
    seen = request.POST.get("seen", "")
    try:
        if not seen:
            return _shown(request, district, wanted, acts.show(district, wanted))
        acts.do(district, wanted, request.user.email, seen)
    except (acts.ShownOtherwise, acts.ImportUnderWay) as refusal:
        return _shown(request, district, wanted, acts.show(district, wanted), refusal.words)
    messages.success(request, str(DONE[wanted.verb]))
    return _to_record(district, wanted)


DONE = {
    "add": gettext_lazy("The record was added, and is served from now on."),
    "edit": gettext_lazy("The record was changed."),
    "delete": gettext_lazy("The record was deleted. It can be restored."),
    "restore": gettext_lazy("The record was restored."),
}


def _words_of(refusal: Refusal) -> str:
    problems = getattr(refusal, "problems", ())
    return " ".join([refusal.words, *(one.words for one in problems)])


def _to_record(district: District, wanted: Wanted) -> HttpResponse:
    record = acts.find_record(district, wanted.entry.collection, wanted.entry.sourced_id)
    return redirect("record", tenant=district.pk, collection=wanted.entry.collection, record_id=record.id)
