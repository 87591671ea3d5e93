"""Sync connections: what an organization's directory is kept in step with, by which settings, and whether it may run yet.

A connection is requested, waits once its source answers, is activated by the product's support (or by itself, where the plan says so), may be
paused, and is disconnected: its links stay, so that who connects again finds everybody again.
"""

import json
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.connectors import SOURCES
from rollbook.connectors.contract import Secrets
from rollbook.connectors.own_folder import OWN_FOLDER
from rollbook.engine.sync.policy import BadPolicy, Policy, fitted, preset, read_policy, written
from rollbook.flows import audit
from rollbook.flows.directory import roles_of
from rollbook.flows.sync import places
from rollbook.flows.sync.pauses import refuse_while_paused
from rollbook.flows.sync.targets import DIRECTORY, TARGETS, NoSuchTarget
from rollbook.refusal import Refusal
from rollbook.store.models import Invitation, Organization, SyncConnection

State = SyncConnection.State

STEPS: Mapping[str, frozenset[str]] = {
    State.ACTIVE: frozenset({State.REQUESTED, State.WAITING, State.PAUSED, State.DISCONNECTED}),
    State.PAUSED: frozenset({State.ACTIVE}),
    State.REQUESTED: frozenset({State.DISCONNECTED}),
    State.DISCONNECTED: frozenset({State.REQUESTED, State.WAITING, State.ACTIVE, State.PAUSED}),
}
"""From which states one comes into another."""

FILLED = ("source_settings", "source_secrets")

SELF_ACTIVATION = "self-activation"
"""What a plan includes whose organization needs nobody for it: its connections are active as soon as their source answers."""


class NoSuchSyncConnection(Refusal):
    """There is no such sync connection: `rollbook sync list` shows them, with their numbers."""


class NoSuchSource(Refusal):
    """The source of a sync is of the kind folder, own_folder, sftp_pull, oneroster_rest or partner_listing."""


class NoSuchSyncOption(Refusal):
    """This kind of source has no such setting: docs/reference/connections.md lists them."""


class SyncNameNeeded(Refusal):
    """Give the sync connection a name of its own in this organization."""


class BegunAlready(Refusal):
    """This connection has changed the directory already: change its settings one by one, and look at what they would do."""


class NotToBeDropped(Refusal):
    """Only a connection that never ran and waits for nobody can be dropped: disconnect this one."""


class OfAnInvitation(Refusal):
    """This connection reads by what a district of this installation allowed: its address and its key are kept by the installation."""


class NotFromHere(Refusal):
    """A connection is activated from any other state, paused while it is active, disconnected once, and requested again after that."""


def find_connection(number: int, organization: Organization | None = None) -> SyncConnection:
    """Raises NoSuchSyncConnection; where an organization is given, for one of another too."""
    found = SyncConnection.objects.filter(pk=number).select_related("organization__product").first()
    if found is None or (organization is not None and found.organization_id != organization.pk):
        raise NoSuchSyncConnection(str(number))
    return found


def connections(organization: Organization | None = None) -> list[SyncConnection]:
    """All, or those of one organization."""
    found = SyncConnection.objects.select_related("organization__product").order_by("organization_id", "pk")
    return list(found.filter(organization=organization) if organization else found)


def free_name(organization: Organization, wanted: str) -> str:
    """This name, or with a number behind it where the organization has a connection of this name."""
    taken = set(SyncConnection.objects.filter(organization=organization).values_list("name", flat=True))
    names = chain([wanted[:190]], (f"{wanted[:190]} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def connect(
    organization: Organization,
    name: str,
    source_kind: str,
    filled: Mapping[str, str],
    *,
    settings: str = "",
    changes: Mapping[str, Any] | None = None,
    target_kind: str = DIRECTORY,
) -> SyncConnection:
    """A new connection, requested. `filled` holds texts by option name of its source, secrets among them; `settings` names a preset,
    `changes` are settings of one's own over it, as a settings file has them.

    Raises NoSuchSource, NoSuchSyncOption, SyncNameNeeded, BadSetting, BadPolicy, NoSuchTarget, NoPlace, NotAFolder.
    """
    if target_kind not in TARGETS:
        raise NoSuchTarget(target_kind)
    if source_kind == OWN_FOLDER.kind:
        places.make(organization)
    made = SyncConnection(
        organization=organization, name=name.strip(), source_kind=source_kind, target_kind=target_kind
    )
    policy = preset(settings) if settings else Policy()
    made.preset, made.policy = settings, merged(organization, written(policy), changes or {})
    made.state_at = timezone.now()
    with transaction.atomic():
        _fill(made, filled)
        made.save()
        audit.record(None, "sync.connect", "sync connection", made.pk, made.name, after=_told(made))
    return made


def edit(
    connection: SyncConnection, filled: Mapping[str, str], changes: Mapping[str, Any], name: str = ""
) -> SyncConnection:
    """Other settings. A secret left empty stays as it is; plans that would come out otherwise now are not carried out any more."""
    _refuse_moving(connection, filled)
    before = _told(connection)
    connection.name = name.strip() or connection.name
    connection.policy = merged(connection.organization, connection.policy, changes)
    if connection.policy["timing"] != before["policy"].get("timing"):
        connection.timed_at = timezone.now()
    with transaction.atomic():
        fresh = _fill(connection, filled)
        after = _told(connection)
        connection.generation += _plans_otherwise(before, after)
        # Not the whole row: a run may just now be moving where its next read begins.
        connection.save(update_fields=[*FILLED, "name", "policy", "generation", "timed_at"])
        audit.record(
            None,
            "sync.change",
            "sync connection",
            connection.pk,
            connection.name,
            before=before,
            after=after | ({"newSecrets": fresh} if fresh else {}),
        )
    return connection


def begin_from(connection: SyncConnection, settings: str) -> SyncConnection:
    """All settings anew, those of the preset; what it does with roles that the organization does not have is left out.

    Raises BegunAlready, BadPolicy.
    """
    if connection.first_applied_at is not None:
        raise BegunAlready(connection.name)
    before = _told(connection)
    fitting = fitted(preset(settings), roles_of(connection.organization))
    with transaction.atomic():
        connection.preset, connection.timed_at = settings, timezone.now()
        connection.policy = merged(connection.organization, written(fitting), {})
        connection.generation += 1
        connection.save(update_fields=["preset", "policy", "timed_at", "generation"])
        audit.record(
            None,
            "sync.change",
            "sync connection",
            connection.pk,
            connection.name,
            before=before,
            after=_told(connection),
        )
    return connection


def test(connection: SyncConnection) -> list[str]:
    """What is found at the source, a line each; a requested connection waits for its activation then, or is active where the plan says so.

    Raises CannotFetch, BadSetting, LeftAlone.
    """
    refuse_while_paused(connection)
    found = SOURCES[connection.source_kind].tested(places.asked_of(connection), secrets_of(connection))
    if connection.state == State.REQUESTED:
        _go(connection, State.WAITING, "Its source answers.")
    if connection.state == State.WAITING and SELF_ACTIVATION in connection.organization.entitlements:
        _go(connection, State.ACTIVE, "Its source answers, and the plan needs nobody to activate it.")
    return found


def drop(connection: SyncConnection) -> None:
    """A connection that was only begun is taken away again, with its secrets. Raises NotToBeDropped."""
    with transaction.atomic():
        found = SyncConnection.objects.select_for_update().get(pk=connection.pk)
        if found.state != State.REQUESTED or found.runs.exists():
            raise NotToBeDropped(connection.name)
        audit.record(
            None, "sync.drop", "sync connection", connection.pk, connection.name, before=_told(connection)
        )
        found.delete()


def activate(connection: SyncConnection, why: str = "") -> SyncConnection:
    """From now on it runs. Raises NotFromHere."""
    return _change_state(connection, State.ACTIVE, why)


def pause(connection: SyncConnection, why: str = "") -> SyncConnection:
    """Until it is activated again nothing begins. Raises NotFromHere."""
    return _change_state(connection, State.PAUSED, why)


def disconnect(connection: SyncConnection, why: str = "") -> SyncConnection:
    """It is over; what it made stays, and so do its links. Raises NotFromHere."""
    return _change_state(connection, State.DISCONNECTED, why)


def request_again(connection: SyncConnection, why: str = "") -> SyncConnection:
    """One that was disconnected is asked for anew: it is tested and activated as the first time, and finds everybody. Raises NotFromHere."""
    return _change_state(connection, State.REQUESTED, why)


def secrets_of(connection: SyncConnection) -> Secrets:
    return dict(json.loads(connection.source_secrets or "{}"))


def policy_of(connection: SyncConnection) -> Policy:
    """The settings it runs by."""
    return read_policy(connection.policy)


def _change_state(connection: SyncConnection, state: str, why: str) -> SyncConnection:
    if connection.state not in STEPS[state]:
        raise NotFromHere(connection.state)
    _go(connection, state, why)
    return connection


def _go(connection: SyncConnection, state: str, why: str) -> None:
    before = {"state": str(connection.state)}
    with transaction.atomic():
        entry = audit.record(
            None,
            "sync.state",
            "sync connection",
            connection.pk,
            connection.name,
            before=before,
            after={"state": str(state), "why": why},
        )
        connection.state, connection.state_why = state, why.strip()[:500]
        connection.state_by, connection.state_at = entry.actor[:200], timezone.now()
        connection.save(update_fields=["state", "state_why", "state_by", "state_at"])


def _refuse_moving(connection: SyncConnection, filled: Mapping[str, str]) -> None:
    """A district's key goes to no other server. Raises OfAnInvitation."""
    kept = {option.name: option.default for option in SOURCES[connection.source_kind].options}
    kept |= connection.source_settings
    moved = any(text != str(kept.get(name, "")) for name, text in filled.items())
    if moved and Invitation.objects.filter(connection=connection).exists():
        raise OfAnInvitation(connection.name)


def _fill(connection: SyncConnection, filled: Mapping[str, str]) -> list[str]:
    """Checks what was filled in over what is kept, and keeps it; which secrets are other ones now."""
    if connection.source_kind not in SOURCES:
        raise NoSuchSource(connection.source_kind)
    connector = SOURCES[connection.source_kind]
    options = {option.name: option for option in connector.options}
    for name in filled:
        if name not in options:
            raise NoSuchSyncOption(name)
    others = SyncConnection.objects.filter(organization=connection.organization_id, name=connection.name)
    if not connection.name or others.exclude(pk=connection.pk).exists():
        raise SyncNameNeeded(connection.name)
    shown = {name: text for name, text in filled.items() if not options[name].secret}
    hidden = {name: text for name, text in filled.items() if options[name].secret and text}
    settings, secrets = connector.checked(
        {**connection.source_settings, **shown}, {**secrets_of(connection), **hidden}
    )
    kept = secrets_of(connection)
    connection.source_settings = settings
    connection.source_secrets = json.dumps(secrets) if secrets else ""
    return sorted(name for name, secret in secrets.items() if kept.get(name) != secret)


def _plans_otherwise(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a plan could come out otherwise: another name, other times and a new secret leave it as it is."""
    as_planned = [
        told | {"name": "", "policy": told["policy"] | {"timing": {}}} for told in (dict(before), dict(after))
    ]
    return as_planned[0] != as_planned[1]


def merged(organization: Organization, kept: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the changes in them, checked. Raises BadPolicy."""
    policy = read_policy(over(kept, changes))
    local = roles_of(organization)
    named = [policy.roles.ceiling, policy.roles.default, policy.roles.default_for_new]
    named += [*policy.roles.map.values(), *policy.people.archive_unowned]
    unknown = sorted({role for role in named if role and local and role not in local})
    if unknown:
        raise BadPolicy(
            f"roles: {organization.name} knows no role {', '.join(unknown)}. Its roles are {', '.join(local)}."
        )
    return written(policy)


def over(kept: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` over `kept`, section by section; a table of words is replaced as a whole."""
    found = dict(kept)
    for name, value in changes.items():
        is_section = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = over(found[name], value) if is_section and name not in WHOLE else value
    return found


WHOLE = frozenset({"map", "rules"})


def _told(connection: SyncConnection) -> dict[str, Any]:
    """What may be read of it: its settings, and no secret."""
    return {
        "name": connection.name,
        "organization": connection.organization_id,
        "source": connection.source_kind,
        "target": connection.target_kind,
        "settings": dict(connection.source_settings),
        "policy": connection.policy,
    }
