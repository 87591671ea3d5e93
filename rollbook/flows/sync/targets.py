"""Where a sync goes: the target of a connection, by its kind, and how a connection is given another than the organization's directory."""

import json
from collections.abc import Callable, Mapping

from django.db import transaction

from rollbook.connectors.contract import Connector, Secrets
from rollbook.connectors.scim import SCIM, scim_target
from rollbook.engine.sync.target import Target
from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import Link, SyncConnection

DIRECTORY = "directory"


class NoSuchTarget(Refusal):
    """There is no target of this kind: a sync goes to the directory, or to a SCIM server (scim)."""


class NoSuchTargetOption(Refusal):
    """This kind of target has no such setting: docs/reference/connections.md lists them."""


class TargetStays(Refusal):
    """This connection has brought people to where it goes already: connect the source anew for another target."""


def _directory(connection: SyncConnection) -> Target:
    return DirectoryTarget(connection.organization, connection.pk)


def _scim(connection: SyncConnection) -> Target:
    return scim_target(connection.target_settings, target_secrets(connection))


TARGETS: dict[str, Callable[[SyncConnection], Target]] = {DIRECTORY: _directory, SCIM.kind: _scim}

ELSEWHERE: dict[str, Connector] = {SCIM.kind: SCIM}
"""The kinds that are other systems, with what a person fills in for them."""


def target_of(connection: SyncConnection) -> Target:
    """Raises NoSuchTarget."""
    if connection.target_kind not in TARGETS:
        raise NoSuchTarget(connection.target_kind)
    return TARGETS[connection.target_kind](connection)


def target_secrets(connection: SyncConnection) -> Secrets:
    return dict(json.loads(connection.target_secrets or "{}"))


def aim(connection: SyncConnection, kind: str, filled: Mapping[str, str]) -> SyncConnection:
    """The connection goes there from now on, or by other settings; `filled` holds texts by option name, secrets among them.

    A secret that is not named stays. Raises NoSuchTarget, TargetStays, NoSuchTargetOption, BadSetting.
    """
    if kind not in TARGETS:
        raise NoSuchTarget(kind)
    if kind != connection.target_kind and Link.objects.filter(connection=connection).exists():
        raise TargetStays(connection.name)
    settings, secrets = _checked(connection, kind, filled)
    with transaction.atomic():
        before = {"target": connection.target_kind, **connection.target_settings}
        connection.target_kind, connection.target_settings = kind, settings
        connection.target_secrets = json.dumps(secrets) if secrets else ""
        connection.generation += 1
        connection.save(update_fields=["target_kind", "target_settings", "target_secrets", "generation"])
        told = {"target": kind, **settings}
        audit.record(
            None, "sync.aim", "sync connection", connection.pk, connection.name, before=before, after=told
        )
    return connection


def _checked(
    connection: SyncConnection, kind: str, filled: Mapping[str, str]
) -> tuple[dict[str, object], Secrets]:
    connector = ELSEWHERE.get(kind)
    options = {option.name: option for option in connector.options} if connector else {}
    for name in filled:
        if name not in options:
            raise NoSuchTargetOption(name)
    if connector is None:
        return {}, {}
    is_same = kind == connection.target_kind
    shown = {name: text for name, text in filled.items() if not options[name].secret}
    hidden = {name: text for name, text in filled.items() if options[name].secret and text}
    settings = {**(connection.target_settings if is_same else {}), **shown}
    return connector.checked(settings, {**(target_secrets(connection) if is_same else {}), **hidden})


def try_target(connection: SyncConnection) -> list[str]:
    """What is found where the connection goes, a line each. Raises CannotFetch."""
    connector = ELSEWHERE.get(connection.target_kind)
    if connector is None:
        return ["It goes to the organization's own directory."]
    return connector.tested(connection.target_settings, target_secrets(connection))
