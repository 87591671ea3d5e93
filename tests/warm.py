"""Processes forked from one that has Django set up and modules read: what most of a short process's second goes for.

Each is a process of its own, with its own environment, settings, standard input, output and error, and ends with its exit code. That commands,
servers and workers start from nothing is shown by those that tests/installation.py starts so.
"""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

FROM_NOTHING = frozenset({"serve", "sftpd", "worker", "demo", "migrate"})
"""Verbs that go on, or begin anew as another process."""

LONGEST = 600
DEAD = -signal.SIGKILL


class Forked:
    """A process under way. `stdin` and `stdout` are there where they were asked for."""

    def __init__(
        self, asked: socket.socket, stdin: IO[str] | None = None, stdout: IO[str] | None = None
    ) -> None:
        self._asked = asked
        self._said = b""
        self.stdin, self.stdout = stdin, stdout
        self.returncode: int | None = None
        self.pid = int(self._line(LONGEST) or -1)

    def _line(self, seconds: float) -> bytes:
        """The next line that is said of it; empty when nobody is there any more to say one."""
        self._asked.settimeout(seconds)
        while b"\n" not in self._said:
            more = self._asked.recv(64)
            if not more:
                return b""
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line

    def wait(self, timeout: float = LONGEST) -> int:
        """Its exit code, or the negative number of the signal that ended it."""
        if self.returncode is None:
            self.returncode = int(self._line(timeout) or DEAD)
            self._asked.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def end(self) -> None:
        """It is asked to end, and has ended."""
        if self.returncode is None:
            # It may have ended by itself a moment ago.
            with contextlib.suppress(ProcessLookupError):
                self.terminate()
            self.wait(20)
        for file in (self.stdin, self.stdout):
            if file:
                file.close()


class Warm:
    """The process that the others are forked from."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rollbook-warm-")
        self._place = str(Path(self._folder.name, "socket"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_process", self._place],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise AssertionError("The process that others are forked from did not start.")

    def run(
        self, environ: Mapping[str, str], program: tuple[str, ...], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        """The program's exit code, output and error, once it has ended."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin.encode())
            given.seek(0)
            code = Forked(self._ask(environ, program, [given.fileno(), out.fileno(), err.fileno()])).wait()
            told = []
            for file in (out, err):
                file.seek(0)
                told.append(file.read().decode())
        return subprocess.CompletedProcess(program, code, *told)

    def beside(self, environ: Mapping[str, str], program: tuple[str, ...]) -> Forked:
        """The program under way, unheard."""
        with open(os.devnull, "r+b") as nothing:
            return Forked(self._ask(environ, program, [nothing.fileno()] * 2 + [2]))

    def spoken_with(self, environ: Mapping[str, str], program: tuple[str, ...]) -> Forked:
        """The program under way, to be spoken with in lines."""
        its_input, to_it = os.pipe()
        from_it, its_output = os.pipe()
        asked = self._ask(environ, program, [its_input, its_output, 2])
        os.close(its_input)
        os.close(its_output)
        return Forked(asked, os.fdopen(to_it, "w"), os.fdopen(from_it))

    def _ask(self, environ: Mapping[str, str], program: tuple[str, ...], files: list[int]) -> socket.socket:
        asked = socket.socket(socket.AF_UNIX)
        asked.connect(self._place)
        message = json.dumps([dict(environ), program]).encode()
        socket.send_fds(asked, [len(message).to_bytes(8, "big")], files)
        asked.sendall(message)
        return asked


@functools.cache
def warm() -> Warm:
    """This process's own; it ends with us, whose end of its standard input it holds."""
    return Warm()
