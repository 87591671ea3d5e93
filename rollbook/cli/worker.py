"""`rollbook worker`: the process that walks the runs, alone; and the same beside the web server."""

import os
import sys
from contextlib import AbstractContextManager

import typer

from rollbook.cli.beside import Turn, kept_beside

PROGRAM = [sys.executable, "-m", "rollbook.worker"]


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(worker)


def worker() -> None:
    """Walk the runs that wait, one at a time in a district, until SIGTERM or Ctrl-C. `rollbook serve` does it too.

    On PostgreSQL any number of workers may run, on any hosts. What one leaves in the middle, however it ended, another goes on with.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(PROGRAM[0], PROGRAM)


def worker_beside(turn: Turn) -> AbstractContextManager[None]:
    """Keeps a worker running while the block does, begun when it is its `turn`."""
    return kept_beside([*PROGRAM, "--beside"], "worker", turn)
