"""The worker: gives out turns, hands runs and syncs that have theirs, and deliveries, to the engine, and sees to those whose process has died.

On PostgreSQL any number may run, on any hosts; on SQLite one, which others that are started wait to take the place of.
"""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from rollbook.flows import deliveries
from rollbook.flows.jobs import drive
from rollbook.flows.jobs.beats import (
    THE_ONLY,
    WORKER,
    a_name,
    alive,
    beating,
    end_walks_of_the_dead,
    is_worker,
)
from rollbook.flows.jobs.turns import ANY_WORKER, give_turns
from rollbook.flows.post import posting
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.flows.sync import turns as syncs
from rollbook.store.models import Run
from rollbook.store.routers import homes
from rollbook.work_folders import remove_forsaken

LOOK = 0.5
SWEEP = 3.0
FORGET = 3600.0
log = logging.getLogger(__name__)


def work(stop: Event, at_once: int) -> None:
    """Walks what waits, until `stop` is set; then the process has to end, whatever its threads are doing.

    What is under way goes on in the next worker, from the step it was in.
    """
    with the_place(stop) as name:
        if stop.is_set():
            return
        remove_forsaken()
        with beating(name), posting():
            drive.launch(name, at_once if name != THE_ONLY else 1)
            log.debug("worker %s", name)
            _keep_working(name, stop)


@contextmanager
def the_place(stop: Event) -> Iterator[str]:
    """The worker's name; on SQLite once no other has it."""
    if len(homes()) == 1:
        yield a_name(WORKER)
        return
    file = Path(settings.DATA_DIR) / "worker.lock"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a") as lock:
        while not stop.is_set() and not _locked(lock.fileno()):
            stop.wait(LOOK)
        yield THE_ONLY


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False  # another worker has it
    return True


def _keep_working(name: str, stop: Event) -> None:
    swept = forgot = float("-inf")
    while not stop.is_set():
        close_old_connections()
        try:
            give_turns()
            for run in with_turn():
                drive.give(run)
            for delivery in deliveries.waiting(timezone.now()):
                drive.give_delivery(delivery)
            syncs.give_turns()
            for sync in syncs.with_turn():
                drive.give_sync(sync)
            if time.monotonic() - swept > SWEEP:
                sweep(name)
                swept = time.monotonic()
            if time.monotonic() - forgot > FORGET:
                drive.forget_the_old()
                forgot = time.monotonic()
        except OUT_OF_REACH:
            # On SQLite the roster is closed to others while an import is applied: what waits, waits a little longer.
            log.info("the database does not answer; looking again")
        except Exception:
            # Runs wait for the next look; a worker that ended here would look at none again.
            log.exception("looking for what is to be done")
        stop.wait(LOOK)


def with_turn() -> list[Run]:
    """The runs a worker has to walk now."""
    return list(Run.objects.filter(outcome="", turn_at__isnull=False, process=ANY_WORKER).order_by("turn_at"))


def sweep(name: str) -> None:
    """What died is gone on with, or ended. Of several workers the one that has been alive longest does it."""
    living = [one.name for one in alive(timezone.now())]
    workers = [one for one in living if is_worker(one)]
    if workers[:1] != [name]:
        return
    end_walks_of_the_dead(living)
    deliveries.end_those_of_the_dead(living)
    syncs.end_those_of_the_dead(living)
    for turn in drive.resume_those_of_the_dead(workers):
        log.warning("%s goes on: the worker that had it is dead", turn)
    for run in with_turn():
        if drive.is_over(run):
            _begin_again(run)
    for delivery in deliveries.waiting(timezone.now()):
        if drive.is_delivery_over(delivery):
            deliveries.begin_again(delivery)
    for sync in syncs.with_turn():
        if drive.is_sync_over(sync) and syncs.begin_again(sync):
            log.warning("sync run %s is begun again", sync.pk)


def _begin_again(run: Run) -> None:
    """The engine gave up a run that has not ended: it gets another turn, and with it another name there."""
    if Run.objects.filter(pk=run.pk, outcome="", turn_at=run.turn_at).update(turn_at=timezone.now()):
        log.warning("run %s is begun again", run.pk)
