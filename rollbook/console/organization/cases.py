"""Cases: records in doubt side by side, and what a person says they are; members who are one person are merged, and parted again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.connectors.contract import ConnectorRefusal
from rollbook.console.imports import Badge
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page
from rollbook.console.organization.record_words import said
from rollbook.console.organization.words import KINDS, STATES, badge
from rollbook.engine.sync.links import TO_CREATE, TO_IGNORE, TO_LINK
from rollbook.flows import merging
from rollbook.flows.members import find_member
from rollbook.flows.sync import cases, deciding
from rollbook.refusal import Refusal
from rollbook.store.models import Case, Member, MemberMerge, Organization, SyncConnection, SyncHold

PLACE = "sync-holds"
MERGES_SHOWN = 20

FIELDS: dict[str, Any] = {
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("E-mail address"),
    "username": gettext_lazy("Username"),
    "identifier": gettext_lazy("Identifier"),
    "grade": gettext_lazy("Grade"),
    "roles": gettext_lazy("Roles"),
    "sites": gettext_lazy("Sites"),
    "title": gettext_lazy("Title"),
    "code": gettext_lazy("Code"),
    "site": gettext_lazy("Site"),
    "begins": gettext_lazy("Begins"),
    "ends": gettext_lazy("Ends"),
    "name": gettext_lazy("Name"),
}


@in_organization(Act.MANAGE_ROSTERING)
def show_cases(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    found = cases.page_of(connection, _place(request.GET.get("after", "")))
    shown = found[: cases.PAGE]
    context = {
        "cases": [
            {"case": case, "code": said(case.code), "kind": KINDS.get(case.kind, case.kind)} for case in shown
        ],
        "number": Case.objects.filter(connection=connection, closed_at=None).count(),
        "holds": SyncHold.objects.filter(connection=connection, decision="").count(),
        "after": _name_of(shown[-1]) if len(found) > cases.PAGE else None,
        "is_first": not request.GET.get("after"),
        "merges": _merges(organization),
    }
    return rostering_page(request, connection, PLACE, "organization/cases.html", context)


@in_organization(Act.MANAGE_ROSTERING)
@changing
def show_case(request: Any, organization: Organization, connection_id: int, case_id: int) -> HttpResponse:
    """One case, and the decision about it."""
    connection = connection_or_404(organization, connection_id)
    case = _case_or_404(connection, case_id)
    if request.method != "POST":
        return _page(request, connection, case)
    action, _colon, target = request.POST.get("decision", "").partition(":")
    if action not in SAID:
        return _page(request, connection, case, _("Choose what is to become of this record."))
    try:
        deciding.decide(
            connection,
            case.kind,
            case.source_id,
            action,
            request.user.email,
            target=target,
            why=request.POST.get("why", ""),
        )
    except Refusal as refusal:
        return _page(request, connection, case, refusal.words)
    messages.success(request, SAID[action]())
    return redirect("sync-cases", organization_id=organization.pk, connection_id=connection.pk)


SAID = {
    TO_LINK: lambda: _("It is kept that they are the same. The next sync carries it out."),
    TO_CREATE: lambda: _("It is kept that this is a record of its own. The next sync creates it."),
    TO_IGNORE: lambda: _("The record is ignored from now on."),
}


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def merge(request: Any, organization: Organization, connection_id: int, case_id: int) -> HttpResponse:
    """Two members of a case become one; the case itself is answered by the next sync."""
    connection = connection_or_404(organization, connection_id)
    case = _case_or_404(connection, case_id)
    numbers = {one.id for one in cases.compared(connection, case).mergeable}
    kept, other = request.POST.get("kept", ""), request.POST.get("other", "")
    if not {kept, other} <= numbers:
        return _page(request, connection, case, _("Choose who is kept, and who becomes part of them."))
    try:
        merging.merge(
            find_member(organization, kept), find_member(organization, other), request.POST.get("why", "")
        )
    except Refusal as refusal:
        return _page(request, connection, case, refusal.words)
    messages.success(request, _("The two are one member now. It can be undone on this page."))
    return redirect("sync-cases", organization_id=organization.pk, connection_id=connection.pk)


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def undo_merge(request: Any, organization: Organization, connection_id: int, merge_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        merging.unmerge(merging.find_merge(organization, merge_id))
    except merging.NoSuchMerge as refusal:
        raise Http404 from refusal
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("Both members are there again, each with what was theirs."))
    return redirect("sync-cases", organization_id=organization.pk, connection_id=connection.pk)


def _page(request: Any, connection: SyncConnection, case: Case, wrong: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "case": case,
        "code": said(case.code),
        "kind": KINDS.get(case.kind, case.kind),
        "wrong": wrong,
    }
    try:
        shown = cases.compared(connection, case)
    except ConnectorRefusal as refusal:
        context["out_of_reach"] = refusal.words
    else:
        heads = _heads(shown)
        context |= {
            "shown": shown,
            "rows": [
                (FIELDS.get(row.field, row.field), list(zip(heads, row.values, row.agrees, strict=True)))
                for row in shown.rows
            ],
            "heads": heads,
        }
    context |= {"why": request.POST.get("why", "")}
    return rostering_page(
        request, connection, PLACE, "organization/case.html", context, status=422 if wrong else 200
    )


@dataclass(frozen=True)
class Head:
    """One of the records that are compared: in which words it is headed, and in `short` ones where each value stands below the other."""

    words: Any
    number: str
    short: str
    from_source: bool
    state: Badge | None = None


def _heads(shown: cases.Compared) -> list[Head]:
    heads = []
    for place, one in enumerate(shown.records):
        if one.from_source:
            words = _("Another record of the source") if place else _("The source says")
            heads.append(Head(words, one.id, f"{words}: {one.id}" if place else words, True))
        else:
            number = _("Number %(number)s") % {"number": one.id}
            state = badge(STATES, one.state) if one.state else None
            heads.append(Head(_("In the directory"), number, number, False, state))
    return heads


def _merges(organization: Organization) -> list[dict[str, Any]]:
    found = list(merging.merges(organization)[:MERGES_SHOWN])
    numbers = {number for one in found for number in (one.kept_id, one.other_id)}
    members = {one.id: one for one in Member.objects.filter(organization=organization, id__in=numbers)}
    return [_merge(one, members) for one in found]


def _merge(one: MemberMerge, members: dict[int, Member]) -> dict[str, Any]:
    return {"merge": one, "kept": members.get(one.kept_id), "other": members.get(one.other_id)}


def _case_or_404(connection: SyncConnection, case_id: int) -> Case:
    try:
        return cases.find_case(connection, case_id)
    except cases.NoSuchCase as refusal:
        raise Http404 from refusal


def _name_of(case: Case) -> str:
    return f"{case.opened_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{case.pk}"


def _place(text: str) -> tuple[datetime, int] | None:
    """The place that an address names; the first page where it names none."""
    moment, _mark, number = text.rpartition("~")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), int(number)
    except (ValueError, OverflowError):
        return None
