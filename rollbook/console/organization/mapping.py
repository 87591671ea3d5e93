"""Mapping: schools of the source beside the own sites, roles, and classes that may take over what is there. Each act is kept at once."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page, sign_in_offer
from rollbook.console.organization.words import PHASES
from rollbook.console.words import vocabulary_words
from rollbook.flows.directory import roles_of
from rollbook.flows.sync import connections, mapping
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import NeverRead
from rollbook.flows.sync.mapping import Placed
from rollbook.flows.sync.standing import standing
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection
from rollbook.store.sync_shelf import latest_read

PLACE = "sync-schools"
SHOWN = 200
"""So many schools and sites are shown at once; a search finds the others."""

CLASSES_SHOWN = 50
NONE = "-"
"""What a form sends for a role that is not synced; empty is one that comes without a role."""

STEPS = (
    ("sync-schools", gettext_lazy("Schools")),
    ("sync-roles", gettext_lazy("Roles")),
    ("sync-classes", gettext_lazy("Classes")),
)
UNMATCHED: dict[str, Any] = {
    "create": gettext_lazy("Create a site of the same name"),
    "ignore": gettext_lazy("Leave them out, with their people and classes"),
    "hold": gettext_lazy("Wait until somebody decides"),
}
FOUND_BY: dict[str, Any] = {
    "name": pgettext_lazy("how a school was mapped", "Automatic: the same name"),
    "identifier": pgettext_lazy("how a school was mapped", "Automatic: the same identifier"),
    "key": pgettext_lazy("how a school was mapped", "Automatic: the site was made for it"),
    "link": pgettext_lazy("how a school was mapped", "By an earlier sync"),
}
ACTS: dict[str, Any] = {
    "create": gettext_lazy("Becomes a site of its own"),
    "ignore": gettext_lazy("Left out"),
    "hold": gettext_lazy("Waits"),
}


# --- Schools ------------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_ROSTERING)
def show_schools(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    reading = _reading(connection)
    if request.headers.get("HX-Request"):
        return _again(request, connection, reading)
    if latest_read(connection) is None:
        return _not_yet(request, connection, reading)
    left, right = (_typed(request.GET, name) for name in ("left", "right"))
    board = mapping.board(connection)
    waiting = [one for one in board.waiting if _is_found(left, one.school.name, one.school.identifier)]
    sites = [one for one in board.sites if _is_found(right, one.name)]
    context = {
        **reading,
        "board": board,
        "waiting": waiting[:SHOWN],
        "more_waiting": len(waiting) > SHOWN,
        "sites": sites[:SHOWN],
        "more_sites": len(sites) > SHOWN,
        "left": left,
        "right": right,
        "unmatched": UNMATCHED.items(),
        "found_by": FOUND_BY,
        "mapped": [(one, FOUND_BY.get(one.school.found_by, "")) for one in board.mapped],
        "aside": [(one, ACTS[one.school.decision]) for one in board.aside],
    }
    return _mapping_page(request, connection, "sync-schools", "organization/mapping_schools.html", context)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def look(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        mapping.look(connection, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return _back(connection, PLACE)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def map_schools(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """One button of the page of the schools: the ticked ones, or the one that a button names."""
    connection = connection_or_404(organization, connection_id)
    try:
        messages.success(request, _mapped(connection, request.POST, request.user.email))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    kept = {name: request.POST[name] for name in ("left", "right") if request.POST.get(name)}
    return _back(connection, PLACE, kept)


def _mapped(connection: SyncConnection, typed: QueryDict, by: str) -> str:
    schools, act = typed.getlist("school"), typed.get("act", "")
    if source_id := typed.get("unmap"):
        mapping.unmap(connection, source_id, by)
        return _("The school waits to be mapped again.")
    if taken := typed.get("take"):
        site, _space, source_id = taken.partition(" ")
        mapping.map_to(connection, [source_id], site, by)
        return _("The school is mapped.")
    if act == "map":
        number = mapping.map_to(connection, schools, typed.get("site", ""), by)
    else:
        number = mapping.set_aside(connection, schools, act, by)
    return ngettext("%(number)s school is decided.", "%(number)s schools are decided.", number) % {
        "number": number
    }


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def say_unmatched(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """What becomes of schools that are not mapped."""
    connection = connection_or_404(organization, connection_id)
    try:
        connections.edit(connection, {}, {"schools": {"unmatched": request.POST.get("unmatched", "")}})
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return _back(connection, PLACE)


@in_organization(Act.SEE_ROSTERING)
@changing
def split_school(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """One school that is several sites, by grade; staff and all other grades go where the last line says."""
    connection = connection_or_404(organization, connection_id)
    source_id = _typed(request.GET, "school")
    try:
        placed = mapping.school_of(connection, source_id)
        grades = mapping.grades_of(connection, source_id)
    except (mapping.NoSuchSchool, NeverRead) as refusal:
        raise Http404 from refusal
    wrong = ""
    if request.method == "POST":
        by_grade = {grade: site for grade in grades if (site := request.POST.get(f"grade-{grade}"))}
        rest = request.POST.get("rest", "")
        try:
            mapping.split(connection, source_id, rest, by_grade, request.user.email)
            messages.success(request, _("The school is mapped by grade."))
            return _back(connection, PLACE)
        except Refusal as refusal:
            wrong = refusal.words
    context = {
        "placed": placed,
        "rows": [(grade, placed.school.by_grade.get(grade, "")) for grade in grades],
        "rest": placed.school.site if placed.is_mapped else "",
        "sites": mapping.board(connection).sites,
        "wrong": wrong,
    }
    template = "organization/mapping_split.html"
    return _mapping_page(request, connection, "sync-schools", template, context, 422 if wrong else 200)


# --- Roles --------------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_ROSTERING)
@changing
def map_roles(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    wrong = ""
    if request.method == "POST":
        try:
            _keep_roles(connection, request.POST)
            messages.success(request, _("Kept. The next preview shows what it does."))
            return _back(connection, "sync-roles")
        except Refusal as refusal:
            wrong = refusal.words
            connection.refresh_from_db()
    rows = mapping.roles(connection)
    policy = policy_of(connection).roles
    context = {
        "rows": [(one, vocabulary_words(one.role)) for one in rows if not one.never],
        "never": [(one, vocabulary_words(one.role)) for one in rows if one.never],
        "local": mapping.under_ceiling(connection),
        "all_local": roles_of(organization),
        "policy": policy,
        "none": NONE,
        "wrong": wrong,
    }
    template = "organization/mapping_roles.html"
    return _mapping_page(request, connection, "sync-roles", template, context, 422 if wrong else 200)


def _keep_roles(connection: SyncConnection, typed: QueryDict) -> None:
    shown = [one.role for one in mapping.roles(connection) if not one.never]
    given = {role: typed.get(f"role-{role}", NONE) for role in shown}
    mapped = {role: None if local == NONE else local for role, local in given.items()}
    default, for_new = typed.get("default", ""), typed.get("for_new", "")
    mapping.keep_roles(connection, mapped, typed.get("ceiling", ""), default, for_new)


# --- Classes ------------------------------------------------------------------------------------------------------------------------


@in_organization(Act.MANAGE_ROSTERING)
@changing
def map_classes(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    if request.method == "POST":
        try:
            _decide_classes(connection, request.POST, request.user.email)
            messages.success(request, _("Kept. The next preview shows what it does."))
        except Refusal as refusal:
            messages.error(request, refusal.words)
        return _back(connection, "sync-classes", _listed(request.POST))
    if latest_read(connection) is None:
        return _not_yet(request, connection, _reading(connection))
    listed = _listed(request.GET)
    search, school = listed.get("q", ""), listed.get("school", "")
    after = (listed.get("title", ""), listed.get("after", ""))
    found = mapping.classes(connection, CLASSES_SHOWN + 1, search=search, school=school, after=after)
    shown, behind = found[:CLASSES_SHOWN], found[CLASSES_SHOWN:]
    title, source_id = shown[-1].read.place if shown else ("", "")
    context = {
        "policy": policy_of(connection),
        "rows": shown,
        "total": mapping.count_classes(connection, search=search, school=school),
        "search": search,
        "school": school,
        "schools": [one.school for one in _schools(connection)],
        "listed": listed,
        "next": urlencode(listed | {"title": title, "after": source_id}) if behind else "",
        "is_first": not listed.get("after"),
        "has_groups": bool(mapping.groups_by_hand(connection, limit=1)),
        "may_switch": connection.first_applied_at is None,
    }
    return _mapping_page(request, connection, "sync-classes", "organization/mapping_classes.html", context)


def _schools(connection: SyncConnection) -> list[Placed]:
    board = mapping.board(connection)
    return sorted([*board.waiting, *board.mapped, *board.aside], key=lambda one: one.school.name)


def _decide_classes(connection: SyncConnection, typed: QueryDict, by: str) -> None:
    """The settings of classes, or what a button says of the ticked ones, or of the one it names."""
    if "settings" in typed:
        form = {"form": typed["form"]} if typed.get("form") and connection.first_applied_at is None else {}
        changes = {
            "classes": {"sync": "sync" in typed, **form},
            "match": {"adopt_classes": "adopt" in typed},
        }
        connections.edit(connection, {}, changes)
        return
    if taken := typed.get("take", ""):
        group, _space, source_id = taken.partition(" ")
        mapping.decide_class(connection, source_id, "link", by, group)
        return
    if forgotten := typed.get("forget"):
        mapping.decide_class(connection, forgotten, "", by)
        return
    mapping.decide_classes(connection, typed.getlist("class"), typed.get("act", ""), by)


@in_organization(Act.MANAGE_ROSTERING)
@changing
def choose_group(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """The group that a class is to take over, found among those that people made."""
    connection = connection_or_404(organization, connection_id)
    source_id, search = _typed(request.GET, "class"), _typed(request.GET, "q")
    try:
        placed = mapping.class_of(connection, source_id)
    except (mapping.NoSuchClass, NeverRead) as refusal:
        raise Http404 from refusal
    if request.method == "POST":
        try:
            mapping.decide_class(
                connection, source_id, "link", request.user.email, request.POST.get("group", "")
            )
            messages.success(request, _("Kept. The next preview shows what it does."))
            return _back(connection, "sync-classes")
        except Refusal as refusal:
            messages.error(request, refusal.words)
    context = {
        "placed": placed,
        "groups": mapping.groups_by_hand(connection, search),
        "search": search,
    }
    return _mapping_page(request, connection, "sync-classes", "organization/mapping_group.html", context)


def _listed(typed: QueryDict) -> dict[str, str]:
    """Where in the list somebody is."""
    names = ("q", "school", "title", "after")
    return {name: text for name in names if (text := typed.get(name, "").replace("\0", ""))}


# --- Done, and not yet --------------------------------------------------------------------------------------------------------------


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def done(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """*Done mapping*: a preview begins, and its page is shown."""
    connection = connection_or_404(organization, connection_id)
    try:
        run = mapping.done(connection, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return _back(connection, PLACE)
    return redirect("sync-run", organization.pk, connection.pk, run.pk)


def _reading(connection: SyncConnection) -> dict[str, Any]:
    """The run that reads the source, if there is one, and how far it is."""
    run = mapping.looking(connection)
    return {"run": run, "now": standing(run), "phase": PHASES.get(run.phase, run.phase)} if run else {}


def _again(request: HttpRequest, connection: SyncConnection, reading: dict[str, Any]) -> HttpResponse:
    """The piece that tells how far the reading is; once it has ended, the word to load the whole page anew."""
    if not reading:
        return HttpResponseClientRefresh()
    return render(request, "organization/mapping_reading.html", {"connection": connection, **reading})


def _not_yet(request: HttpRequest, connection: SyncConnection, reading: dict[str, Any]) -> HttpResponse:
    """There is nothing to map: the source was not read, or is being read, or may not be read yet."""
    about = {
        "last": mapping.last_look(connection),
        "settings": connection.source_settings,
        "offer": sign_in_offer(request, connection),
    }
    return rostering_page(request, connection, PLACE, "organization/mapping_not_yet.html", about | reading)


def _mapping_page(
    request: HttpRequest,
    connection: SyncConnection,
    step: str,
    template: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    offer = None if connection.first_applied_at else sign_in_offer(request, connection)
    frame = {"mapping_steps": STEPS, "step": step, "offer": offer}
    return rostering_page(request, connection, PLACE, template, frame | context, status)


def _back(connection: SyncConnection, route: str, listed: dict[str, str] | None = None) -> HttpResponse:
    answer = redirect(route, organization_id=connection.organization_id, connection_id=connection.pk)
    if listed:
        answer["Location"] += f"?{urlencode(listed)}"
    return answer


def _typed(typed: QueryDict, name: str) -> str:
    return typed.get(name, "").strip().replace("\0", "")


def _is_found(search: str, *texts: str) -> bool:
    return all(any(word in text.casefold() for text in texts) for word in search.casefold().split())
