"""Undoing a run: a plan that takes back what it did, value by value, where nobody has changed it since. It is shown first, like any plan.

Once it is carried out the connection is paused: the next night would do it all again.
"""

from collections import Counter
from pathlib import Path

from rollbook.engine.sync.plan_file import OPERATIONS, PlanWriter, read_plan
from rollbook.engine.sync.planning import MODULUS, Planned
from rollbook.engine.sync.undoing import inverse
from rollbook.engine.sync.world import directory_of
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.connections import State, pause
from rollbook.flows.sync.runs import UNDO, enqueue
from rollbook.flows.sync.targets import target_of
from rollbook.refusal import Refusal
from rollbook.store import journal
from rollbook.store.models import Link, SyncConnection, SyncOutcome, SyncRun
from rollbook.store.sync_shelf import run_folder


class NothingToUndo(Refusal):
    """This sync run has changed nothing, its plan is kept no longer, or it was undone already."""


def undo(run: SyncRun, by: str, process: str = ANY_WORKER) -> SyncRun:
    """A preview of what would be taken back. Raises NothingToUndo, NotActive, NotEntitled."""
    undone = SyncRun.objects.filter(undoes=run, outcome__in=("success", "partly")).exists()
    if not run.journal or undone or not (run_folder(run) / OPERATIONS).exists():
        raise NothingToUndo(str(run.pk))
    made = enqueue(run.connection, by, UNDO, preview=True, process=process, undoes=run.pk)
    SyncRun.objects.filter(pk=made.pk).update(undoes=run)
    return made


def plan_undo(run: SyncRun, folder: Path) -> Planned:
    """Writes the plan into the folder."""
    undone = SyncRun.objects.get(pk=run.task["undoes"])
    behind = journal.covered(undone)
    refused = set(SyncOutcome.objects.filter(run=undone).values_list("operation", flat=True))
    found, remarks = inverse(
        read_plan(run_folder(undone) / OPERATIONS),
        lambda number: number in behind and number not in refused,
        directory_of(target_of(run.connection)),
        _made(undone),
    )
    writer = PlanWriter(folder)
    counts: dict[str, Counter[str]] = {}
    total = 0
    for operation in found:
        writer(operation)
        counts.setdefault(operation.kind, Counter())[operation.action] += 1
        total = (total + operation.digest) % MODULUS
    writer.close()
    return Planned({kind: dict(of) for kind, of in counts.items()}, f"{total:032x}", remarks=remarks)


def pause_undone(run: SyncRun) -> None:
    """After an undo nothing begins by itself."""
    connection = SyncConnection.objects.select_related("organization").get(pk=run.connection_id)
    if run.task.get("kind") == UNDO and connection.state == State.ACTIVE:
        pause(connection, f"Sync run {run.task['undoes']} was undone.")


def _made(undone: SyncRun) -> dict[tuple[str, str], str]:
    """What the handles of its plan became: links of this connection, also those that were ended since."""
    links = Link.objects.filter(connection=undone.connection_id, linked_run__lte=undone.pk).order_by(
        "linked_run", "pk"
    )
    return {
        (kind, source_id): target
        for kind, source_id, target in links.values_list("kind", "source_id", "target").iterator()
    }
