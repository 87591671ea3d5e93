"""Own sync runs: a process that walks its run itself, as a command does, takes its organization's turn like all others."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db.models import F
from django.utils import timezone

from rollbook.flows.jobs.beats import COMMAND, a_name, alive, beating
from rollbook.flows.sync.runs import take_turn
from rollbook.flows.sync.turns import end_those_of_the_dead
from rollbook.flows.sync.walk import walked
from rollbook.store.models import SyncRun

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
            left = SyncRun.objects.filter(process=name, outcome="")
            left.update(
                outcome="failed",
                message="The command ended before the run did. The next run goes on from what is there.",
                ended_at=datetime.now(UTC),
                phase="done",
                turn_at=None,
                fence=F("fence") + 1,
            )


def walk_here(run: SyncRun, say: Say) -> SyncRun:
    """Walks the run to its end, when it is its turn; `say` is told what is waited for."""
    while True:
        _wait_for_turn(run, say)
        walked(run)
        if run.outcome or run.turn_at is not None:
            return run
        say(run.message)  # it waits for its source, and then goes on


def _wait_for_turn(run: SyncRun, say: Say) -> None:
    told = False
    while not take_turn(run):
        end_those_of_the_dead([one.name for one in alive(timezone.now())])
        run.refresh_from_db()
        if run.outcome:
            return  # somebody cancelled it
        if not told and run.not_before is None:
            say("Waiting: another sync of this organization is before this one.")
            told = True
        time.sleep(LOOK)
