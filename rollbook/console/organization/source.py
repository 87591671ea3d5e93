"""The source of a sync connection: its name, settings and secrets, changed by hand, and the test call that says what answers."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.connectors import SOURCES
from rollbook.connectors.contract import Option
from rollbook.connectors.folder import FOLDER
from rollbook.connectors.own_folder import OWN_FOLDER
from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, connection_or_404, rostering_page
from rollbook.console.organization.stating import source_words
from rollbook.flows.sync import connections, customer, places
from rollbook.flows.sync.overview import district_of
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection

UNASKED = frozenset({"demographics", "resources"})
"""What a sync never reads, whatever a source has."""

MORE = frozenset(
    {
        "version",
        "token_url",
        "credentials",
        "signature",
        "scopes",
        "page_size",
        "insecure",
        "most_megabytes",
        "patience",
    }
)
"""What is seldom changed."""


@dataclass(frozen=True)
class Field:
    """One option of the source; `is_kept` says that a secret is known already."""

    option: Option
    value: str
    is_kept: bool


@in_organization(Act.SEE_ROSTERING)
@changing
def show_source(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    if request.method != "POST":
        return _page(request, connection)
    sent = request.POST
    options = () if _kept_by(connection) else SOURCES[connection.source_kind].options
    given = {one.name: sent[one.name] for one in options if one.name in sent}
    try:
        customer.edit_source(connection, given, sent.get("name", "")[:200])
    except Refusal as refusal:
        connection.refresh_from_db()
        return _page(request, connection, wrong=refusal.words)
    messages.success(request, _("Kept. Test the connection before the next sync."))
    return redirect("sync-source", organization_id=organization.pk, connection_id=connection.pk)


@require_POST
@in_organization(Act.SEE_ROSTERING)
@changing
def test_source(request: HttpRequest, organization: Organization, connection_id: int) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    try:
        found = connections.test(connection)
    except Refusal as refusal:
        return _page(request, connection, unreached=refusal.words)
    connection.refresh_from_db()
    return _page(request, connection, found=found)


def _page(
    request: HttpRequest,
    connection: SyncConnection,
    *,
    wrong: str = "",
    unreached: str = "",
    found: list[str] | None = None,
) -> HttpResponse:
    connector = SOURCES[connection.source_kind]
    sent = request.POST if wrong else {}
    known = connections.secrets_of(connection)
    fields = [_field(connection, one, sent, known) for one in connector.options if one.name not in UNASKED]
    context = {
        "source": source_words(connection),
        "kept_by": _kept_by(connection),
        "name": sent.get("name", connection.name),
        "fields": [one for one in fields if one.option.name not in MORE],
        "more": [one for one in fields if one.option.name in MORE],
        "wrong": wrong,
        "unreached": unreached,
        "found": found,
    }
    return rostering_page(
        request,
        connection,
        "sync-settings",
        "organization/source.html",
        context,
        status=422 if wrong else 200,
    )


def _kept_by(connection: SyncConnection) -> str:
    """Who says where this source is, if that is nobody of the organization."""
    if connection.source_kind == FOLDER.kind:
        return _("Where this folder lies is set by those who run this server.")
    if connection.source_kind == OWN_FOLDER.kind and places.is_open():
        place = places.place_of(connection.organization)
        return _("Put the CSV files or a zip here: %(place)s") % {"place": place}
    if connection.source_kind == OWN_FOLDER.kind:
        return _("Whoever runs this installation has closed the place for folders: nothing can be read.")
    if district_of(connection) is not None:
        return _("The district lets you read its roster: the address and the key came with that, and stay.")
    return ""


def _field(connection: SyncConnection, option: Option, sent: Any, known: Any) -> Field:
    kept = "" if option.secret else customer.option_text(connection, option.name, option.default)
    value = "" if option.secret else sent.get(option.name, kept)
    return Field(option, value, option.secret and option.name in known)
