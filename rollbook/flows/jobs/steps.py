"""The steps of a run. Each can be killed at any line and done again; one that finds its work done leaves it.

A step takes the run (`Run.fence`): from then on whoever was at it before changes nothing any more.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import close_old_connections
from django.db.models import F

from rollbook.connectors.contract import ConnectorRefusal
from rollbook.engine.package import NotAPackage
from rollbook.flows import ingest, questions
from rollbook.flows.fetch import fetched
from rollbook.flows.holds import (
    apply_and_raise,
    apply_once,
    find_hold,
    refuse_unrelinkable,
    settle_relinked,
)
from rollbook.flows.previews import PREVIEWED, SHOWN
from rollbook.flows.progress import OUT_OF_REACH, Cancelled, TakenOver, Teller, ask_nothing, note, of, taken
from rollbook.flows.undo import plan_undo
from rollbook.refusal import Refusal
from rollbook.store.models import Hold, Run
from rollbook.work_folders import work_folder

MOST_TAKINGS = 40
"""So often may a run be taken before it is believed to be what its processes die of; an undisturbed one is taken three times."""

log = logging.getLogger(__name__)

KEEPING_THEIR_PLAN = ("decide", "preview")
"""Tasks that carry out what somebody has looked at: it is never planned anew."""

Step = Callable[[int], bool]
"""Does its part of the run with this number; whether the run goes on."""


def obtain(run_id: int, say: Callable[[str], None] = lambda _: None) -> bool:
    """The delivery is on the shelf. `say` is told what another system is asked for it."""
    return _step(run_id, lambda run: _obtain(run, say))


def plan(run_id: int) -> bool:
    """The run is planned, or has ended because it cannot be."""
    return _step(run_id, _plan)


def act(run_id: int) -> bool:
    """What was planned is applied and published, or held. True: the roster has moved meanwhile, plan again."""
    return _step(run_id, _act)


def give_up(run_id: int) -> bool:
    """The run ends, because it has been tried often enough."""
    return _step(
        run_id, lambda run: end(run, "failed", "It was begun several times and never came to its end.")
    )


def end(run: Run, outcome: str, words: str, phase: str | None = None) -> None:
    """Raises TakenOver."""
    columns = {
        "outcome": outcome,
        "message": words,
        "ended_at": datetime.now(UTC),
        "phase": phase or run.phase,
    }
    if not taken(run).update(**columns):
        raise TakenOver(str(run.pk))
    run.outcome, run.message = outcome, words
    note(run.pk, "done")


def end_cancelled(run: Run, by: str) -> None:
    """One that had ended before it waited again is what it was; another is over. Raises TakenOver."""
    was = run.task.get("was")
    if was:
        end(run, was["outcome"], was["message"], was["phase"])
    else:
        end(run, "cancelled", f"Cancelled by {by}. Nothing of it was applied.")


def _step(run_id: int, work: Callable[[Run], None]) -> bool:
    close_old_connections()
    try:
        run = _take(run_id)
        if run is None:
            return False
        _do(run, work)
        return not run.outcome
    except TakenOver:
        log.warning("run %s: another process has taken it over", run_id)
        return False
    finally:
        close_old_connections()


def _take(run_id: int) -> Run | None:
    """The run, taken; None where there is nothing left to do, or it was removed with its connection."""
    Run.objects.filter(pk=run_id, outcome="").update(fence=F("fence") + 1)
    found = Run.objects.filter(pk=run_id, outcome="")
    run = found.select_related("connection__district", "snapshot", "plan", "hold").first()
    if run and run.fence > MOST_TAKINGS:
        end(run, "failed", "It was begun again and again and never came to its end.")
        return None
    return run


def _do(run: Run, work: Callable[[Run], None]) -> None:
    """What is refused ends the run in words, and so does a fault, which is logged. The database out of reach is a reason to do it again."""
    try:
        work(run)
    except (TakenOver, *OUT_OF_REACH):
        raise
    except Cancelled:
        _cancelled(run)
    except (Refusal, NotAPackage) as refusal:
        _end_unless_ended(run, "refused", getattr(refusal, "words", str(refusal)))
    except Exception as fault:
        # Who looks at the run is told; the worker goes on with those of other districts.
        log.exception("run %s", run.pk)
        _end_unless_ended(run, "failed", f"{type(fault).__name__} while {run.phase}; nothing was changed.")


def _end_unless_ended(run: Run, outcome: str, words: str) -> None:
    if not run.outcome:
        end(run, outcome, words)


def _cancelled(run: Run) -> None:
    end_cancelled(run, of(run.pk).values_list("cancelled_by", flat=True).first() or "")


def _obtain(run: Run, say: Callable[[str], None]) -> None:
    if run.task.get("kind") != "fetch" or run.snapshot:
        return
    assert run.connection is not None
    tell = Teller(run)
    tell("fetching")

    def heard(words: str) -> None:
        say(words)
        tell("fetching")

    with work_folder("fetch") as work:
        try:
            delivery = fetched(run.connection, work, datetime.now(UTC), heard)
        except ConnectorRefusal as refusal:
            end(run, "failed", refusal.words)
            return
        ingest.keep(run, delivery.path, delivery.certificate)


def _plan(run: Run) -> None:
    kind = run.task.get("kind")
    if kind in KEEPING_THEIR_PLAN:
        Teller(run)("planned")
    elif kind == questions.KIND:
        questions.answer(run)
    elif kind == "undo":
        plan_undo(run)
    else:
        ingest.plan(run, _held(run) if kind == "relink" else None)


def _held(run: Run) -> Run:
    """The run whose delivery this one plans anew. Raises what speaks against it."""
    hold = find_hold(run.task["held"])
    refuse_unrelinkable(hold, run.task["why"], is_decided=hold.decision == Hold.Decision.RELINK)
    return hold.run


def _act(run: Run) -> None:
    if run.task.get("preview"):
        end(run, PREVIEWED, SHOWN)
    elif run.task.get("kind") == "decide":
        _decide(run)
    else:
        _settle(run)
        _act_unless_stale(run)


def _decide(run: Run) -> None:
    hold = find_hold(run.pk)
    hold.run = run
    apply_it = {"apply": apply_once, "raise": apply_and_raise}[run.task["decision"]]
    try:
        apply_it(hold, run.task["by"], run.task["why"])
    except ingest.StaleBasis:
        # Nothing is decided: it is held as before, and can be planned anew.
        was = run.task["was"]
        end(run, was["outcome"], was["message"], was["phase"])


def _settle(run: Run) -> None:
    """A held plan is done with once another is made in its place."""
    if run.task.get("kind") == "relink" and not find_hold(run.task["held"]).decision:
        settle_relinked(find_hold(run.task["held"]), run, run.task["by"], run.task["why"])


def _act_unless_stale(run: Run) -> None:
    try:
        ingest.act(run)
    except ingest.StaleBasis as refusal:
        if run.task.get("kind") in KEEPING_THEIR_PLAN:
            end(run, run.task["was"]["outcome"], refusal.words)
        else:
            ask_nothing(run.pk)  # it begins anew, and may be cancelled again
        log.info("run %s: the roster has moved since it was planned", run.pk)
