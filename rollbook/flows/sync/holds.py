"""Holds: the parts of a plan that wait for a person, one row a hazard; and what a person lets through, of those and of a first preview."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.sync.guarding import Hazard
from rollbook.engine.sync.operations import LEAVERS, UNOWNED, Operation
from rollbook.flows import audit
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.runs import FOCUS, IMPORT, refuse_unless_ready, speaks_for_all
from rollbook.flows.sync.settings import keep_proposed
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.refusal import Refusal
from rollbook.store.models import SyncConnection, SyncHold, SyncRun

APPROVED, DISCARDED, REPLACED = "approve", "discard", "replaced"
BUNDLES = (LEAVERS, UNOWNED)
APPLIED = ("success", "partly", "incomplete", "drifted")
WAITS = ("previewed", "held", "partly")
"""Outcomes of runs that have something left that a person may let through."""


PAGE = 100
SINCE = ("created_at", "expires_at", "told_at", "reminded_at")
"""What a hold has of the one before it that had the same reason."""


class NothingToApprove(Refusal):
    """Nothing of this sync run waits for anybody: it was no preview, or all that was held is decided."""


class NoSuchHold(Refusal):
    """This sync run has no such hold that still waits: `rollbook sync report` shows them, with their numbers."""


class NoSuchBundle(Refusal):
    """What can be ticked in a first preview is leavers and unowned."""


class OutOfDate(Refusal):
    """The settings have changed since this was planned, or a later sync has changed the directory. Run a new preview and look at that."""


class OnlyShown(Refusal):
    """Nothing of this sync was carried out yet, it was only shown: begin it from its preview, where all of it stands."""


class WhyNeeded(Refusal):
    """Say why you decide so: it is kept with the decision."""


def keep_holds(run: SyncRun, found: Iterable[tuple[Hazard, int]]) -> None:
    """One row for each hazard that covers anything; a hazard that an earlier run found too is the same, and as old. The earlier are replaced,
    but by a run that looked at a part only.
    """
    waiting = SyncHold.objects.filter(connection=run.connection_id, decision="")
    earlier = {_key(one): one for one in waiting.order_by("pk")}
    if speaks_for_all(run):
        why = f"Sync run {run.pk} came after it."
        waiting.update(decision=REPLACED, decided_at=timezone.now(), why=why)
    for hazard, number in found:
        if not number:
            continue
        about = {name: getattr(hazard, name) for name in ("code", "level", "scope", "kind", "field")}
        counts = {name: getattr(hazard, name) for name in ("count", "population", "limit")}
        hold, _ = SyncHold.objects.update_or_create(
            run=run,
            **about,
            defaults={
                "organization_id": run.organization_id,
                "connection_id": run.connection_id,
                "operations": number,
                "decision": "",
                "decided_at": None,
                "why": "",
                **counts,
            },
        )
        if before := earlier.get(_key(hold)):
            since = {name: getattr(before, name) for name in SINCE}
            SyncHold.objects.filter(pk=hold.pk).update(**since)


def holds_of(run: SyncRun, *, only_open: bool = False) -> list[SyncHold]:
    found = SyncHold.objects.filter(run=run).order_by("pk")
    return list(found.filter(decision="") if only_open else found)


def open_holds(connection: SyncConnection) -> list[SyncHold]:
    """What waits for a person, the oldest first."""
    return list(SyncHold.objects.filter(connection=connection, decision="").order_by("created_at", "pk"))


def open_page(connection: SyncConnection, after: int = 0) -> list[SyncHold]:
    """What waits for a person, by number, behind `after`; one more than PAGE where there are more."""
    waiting = SyncHold.objects.filter(connection=connection, decision="", pk__gt=after)
    return list(waiting.order_by("pk")[: PAGE + 1])


def hazard_of(hold: SyncHold) -> Hazard:
    """The reason, as it was found."""
    return Hazard(
        hold.code, hold.level, hold.scope, hold.kind, hold.field, hold.count, hold.population, hold.limit
    )


class Gate:
    """Which operations of a run may be carried out now."""

    def __init__(self, run: SyncRun) -> None:
        self._ticked = frozenset(run.ticked)
        self._first = bool(run.stakes.get("first"))
        self._shut = [hazard_of(one) for one in holds_of(run) if one.decision != APPROVED]

    def __call__(self, operation: Operation) -> bool:
        if self._first and operation.bundle and operation.bundle not in self._ticked:
            return False
        return not self._shut or not any(hazard.covers(operation) for hazard in self._shut)


def approve(
    run: SyncRun,
    by: str,
    why: str = "",
    *,
    ticked: Sequence[str] = (),
    holds: Sequence[int] | None = None,
    process: str = ANY_WORKER,
) -> SyncRun:
    """Lets through a preview with the bundles `ticked`, and these holds (None: none of a preview, all of a held run). The run waits again;
    settings that it shows a change of are kept.

    Raises NothingToApprove, NoSuchBundle, NoSuchHold, OutOfDate, WhyNeeded, NotActive, NotEntitled, InBlackout.
    """
    refuse_unless_ready(run.connection)
    refuse_in_blackout(run.connection)
    refuse_unless_current(run)
    waiting = holds_of(run, only_open=True)
    if run.outcome not in WAITS or not run.fingerprint or not (run.outcome == "previewed" or waiting):
        raise NothingToApprove(str(run.pk))
    chosen = _chosen(run, waiting, holds)
    if chosen and not why.strip():
        raise WhyNeeded(str(run.pk))
    if unknown := [one for one in ticked if one not in BUNDLES]:
        raise NoSuchBundle(unknown[0])
    with transaction.atomic():
        _decide(chosen, APPROVED, by, why)
        wait = {
            "ticked": sorted({*run.ticked, *ticked}),
            "task": {**run.task, "preview": False, "approved": True},
        }
        again: dict[str, Any] = {
            "outcome": "",
            "message": "",
            "phase": "waiting",
            "ended_at": None,
            "turn_at": None,
        }
        again |= {"moved_at": timezone.now(), "done": 0, "known": 0}
        if not SyncRun.objects.filter(pk=run.pk, outcome=run.outcome).update(
            **wait, **again, process=process, cancelled_by=""
        ):
            raise NothingToApprove(str(run.pk))
        keep_proposed(run, by)
        about = {"ticked": list(ticked), "holds": [one.pk for one in chosen], "why": why}
        audit.record(None, "sync.approve", "sync run", run.pk, run.connection.name, after=about, by=by)
    run.refresh_from_db()
    return run


def let_through(run: SyncRun, by: str, why: str, chosen: Sequence[int]) -> SyncRun:
    """These holds of a run that has carried out everything else, and nothing besides. Raises OnlyShown, and what `approve` raises."""
    if run.outcome == "previewed":
        raise OnlyShown(str(run.pk))
    return approve(run, by, why, holds=chosen)


def discard(
    run: SyncRun, by: str, why: str, holds: Sequence[int] | None = None, now: datetime | None = None
) -> list[SyncHold]:
    """These holds (None: all that wait) are not let through; a later run finds their cause again. Raises NoSuchHold, WhyNeeded."""
    if not why.strip():
        raise WhyNeeded(str(run.pk))
    waiting = holds_of(run, only_open=True)
    chosen = waiting if holds is None else _chosen(run, waiting, holds)
    if not chosen:
        raise NothingToApprove(str(run.pk))
    with transaction.atomic():
        _decide(chosen, DISCARDED, by, why)
        about = {"holds": [one.pk for one in chosen], "why": why}
        audit.record(None, "sync.discard", "sync run", run.pk, run.connection.name, after=about, by=by)
    return chosen


def refuse_unless_current(run: SyncRun) -> None:
    """Raises OutOfDate where settings have moved, or a later run has changed the directory."""
    run.connection.refresh_from_db()
    later = SyncRun.objects.filter(connection=run.connection_id, pk__gt=run.pk)
    # A run about a few people leaves the rest of a plan as good as it was: what it touched has another version now.
    moved = later.filter(journal__gt=0).exclude(task__kind__in=[FOCUS, IMPORT])
    if run.connection.generation != run.generation or moved.exists():
        raise OutOfDate(str(run.pk))


def removed_within(connection: SyncConnection, since: datetime) -> list[Mapping[str, int]]:
    """What the runs of this connection removed since then, as `Stakes.removed` tells it."""
    runs = SyncRun.objects.filter(connection=connection, outcome__in=APPLIED, ended_at__gte=since)
    return [stakes.get("removed", {}) for stakes in runs.values_list("stakes", flat=True)]


def _chosen(run: SyncRun, waiting: Sequence[SyncHold], holds: Sequence[int] | None) -> list[SyncHold]:
    if holds is None:
        return [] if run.outcome == "previewed" else list(waiting)
    by_number = {one.pk: one for one in waiting}
    for number in holds:
        if number not in by_number:
            raise NoSuchHold(str(number))
    return [by_number[number] for number in holds]


def _decide(chosen: Iterable[SyncHold], decision: str, by: str, why: str) -> None:
    for hold in chosen:
        hold.decision, hold.decided_by, hold.decided_at, hold.why = decision, by[:200], timezone.now(), why
        hold.save(update_fields=["decision", "decided_by", "decided_at", "why"])


def _key(hold: SyncHold) -> tuple[str, ...]:
    return hold.code, hold.level, hold.scope, hold.kind, hold.field
