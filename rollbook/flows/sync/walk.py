"""The walk of a sync run, step by step, whoever drives it."""

from collections.abc import Callable

from rollbook.flows.sync.steps import Step, act, plan, read
from rollbook.store.models import SyncRun

STEPS: tuple[Step, ...] = (read, plan, act)


def _at_once(step: Step, run_id: int) -> bool:
    return step(run_id)


def walk(run_id: int, do: Callable[[Step, int], bool] = _at_once) -> None:
    """Walks the run to its end. `do` carries out a step, and may remember what came of it."""
    for step in STEPS:
        if not do(step, run_id):
            return


def walked(run: SyncRun) -> SyncRun:
    """The run, walked here and now by somebody who has its turn."""
    walk(run.pk)
    run.refresh_from_db()
    return run
