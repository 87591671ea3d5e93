"""The process that commands are forked from (tests/warm): `python -m tests.warm_process SOCKET` waits for them until its standard input ends."""

import json
import os
import random
import signal
import socket
import sys
import threading
from importlib import import_module

from rollbook.cli.main import VERBS, app


def main(place: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: they answer by themselves
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            _take(door)


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _take(door: socket.socket) -> None:
    asked, _ = door.accept()
    with asked:
        size, files, _, _ = socket.recv_fds(asked, 8, 3)
        arguments = json.loads(_read(asked, int.from_bytes(size, "big")))
        _get_ready(arguments)
        if os.fork() == 0:
            _become(asked, arguments, files)
    for file in files:
        os.close(file)


def _read(asked: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += asked.recv(size - len(found))
    return found


def _get_ready(arguments: list[str]) -> None:
    """Reads what the verb needs, so that the next process with it finds it read."""
    verb = next((one for one in arguments if one in VERBS), None)
    if verb:
        import_module(VERBS[verb])


def _become(asked: socket.socket, arguments: list[str], files: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    code = _ran(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(str(code).encode())
    os._exit(0)


def _ran(arguments: list[str]) -> int:
    sys.argv = ["rollbook", *arguments]
    try:
        app(arguments, prog_name="rollbook")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
