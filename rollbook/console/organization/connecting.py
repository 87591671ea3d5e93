"""The wizard that connects a roster: the source, the test, the kind of sync, the few settings that matter at first. Nothing is stored before
the form of the source is sent; each step has an address of its own, and can be gone back to.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, why_not
from rollbook.console.organization.people import role_words
from rollbook.console.organization.sources import (
    BY_KIND,
    OFFERED,
    OWN_FOLDER,
    Source,
    fields_of,
    filled_of,
    offered,
)
from rollbook.console.organization.synced import synced
from rollbook.engine.sync.policy import presets
from rollbook.flows.sync import connections, customer, mapping, places, proving
from rollbook.flows.sync.connections import policy_of
from rollbook.refusal import Refusal
from rollbook.store.models import Invitation, Organization, SyncConnection

STEPS = (
    ("source", gettext_lazy("Source")),
    ("connect", gettext_lazy("Connect")),
    ("preset", gettext_lazy("Kind of sync")),
    ("first", gettext_lazy("First settings")),
    ("mapping", gettext_lazy("Mapping")),
)

PRESETS: dict[str, tuple[Any, Any, Any]] = {
    "classes-and-licences": (
        gettext_lazy("Classes and licences"),
        gettext_lazy(
            "For products that sell seats: everybody is brought in with their classes, and uses no seat until the first sign-in."
        ),
        gettext_lazy(
            "Classes are made and filled every night; who leaves the roster is archived with the next whole read, and the seat is free."
        ),
    ),
    "teachers-and-schools": (
        gettext_lazy("Teachers and schools"),
        gettext_lazy(
            "For products that teachers use alone: schools and their teachers, recognised by e-mail address; no pupils, no classes."
        ),
        gettext_lazy(
            "Compared once a month, or when you ask; teachers whom the roster lacks are archived, the first time only if you tick them."
        ),
    ),
    "teachers-groups": (
        gettext_lazy("Teachers' groups"),
        gettext_lazy(
            "For products in which a teacher works with groups: teachers whose classes have pupils, and each class as a group."
        ),
        gettext_lazy(
            "The e-mail address is the username, and who has none is left out; who leaves is archived after a week (pupils) or a month."
        ),
    ),
    "everything-in-step": (
        gettext_lazy("Everything in step"),
        gettext_lazy(
            "For districts that want nothing done by hand: all people, classes and enrollments follow the roster, and grades move up."
        ),
        gettext_lazy(
            "Synced classes are read-only by hand; who leaves is archived after a week (pupils) or a month, and comes back as they were."
        ),
    ),
}
"""What each preset is called, for whom it is, and what it does with people, classes and those who leave."""

WHO: dict[str, Any] = {
    "everyone": gettext_lazy("Everybody: staff and pupils"),
    "staff": gettext_lazy("Staff"),
    "teachers": gettext_lazy("Teachers"),
    "teaching": gettext_lazy("Teachers who have classes with pupils"),
}


# --- The source ---------------------------------------------------------------------------------------------------------------------


@in_organization(Act.SEE_ROSTERING)
def choose_source(request: HttpRequest, organization: Organization) -> HttpResponse:
    context = {
        "ways": proving.ways(organization),
        "sources": offered().values(),
        "folder": OWN_FOLDER,
        "is_folder_open": places.is_open(),
        "app": organization.product.app,
    }
    return _page(request, "source", "organization/setup_source.html", context)


@in_organization(Act.SEE_ROSTERING)
def show_help(request: HttpRequest, organization: Organization) -> HttpResponse:
    """What is needed for each source, and what to do about each answer of the test."""
    context = {
        "sources": offered().values(),
        "ways": proving.ways(organization),
        "refusals": [refusal().words for refusal in proving.CODES],
    }
    return _page(request, "source", "organization/setup_help.html", context)


@in_organization(Act.SEE_ROSTERING)
@changing
def connect(request: Any, organization: Organization, source: str) -> HttpResponse:
    chosen = offered().get(source)
    if chosen is None:
        raise Http404
    if request.method != "POST":
        return _form(request, chosen, connections.free_name(organization, _("Roster")))
    name = request.POST.get("name", "")
    try:
        made = connections.connect(organization, name, chosen.kind, filled_of(request, chosen))
    except Refusal as refusal:
        return _form(request, chosen, name, wrong=refusal.words)
    proving.join(made, request.POST.get("issuer", ""), request.POST.get("tenant", ""))
    wrong = tested(request, made)
    if wrong:
        # Into a folder that was made just now nobody can have put anything.
        (messages.info if chosen is OWN_FOLDER else messages.error)(request, wrong)
    return go_on(made, wrong)


def go_on(connection: SyncConnection, wrong: str) -> HttpResponse:
    """On in the wizard after the test; where the source did not answer, the form comes again, with what was filled in."""
    if wrong:
        return _to(connection, "sync-test")
    return _to(connection, "sync-preset" if connection.first_applied_at is None else "sync-overview")


@in_organization(Act.SEE_ROSTERING)
@changing
def test(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """The same form for a connection that is there: what was typed is kept, and tested."""
    connection = connection_or_404(organization, connection_id)
    source = BY_KIND[connection.source_kind]
    if request.method != "POST":
        return _form(request, source, connection.name, connection)
    name = request.POST.get("name", connection.name)
    try:
        if _is_filled_here(connection):
            customer.edit_source(connection, filled_of(request, source), name)
        wrong = tested(request, connection)
    except Refusal as refusal:
        wrong = refusal.words
    if wrong:
        return _form(request, source, name, connection, wrong)
    return _to(connection, "sync-preset" if connection.first_applied_at is None else "sync-test")


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def drop(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    """Another source: what was only begun is taken away."""
    try:
        connections.drop(connection_or_404(organization, connection_id))
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("sync-test", organization.pk, connection_id)
    return redirect("sync-setup", organization.pk)


def tested(request: HttpRequest, connection: SyncConnection) -> str:
    """Empty where the source answers, which is said; else why it does not."""
    try:
        found = connections.test(connection)
    except Refusal as refusal:
        return refusal.words
    messages.success(request, " ".join([_("Connected successfully") + ".", *found]))
    return ""


def _form(
    request: Any,
    source: Source,
    name: str,
    connection: SyncConnection | None = None,
    wrong: str = "",
) -> HttpResponse:
    is_filled = connection is None or _is_filled_here(connection)
    fields = fields_of(request, source, connection) if is_filled else []
    context = {
        "source": source,
        "connection": connection,
        "name": name,
        "place": places.place_of(request.organization) if source is OWN_FOLDER and places.is_open() else "",
        "main": [one for one in fields if one.main],
        "more": [one for one in fields if not one.main],
        "issuer": request.GET.get("issuer", request.POST.get("issuer", "")),
        "may_drop": connection is not None and connection.state == SyncConnection.State.REQUESTED,
        "wrong": wrong,
    }
    return _page(request, "connect", "organization/setup_connect.html", context, 422 if wrong else 200)


def _is_filled_here(connection: SyncConnection) -> bool:
    """Whether an organization says itself where the source is: not where that is a folder of the server, or a district that accepted."""
    invited = Invitation.objects.filter(connection=connection).exists()
    return connection.source_kind in {one.kind for one in OFFERED.values()} and not invited


# --- The kind of sync, and the first settings ---------------------------------------------------------------------------------------


@in_organization(Act.SEE_ROSTERING)
@changing
def choose_preset(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    wrong = ""
    if request.method == "POST":
        try:
            connections.begin_from(connection, request.POST.get("preset", ""))
            return _to(connection, "sync-first")
        except Refusal as refusal:
            wrong = refusal.words
    context = {
        "connection": connection,
        "presets": [(name, *PRESETS[name]) for name in PRESETS if name in presets()],
        "synced": synced(policy_of(connection), organization),
        "wrong": wrong,
    }
    return _page(request, "preset", "organization/setup_preset.html", context, 422 if wrong else 200)


@in_organization(Act.SEE_ROSTERING)
@changing
def first_settings(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """Whether users are created, with which role, and who: all others can wait. Then the schools are read, if it may run yet."""
    connection = connection_or_404(organization, connection_id)
    wrong = ""
    if request.method == "POST":
        typed = request.POST
        changes = {
            "people": {"create": "create" in typed, "who": typed.get("who", "")},
            "roles": {"default_for_new": typed.get("role", "")},
        }
        try:
            connections.edit(connection, {}, changes)
            return _begin_mapping(request, connection)
        except Refusal as refusal:
            wrong = refusal.words
            connection.refresh_from_db()
    policy = policy_of(connection)
    context = {
        "connection": connection,
        "preset": PRESETS.get(connection.preset, ("",))[0],
        "policy": policy,
        "who": WHO.items(),
        "roles": [(role, role_words(role)) for role in mapping.under_ceiling(connection)],
        "synced": synced(policy, organization),
        "wrong": wrong,
    }
    return _page(request, "first", "organization/setup_first.html", context, 422 if wrong else 200)


def _begin_mapping(request: Any, connection: SyncConnection) -> HttpResponse:
    if connection.state == SyncConnection.State.ACTIVE:
        try:
            mapping.look(connection, request.user.email)
        except Refusal as refusal:
            messages.error(request, refusal.words)
    return _to(connection, "sync-schools")


# --- The frame of all steps ---------------------------------------------------------------------------------------------------------


def _page(request: Any, step: str, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = {
        "nav": "rostering",
        "steps": STEPS,
        "step": step,
        "why_not": why_not(request, request.organization),
    }
    return render(request, template, frame | context, status=status)


def _to(connection: SyncConnection, route: str) -> HttpResponse:
    return redirect(route, organization_id=connection.organization_id, connection_id=connection.pk)
