"""Programs that run beside this one, as processes of their own: begun with it, begun again when they end, ended with it."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

AGAIN_AFTER = 5.0


@contextmanager
def kept_beside(command: Sequence[str], name: str) -> Iterator[None]:
    """Keeps the program running while the block does. Its standard input ends when this process does, however that came about."""
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_running, args=(command, stop), name=name)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_running(command: Sequence[str], stop: threading.Event) -> None:
    while not stop.is_set():
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        while process.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            process.terminate()
            process.wait()
        stop.wait(AGAIN_AFTER)
