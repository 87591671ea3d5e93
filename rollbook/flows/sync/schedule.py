"""The schedule of syncs: what is due by each organization's clock begins by itself. A start is a run that carries its due moment, which only
one server can write.

What was missed (no server ran, or a blackout) is made up for, once. What was due before a connection was activated, or its times were
said, is not.
"""

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from rollbook.engine.calendar import Due
from rollbook.engine.sync.timing import Pattern, last_due, next_due, pattern_of
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.runs import FULL, NotEntitled, enqueue
from rollbook.flows.sync.spans import blackout_end
from rollbook.store.models import SyncConnection, SyncRun

BY = "schedule"


def start_due_syncs(now: datetime) -> int:
    """Begins what is due; how many that were."""
    found = SyncConnection.objects.filter(state=SyncConnection.State.ACTIVE).order_by("pk")
    return sum(_started(connection, now) for connection in found.select_related("organization__product"))


def next_start(connection: SyncConnection, now: datetime) -> Due | None:
    """When it begins by itself next; None where it does not."""
    pattern = _pattern(connection)
    if pattern is None or connection.state != SyncConnection.State.ACTIVE:
        return None
    return next_due(pattern, zone_of(connection), now)


def _started(connection: SyncConnection, now: datetime) -> bool:
    due = _due(connection, now)
    if due is None or SyncRun.objects.filter(connection=connection, due=due.name).exists():
        return False  # as at nearly every look: no lock is taken for that
    if blackout_end(connection, now) or _waits_for_a_person(connection):
        return False
    try:
        with transaction.atomic():
            run = enqueue(connection, BY, FULL, due=due.name)
            if run.due != due.name:
                # It was waiting already, for whomever: it is this start too.
                SyncRun.objects.filter(pk=run.pk).update(due=due.name)
    except (IntegrityError, NotEntitled):
        return False  # another server was faster; or the plan of the organization has no sync any more
    return True


def _due(connection: SyncConnection, now: datetime) -> Due | None:
    pattern = _pattern(connection)
    since = max(
        moment
        for moment in (connection.created_at, connection.state_at, connection.timed_at)
        if moment is not None
    )
    return last_due(pattern, zone_of(connection), now, since) if pattern else None


def _waits_for_a_person(connection: SyncConnection) -> bool:
    """The first sync is shown once, not every night, until somebody has looked at it."""
    if connection.first_applied_at is not None:
        return False
    shown = SyncRun.objects.filter(connection=connection, outcome="previewed", task__kind=FULL)
    return shown.filter(generation=connection.generation).exists()


def _pattern(connection: SyncConnection) -> Pattern | None:
    return pattern_of(**asdict(policy_of(connection).timing))


def zone_of(connection: SyncConnection) -> ZoneInfo:
    return ZoneInfo(connection.organization.time_zone)
