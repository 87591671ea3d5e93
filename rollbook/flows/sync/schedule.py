"""The schedule of syncs: what is due by each organization's clock begins by itself. A start is a run that carries its due moment, which only
one server can write.

What was missed (no server ran, or a blackout) is made up for, once. What was due before a connection was activated, or its times were
said, is not.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from rollbook.engine.calendar import Due, local_day
from rollbook.engine.sync.timing import Pattern, last_due, next_due, pattern_of
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.runs import FULL, NotEntitled, enqueue
from rollbook.flows.sync.spans import ADDITIONS, BLACKOUT, blackout_end, spans_of
from rollbook.store.models import SyncConnection, SyncRun

BY = "schedule"


@dataclass(frozen=True)
class Start:
    """When it is due next. In a blackout nothing begins: it is made up for when that is over. `only_adds`: nothing is removed that day."""

    at: datetime
    in_blackout: bool
    only_adds: bool


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


def next_starts(connection: SyncConnection, now: datetime, number: int = 3) -> list[Start]:
    """When its settings let it begin next, whatever its state; none where it begins by hand only."""
    pattern, zone = _pattern(connection), zone_of(connection)
    blackouts, additions = (_days(connection, kind) for kind in (BLACKOUT, ADDITIONS))
    found: list[Start] = []
    while pattern and len(found) < number:
        due = next_due(pattern, zone, found[-1].at if found else now)
        if due is None:
            break
        day = local_day(due.at, zone)
        found.append(Start(due.at, _among(day, blackouts), _among(day, additions)))
    return found


def _days(connection: SyncConnection, kind: str) -> list[tuple[date, date]]:
    return list(spans_of(connection, kind).values_list("first_day", "last_day"))


def _among(day: date, spans: list[tuple[date, date]]) -> bool:
    return any(first <= day <= last for first, last in spans)


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
