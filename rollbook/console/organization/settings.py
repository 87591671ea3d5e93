"""The settings of a sync: each in plain words beside what the preset has; a change is shown as a plan before it counts; who changed what."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page
from rollbook.console.organization.setting_fields import (
    Filled,
    fields_of,
    filled,
    in_words,
    shown_changes,
)
from rollbook.console.organization.settings_words import LIMITED, SECTIONS, Section
from rollbook.engine.sync.policy import BadPolicy
from rollbook.flows.sync import connections, settings
from rollbook.flows.sync.runs import find_run
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncRun

PAGE = 20
ROUTE = "sync-settings"


@in_organization(Act.SEE_ROSTERING)
def show_sync_settings(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    before = request.GET.get("before", "")
    entries = settings.history(connection, int(before) if _is_number(before) else 0, PAGE + 1)
    run = settings.waiting(connection)
    preset = settings.preset_of(connection)
    context = {
        "preset": preset,
        "sections": [
            (section, fields_of(section, connection)) for section in SECTIONS if section.name != "limits"
        ],
        "limits": _limits(connection),
        "waiting": run,
        "proposed": shown_changes(settings.proposed(run)) if run else [],
        "history": [(entry, shown_changes(entry.changes)) for entry in entries[:PAGE]],
        "older": entries[PAGE - 1].number if len(entries) > PAGE else 0,
        "is_first_page": not before,
    }
    return rostering_page(request, connection, ROUTE, "organization/sync_settings.html", context)


@in_organization(Act.SEE_ROSTERING)
@changing
def edit_section(request: Any, organization: Organization, connection_id: int, section: str) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    found = next((one for one in SECTIONS if one.name == section), None)
    if found is None:
        raise Http404
    if request.method != "POST":
        return _section_page(request, connection, found)
    given = filled(found, connection, request.POST)
    if given.wrong:
        return _section_page(request, connection, found, given)
    try:
        run = settings.change(connection, given.changes, request.user.email)
    except BadPolicy as refusal:
        return _section_page(request, connection, found, _beside(found, refusal.words))
    except Refusal as refusal:
        return _section_page(request, connection, found, Filled(wrong={"": refusal.words}))
    if run is None:
        messages.success(request, _("Kept. The first sync is shown by these settings."))
        return _back(connection)
    messages.info(
        request, _("This shows what the sync would do by these settings. They count once you begin it.")
    )
    return redirect("sync-run", organization_id=organization.pk, connection_id=connection.pk, run_id=run.pk)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def withdraw_change(
    request: Any, organization: Organization, connection_id: int, run_id: int
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    run = _run_or_404(connection, run_id)
    try:
        settings.withdraw(run, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("The change is withdrawn. The settings stay as they are."))
    return _back(connection)


def _beside(section: Section, words: str) -> Filled:
    """The field of this section that the words are about; else the form."""
    said = in_words(words)
    name = next((one for one in section.names if words.startswith((f"{one} ", f"{one}:"))), "")
    return Filled(wrong={name: said})


def _section_page(
    request: HttpRequest, connection: SyncConnection, section: Section, given: Filled | None = None
) -> HttpResponse:
    sent = request.POST if given is not None else None
    fields = fields_of(section, connection, sent, given.wrong if given else None)
    context = {
        "section": section,
        "groups": _grouped(section, fields),
        "wrong": given.wrong.get("", "") if given else "",
        "is_kept_at_once": settings.is_kept_at_once(connection),
        "may_run": connection.state in (connections.State.ACTIVE, connections.State.PAUSED),
    }
    status = 422 if given is not None else 200
    return rostering_page(
        request, connection, ROUTE, "organization/sync_settings_section.html", context, status
    )


def _grouped(section: Section, fields: list[Any]) -> list[tuple[Any, list[Any]]]:
    """Limits by what they guard, everything else as one."""
    if section.name != "limits":
        return [("", fields)]
    groups: list[tuple[Any, list[Any]]] = [("", [one for one in fields if one.name.count(".") == 1])]
    for kind, words in LIMITED.items():
        groups.append((words, [one for one in fields if one.name.startswith(f"limits.{kind}.")]))
    return groups


def _limits(connection: SyncConnection) -> list[tuple[Any, list[Any]]]:
    section = next(one for one in SECTIONS if one.name == "limits")
    return _grouped(section, fields_of(section, connection))


def _run_or_404(connection: SyncConnection, run_id: int) -> SyncRun:
    try:
        run = find_run(run_id)
    except Refusal as refusal:
        raise Http404 from refusal
    if run.connection_id != connection.pk:
        raise Http404
    return run


def _back(connection: SyncConnection) -> HttpResponse:
    return redirect(ROUTE, organization_id=connection.organization_id, connection_id=connection.pk)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
