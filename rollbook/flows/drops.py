"""Drops: what is brought by SFTP becomes a run of its connection. The door says what has come; here it is imported and put away.

Beside each connection's inbox lie `arrived` (taken, not yet imported; a dead process's are imported by the next) and `archive`.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.db.models import QuerySet

from rollbook.connectors.sftp_drop import SFTP_DROP, Drop
from rollbook.flows.ingest import StaleBasis, carry_out, prepare
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, Run

ARCHIVED = 30
"""Deliveries kept in the archive of a connection; the oldest make room."""

ATTEMPTS = 3
BY = "SFTP"
log = logging.getLogger(__name__)


class LoginTaken(Refusal):
    """Another SFTP connection of this installation has this login already. Choose another."""


def home(connection_id: int) -> Path:
    """The folder of a connection's inbox, arrivals and archive."""
    return Path(settings.DATA_DIR) / "sftp" / str(connection_id)


def find_drop(login: str) -> tuple[int, Drop] | None:
    """(connection, drop) of this login, if its connection is switched on."""
    found = _drops().filter(enabled=True, settings__login=login).order_by("id").first()
    return (found.pk, drop_of(found)) if found else None


def every_drop() -> Iterator[tuple[int, Drop]]:
    """(connection, drop) of all that are switched on."""
    for connection in _drops().filter(enabled=True).order_by("id"):
        yield connection.pk, drop_of(connection)


def drop_of(connection: Connection) -> Drop:
    """The login of a connection of this kind."""
    return Drop.of(connection.settings, json.loads(connection.secrets or "{}"))


def refuse_taken_login(login: str, connection_id: int = 0) -> None:
    """Raises LoginTaken if a connection other than this one has the login, switched on or not."""
    if _drops().filter(settings__login=login).exclude(pk=connection_id).exists():
        raise LoginTaken(login)


def take_in(connection_id: int, arrived: Path) -> Run | None:
    """Import what lies in the folder `arrived` and put it into the archive. None if the connection is gone or off: then it stays there."""
    close_old_connections()
    try:
        connection = Connection.objects.filter(pk=connection_id, enabled=True).first()
        if connection is None:
            return None
        run = _imported(connection, _package(arrived))
        _put_away(connection_id, arrived, run)
        return run
    finally:
        close_old_connections()


def forget_the_removed() -> None:
    """Takes away what was brought to connections that are no more."""
    folders = [folder for folder in home(0).parent.glob("*") if folder.name.isdecimal() and folder.is_dir()]
    known = set(_drops().values_list("pk", flat=True))
    for folder in folders:
        if int(folder.name) not in known:
            shutil.rmtree(folder, ignore_errors=True)


def end_broken_runs() -> None:
    """What a dead process left unfinished ends as failed; its delivery still lies in `arrived`. For one that knows nobody else is at it."""
    runs = Run.objects.filter(connection__kind=SFTP_DROP.kind, started_by=BY, outcome="")
    words = "The server stopped in the middle; the delivery is imported again."
    runs.update(outcome="failed", message=words, ended_at=datetime.now(UTC))


def broke_off(connection_id: int, words: str) -> None:
    """An upload that cannot become a delivery is shown among the connection's runs."""
    close_old_connections()
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection:
        Run.objects.create(
            district_id=connection.district_id,
            connection=connection,
            flow="ingest",
            phase="receiving",
            outcome="failed",
            message=words,
            started_by=BY,
            ended_at=datetime.now(UTC),
        )
    close_old_connections()


def _drops() -> QuerySet[Connection]:
    return Connection.objects.filter(kind=SFTP_DROP.kind)


def _package(arrived: Path) -> Path:
    """The zip, where one came alone; else the folder."""
    files = list(arrived.iterdir())
    return files[0] if len(files) == 1 and files[0].suffix.lower() == ".zip" else arrived


def _imported(connection: Connection, package: Path) -> Run:
    """The run the delivery came to, whatever its outcome. A fault of ours rises only if it comes before there is a run to show it."""
    latest = _latest(connection)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return carry_out(prepare(connection, package, BY))
        except StaleBasis:
            log.info(
                "connection %s: the roster moved while a delivery was planned, attempt %s",
                connection.pk,
                attempt,
            )
        except Refusal:
            break
        except Exception:
            if _latest(connection) == latest:
                raise
            log.exception("connection %s: a delivery by SFTP", connection.pk)
            break
    return connection.runs.latest("pk")


def _latest(connection: Connection) -> int:
    return connection.runs.order_by("-pk").values_list("pk", flat=True).first() or 0


def _put_away(connection_id: int, arrived: Path, run: Run) -> None:
    archive = home(connection_id) / "archive"
    archive.mkdir(mode=0o700, exist_ok=True)
    os.replace(arrived, archive / f"run-{run.pk}")
    numbered = sorted(archive.glob("run-*"), key=lambda folder: int(folder.name.removeprefix("run-")))
    for oldest in numbered[:-ARCHIVED]:
        shutil.rmtree(oldest, ignore_errors=True)
