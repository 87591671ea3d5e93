"""Enqueue: what is to be done becomes a run that waits for its turn. Whoever asks goes on at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollbook.flows.completeness import keep_certificate
from rollbook.flows.connections import KINDS, SwitchedOff
from rollbook.flows.fetch import NothingToFetch
from rollbook.flows.ingest import begin
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.progress import note
from rollbook.store import shelf
from rollbook.store.models import Connection, Run


def enqueue_fetch(connection: Connection, started_by: str) -> Run:
    """Fetch what the other system has, and import it. Raises SwitchedOff, NothingToFetch."""
    if not connection.enabled:
        raise SwitchedOff(connection.name)
    if KINDS[connection.kind].fetch is None:
        raise NothingToFetch(connection.kind)
    return waiting_run(connection, started_by, {"kind": "fetch"})


def enqueue_delivery(
    connection: Connection,
    path: Path,
    started_by: str,
    certificate: Mapping[str, Any] | None = None,
    *,
    only_preview: bool = False,
) -> Run:
    """Import the package at `path`, a file or a folder: it is kept on the shelf before this returns, and may go. Raises SwitchedOff.

    With `only_preview` it is planned and shown, and nothing is applied.
    """
    if not connection.enabled:
        raise SwitchedOff(connection.name)
    snapshot = shelf.keep_delivery(connection, path)
    keep_certificate(snapshot, certificate)
    task = {"kind": "delivery", "preview": only_preview}
    return waiting_run(connection, started_by, task, snapshot=snapshot)


def waiting_run(connection: Connection, started_by: str, task: dict[str, Any], **about: Any) -> Run:
    """A run that any worker may walk."""
    run = begin(connection, started_by, phase="waiting", process=ANY_WORKER, task=task, **about)
    note(run.pk, "waiting")
    return run
