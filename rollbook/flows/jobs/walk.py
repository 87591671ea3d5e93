"""The walk of a run, step by step, whoever drives it."""

from collections.abc import Callable

from rollbook.flows.jobs.steps import Step, act, give_up, obtain, plan
from rollbook.flows.jobs.turns import give_turns

ATTEMPTS = 3
"""How often a run is planned, where the roster moves between its plan and its applying."""


def _at_once(step: Step, run_id: int) -> bool:
    return step(run_id)


def walk(run_id: int, do: Callable[[Step, int], bool] = _at_once) -> None:
    """Walks the run to its end. `do` carries out a step, and may remember what came of it."""
    if not do(obtain, run_id):
        return
    for _ in range(ATTEMPTS):
        if not do(plan, run_id) or not do(act, run_id):
            return
    do(give_up, run_id)


def work_off() -> int:
    """Walks all that waits, here and now, one after another; how many that were."""
    walked = 0
    while turns := give_turns():
        for run in turns:
            walk(run.pk)
        walked += len(turns)
    return walked
