"""Enqueue: what is to be done becomes a run that waits for its turn. Whoever asks goes on at once."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rollbook.engine.preparation.steps import Step
from rollbook.flows import questions
from rollbook.flows.completeness import keep_certificate
from rollbook.flows.connections import KINDS, KeptByHand, SwitchedOff
from rollbook.flows.districts import MANUAL
from rollbook.flows.fetch import NothingToFetch
from rollbook.flows.holds import AlreadyDecided, refuse_stale, refuse_undecidable, refuse_unrelinkable
from rollbook.flows.ingest import begin
from rollbook.flows.jobs.turns import ANY_WORKER, WAITING
from rollbook.flows.preparation import PREPARATION
from rollbook.flows.previews import PREVIEWED, NotAPreview, refuse_unappliable
from rollbook.flows.progress import ask_nothing, note
from rollbook.flows.steps_change import begin_showing
from rollbook.flows.undo import begin_return, begin_undo, find_run
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Connection, Hold, Preparation, Run

HELD = "held"


class NothingAnew(Refusal):
    """Only a plan that waits, shown or held, can be made anew, and only while its delivery is kept. Upload the package again."""


def enqueue_fetch(
    connection: Connection,
    started_by: str,
    *,
    only_preview: bool = False,
    despite_blackout: bool = False,
    process: str = ANY_WORKER,
) -> Run:
    """Fetch what the other system has, and import it; with `only_preview` show what that would change. Raises SwitchedOff, NothingToFetch."""
    if not connection.enabled:
        raise SwitchedOff(connection.name)
    if KINDS[connection.kind].fetch is None:
        raise NothingToFetch(connection.kind)
    task = {"kind": "fetch", "preview": only_preview}
    return waiting_run(connection, started_by, task, process, despite_blackout=despite_blackout)


def enqueue_delivery(
    connection: Connection,
    path: Path,
    started_by: str,
    certificate: Mapping[str, Any] | None = None,
    *,
    only_preview: bool = False,
    arrived: str = "",
    despite_blackout: bool = False,
    process: str = ANY_WORKER,
) -> Run:
    """Import the package at `path`, a file or a folder: it is kept on the shelf before this returns, and may go. Raises SwitchedOff.

    With `only_preview` it is planned and shown, and nothing is applied. `arrived` is kept with the run, to know it again by.
    Raises KeptByHand for the connection of manual records.
    """
    if not connection.enabled:
        raise SwitchedOff(connection.name)
    if connection.kind == MANUAL:
        raise KeptByHand(connection.name)
    snapshot = shelf.keep_delivery(connection, path)
    keep_certificate(snapshot, certificate)
    task = {"kind": "delivery", "preview": only_preview, "arrived": arrived}
    about = {"snapshot": snapshot, "despite_blackout": despite_blackout}
    return waiting_run(connection, started_by, task, process, **about)


def enqueue_undo(
    undone: Run, started_by: str, *, only_preview: bool = False, process: str = ANY_WORKER
) -> Run:
    """Back to the roster as it was before `undone`. Raises NotUndoable."""
    return _in_line(begin_undo(undone, started_by, only_preview, phase=WAITING, process=process))


def enqueue_return(
    kept: Run, started_by: str, *, only_preview: bool = False, process: str = ANY_WORKER
) -> Run:
    """Back to the roster as `kept` left it. Raises NotUndoable, NothingSince."""
    return _in_line(begin_return(kept, started_by, only_preview, phase=WAITING, process=process))


def enqueue_decision(hold: Hold, decision: str, by: str, why: str, *, process: str = ANY_WORKER) -> Run:
    """Apply a held plan (`apply`), and raise the limits it reached too (`raise`): its run waits again.

    Raises WhyNeeded, AlreadyDecided, StaleBasis.
    """
    refuse_undecidable(hold, why)
    refuse_stale(hold)
    task = {"kind": "decide", "decision": decision, "by": by, "why": why}
    if not wait_again(hold.run, "held", task, process):
        raise AlreadyDecided(str(hold.run_id))
    return hold.run


def enqueue_relink(hold: Hold, by: str, why: str, *, process: str = ANY_WORKER) -> Run:
    """Plan the delivery of a held run anew, with its re-keyed records re-linked. Raises NothingToRelink, WhyNeeded, AlreadyDecided."""
    refuse_unrelinkable(hold, why)
    assert hold.run.connection is not None
    task = {"kind": "relink", "held": hold.run_id, "by": by, "why": why}
    return waiting_run(hold.run.connection, by, task, snapshot=hold.run.snapshot, process=process)


def enqueue_preview(run: Run, by: str, *, process: str = ANY_WORKER) -> Run:
    """Carry out a preview as it was shown. Raises NotAPreview, PlanGone, StaleBasis."""
    refuse_unappliable(run)
    if not wait_again(run, PREVIEWED, {"kind": "preview", "by": by}, process):
        raise NotAPreview(str(run.pk))
    return run


def enqueue_steps(draft: Preparation, by: str, *, process: str = ANY_WORKER) -> Run:
    """Plan the last delivery anew with the steps of the draft, to be looked at. Raises NothingToShow."""
    return _in_line(begin_showing(draft, by, phase=WAITING, process=process))


def enqueue_rehearsal(connection: Connection, package: Path | None, name: str, on: date, by: str) -> Run:
    """Rehearse a package, or the connection's newest delivery. Raises BadDay, NothingToRehearse."""
    about = {"phase": WAITING, "process": ANY_WORKER}
    return _in_line(questions.begin_rehearsal(connection, package, name, on, by, **about))


def enqueue_comparison(connection: Connection, package: Path, name: str, by: str) -> Run:
    """Compare a package with what a server says now. Raises NotAServer."""
    about = {"phase": WAITING, "process": ANY_WORKER}
    return _in_line(questions.begin_comparison(connection, package, name, by, **about))


def enqueue_trial(connection: Connection, steps: Sequence[Step], by: str) -> Run:
    """Try steps on the last delivery that is kept. Raises NothingToTry."""
    about = {"phase": WAITING, "process": ANY_WORKER}
    return _in_line(questions.begin_trial(connection, steps, by, **about))


def enqueue_anew(run: Run, by: str, *, process: str = ANY_WORKER) -> Run:
    """Plan anew what another run has made stale: what was only shown is shown again, what is held is judged again and waits, or is applied.

    Raises NothingAnew, and what speaks against going back, or against showing what a change of steps does.
    """
    if run.outcome not in (PREVIEWED, HELD) or run.connection is None:
        raise NothingAnew(str(run.pk))
    if run.flow == "undo":
        return _gone_back_anew(run, by, process)
    if run.flow == PREPARATION:
        draft = Preparation.objects.filter(preview=run, connection=run.connection).first()
        if draft is None:
            raise NothingAnew(str(run.pk))
        return enqueue_steps(draft, by, process=process)
    if run.snapshot is None or run.snapshot.removed_at:
        raise NothingAnew(str(run.pk))
    task = {"kind": "delivery", "preview": run.outcome == PREVIEWED}
    return waiting_run(run.connection, by, task, process, snapshot=run.snapshot)


def _gone_back_anew(run: Run, by: str, process: str) -> Run:
    """Going back is always shown first."""
    if "before" in run.task:
        return enqueue_undo(find_run(run.task["before"]), by, only_preview=True, process=process)
    return enqueue_return(find_run(run.task["after"]), by, only_preview=True, process=process)


def waiting_run(
    connection: Connection, started_by: str, task: dict[str, Any], process: str = ANY_WORKER, **about: Any
) -> Run:
    """A run that any worker may walk, or the process that is named."""
    return _in_line(begin(connection, started_by, phase=WAITING, process=process, task=task, **about))


def wait_again(run: Run, outcome: str, task: dict[str, Any], process: str) -> bool:
    """Whether the run, which had ended so, waits again now. Where it is cancelled then, it is what it was."""
    was = {"outcome": outcome, "phase": run.phase, "message": run.message}
    about = {"outcome": "", "phase": WAITING, "message": "", "ended_at": None, "turn_at": None}
    changed = {**about, "process": process, "task": task | {"was": was}}
    if not Run.objects.filter(pk=run.pk, outcome=outcome).update(**changed):
        return False
    run.refresh_from_db()
    ask_nothing(run.pk)
    _in_line(run)
    return True


def _in_line(run: Run) -> Run:
    note(run.pk, WAITING)
    return run
