"""Beats: which processes are alive. Each that works on runs says so once a second; one that has not for a while is taken for dead."""

import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from logging import getLogger
from threading import Event, Thread

from django.db import close_old_connections, connections
from django.db.models import F
from django.utils import timezone

from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.store.models import Run, Worker

BEAT = 1.0
DEAD_AFTER = timedelta(seconds=15)
"""Long enough for a machine that is busy, short enough that a night's import is still done in the night."""

WORKER, COMMAND = "worker", "command"
THE_ONLY = "local"
"""The name of the one worker on SQLite: the same at every start, so that it finds what it left."""

log = getLogger(__name__)


def a_name(kind: str) -> str:
    """A name that no other process has, and none will have. `kind` is WORKER or COMMAND."""
    return f"{kind}-{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


@contextmanager
def beating(name: str) -> Iterator[None]:
    """This process is alive under this name while the block runs."""
    stop = Event()
    _beat(name)
    thread = Thread(target=_keep_beating, args=(name, stop), name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        Worker.objects.filter(name=name).delete()


def alive(now: datetime) -> list[Worker]:
    """Those that are, the one that has been for longest first; what is kept of the dead is taken away."""
    found = list(Worker.objects.order_by("started_at", "name"))
    dead = [one.name for one in found if is_dead(one, now)]
    if dead:
        Worker.objects.filter(name__in=dead).delete()
    return [one for one in found if one.name not in dead]


def is_worker(name: str) -> bool:
    """Whether it walks what waits, and not only a run of its own."""
    return name == THE_ONLY or name.startswith(f"{WORKER}-")


def end_walks_of_the_dead(living: Sequence[str]) -> None:
    """A command that was stopped in the middle has changed nothing; its run says so."""
    theirs = Run.objects.filter(outcome="").exclude(process__in=["", ANY_WORKER, *living])
    words = "The command was stopped in the middle. Nothing was changed; give it again."
    # The fence: if it is not dead after all, it changes nothing any more.
    theirs.update(outcome="failed", message=words, ended_at=timezone.now(), fence=F("fence") + 1)


def is_dead(worker: Worker, now: datetime) -> bool:
    """Of one on this host it is known at once."""
    here = worker.host == socket.gethostname()
    return now - worker.beat_at > DEAD_AFTER or (here and not _exists(worker.process))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, under another user
    return True


def _keep_beating(name: str, stop: Event) -> None:
    while not stop.wait(BEAT):
        close_old_connections()
        try:
            _beat(name)
        except Exception:
            # Whatever it was: while this process lives it goes on saying so.
            log.exception("the beat of %s could not be written", name)
    connections.close_all()


def _beat(name: str) -> None:
    now = timezone.now()
    known = {"host": socket.gethostname(), "process": os.getpid()}
    if not Worker.objects.filter(name=name).update(beat_at=now):
        Worker.objects.create(name=name, started_at=now, beat_at=now, **known)
