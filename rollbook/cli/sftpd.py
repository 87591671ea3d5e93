"""`rollbook sftpd`: the SFTP server alone, and the SFTP server beside the web server. It is a process of its own: a door next door."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from django.conf import settings

PROGRAM = [sys.executable, "-m", "rollbook.sftp"]
AGAIN_AFTER = 5.0


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(sftpd)


def sftpd() -> None:
    """Serve SFTP alone, on ROLLBOOK_SFTP_PORT, until SIGTERM or Ctrl-C. `rollbook serve` does it too when that is set."""
    if not settings.SFTP_PORT:
        typer.echo("There is no port to listen on. Set ROLLBOOK_SFTP_PORT, for example to 2222.", err=True)
        raise typer.Exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(PROGRAM[0], PROGRAM)


@contextmanager
def sftp_beside() -> Iterator[None]:
    """Keeps the SFTP server running while the block does, if there is a port for it."""
    if not settings.SFTP_PORT:
        yield
        return
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_running, args=(stop,), name="sftp")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_running(stop: threading.Event) -> None:
    """Starts it again whenever it has ended by itself."""
    while not stop.is_set():
        process = subprocess.Popen([*PROGRAM, "--beside"], stdin=subprocess.PIPE)
        while process.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            process.terminate()
            process.wait()
        stop.wait(AGAIN_AFTER)
