"""Giving way: who works long, and is waited for by nobody, rests between two pieces of the work while others want the processors.

An operating system shares processors out fairly, and so lets those wait who have only a page to answer. `nice` says who goes first within a
program's own processes; PostgreSQL's, which do a good part of an import's work, are not told. But they work only while they are asked to.
"""

import time
from pathlib import Path

WAITS = Path("/proc/thread-self/schedstat")
"""Nanoseconds for which this thread has run, and has waited for a processor (Linux, Documentation/scheduler/sched-stats.rst). Where there is
no such file nobody rests.
"""

WANTED = 0.2
"""Others want the processors where a thread that could have run has waited for so much of that time."""

SHARE = 2
"""A rest is so many times as long as the piece of work before it."""

SHORTEST, LONGEST = 0.01, 0.5
"""Seconds of work after which it is worth looking, and of a rest at most."""


def _ran_and_waited() -> tuple[int, int]:
    """Nanoseconds of this thread until now."""
    try:
        ran, waited, _ = WAITS.read_text(encoding="ascii").split()
    except OSError:
        return 0, 0
    return int(ran), int(waited)


class GivingWay:
    """Called between two pieces of work by the thread that does it: rests for longer than the last one took, if others want the processors."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), _ran_and_waited()

    def __call__(self) -> None:
        took = time.monotonic() - self._began
        if took < SHORTEST:
            return
        ran, waited = (now - then for now, then in zip(_ran_and_waited(), self._before, strict=True))
        if waited > WANTED * (ran + waited):
            time.sleep(min(SHARE * took, LONGEST))
        self._began, self._before = time.monotonic(), _ran_and_waited()
