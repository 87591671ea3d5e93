"""Programs that run beside this one, as processes of their own: begun with it, begun again when they end, ended with it."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

AGAIN_AFTER = 5.0
LOOKED_EVERY = 0.2
AT_THE_LATEST = 60.0
"""Seconds: a program that waits for its turn begins then, whatever it waited for."""

Turn = Callable[[], bool]


def at_once() -> bool:
    return True


@contextmanager
def kept_beside(command: Sequence[str], name: str, turn: Turn = at_once) -> Iterator[None]:
    """Keeps the program running while the block does, begun when it is its `turn`.

    Its standard input ends when this process does, however that came about.
    """
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_running, args=(command, stop, turn), name=name)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_running(command: Sequence[str], stop: threading.Event, turn: Turn) -> None:
    latest = time.monotonic() + AT_THE_LATEST
    while not (turn() or time.monotonic() > latest or stop.wait(LOOKED_EVERY)):
        pass
    while not stop.is_set():
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        while process.poll() is None and not stop.wait(LOOKED_EVERY):
            pass
        if stop.is_set():
            process.terminate()
            process.wait()
        stop.wait(AGAIN_AFTER)
