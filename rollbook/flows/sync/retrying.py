"""Retrying: what a directory did not take is planned and carried out once more, by a run about these records alone; and a preview anew."""

from collections.abc import Iterable, Sequence

from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, NEW, SITES, Operation
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.records import NOT_TAKEN, find_operations
from rollbook.flows.sync.runs import FOCUS, FULL, enqueue
from rollbook.flows.sync.undoing import undo
from rollbook.refusal import Refusal
from rollbook.store.models import Link, SyncConnection, SyncOutcome, SyncRun

MOST = 500
"""So many records are retried by themselves; of more a whole sync is the shorter way."""


class NothingToRetry(Refusal):
    """The directory took all that this sync run sent it, or its plan is kept no longer: there is nothing to try once more."""


def retry(run: SyncRun, by: str, numbers: Sequence[int] | None = None, process: str = ANY_WORKER) -> SyncRun:
    """A run about the records of these operations (None: all) that were not taken. Of very many, or of what no source record stands for, it
    is a whole sync.

    Raises NothingToRetry, NotActive, NotEntitled, InBlackout.
    """
    failed = SyncOutcome.objects.filter(run=run, status__in=NOT_TAKEN)
    failed = failed if numbers is None else failed.filter(operation__in=list(numbers))
    found = list(failed.order_by("operation").values_list("operation", flat=True)[: MOST + 1])
    operations = find_operations(run, found) if len(found) <= MOST else []
    if not found or (len(found) <= MOST and not operations):
        raise NothingToRetry(str(run.pk))
    focus = _focus(run.connection, operations)
    if not any(focus.values()):
        return enqueue(run.connection, by, FULL, process=process)
    return enqueue(run.connection, by, FOCUS, process=process, focus=focus)


def anew(run: SyncRun, by: str, process: str = ANY_WORKER) -> SyncRun:
    """Another preview of the same, from the source and the directory as they are now. Raises NotActive, NotEntitled, NothingToUndo."""
    if run.undoes is not None:
        return undo(run.undoes, by, process)
    about = {name: value for name, value in run.task.items() if name not in ("kind", "preview", "approved")}
    return enqueue(run.connection, by, run.task.get("kind", FULL), preview=True, process=process, **about)


def _focus(connection: SyncConnection, operations: Iterable[Operation]) -> dict[str, list[str]]:
    """The source records of these operations: people, classes, schools; of a membership the person."""
    named: dict[str, set[str]] = {SITES: set(), MEMBERS: set(), GROUPS: set()}
    members: set[str] = set()
    for one in operations:
        if one.kind == MEMBERSHIPS:
            members.add(str(one.after.get("member") or one.before.get("member") or ""))
        elif one.source_id:
            named[one.kind].add(one.source_id)
    named[MEMBERS] |= {one.removeprefix(NEW) for one in members if one.startswith(NEW)}
    linked = Link.objects.filter(
        connection=connection, kind=MEMBERS, target__in=sorted(members), ended_at=None
    )
    named[MEMBERS] |= set(linked.values_list("source_id", flat=True))
    wanted = {"people": named[MEMBERS], "classes": named[GROUPS], "schools": named[SITES]}
    return {name: sorted(some) for name, some in wanted.items() if some}
