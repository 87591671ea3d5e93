"""`rollbook sftpd`: the SFTP server alone, and the SFTP server beside the web server. It is a process of its own: a door next door."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

import typer
from django.conf import settings

from rollbook.cli.beside import Turn, kept_beside

PROGRAM = [sys.executable, "-m", "rollbook.sftp"]


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


def sftp_beside(turn: Turn) -> AbstractContextManager[None]:
    """Keeps the SFTP server running while the block does, if there is a port for it; begun when it is its `turn`."""
    return kept_beside([*PROGRAM, "--beside"], "sftp", turn) if settings.SFTP_PORT else nullcontext()
