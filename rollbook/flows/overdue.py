"""Overdue: a dead man's watch. A connection by which nothing came in successfully within its interval is an alert, told once by e-mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from rollbook.flows.notify import connections_address, tell_operators
from rollbook.flows.spans import KEPT
from rollbook.store.models import Connection, District


@dataclass(frozen=True)
class Overdue:
    """A connection that is late. `last` is its last successful import, None where there never was one."""

    connection: Connection
    last: datetime | None


def overdue(district_id: int, now: datetime) -> list[Overdue]:
    """The connections of a district by which an import is late. A new one is given its interval from the day it was added."""
    watched = Connection.objects.filter(
        district_id=district_id, enabled=True, expected_every_hours__isnull=False
    )
    found = []
    for connection in watched.order_by("id"):
        last = last_success(connection)
        interval = timedelta(hours=connection.expected_every_hours or 0)
        if now - (last or connection.created_at) > interval:
            found.append(Overdue(connection, last))
    return found


def last_success(connection: Connection) -> datetime | None:
    """When the last import of this connection succeeded, whether or not it changed anything; what a blackout keeps has come in too."""
    good = connection.runs.filter(flow="ingest", outcome__in=("success", KEPT)).order_by("-ended_at").first()
    return good.ended_at if good else None


def watch(district_id: int, now: datetime) -> int:
    """Tell the operators of what has become overdue; how many connections that were. Each silence is told once."""
    late = overdue(district_id, now)
    Connection.objects.filter(district_id=district_id, overdue_told_at__isnull=False).exclude(
        pk__in=[one.connection.pk for one in late]
    ).update(overdue_told_at=None)
    told = 0
    for one in late:
        if one.connection.overdue_told_at is None:
            told += _told_first(one, now)
    return told


@transaction.atomic
def _told_first(late: Overdue, now: datetime) -> bool:
    """Whoever sets the moment writes the mail: several hosts look at the same time."""
    untold = Connection.objects.filter(pk=late.connection.pk, overdue_told_at__isnull=True)
    if not untold.update(overdue_told_at=now):
        return False
    _tell(late)
    return True


def _tell(late: Overdue) -> None:
    connection = late.connection
    district = District.objects.get(pk=connection.district_id)
    since = f"The last one was {late.last:%Y-%m-%d %H:%M} UTC." if late.last else "There never was one."
    tell_operators(
        district,
        "No import came in",
        f"By “{connection.name}” an import is expected every {connection.expected_every_hours} hours, and none succeeded in that time."
        f" {since}\n\nApps go on reading the roster as it was. Look here:\n{connections_address(district)}\n",
    )
