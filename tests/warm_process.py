"""The process that others are forked from (tests/warm): `python -m tests.warm_process SOCKET` waits to be asked until its standard input ends.

A program is `rollbook …`, or `-c CODE …` or `-m MODULE …` as Python takes them.
"""

import ast
import contextlib
import json
import logging
import os
import random
import runpy
import signal
import socket
import sys
import tempfile
import threading
import traceback
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.conf import Settings, settings
from django.core.signals import setting_changed
from django.db import connections
from django.db.utils import ConnectionHandler
from django.test import signals
from django.utils.log import configure_logging

from rollbook.cli.main import VERBS, app

UNDER_WAY: dict[int, socket.socket] = {}
"""Who asked for each process."""

OWN_SETTINGS = "rollbook.settings"
SECRET = ("SECRET_KEY", "FIELD_KEYS")
"""Settings that nobody keeps, and that are made when they are looked at."""


def main(place: str) -> None:
    signal.signal(signal.SIGCHLD, _tell_of_ended)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            _take(door.accept()[0])


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _tell_of_ended(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            asked = UNDER_WAY.pop(ended[0])
            # Who does not want to know has gone.
            with contextlib.suppress(OSError):
                asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
            asked.close()


def _take(asked: socket.socket) -> None:
    size, files, _, _ = socket.recv_fds(asked, 8, 3)
    environ, program = json.loads(_read(asked, int.from_bytes(size, "big")))
    _get_ready(program)
    # Nobody hears that the child has ended before it is known whose it is.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        asked.close()
        _become(environ, program, files)
    UNDER_WAY[child] = asked
    asked.sendall(b"%d\n" % child)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for file in files:
        os.close(file)


def _read(asked: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += asked.recv(size - len(found))
    return found


# --- Before the fork ------------------------------------------------------------------------------------------------------------------


def _get_ready(program: list[str]) -> None:
    """Reads what the program needs, so that the next process with it finds it read. Whatever is wrong with it, it will say itself."""
    kind, *rest = program
    with contextlib.suppress(Exception):
        if kind == "-c":
            _read_imports(rest[0])
        elif kind == "-m":
            spec = find_spec(rest[0])
            assert spec
            assert spec.origin
            with open(spec.origin, encoding="utf-8") as source:
                _read_imports(source.read())
        else:
            verb = next((one for one in rest if one in VERBS), None)
            if verb:
                import_module(VERBS[verb])


def _read_imports(source: str) -> None:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            for one in node.names:
                import_module(one.name)
        elif isinstance(node, ast.ImportFrom):
            module = import_module(node.module or "")
            for one in node.names:
                if not hasattr(module, one.name):
                    import_module(f"{node.module}.{one.name}")


# --- Behind it ------------------------------------------------------------------------------------------------------------------------


def _become(environ: dict[str, str], program: list[str], files: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    random.seed()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    code = 1
    try:
        _read_settings(environ)
        code = _ran(*program)
    except BaseException:
        traceback.print_exc()
    connections.close_all()
    logging.shutdown()
    for said in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            said.flush()
    os._exit(code)


def _read_settings(environ: dict[str, str]) -> None:
    """What was read in another environment is read in this one; what Django made of it it forgets, as it does for its own tests."""
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None
    before = settings._wrapped
    del sys.modules[OWN_SETTINGS]
    settings._wrapped = Settings(OWN_SETTINGS)
    vars(connections).clear()
    vars(connections).update(vars(ConnectionHandler()))
    for name in dir(settings._wrapped):
        if name.isupper() and name not in (*SECRET, *signals.COMPLEX_OVERRIDE_SETTINGS):
            value = getattr(settings._wrapped, name)
            if getattr(before, name, None) != value:
                setting_changed.send(sender=Settings, setting=name, value=value, enter=True)
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


def _ran(kind: str, *rest: str) -> int:
    """The program's exit code."""
    try:
        if kind == "-m":
            sys.argv = [*rest]
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif kind == "-c":
            sys.argv = ["-c", *rest[1:]]
            sys.modules["__main__"] = ModuleType("__main__")
            exec(compile(rest[0], "<string>", "exec"), vars(sys.modules["__main__"]))
        else:
            sys.argv = ["rollbook", *rest]
            app([*rest], prog_name="rollbook")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
