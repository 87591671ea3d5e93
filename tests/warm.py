"""`rollbook …` in processes forked from one that has Django set up and the verbs' modules read: what most of a command's second goes for.

Each command is a process of its own, with its own standard input, output and error, and ends with its exit code. That a command starts from
nothing, and reads its settings, is shown by the servers and workers that tests/installation.py starts.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

FROM_NOTHING = frozenset({"serve", "sftpd", "worker", "demo", "migrate"})
"""Verbs that go on, or begin anew as another process."""

LONGEST = 600
ENDED_OTHERWISE = -1


class Warm:
    """A process that waits for an installation's commands."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = dict(environ)
        self._folder = tempfile.mkdtemp(prefix="rollbook-warm-")
        self._place = str(Path(self._folder, "socket"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_process", self._place],
            env=environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise AssertionError("The process for an installation's commands did not start.")

    def run(self, arguments: tuple[str, ...], stdin: str) -> subprocess.CompletedProcess[str]:
        """The command's exit code (-1 where it ended without one), output and error."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin.encode())
            given.seek(0)
            code = self._asked(arguments, [given.fileno(), out.fileno(), err.fileno()])
            told = []
            for file in (out, err):
                file.seek(0)
                told.append(file.read().decode())
        return subprocess.CompletedProcess(["rollbook", *arguments], code, *told)

    def _asked(self, arguments: tuple[str, ...], files: list[int]) -> int:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(LONGEST)
            asked.connect(self._place)
            message = json.dumps(arguments).encode()
            socket.send_fds(asked, [len(message).to_bytes(8, "big")], files)
            asked.sendall(message)
            code = asked.recv(16)
        return int(code) if code else ENDED_OTHERWISE

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        os.unlink(self._place)
        os.rmdir(self._folder)
