"""Undo: back to the roster as it was before or after some run, as a plan like any other: shown, weighed against the limits, held or applied."""

import shutil
from collections.abc import Sequence

from rollbook.engine.findings import Findings
from rollbook.engine.undo import make_undo
from rollbook.flows.ingest import Prepared, begin, keep_plan
from rollbook.flows.limits import APPLIED, weigh
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import Connection, District, Run


class NoSuchRun(Refusal):
    """There is no run of this number."""


class NotUndoable(Refusal):
    """Only a run that changed the roster can be undone, and only while its plan and those after it are kept."""


class NothingSince(Refusal):
    """The roster is as this run left it: nothing was applied after it by its connection."""


def find_run(run_id: int, district: District | None = None) -> Run:
    """Raises NoSuchRun; where a district is given, for one of another district too."""
    run = Run.objects.select_related("connection", "plan").filter(pk=run_id).first()
    if run is None or (district is not None and run.district_id != district.pk):
        raise NoSuchRun(str(run_id))
    return run


def prepare_undo(undone: Run, started_by: str) -> Prepared:
    """Plan the way back to before `undone`: all that its connection applied since is taken back too. `carry_out` does the rest.

    Raises NotUndoable.
    """
    connection = _applied_by(undone)
    return _prepared(connection, [undone, *_applied_after(undone)], started_by)


def prepare_return(kept: Run, started_by: str) -> Prepared:
    """Plan the way back to the roster as `kept` left it: all that its connection applied after it is taken back, undoings too.

    Raises NotUndoable, NothingSince.
    """
    connection = _applied_by(kept)
    after = _applied_after(kept)
    if not any(run.plan.counts for run in after):
        raise NothingSince(str(kept.pk))
    return _prepared(connection, after, started_by)


def can_return(kept: Run) -> bool:
    """Whether `prepare_return` would find all it needs, and something to do."""
    if kept.connection_id is None or kept.outcome not in APPLIED or not hasattr(kept, "plan"):
        return False
    changed = [run for run in _applied_after(kept) if run.plan.counts]
    return bool(changed) and all(shelf.place(run.plan.shelf_name).exists() for run in changed)


def _applied_by(run: Run) -> Connection:
    if run.connection is None or run.outcome not in APPLIED or not hasattr(run, "plan"):
        raise NotUndoable(str(run.pk))
    return run.connection


def _applied_after(run: Run) -> list[Run]:
    """What the run's connection applied after it, in that order."""
    applied = Run.objects.filter(
        connection=run.connection_id,
        outcome__in=APPLIED,
        plan__isnull=False,
        ended_at__gte=run.ended_at,
    )
    return list(applied.exclude(pk=run.pk).select_related("plan").order_by("ended_at", "id"))


def _prepared(connection: Connection, taken_back: Sequence[Run], started_by: str) -> Prepared:
    changed = [run for run in taken_back if run.plan.counts]
    plans = [shelf.place(run.plan.shelf_name) for run in changed]
    missing = next((run for run, plan in zip(changed, plans, strict=True) if not plan.exists()), None)
    if missing or not plans:
        raise NotUndoable(str((missing or taken_back[0]).pk))
    run = begin(connection, started_by, flow="undo", phase="planning", undoes=taken_back[0])
    run.task = {"kind": "undo", "plans": [one.plan.shelf_name for one in changed]}
    run.save(update_fields=["task"])
    return plan_undo(run)


def plan_undo(run: Run) -> Prepared:
    """Plan what this run is to take back: its task names the plans."""
    assert run.connection is not None
    district = District.objects.get(pk=run.district_id)
    plans = [shelf.place(name) for name in run.task["plans"]]
    folder = shelf.run_folder(run) / f"attempt-{run.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        accepted = accepted_for(run.connection, district.generation)
        summary = make_undo(plans, accepted, folder)
        hazards = weigh(run.connection, summary, accepted, folder / "plan.parquet", folder)
        keep_plan(run, district, summary, hazards, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Prepared(run, run.connection, Findings(lenient=True), summary, shelf.run_folder(run), hazards)
