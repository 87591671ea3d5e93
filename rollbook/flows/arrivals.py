"""Arrivals: what was brought by SFTP and has come whole becomes a run of its connection, and is put into its archive.

Beside each connection's inbox lie `arrived` (taken from it, not yet a run; what a dead process left there the next makes one of) and `archive`.
"""

import os
import shutil
from pathlib import Path

from django.db import close_old_connections

from rollbook.flows.drops import BY, home
from rollbook.flows.jobs import enqueue_delivery
from rollbook.store.models import Connection, Run

ARCHIVED = 30
"""Deliveries kept in the archive of a connection; the oldest make room."""


def take_in(connection_id: int, arrived: Path) -> Run | None:
    """The run of what lies in the folder `arrived`, which goes into the archive. None if the connection is gone or off: then it stays there."""
    close_old_connections()
    try:
        connection = Connection.objects.filter(pk=connection_id, enabled=True).first()
        if connection is None:
            return None
        run = _run_of(connection, arrived) or enqueue_delivery(
            connection, _package(arrived), BY, arrived=arrived.name
        )
        _put_away(connection_id, arrived, run)
        return run
    finally:
        close_old_connections()


def _run_of(connection: Connection, arrived: Path) -> Run | None:
    """The run that a process made of it which died before it was put away."""
    return Run.objects.filter(connection=connection, task__arrived=arrived.name).first()


def _package(arrived: Path) -> Path:
    """The zip, where one came alone; else the folder."""
    files = list(arrived.iterdir())
    return files[0] if len(files) == 1 and files[0].suffix.lower() == ".zip" else arrived


def _put_away(connection_id: int, arrived: Path, run: Run) -> None:
    archive = home(connection_id) / "archive"
    archive.mkdir(mode=0o700, exist_ok=True)
    os.replace(arrived, archive / f"run-{run.pk}")
    numbered = sorted(archive.glob("run-*"), key=lambda folder: int(folder.name.removeprefix("run-")))
    for oldest in numbered[:-ARCHIVED]:
        shutil.rmtree(oldest, ignore_errors=True)
