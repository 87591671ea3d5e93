"""Drops: the logins by which deliveries are brought, and the folders they are brought to."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.db.models import QuerySet

from rollbook.connectors.sftp_drop import SFTP_DROP, Drop
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, Export, Run

BY = "SFTP"


class LoginTaken(Refusal):
    """Another SFTP login of this installation has this name already. Choose another."""


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


def refuse_taken_login(login: str, connection_id: int = 0, export_id: int = 0) -> None:
    """Raises LoginTaken if another than this connection, or this app's export, has the login, switched on or not."""
    exports = Export.objects.filter(way=Export.Way.PICKUP, settings__login=login).exclude(pk=export_id)
    if _drops().filter(settings__login=login).exclude(pk=connection_id).exists() or exports.exists():
        raise LoginTaken(login)


def forget_the_removed() -> None:
    """Takes away what was brought to connections that are no more. Those whose deliveries come another way now keep what they were brought."""
    folders = [folder for folder in home(0).parent.glob("*") if folder.name.isdecimal() and folder.is_dir()]
    known = set(Connection.objects.values_list("pk", flat=True))
    for folder in folders:
        if int(folder.name) not in known:
            shutil.rmtree(folder, ignore_errors=True)


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
