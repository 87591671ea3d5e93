"""Undo: back to the roster as it was before or after some run, as a plan like any other: shown, weighed against the limits, held or applied."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rollbook.engine.findings import Findings
from rollbook.engine.undo import make_undo
from rollbook.flows.ingest import Prepared, begin, keep_plan
from rollbook.flows.limits import APPLIED, weigh
from rollbook.flows.progress import Teller
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import Connection, District, Run
from rollbook.store.neighbours import foreign_among, neighbours_of


class NoSuchRun(Refusal):
    """There is no import of this number."""


class NotUndoable(Refusal):
    """Only an import that changed the roster can be undone, and only while its plan and those after it are kept."""


class NothingSince(Refusal):
    """The roster is as this import left it: nothing was applied after it by its connection."""


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
    return plan_undo(begin_undo(undone, started_by))


def prepare_return(kept: Run, started_by: str) -> Prepared:
    """Plan the way back to the roster as `kept` left it: all that its connection applied after it is taken back, undoings too.

    Raises NotUndoable, NothingSince.
    """
    return plan_undo(begin_return(kept, started_by))


def begin_undo(undone: Run, started_by: str, only_preview: bool = False, **about: Any) -> Run:
    """The run that will take back `undone` and what came after. Raises NotUndoable."""
    connection = _applied_by(undone)
    _plans([undone, *_applied_after(undone)])
    return _begun(
        connection, started_by, {"kind": "undo", "before": undone.pk, "preview": only_preview}, undone, about
    )


def begin_return(kept: Run, started_by: str, only_preview: bool = False, **about: Any) -> Run:
    """The run that will take back what came after `kept`. Raises NotUndoable, NothingSince."""
    connection = _applied_by(kept)
    after = _applied_after(kept)
    if not any(run.plan.counts for run in after):
        raise NothingSince(str(kept.pk))
    _plans(after)
    return _begun(
        connection, started_by, {"kind": "undo", "after": kept.pk, "preview": only_preview}, after[0], about
    )


def can_return(kept: Run) -> bool:
    """Whether `prepare_return` would find all it needs, and something to do."""
    if kept.connection_id is None or kept.outcome not in APPLIED or not hasattr(kept, "plan"):
        return False
    changed = [run for run in _applied_after(kept) if run.plan.counts]
    return bool(changed) and all(shelf.place(run.plan.shelf_name).exists() for run in changed)


def returnable(connection: Connection) -> set[int]:
    """The runs of a connection for which `can_return` holds, found in one go."""
    applied = Run.objects.filter(connection=connection, outcome__in=APPLIED, plan__isnull=False)
    found: set[int] = set()
    something_after = False
    for run in applied.select_related("plan").order_by("-ended_at", "-id"):
        if something_after:
            found.add(run.pk)
        if run.plan.counts and not shelf.place(run.plan.shelf_name).exists():
            break
        something_after = something_after or bool(run.plan.counts)
    return found


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


def _begun(
    connection: Connection, started_by: str, task: dict[str, Any], first: Run, about: dict[str, Any]
) -> Run:
    known = {"flow": "undo", "phase": "planning", "undoes": first, "task": task}
    return begin(connection, started_by, **known | about)


def _plans(taken_back: Sequence[Run]) -> list[Path]:
    """Raises NotUndoable where one is not kept any more, or none changed anything."""
    changed = [run for run in taken_back if run.plan.counts]
    plans = [shelf.place(run.plan.shelf_name) for run in changed]
    missing = next((run for run, plan in zip(changed, plans, strict=True) if not plan.exists()), None)
    if missing or not plans:
        raise NotUndoable(str((missing or taken_back[0]).pk))
    return plans


def plan_undo(run: Run) -> Prepared:
    """Plan what this run is to take back, which its task says: all that was applied until now."""
    assert run.connection is not None
    Teller(run)("planning")
    district = District.objects.get(pk=run.district_id)
    plans = _plans(_taken_back_by(run))
    folder = shelf.run_folder(run) / f"attempt-{run.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        accepted = accepted_for(run.connection, district.generation)
        elsewhere = neighbours_of(run.connection, gone_too=True)
        foreign = partial(foreign_among, run.connection) if elsewhere else None
        summary = make_undo(plans, accepted, folder, elsewhere, foreign)
        plan = folder / "plan.parquet"
        hazards = weigh(run.connection, summary, accepted, plan, folder, returning=True)
        keep_plan(run, district, summary, hazards, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Prepared(run, run.connection, Findings(lenient=True), summary, shelf.run_folder(run), hazards)


def _taken_back_by(run: Run) -> list[Run]:
    if "before" in run.task:
        undone = find_run(run.task["before"])
        return [undone, *_applied_after(undone)]
    return _applied_after(find_run(run.task["after"]))
