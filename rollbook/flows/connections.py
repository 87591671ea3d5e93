"""Connections: the ways in of a district. One is added, edited, tested, run and removed; each has its own records and its own runs."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from rollbook.connectors import CONNECTORS
from rollbook.connectors.contract import (
    Connector,
    Filled,
    Secrets,
    Settings,
)
from rollbook.connectors.sftp_drop import SFTP_DROP
from rollbook.flows import audit
from rollbook.flows.districts import MANUAL, UPLOAD
from rollbook.flows.drops import refuse_taken_login
from rollbook.flows.names import optional_name
from rollbook.oneroster.spec import GUID
from rollbook.refusal import Refusal
from rollbook.store.models import RECORDS, Connection, District, Schedule
from rollbook.store.models.roster import ACTIVE


class NoSuchConnection(Refusal):
    """There is no such connection: `rollbook connection list` shows them, with their numbers."""


class NoSuchKind(Refusal):
    """A connection is of the kind upload, sftp_drop, sftp_pull or oneroster_rest."""


class NoSuchOption(Refusal):
    """This kind of connection has no such setting: docs/reference/connections.md lists them."""


MOST_PREFIX = 40


class NameNeeded(Refusal):
    """Give the connection a name of its own in this district."""


class PrefixTooLong(Refusal):
    """A prefix has at most 40 characters."""


class BadPrefix(Refusal):
    """A prefix is made of what identifiers are made of: letters from A to Z, digits, and . - _ / @"""


class PrefixKept(Refusal):
    """This connection has records already, and apps know them by the prefix they have. It can no longer change."""


class HasRecords(Refusal):
    """This connection has records in the roster. If they are to come another way, change its way in. If they are to go, take back its
    first import, and with it all that came after, or deliver a delta in which each of them has the status tobedeleted. If they are to stay
    as they are, switch it off.
    """


class SameWay(Refusal):
    """Its deliveries come this way already. Change its settings instead."""


class UnderWay(Refusal):
    """An import of this connection waits or is under way. Let it end, or cancel it, and try again."""


class KeptByHand(Refusal):
    """What is kept by hand takes no packages: choose another connection, or edit its records under Manual records."""


class SwitchedOff(Refusal):
    """This connection is switched off."""


class BadInterval(Refusal):
    """An import is expected every so many hours: write a whole number from 1 to 8760, or 0 for no watch."""


def _accepts_uploads(settings: Settings, secrets: Secrets) -> Filled:
    return {}, {}


def _tells_how_to_upload(settings: Settings, secrets: Secrets) -> list[str]:
    return [
        "Packages are uploaded in the console, brought by a program with a token, or read by `rollbook import`. There is nobody to call."
    ]


def _tells_of_forms(settings: Settings, secrets: Secrets) -> list[str]:
    return ["People type these records in by hand. There is nobody to call."]


ADDED: dict[str, Connector] = {
    UPLOAD: Connector(UPLOAD, "Uploaded packages", (), _accepts_uploads, None, _tells_how_to_upload),
    **CONNECTORS,
}
"""The kinds of which a district may add any number."""

KINDS: dict[str, Connector] = {
    **ADDED,
    MANUAL: Connector(MANUAL, "Manual records", (), _accepts_uploads, None, _tells_of_forms),
}


def connections_of(district: District) -> list[Connection]:
    return list(Connection.objects.filter(district=district).order_by("id"))


def find_connection(number: int, district: District | None = None) -> Connection:
    """Raises NoSuchConnection; where a district is given, for one of another district too."""
    found = Connection.objects.filter(pk=number).select_related("district").first()
    if found is None or (district is not None and found.district_id != district.pk):
        raise NoSuchConnection(str(number))
    return found


def upload_of(district: District, number: int | None = None) -> Connection:
    """The connection that packages come in by when nothing else is said: the first for uploads. Raises NoSuchConnection, KeptByHand."""
    if number is not None:
        found = find_connection(number, district)
        if found.kind == MANUAL:
            raise KeptByHand(found.name)
        return found
    first = Connection.objects.filter(district=district, kind=UPLOAD).order_by("id").first()
    if first is None:
        raise NoSuchConnection(UPLOAD)
    return first


def add_connection(
    district: District,
    kind: str,
    name: str,
    filled: Mapping[str, str],
    *,
    prefix: str = "",
    expected_every_hours: int | None = None,
) -> Connection:
    """A new way in. `filled` holds texts by option name, secrets among them.

    Raises NoSuchKind, NoSuchOption, NameNeeded, NameTooLong, PrefixTooLong, BadPrefix, BadSetting, LoginTaken, BadInterval.
    """
    if kind not in ADDED:
        raise NoSuchKind(kind)
    connection = Connection(district=district, kind=kind, name=name.strip(), prefix=_checked_prefix(prefix))
    connection.expected_every_hours = _interval(expected_every_hours)
    with transaction.atomic():
        _fill(connection, filled)
        connection.save()
        _record(connection, "connection.add", after=_told(connection))
    return connection


def edit_connection(connection: Connection, filled: Mapping[str, str], **changes: Any) -> Connection:
    """Other settings; a secret left empty stays as it is. `changes` may name name, prefix, enabled and expected_every_hours."""
    before = _told(connection)
    if "prefix" in changes and changes["prefix"].strip() != connection.prefix:
        if has_records(connection) or connection.kind == MANUAL:
            raise PrefixKept(connection.name)
        connection.prefix = _checked_prefix(changes["prefix"])
    connection.name = changes.get("name", connection.name).strip()
    connection.enabled = changes.get("enabled", connection.enabled)
    if "expected_every_hours" in changes:
        connection.expected_every_hours = _interval(changes["expected_every_hours"])
        connection.overdue_told_at = None
    with transaction.atomic():
        _fill(connection, filled)
        connection.save()
        renewed = sorted(name for name, text in filled.items() if text and name in secrets_of(connection))
        _record(connection, "connection.change", before, _told(connection) | {"secretsGiven": renewed})
    return connection


def change_way(connection: Connection, kind: str, filled: Mapping[str, str]) -> Connection:
    """From now on its deliveries come another way, set as `filled` says. Its records, their ids, its runs, limits and steps stay.

    Of the settings and secrets of the way it had none stays; nor does a schedule, where there is nobody to ask any more. Raises
    NoSuchKind, SameWay, KeptByHand, UnderWay, NoSuchOption, BadSetting, LoginTaken.
    """
    if kind not in ADDED:
        raise NoSuchKind(kind)
    with transaction.atomic():
        connection = (
            Connection.objects.select_for_update(of=("self",))
            .select_related("district")
            .get(pk=connection.pk)
        )
        if connection.kind == MANUAL:
            raise KeptByHand(connection.name)
        if connection.kind == kind:
            raise SameWay(connection.name)
        if connection.runs.filter(outcome="").exists():
            raise UnderWay(connection.name)
        before = _told(connection)
        connection.kind, connection.settings, connection.secrets = kind, {}, ""
        _fill(connection, filled)
        connection.save()
        if ADDED[kind].fetch is None:
            Schedule.objects.filter(connection=connection).delete()
        given = {"secretsGiven": sorted(secrets_of(connection))}
        _record(connection, "connection.change", before, _told(connection) | given)
    return connection


def remove_connection(connection: Connection) -> None:
    """The connection, its snapshots and its runs go. Raises HasRecords while any of its records is served.

    What was kept by hand can come back, so that of the manual connection none may have been.
    """
    with transaction.atomic():
        if has_records(connection, "" if connection.kind == MANUAL else ACTIVE):
            raise HasRecords(connection.name)
        _record(connection, "connection.remove", before=_told(connection))
        connection.delete()


def test_connection(connection: Connection) -> list[str]:
    """What was found, a line each, in words. Raises CannotFetch or BadSetting, which say what is wrong."""
    return KINDS[connection.kind].tested(connection.settings, secrets_of(connection))


def has_records(connection: Connection, status: str = "") -> bool:
    own = {"district": connection.district_id, "connection_id": connection.pk}
    if status:
        own["status"] = status
    return any(model._default_manager.filter(**own).exists() for model in RECORDS.values())


def _told(connection: Connection) -> dict[str, Any]:
    """What may be read of it: its settings, and no secret."""
    return {
        "kind": connection.kind,
        "name": connection.name,
        "prefix": connection.prefix,
        "enabled": connection.enabled,
        "expectedEveryHours": connection.expected_every_hours,
        "settings": dict(connection.settings),
    }


def _record(
    connection: Connection,
    act: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        connection.district_id, act, "connection", connection.pk, connection.name, before=before, after=after
    )


def secrets_of(connection: Connection) -> Secrets:
    return dict(json.loads(connection.secrets or "{}"))


def _fill(connection: Connection, filled: Mapping[str, str]) -> None:
    """Checks what was filled in over what is kept, and keeps it."""
    connector = KINDS[connection.kind]
    options = {option.name: option for option in connector.options}
    for name in filled:
        if name not in options:
            raise NoSuchOption(name)
    connection.name = optional_name(connection.name)
    others = Connection.objects.filter(district=connection.district_id, name=connection.name)
    if not connection.name or others.exclude(pk=connection.pk).exists():
        raise NameNeeded(connection.name)
    shown = {name: text for name, text in filled.items() if not options[name].secret}
    hidden = {name: text for name, text in filled.items() if options[name].secret and text}
    settings, secrets = connector.checked(
        {**connection.settings, **shown}, {**secrets_of(connection), **hidden}
    )
    if connection.kind == SFTP_DROP.kind:
        refuse_taken_login(settings["login"], connection.pk or 0)
    connection.settings, connection.secrets = settings, json.dumps(secrets) if secrets else ""


def _checked_prefix(text: str) -> str:
    """The prefix without blanks around it. Raises PrefixTooLong, BadPrefix."""
    prefix = text.strip()
    if len(prefix) > MOST_PREFIX:
        raise PrefixTooLong(f"{prefix[:20]}…")
    if prefix and not GUID.fullmatch(prefix):
        raise BadPrefix(prefix)
    return prefix


def _interval(hours: int | None) -> int | None:
    if not hours:
        return None
    if not 1 <= hours <= 8760:
        raise BadInterval(str(hours))
    return hours
