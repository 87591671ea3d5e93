"""A sync's settings, changed by hand: a change is shown first, as the plan that they would lead to, and counts once that plan is approved.

Where nothing of a connection was ever applied it is kept at once: its first run is shown anyway. While it is paused a change is shown too;
it counts once the connection goes on and somebody approves it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.connectors.folder import FOLDER
from rollbook.engine.sync.policy import Policy, fitted, preset, read_policy, written
from rollbook.flows import audit
from rollbook.flows.directory import roles_of
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync import connections
from rollbook.flows.sync.customer import refuse_beyond_the_plan
from rollbook.flows.sync.runs import FULL, POLICY, enqueue
from rollbook.refusal import Refusal
from rollbook.store.models import AuditEntry, SyncConnection, SyncHold, SyncRun
from rollbook.store.models.auditing import INSTALLATION

ACTS = ("sync.connect", "sync.change", "sync.switch")


class NothingToChange(Refusal):
    """These settings are what is set already."""


class NotProposed(Refusal):
    """This sync run shows no change of settings that still waits for somebody."""


@dataclass(frozen=True)
class Change:
    """One setting that changes: `name` as `people.who`."""

    name: str
    old: Any
    new: Any

    def as_dict(self) -> dict[str, Any]:
        return {"setting": self.name, "old": self.old, "new": self.new}


@dataclass(frozen=True)
class Entry:
    """What was set at one time, by whom: `act` connect, change or switch; `changes` of the first are none."""

    number: int
    at: datetime
    by: str
    act: str
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        told = {"at": self.at.isoformat(), "by": self.by, "act": self.act}
        return told | {"changes": [one.as_dict() for one in self.changes]}


# --- Changing -----------------------------------------------------------------------------------------------------------------------


def is_kept_at_once(connection: SyncConnection) -> bool:
    """Whether a change needs no plan to be seen first: nothing was ever applied, and the first run is shown."""
    return connection.first_applied_at is None


def change(
    connection: SyncConnection, wanted: Mapping[str, Any], by: str, process: str = ANY_WORKER
) -> SyncRun | None:
    """The run that shows what these settings would do, as a settings file has them; None where they were kept at once.

    Raises NothingToChange, NotInThePlan, BadPolicy, NotActive, NotEntitled.
    """
    refuse_beyond_the_plan(wanted)
    merged = connections.merged(connection.organization, connection.policy, wanted)
    if not changes_between(connection.policy, merged):
        raise NothingToChange(connection.name)
    if is_kept_at_once(connection):
        connections.edit(connection, {}, wanted)
        return None
    return enqueue(connection, by, FULL, preview=True, process=process, policy=dict(wanted))


def proposed(run: SyncRun) -> list[Change]:
    """What the settings are to become by this run, beside what they are now; none where it shows no change of settings."""
    wanted = run.task.get(POLICY)
    if not wanted:
        return []
    kept = run.connection.policy
    return changes_between(kept, written(read_policy(connections.over(kept, wanted))))


def waiting(connection: SyncConnection) -> SyncRun | None:
    """The latest run whose change of settings is being shown, or was shown and waits for somebody."""
    found = SyncRun.objects.filter(connection=connection, outcome__in=("", "previewed")).order_by("-pk")[:20]
    for run in found:
        if run.task.get(POLICY) and not run.task.get("approved"):
            is_current = not run.outcome or run.generation == connection.generation
            return run if is_current else None
    return None


def keep_proposed(run: SyncRun, by: str) -> None:
    """The settings are from now on what the run was planned by; call it where the run is approved, in its transaction."""
    wanted, connection = run.task.get(POLICY), run.connection
    if not wanted:
        return
    connection = (
        SyncConnection.objects.select_for_update()
        .select_related("organization__product")
        .get(pk=connection.pk)
    )
    merged = connections.merged(connection.organization, connection.policy, wanted)
    if merged == connection.policy:
        return
    before = connection.policy
    connection.policy, connection.generation = merged, connection.generation + 1
    connection.save(update_fields=["policy", "generation"])
    SyncRun.objects.filter(pk=run.pk).update(generation=connection.generation)
    audit.record(
        None,
        "sync.change",
        "sync connection",
        connection.pk,
        connection.name,
        before={POLICY: before},
        after={POLICY: merged, "run": run.pk},
        by=by,
    )


def withdraw(run: SyncRun, by: str) -> SyncRun:
    """A change that was shown and is not wanted: the settings stay as they are. Raises NotProposed."""
    if not run.task.get(POLICY):
        raise NotProposed(str(run.pk))
    with transaction.atomic():
        ended = {"outcome": "cancelled", "message": f"Withdrawn by {by}. The settings stay as they were."}
        if not SyncRun.objects.filter(pk=run.pk, outcome="previewed").update(**ended, cancelled_by=by[:200]):
            raise NotProposed(str(run.pk))
        held = SyncHold.objects.filter(run=run, decision="")
        held.update(decision="replaced", decided_by=by[:200], decided_at=timezone.now(), why=ended["message"])
        audit.record(None, "sync.withdraw", "sync run", run.pk, run.connection.name, by=by)
    run.refresh_from_db()
    return run


# --- What was set -------------------------------------------------------------------------------------------------------------------


def preset_of(connection: SyncConnection) -> Policy:
    """The settings it began with, as far as the organization has their roles; the defaults where it began with no preset."""
    begun = preset(connection.preset) if connection.preset else Policy()
    return fitted(begun, roles_of(connection.organization))


def history(connection: SyncConnection, before: int = 0, number: int = 20) -> list[Entry]:
    """What was set, the latest first, older than the entry of the number `before` where one is given."""
    found = AuditEntry.objects.filter(
        district_id=INSTALLATION, kind="sync connection", object=str(connection.pk), act__in=ACTS
    )
    if before:
        found = found.filter(number__lt=before)
    return [_entry(one) for one in found.order_by("-number")[:number]]


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Setting by setting, in the order of the new ones; a table of words word by word."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    names = [*after, *(name for name in before if name not in after)]
    return [
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _entry(entry: AuditEntry) -> Entry:
    before, after = json.loads(entry.before), json.loads(entry.after)
    at = datetime.fromtimestamp(entry.at / 1000, UTC)
    return Entry(
        entry.number, at, entry.actor, entry.act.removeprefix("sync."), _told(entry.act, before, after)
    )


def _told(act: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    """A change of the source is told under `source`; who connected set everything, which says nothing."""
    if act == "sync.connect":
        return ()
    if act == "sync.switch":
        return (Change("classes.form", None, after.get("form")),)
    found = changes_between(before.get(POLICY, {}), after.get(POLICY, {}))
    if after.get("source") != FOLDER.kind:  # where a folder of this server lies is told to nobody
        found += [
            Change(f"source.{one.name}", one.old, one.new)
            for one in changes_between(before.get("settings", {}), after.get("settings", {}))
        ]
    if "name" in after and before.get("name") != after["name"]:
        found.append(Change("name", before.get("name"), after["name"]))
    return (*found, *(Change(f"source.{name}", None, None) for name in after.get("newSecrets", ())))
