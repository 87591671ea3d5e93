"""Planning a run: the plan and its remarks on the shelf, the cases it opens, the holds its hazards become. Nothing of the directory changes."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.sync.guarding import Hazard, hazards
from rollbook.engine.sync.losing import LOSSES
from rollbook.engine.sync.operations import Case, Operation, Remark
from rollbook.engine.sync.plan_file import OPERATIONS, REMARKS, PlanWriter, write_remarks
from rollbook.engine.sync.planning import Planned, make_plan
from rollbook.engine.sync.world import Focus, World
from rollbook.flows.sync.holds import keep_holds, removed_within
from rollbook.flows.sync.looking import keep_candidates
from rollbook.flows.sync.losing import covered
from rollbook.flows.sync.progress import Teller, end, into, keep
from rollbook.flows.sync.runs import DELTA, LOOK, UNDO, speaks_for_all
from rollbook.flows.sync.spans import additions_end
from rollbook.flows.sync.switching import policy_for
from rollbook.flows.sync.undoing import plan_undo
from rollbook.flows.sync.worlds import world_of
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.linking import keep_cases
from rollbook.store.models import SyncRun
from rollbook.store.sync_shelf import latest_read, read_folder, run_folder

WEEK = timedelta(days=7)
OF_A_WHOLE = frozenset({"percent", "site-percent", "weekly", "to-zero"})
"""Shares of an organization or a site: a plan about a few people or classes has not counted those."""

ONLY_ADDS = "onlyAdds"
OFTEN = 5_000


class NothingRead(Refusal):
    """The source was never read by this connection: run a sync first."""


def plan(run: SyncRun) -> None:
    """Raises NothingRead, Cancelled, TakenOver, BadPolicy."""
    if run.fingerprint:
        return  # planned already: what was seen is what is carried out
    if run.task.get("kind") == LOOK:
        Teller(run)("planning")
        keep_candidates(run)
        end(run, "previewed", "The source was read; nothing was planned.")
        return
    tell = Teller(run)
    tell("planning")
    folder = run_folder(run) / f"attempt-{run.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        planned, first = _planned(run, folder, tell)
        write_remarks(folder, [*planned.remarks, *map(_asked, planned.cases)])
        found = _guarded(run, planned, first)
        _keep(run, folder, planned, found, first)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _asked(case: Case) -> Remark:
    """In the report a record that waits for somebody's decision says so, like any other of which not all is done."""
    return Remark(case.kind, case.source_id, case.code, case.field)


def _planned(run: SyncRun, folder: Path, tell: Teller) -> tuple[Planned, bool]:
    """The plan, and whether nothing of this connection was ever applied."""
    if run.task.get("kind") == UNDO:
        return plan_undo(run, folder), False
    with _world(run) as world:
        return written(folder, lambda write: make_plan(world, policy_for(run), write), tell), world.first


def written(
    folder: Path, make: Callable[[Callable[[Operation], None]], Planned], tell: Teller | None = None
) -> Planned:
    """The plan that `make` makes, as a file in the folder."""
    writer = PlanWriter(folder)

    def write(operation: Operation) -> None:
        writer(operation)
        if tell and operation.number % OFTEN == 0:
            tell("planning", operation.number)

    planned = make(write)
    writer.close()
    return planned


def focus_of(run: SyncRun) -> Focus | None:
    """What the run is about, if not about everything."""
    named = run.task.get("focus")
    if not named:
        return None
    return Focus(*(frozenset(named.get(kind, ())) for kind in ("people", "classes", "schools")))


@contextmanager
def _world(run: SyncRun) -> Iterator[World]:
    own = read_folder(run.connection, run.pk)
    read = own if own.exists() else latest_read(run.connection)
    if read is None:
        raise NothingRead(run.connection.name)
    # A delta is for in between: even of a source that gave everything nothing is concluded then from what is not there.
    whole = run.certificate.get("whole", ()) if own.exists() and run.task.get("kind") != DELTA else ()
    adds = bool(run.task.get(ONLY_ADDS)) or additions_end(run.connection) is not None
    with world_of(run.connection, read, whole=whole, only_adds=adds, focus=focus_of(run)) as world:
        yield world


def _guarded(run: SyncRun, planned: Planned, first: bool) -> list[Hazard]:
    week = removed_within(run.connection, timezone.now() - WEEK)
    found = hazards(planned.stakes, week, policy_for(run).limits, first)
    focus = focus_of(run)
    if focus is None or focus.schools:
        return found
    return [hazard for hazard in found if hazard.code not in OF_A_WHOLE]


def _keep(run: SyncRun, folder: Path, planned: Planned, found: list[Hazard], first: bool) -> None:
    """Raises TakenOver: what an overtaken process made never takes the place of what its successor did."""
    covering = covered(run, folder / OPERATIONS, found)
    with transaction.atomic():
        keep(
            run,
            **into(run, "planned"),
            generation=run.connection.generation,
            fingerprint=planned.fingerprint,
            counts=_counts(planned),
            stakes=_stakes(planned, first),
        )
        if speaks_for_all(run):
            keep_cases(run.connection, run.pk, planned.cases, timezone.now())
        keep_holds(run, covering)
        for name in (OPERATIONS, REMARKS, LOSSES):
            target = run_folder(run) / name
            shelf.delete(target)
            if (folder / name).exists():
                os.replace(folder / name, target)


def _counts(planned: Planned) -> dict[str, Any]:
    return {"operations": planned.counts, "leftOut": planned.left_out}


def _stakes(planned: Planned, first: bool) -> dict[str, Any]:
    """`planned` is what the whole plan removes, `removed` what of it was carried out: later runs hold it against the week's limit."""
    told = planned.stakes.as_json()
    overall = {key: count for key, count in told["counts"].items() if key.startswith("organization|")}
    return {**told, "counts": overall, "planned": planned.stakes.removed(), "removed": {}, "first": first}
