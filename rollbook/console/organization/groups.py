"""Classes and groups of an organization: looked through, one with its people and where it comes from, and what is done by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.dates import days_words
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, why_not
from rollbook.console.organization.listing import (
    Asked,
    asked_of,
    pages_beside,
    shown_list,
    source_names,
    within,
)
from rollbook.console.organization.people import FIELDS, FORMS, name_of, role_words, shown_origins, source_of
from rollbook.console.organization.words import STATES, badge
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED, GROUPS
from rollbook.flows import directory_lists, groups, origins
from rollbook.flows.directory import BY_HAND, find_site
from rollbook.flows.directory_lists import SoughtGroups
from rollbook.flows.members import find_member
from rollbook.refusal import Refusal
from rollbook.store.directory_rows import listed
from rollbook.store.models import Group, Organization

NAMES = ("q", "state", "form", "site", "source")


@dataclass(frozen=True)
class ShownGroup:
    """A class or group in a list."""

    group: Group
    form: Any
    site: str
    teachers: int
    students: int
    term: str
    source: str


# --- The list -----------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_MEMBERS)
def show_groups(request: HttpRequest, organization: Organization) -> HttpResponse:
    asked, mine = asked_of(request.GET, NAMES), within(request, organization)
    sought = _sought(asked)
    page = directory_lists.group_page(organization, sought, mine, asked.place)
    sources, names = source_names(organization), directory_lists.site_names(organization, mine)
    numbers = directory_lists.people_numbers(organization, page.rows)
    context: dict[str, Any] = {
        "nav": "groups",
        "asked": asked,
        "page": page,
        "rows": [_row(one, names, sources, numbers.get(one.id, {})) for one in page.rows],
        "forms": list(FORMS.items()),
        "sites": list(names.items()),
        "sources": list(sources.items()),
        "is_bound": mine is not None,
        "is_empty": not page.rows and not asked.is_narrow,
        "why_not": why_not(request, organization),
    }
    return shown_list(request, "groups", context | pages_beside(asked, page))


def _sought(asked: Asked) -> SoughtGroups:
    return SoughtGroups(
        state=ARCHIVED if asked.text("state") == ARCHIVED else ACTIVE,
        form=asked.text("form") if asked.text("form") in FORMS else "",
        site=asked.site,
        source=asked.source,
        search=asked.text("q"),
    )


def _row(group: Group, sites: dict[int, str], sources: dict[int, str], numbers: dict[str, int]) -> ShownGroup:
    students = numbers.get("student", 0)
    return ShownGroup(
        group,
        FORMS.get(group.form, group.form),
        sites.get(group.site_id or 0, ""),
        sum(numbers.values()) - students,
        students,
        days_words(group.begins, group.ends),
        source_of(group.connection_id, sources),
    )


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def add_group(request: HttpRequest, organization: Organization) -> HttpResponse:
    try:
        site = find_site(organization, request.POST["site"]) if request.POST.get("site") else None
        made = groups.add_group(organization, request.POST.get("title", ""), site)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("groups", organization_id=organization.pk)
    return redirect("group", organization_id=organization.pk, group_id=made.id)


# --- One ------------------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_MEMBERS)
def show_group(request: HttpRequest, organization: Organization, group_id: int) -> HttpResponse:
    return _page(request, organization, _group_or_404(request, organization, group_id))


def _group_or_404(request: HttpRequest, organization: Organization, group_id: int) -> Group:
    """The class or group of this number, if who looks may see it."""
    every = directory_lists.groups(organization, SoughtGroups(), within(request, organization))
    group = every.filter(id=group_id, state__in=(ACTIVE, ARCHIVED)).first()
    if group is None:
        raise Http404
    group.organization = organization
    return group


@dataclass(frozen=True)
class ShownPerson:
    """Somebody in a class or group."""

    person: groups.Person
    name: str
    role: Any
    state: Any
    by: str
    is_by_hand: bool


def _page(
    request: HttpRequest, organization: Organization, group: Group, trouble: str = "", typed: str = ""
) -> HttpResponse:
    mine, sources = within(request, organization), source_names(organization)
    sites = directory_lists.site_names(organization, mine)
    people = groups.people(group, mine)
    links = origins.links_of(organization, GROUPS, group.id)
    reason = why_not(request, organization)
    context = {
        "nav": "groups",
        "group": group,
        "form": FORMS.get(group.form, group.form),
        "state": badge(STATES, group.state),
        "site": sites.get(group.site_id or 0, ""),
        "term": days_words(group.begins, group.ends),
        "origins": shown_origins(
            origins.origins(organization, GROUPS, group.id, _fields_of(group), links), sites
        ),
        "kept": groups.overrides_of(group).filter(field="state").first(),
        "people": [_person(one, sources) for one in people],
        "hidden": 0 if mine is None else len(groups.people(group)) - len(people),
        "links": links,
        "managed_by": sources.get(group.connection_id, "") if group.central else "",
        "is_made_here": group.connection_id == BY_HAND,
        "roles": [(role, role_words(role)) for role in groups.ROLES[::-1]],
        "trouble": trouble,
        "typed": typed,
        "why_not": reason,
        "may_change": not reason and not group.central and group.state == ACTIVE,
    }
    return render(request, "organization/group.html", context, status=422 if trouble else 200)


def _fields_of(group: Group) -> dict[str, Any]:
    return {
        "title": group.title,
        "form": group.form,
        "site": "" if group.site_id is None else str(group.site_id),
        "code": group.code,
        "subject": group.subject,
        "grades": listed(group.grades),
        "begins": group.begins,
        "ends": group.ends,
    }


def _person(one: groups.Person, sources: dict[int, str]) -> ShownPerson:
    return ShownPerson(
        one,
        name_of(one.member),
        role_words(one.role),
        badge(STATES, one.member.state),
        ", ".join(source_of(connection, sources) for connection in one.by),
        BY_HAND in one.by,
    )


# --- Acts -----------------------------------------------------------------------------------------------------------------------------


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def rename(request: HttpRequest, organization: Organization, group_id: int) -> HttpResponse:
    group, told = _group_or_404(request, organization, group_id), request.POST
    words = gettext_lazy("It has this title now. Syncs keep it.")
    return _carried_out(
        request, group, lambda: groups.rename(group, told.get("title", ""), told.get("why", "")), words
    )


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def put_in(request: HttpRequest, organization: Organization, group_id: int) -> HttpResponse:
    group, typed = _group_or_404(request, organization, group_id), request.POST.get("member", "")

    def act() -> object:
        return groups.put_in(group, find_member(organization, typed), request.POST.get("role", "student"))

    return _carried_out(request, group, act, _("Put in by hand. No sync takes them out."), typed)


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def take_out(request: HttpRequest, organization: Organization, group_id: int) -> HttpResponse:
    group = _group_or_404(request, organization, group_id)
    number = request.POST.get("member", "")

    def act() -> None:
        groups.take_out(group, find_member(organization, number))

    return _carried_out(request, group, act, _("What was said of them by hand has ended."))


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def turn_group(request: HttpRequest, organization: Organization, group_id: int, turn: str) -> HttpResponse:
    group, why = _group_or_404(request, organization, group_id), request.POST.get("why", "")
    acts: dict[str, tuple[Callable[[], object], Any]] = {
        "archive": (lambda: groups.archive(group), _("Archived, with who was in it.")),
        "restore": (
            lambda: groups.restore(group, why),
            _("Back, with who was in it. Syncs leave it here."),
        ),
        "follow": (
            lambda: groups.follow(group, request.POST.get("field", "")),
            _("%(field)s follows the roster again, from the next sync on.")
            % {"field": FIELDS.get(request.POST.get("field", ""), "")},
        ),
    }
    if turn not in acts:
        raise Http404
    return _carried_out(request, group, *acts[turn])


def _carried_out(
    request: HttpRequest, group: Group, act: Callable[[], object], words: Any, typed: str = ""
) -> HttpResponse:
    """Back to the page with what was done; or the page at once, with why not."""
    try:
        act()
    except Refusal as refusal:
        group.refresh_from_db()
        return _page(request, group.organization, group, refusal.words, typed)
    messages.success(request, str(words))
    return redirect("group", organization_id=group.organization_id, group_id=group.id)
