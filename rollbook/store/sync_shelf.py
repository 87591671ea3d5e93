"""Where a sync keeps its files: the reads of a connection, and the plan and the remarks of a run. Names are relative to the shelf."""

from collections.abc import Iterable
from pathlib import Path

from rollbook.store import shelf
from rollbook.store.models import SyncConnection, SyncRun


def connection_folder(connection: SyncConnection) -> Path:
    return shelf.place(f"organizations/{connection.organization_id}/syncs/{connection.pk}/x").parent


def run_folder(run: SyncRun) -> Path:
    """Where a run keeps its plan. It exists afterwards."""
    return shelf.place(f"{_name(run)}/runs/{run.pk}/x").parent


def read_folder(connection: SyncConnection, run: int) -> Path:
    """Where the read that this run made lies. It may not exist."""
    return shelf.shelf() / f"organizations/{connection.organization_id}/syncs/{connection.pk}/reads/{run}"


def accepted_read(connection: SyncConnection) -> Path | None:
    """The folder of the accepted read; None before the first."""
    folder = read_folder(connection, connection.read_run)
    return folder if connection.read_run and folder.exists() else None


def latest_read(connection: SyncConnection) -> Path | None:
    """The folder of the latest read, accepted or not; None before the first."""
    reads = read_folder(connection, 0).parent
    numbers = [int(one.name) for one in reads.iterdir() if one.name.isdecimal()] if reads.exists() else []
    return read_folder(connection, max(numbers)) if numbers else None


def drop_reads(connection: SyncConnection, keep: frozenset[int]) -> None:
    """Deletes the reads of this connection that nobody needs any more."""
    reads = read_folder(connection, 0).parent
    for folder in reads.iterdir() if reads.exists() else ():
        if not (folder.name.isdecimal() and int(folder.name) in keep):
            shelf.delete(folder)


def drop_plans(connection: SyncConnection, runs: Iterable[int]) -> None:
    """Deletes what these runs kept beside the database."""
    for run in runs:
        shelf.delete(connection_folder(connection) / "runs" / str(run))


def _name(run: SyncRun) -> str:
    return f"organizations/{run.organization_id}/syncs/{run.connection_id}"
