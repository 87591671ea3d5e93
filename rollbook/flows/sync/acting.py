"""Acting: what a run may do is done and verified, and only then is its read the accepted one. A preview and a first run are only shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from rollbook.engine.sync.plan_file import OPERATIONS
from rollbook.flows.sync.applying import carry_out, statistics_of
from rollbook.flows.sync.holds import APPROVED, Gate, hazard_of, holds_of, refuse_unless_current
from rollbook.flows.sync.importing import queue_group_syncs
from rollbook.flows.sync.progress import Teller, end, keep
from rollbook.flows.sync.runs import IMPORT, PARTIAL, refuse_unless_ready
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.flows.sync.switching import keep_switch
from rollbook.flows.sync.targets import target_of
from rollbook.flows.sync.undoing import pause_undone
from rollbook.flows.sync.verifying import Drift, verify
from rollbook.store.models import SyncConnection, SyncHold, SyncRun
from rollbook.store.sync_shelf import drop_plans, drop_reads, read_folder, run_folder

GOOD = ("success", "partly", "empty")
"""Outcomes of which the read is accepted."""

DRIFT_SHOWN = 50

KEPT = timedelta(days=400)
"""How long a run's plan, remarks and findings are kept; its sums and its journal stay."""


def act(run: SyncRun) -> None:
    """Raises OutOfDate, NotActive, NotEntitled, InBlackout, Cancelled, TakenOver."""
    tell = Teller(run)
    if _only_shows(run):
        end(run, "previewed", _shown_words(run))
        return
    tell("applying")
    _refuse_unless_may_begin(run)
    refuse_unless_current(run)
    keep_switch(run)
    target, plan = target_of(run.connection), run_folder(run) / OPERATIONS
    left = carry_out(run, target, plan, Gate(run), tell)
    tell("verifying")
    drift = verify(run, target, plan)
    statistics = statistics_of(run)
    outcome, words = _outcome(run, statistics, left, drift)
    keep(
        run,
        statistics=statistics,
        verified={"drift": [one.as_dict() for one in drift[:DRIFT_SHOWN]], "drifted": len(drift)},
        stakes={**run.stakes, "removed": _removed(run)},
    )
    _accept(run, outcome)
    pause_undone(run)
    queue_group_syncs(run)
    end(run, outcome, words)


def _refuse_unless_may_begin(run: SyncRun) -> None:
    """What has begun to change the directory is brought to its end. Raises NotActive, NotEntitled, InBlackout."""
    if not run.journal:
        refuse_unless_ready(run.connection)
        refuse_in_blackout(run.connection)


def _only_shows(run: SyncRun) -> bool:
    """A preview; and the first run of a connection, until somebody has seen it: whom they import, or whose groups they ask for, they have."""
    if run.task.get("approved") or run.task.get("kind") == IMPORT or run.task.get("groups"):
        return False
    return bool(run.task.get("preview") or run.stakes.get("first"))


def _shown_words(run: SyncRun) -> str:
    first = (
        " Nothing of this connection was ever applied: look at it and approve it."
        if run.stakes.get("first")
        else ""
    )
    return f"Only shown; nothing was changed.{first}"


def _outcome(
    run: SyncRun, statistics: dict[str, dict[str, int]], left: int, drift: Sequence[Drift]
) -> tuple[str, str]:
    done, refused = _sums(statistics)
    waiting = holds_of(run, only_open=True)
    words = _words(done, refused, left, waiting)
    if drift:
        return "drifted", f"{words} Read back, {len(drift)} values were not as they had been written."
    if run.certificate.get("complete") is False:
        return (
            "incomplete",
            f"{words} The source was not proved to be read whole: nothing was removed for being absent there.",
        )
    if not done and not refused:
        return ("held", words) if waiting else ("empty", words)
    return ("partly" if refused or waiting else "success"), words


def _sums(statistics: dict[str, dict[str, int]]) -> tuple[int, int]:
    """What was carried out, and what the target did not take."""
    refused = sum(of_kind.get(status, 0) for of_kind in statistics.values() for status in NOT_TAKEN)
    return sum(sum(of_kind.values()) for of_kind in statistics.values()) - refused, refused


NOT_TAKEN = ("reject", "conflict", "retry")


def _words(done: int, refused: int, left: int, waiting: Sequence[SyncHold]) -> str:
    if not (done or refused or left):
        return "Nothing changed."
    parts = [f"{done:,} operations done."]
    if refused:
        parts.append(f"{refused:,} were not taken.")
    if waiting:  # what several holds cover waits once
        parts.append(f"{left:,} wait for a person: {hazard_of(waiting[0]).words}")
    elif left:
        parts.append(f"{left:,} were left out.")
    return " ".join(parts)


def _removed(run: SyncRun) -> dict[str, int]:
    """Of what the plan removes, what was: without the scopes that are held or were discarded, and what they take from those above."""
    if run.stakes.get("first") and not run.ticked:
        return {}
    planned: dict[str, int] = run.stakes.get("planned", {})
    shut = [one for one in holds_of(run) if one.decision != APPROVED]
    found = dict(planned)
    for hold in shut:
        level, scope = hold.level, hold.scope
        for key, number in planned.items():
            of_level, of_scope, of_kind = key.split("|", 2)
            if of_kind != hold.kind:
                continue
            if level == "organization" or (of_level, of_scope) == (level, scope):
                found.pop(key, None)
                if level != "organization" and (above := f"organization||{of_kind}") in found:
                    found[above] = max(found[above] - number, 0)
    return {key: number for key, number in found.items() if number}


def _accept(run: SyncRun, outcome: str) -> None:
    """The read and where a delta begins move together, and never back."""
    if run.task.get("kind") in PARTIAL or outcome not in (*GOOD, "incomplete", "drifted"):
        return
    now = timezone.now()
    SyncConnection.objects.filter(pk=run.connection_id, first_applied_at=None).update(first_applied_at=now)
    if outcome in GOOD and read_folder(run.connection, run.pk).exists():
        moved: dict[str, Any] = {"read_run": run.pk}
        if cursor := run.certificate.get("cursor"):
            moved["cursor"] = cursor
        SyncConnection.objects.filter(pk=run.connection_id, read_run__lte=run.pk).update(**moved)
        run.connection.refresh_from_db()
        drop_reads(run.connection, frozenset({run.connection.read_run, *_open_runs(run.connection)}))
        drop_plans(run.connection, _old_runs(run.connection, now))


def _old_runs(connection: SyncConnection, now: datetime) -> list[int]:
    """Whose plans are kept no longer."""
    old = SyncRun.objects.filter(connection=connection, started_at__lt=now - KEPT)
    return list(old.filter(started_at__gte=now - 2 * KEPT).values_list("pk", flat=True))


def _open_runs(connection: SyncConnection) -> list[int]:
    """Those that may still be carried out."""
    waits = Q(outcome="previewed", generation=connection.generation) | Q(outcome="") | Q(outcome="held")
    return list(
        SyncRun.objects.filter(waits, connection=connection, pk__gt=connection.read_run).values_list(
            "pk", flat=True
        )
    )
