"""Own runs: a process that walks its run itself, as a command does, takes its district's turn like all others."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from rollbook.flows.ingest import Prepared, carry_out, plan
from rollbook.flows.jobs.beats import COMMAND, a_name, alive, beating, end_walks_of_the_dead, is_worker
from rollbook.flows.jobs.steps import Step, obtain
from rollbook.flows.jobs.turns import ahead_of, give_back, take_turn
from rollbook.flows.jobs.walk import walk
from rollbook.flows.post import send_due
from rollbook.flows.undo import plan_undo
from rollbook.store.models import Run

LOOK = 0.3
Say = Callable[[str], None]


@contextmanager
def own_process() -> Iterator[str]:
    """The name to enqueue under what this process walks itself. What it leaves open is over when the block ends."""
    name = a_name(COMMAND)
    with beating(name):
        try:
            yield name
        finally:
            left = Run.objects.filter(process=name, outcome="")
            left.update(outcome="declined", message="Not applied.", ended_at=timezone.now())
            send_due()  # there may be no worker who would


def walk_here(run: Run, say: Say) -> Run:
    """Walks the run to its end, when it is its turn; `say` is told what is waited for, and what another system is asked."""
    wait_for_turn(run, say)
    walk(run.pk, lambda step, run_id: _here(step, run_id, say))
    run.refresh_from_db()
    return run


def plan_here(run: Run, say: Say) -> Prepared:
    """The run planned, when it is its turn, which is given back then. Raises NotAPackage, with the run ended as refused."""
    wait_for_turn(run, say)
    prepared = plan_undo(run) if run.flow == "undo" else plan(run)
    give_back(run)
    return prepared


def carry_out_here(prepared: Prepared, say: Say) -> Run:
    """What was planned is carried out, when it is its turn again. Raises StaleBasis where another run came between."""
    if not prepared.run.outcome:
        wait_for_turn(prepared.run, say)
    return carry_out(prepared)


def wait_for_turn(run: Run, say: Say) -> None:
    """Returns when the run has its district's turn."""
    told = ""
    while not take_turn(run):
        living = [one.name for one in alive(timezone.now())]
        end_walks_of_the_dead(living)
        if (words := _waiting(ahead_of(run), any(map(is_worker, living)))) != told:
            say(words)
            told = words
        time.sleep(LOOK)


def _waiting(ahead: int, a_worker_lives: bool) -> str:
    words = f"Waiting: {ahead} other {'import is' if ahead == 1 else 'imports are'} before this one."
    return words if a_worker_lives else f"{words} No worker is running: `rollbook worker` starts one."


def _here(step: Step, run_id: int, say: Say) -> bool:
    return obtain(run_id, say) if step is obtain else step(run_id)
