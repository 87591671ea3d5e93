"""`python -m rollbook.worker`: the worker as a process of its own; `rollbook worker` and `rollbook serve` start it.

With `--beside` it ends when the process that started it does, however that came about. It takes second place to whoever reads.
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.flows.broker.notices import keep_telling  # noqa: E402  # names models, so only once Django is set up
from rollbook.flows.export_tests import keep_testing  # noqa: E402  # the same
from rollbook.flows.jobs.worker import work  # noqa: E402  # the same
from rollbook.flows.sanity import keep_checking  # noqa: E402  # the same
from rollbook.flows.sign_ins import keep_pouring  # noqa: E402  # the same

NICE = 5
"""A third of what the server gets where both want the processor, and all of it where nobody else does."""


def main(arguments: list[str]) -> None:
    """Works until a signal, or the end of its parent, ends it."""
    _take_second_place("--beside" in arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if "--beside" in arguments:
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    # Sanity checks and tests of exports change no roster, so they wait for nobody's turn.
    threading.Thread(target=keep_checking, args=(stop,), daemon=True).start()
    threading.Thread(target=keep_testing, args=(stop,), daemon=True).start()
    threading.Thread(target=keep_pouring, args=(stop,), daemon=True).start()
    threading.Thread(target=keep_telling, args=(stop,), daemon=True).start()
    work(stop, settings.WORKER_RUNS)


def _take_second_place(beside: bool) -> None:
    """An import may take its time, a reader waits: whoever answers goes first.

    Linux shares the processors out among sessions first, and `nice` counts only within one: so the worker has a session of its own, and that
    is made as nice. Where a shell started it the session is the shell's, and stays as it is.
    """
    os.nice(NICE)
    if beside and os.getpgid(0) != os.getpid():
        os.setsid()
    if os.getsid(0) == os.getpid():
        # Only Linux has this file, and only where it groups so.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")


def _stop_with_parent(stop: threading.Event) -> None:
    """The parent never writes: the pipe says something only when it is gone."""
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stderr.flush()
    # What is under way is not waited for: it can be killed at any line, and goes on in the next worker.
    os._exit(0)
