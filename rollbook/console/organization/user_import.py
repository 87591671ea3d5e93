"""User import: who could be imported as the source says at this moment, one looked at, or many chosen, imported with role and site; and what
became of each.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.imports import Badge
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import (
    changing,
    connection_or_404,
    rostering_page,
    run_or_404,
    why_not,
)
from rollbook.console.organization.people import role_words
from rollbook.console.organization.walking import walking
from rollbook.console.templatetags.console import worded
from rollbook.flows.directory import roles_of
from rollbook.flows.directory import sites as sites_of
from rollbook.flows.sync import importing, looking
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.runs import IMPORT, LOOK
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.refusal import Refusal
from rollbook.store.models import Member, Organization, Site, SyncConnection, SyncRun

PLACE = "sync-candidates"
NO_CANDIDATE = gettext_lazy(
    "This person cannot be imported any more: they have an account by now, or the source does not have them."
)
SHOWN = 100

STATUSES: dict[str, tuple[Any, str, str]] = {
    importing.IMPORTED: (gettext_lazy("Imported"), "green", "check"),
    importing.HAS_ACCOUNT: (gettext_lazy("Has an account already"), "azure", "info"),
    importing.NOT_THERE: (gettext_lazy("Not in the roster"), "red", "cross"),
    importing.NOT_VALID: (gettext_lazy("Cannot be imported"), "red", "cross"),
    importing.NOT_YET: (gettext_lazy("Not imported"), "red", "cross"),
    importing.WAITS: (gettext_lazy("Waiting"), "secondary", "clock"),
}


@in_organization(Act.MANAGE_ROSTERING)
def show_candidates(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """Opening asks the source; the list is of that moment, however long it is paged through."""
    connection = connection_or_404(organization, connection_id)
    if policy_of(connection).people.create or why_not(request, organization):
        return _page(request, connection, {"by_itself": policy_of(connection).people.create})
    run = _named_look(request, connection)
    if run is None:
        try:
            run = looking.fresh_look(connection, request.user.email, timezone.now())
        except Refusal as refusal:
            return _page(request, connection, {"wrong": refusal.words})
        return redirect(f"{_url(PLACE, connection)}?look={run.pk}")
    return _page(request, connection, _listed(request, run))


@require_POST
@in_organization(Act.MANAGE_ROSTERING)
@changing
def ask_again(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        run = looking.look(connection, request.user.email)
    except Refusal as refusal:
        return _page(request, connection, {"wrong": refusal.words}, status=409)
    return redirect(f"{_url(PLACE, connection)}?look={run.pk}")


@in_organization(Act.MANAGE_ROSTERING)
@changing
def import_one(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """One person, looked at; what is wrong is said beside the button."""
    connection = connection_or_404(organization, connection_id)
    run = _named_look(request, connection)
    one = looking.one_of(run, request.GET.get("person", "")) if run else None
    if run is None or one is None:
        messages.info(request, NO_CANDIDATE)
        return redirect(_url(PLACE, connection))
    wrong = ""
    if request.method == "POST":
        begun, wrong = _begun(request, connection, [one.source_id])
        if begun is not None and not begun.outcome:
            return redirect(_url("sync-imported", connection, run_id=begun.pk))
        if begun is not None:
            wrong = importing.results(begun)[0].why or str(STATUSES[importing.results(begun)[0].outcome][0])
    context = {"one": one, "look": run, "wrong": wrong, **_choices(request, connection)}
    context["default_role"] = worded(one.roles)
    return rostering_page(
        request, connection, PLACE, "organization/candidate.html", context, status=422 if wrong else 200
    )


@in_organization(Act.MANAGE_ROSTERING)
@changing
def import_many(request: Any, organization: Organization, connection_id: int) -> HttpResponse:
    """Several, or all there are, with one role and one site."""
    connection = connection_or_404(organization, connection_id)
    run = _named_look(request, connection)
    if run is None or not run.outcome:
        return redirect(_url(PLACE, connection))
    wrong, chosen = "", request.POST.getlist("person")
    if request.method == "POST":
        wanted = looking.ids_of(run, _search(request)) if "all" in request.POST else chosen
        begun, wrong = _begun(request, connection, wanted)
        if begun is not None:
            return redirect(_url("sync-imported", connection, run_id=begun.pk))
    context = _listed(request, run) | _choices(request, connection) | {"wrong": wrong, "chosen": chosen}
    return rostering_page(
        request, connection, PLACE, "organization/bulk_import.html", context, status=422 if wrong else 200
    )


@in_organization(Act.MANAGE_ROSTERING)
def show_imported(
    request: HttpRequest, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    """What became of each, those that failed first."""
    connection = connection_or_404(organization, connection_id)
    run = run_or_404(connection, run_id, IMPORT)
    results = importing.failed_first(run)
    begin = _number(request.GET.get("from", ""))
    context = {
        "run": run,
        "walk": walking(run),
        "rows": _rows(connection, results[begin : begin + SHOWN]),
        "tallies": _tallies(results),
        "number": len(results),
        "failures": sum(one.outcome not in (importing.IMPORTED, importing.WAITS) for one in results),
        "group_syncs": importing.group_syncs(run),
        "before": max(begin - SHOWN, 0) if begin else None,
        "after": begin + SHOWN if begin + SHOWN < len(results) else None,
    }
    return rostering_page(request, connection, PLACE, "organization/imported.html", context)


def _begun(request: Any, connection: SyncConnection, people: Sequence[str]) -> tuple[SyncRun | None, str]:
    """The run that imports them, or why there is none."""
    role, site = request.POST.get("role", ""), request.POST.get("site", "")
    roles, sites = (role,) if role else (), (site,) if site else ()
    try:
        wishes = [importing.Wish(one, roles, sites) for one in people]
        return importing.begin(connection, wishes, request.user.email), ""
    except Refusal as refusal:
        return None, refusal.words


def _named_look(request: Any, connection: SyncConnection) -> SyncRun | None:
    """The look that the address names."""
    number = _number(request.GET.get("look", ""))
    return run_or_404(connection, number, LOOK) if number else None


def _listed(request: Any, run: SyncRun) -> dict[str, Any]:
    search = _search(request)
    found = looking.page_of(run, search, _number(request.GET.get("after", ""))) if run.outcome else []
    shown = found[: looking.PAGE]
    return {
        "run": run,
        "look": run,
        "walk": walking(run),
        "failed": run.outcome not in ("", "previewed"),
        "people": shown,
        "number": looking.number_of(run) if run.outcome else 0,
        "search": search,
        "after": shown[-1].place if len(found) > looking.PAGE else None,
        "is_first": not request.GET.get("after"),
    }


def _choices(request: Any, connection: SyncConnection) -> dict[str, Any]:
    given = policy_of(connection).roles.default_for_new or policy_of(connection).roles.default
    sites = sites_of(connection.organization) if connection.target_kind == DIRECTORY else Site.objects.none()
    return {
        "roles": [(role, role_words(role)) for role in roles_of(connection.organization)],
        "sites": list(sites),
        "role": request.POST.get("role", ""),
        "site": request.POST.get("site", ""),
        "default_role": role_words(given) if given else "",
    }


def _rows(connection: SyncConnection, results: Sequence[importing.Result]) -> list[dict[str, Any]]:
    looked = looking.last_look(connection)
    named = looking.some_of(looked, [one.source_id for one in results]) if looked else {}
    here = connection.target_kind == DIRECTORY  # else these are the numbers of another directory
    numbers = [int(one.member) for one in results if here and one.member.isdecimal()]
    members = {
        str(one.id): one
        for one in Member.objects.filter(organization=connection.organization_id, id__in=numbers)
    }
    return [
        {
            "result": one,
            "status": Badge(*STATUSES[one.outcome]),
            "candidate": named.get(one.source_id),
            "member": members.get(one.member),
        }
        for one in results
    ]


def _tallies(results: Sequence[importing.Result]) -> list[Badge]:
    counts: dict[str, int] = {}
    for one in results:
        counts[one.outcome] = counts.get(one.outcome, 0) + 1
    return [Badge(*words, counts[outcome]) for outcome, words in STATUSES.items() if outcome in counts]


def _page(
    request: HttpRequest, connection: SyncConnection, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    return rostering_page(request, connection, PLACE, "organization/candidates.html", context, status)


def _url(route: str, connection: SyncConnection, **more: int) -> str:
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    return reverse(route, kwargs=where | more)


def _search(request: Any) -> str:
    return str(request.GET.get("q", "")).replace("\0", "").strip()[:200]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
