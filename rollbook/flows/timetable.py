"""The timetable: when connections are asked by themselves, and the starting of what is due: a fetch, or what was kept during a blackout.

Several hosts may all look: a start is a row that only one of them can write, and the run that comes of it is in the same transaction.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from rollbook.engine.calendar import Daily, Due, last_due, next_due
from rollbook.engine.succession import still_needed
from rollbook.flows import audit
from rollbook.flows.connections import KINDS
from rollbook.flows.districts import MANUAL
from rollbook.flows.fetch import NothingToFetch
from rollbook.flows.jobs.enqueue import enqueue_fetch, waiting_run
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.kept import held_before, line_of
from rollbook.flows.publish import locked
from rollbook.flows.spans import KEPT, additions_end, blackout_end, today_of, zone_of
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Hold, Run, Schedule, Start

TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
MOST_TIMES = 8
REMEMBERED = timedelta(days=400)
"""For how long it stays known what the schedule started."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BY = "schedule"
BY_CALENDAR = "calendar, after the blackout"


class BadSchedule(Refusal):
    """A schedule is one to eight times of the day, such as 02:30, and at least one weekday: mon, tue, wed, thu, fri, sat, sun."""


class NotKept(Refusal):
    """This delivery is no longer kept: it was imported, or a newer one has come."""


class NotInTurn(Refusal):
    """This delivery brings only what changed since earlier ones, which are still kept or held. Import those first, or decide about them."""


def set_schedule(connection: Connection, times: Iterable[str], weekdays: Iterable[str], by: str) -> Schedule:
    """Ask this connection at these times of its district's clock, from now on. Raises BadSchedule, NothingToFetch."""
    if KINDS[connection.kind].fetch is None:
        raise NothingToFetch(connection.kind)
    kept = {
        "district": connection.district,
        "times": checked_times(times),
        "weekdays": checked_weekdays(weekdays),
        "set_by": by,
        "set_at": timezone.now(),
    }
    with transaction.atomic():
        schedule, _ = Schedule.objects.update_or_create(connection=connection, defaults=kept)
        after = {"times": schedule.times, "weekdays": schedule.weekdays}
        audit.record(
            connection.district_id, "schedule.set", "connection", connection.pk, connection.name, after=after
        )
    return schedule


def clear_schedule(connection: Connection) -> bool:
    """From now on it is asked by people only; whether it had a schedule."""
    with transaction.atomic():
        had = bool(Schedule.objects.filter(connection=connection).delete()[0])
        if had:
            audit.record(
                connection.district_id, "schedule.clear", "connection", connection.pk, connection.name
            )
    return had


def schedule_of(connection: Connection) -> Schedule | None:
    return Schedule.objects.filter(connection=connection).first()


def daily_of(schedule: Schedule) -> Daily:
    return Daily(tuple(map(time.fromisoformat, schedule.times)), frozenset(schedule.weekdays))


def next_start(schedule: Schedule, now: datetime) -> Due | None:
    """When the connection is asked next; None where it is switched off."""
    if not schedule.connection.enabled:
        return None
    return next_due(daily_of(schedule), zone_of(schedule.connection.district), now)


def checked_times(texts: Iterable[str]) -> list[str]:
    written = [text.strip() for text in texts if text.strip()]
    if not 1 <= len(written) <= MOST_TIMES or not all(map(TIME.fullmatch, written)):
        raise BadSchedule(", ".join(written))
    return sorted({text.zfill(5) for text in written})


def checked_weekdays(texts: Iterable[str]) -> list[int]:
    written = [text.strip().lower() for text in texts if text.strip()]
    if not written or not set(written) <= set(WEEKDAYS):
        raise BadSchedule(", ".join(written))
    return sorted({WEEKDAYS.index(text) for text in written})


# --- What is due --------------------------------------------------------------------------------------------------------------------------


def start_due(district_id: int, now: datetime) -> int:
    """Start what is due; how many that were. What was missed while no server ran is made up for, once."""
    schedules = Schedule.objects.filter(district_id=district_id, connection__enabled=True)
    found = schedules.select_related("connection__district").order_by("pk")
    return sum(_started(schedule, now) for schedule in found)


def _started(schedule: Schedule, now: datetime) -> bool:
    connection = schedule.connection
    due = last_due(daily_of(schedule), zone_of(connection.district), now)
    if due is None or due.at <= schedule.set_at or _is_busy(connection):
        return False
    if Start.objects.filter(connection=connection, due=due.name).exists():
        return False  # as at nearly every look: no lock is taken for that
    with transaction.atomic():
        start, is_first = Start.objects.get_or_create(
            connection=connection, due=due.name, defaults={"district": connection.district}
        )
        if is_first:
            start.run = enqueue_fetch(connection, BY)
            start.save(update_fields=["run"])
            Start.objects.filter(connection=connection, started_at__lt=timezone.now() - REMEMBERED).delete()
    return is_first


def release_kept(district_id: int, now: datetime | None = None) -> int:
    """Import what was kept, where the blackout is over; how many runs were started. Of several in line one at a time, in their order."""
    waiting = Connection.objects.filter(district_id=district_id, enabled=True, runs__outcome=KEPT).distinct()
    return sum(_released(connection, now) for connection in waiting.select_related("district"))


def _released(connection: Connection, now: datetime | None) -> bool:
    if blackout_end(connection, today_of(connection.district, now)):
        return False
    with transaction.atomic():
        locked(connection.district_id)
        line = list(line_of(connection))
        if not line or _is_busy(connection) or _is_held(connection):
            return False
        _release(connection, line)
    return True


def _release(connection: Connection, line: Sequence[Run]) -> None:
    needed = still_needed([run.plan.modes for run in line])
    first = line[needed[0]]
    run = waiting_run(connection, BY_CALENDAR, {"kind": "delivery"}, snapshot=first.snapshot)
    for place, one in enumerate(line):
        if one is first:
            _replaced(one, f"Imported as import {run.pk}, now that the blackout is over.")
        elif place not in needed:
            _replaced(one, "A later delivery says all of it anew.")


def _replaced(run: Run, words: str) -> None:
    Run.objects.filter(pk=run.pk, outcome=KEPT).update(outcome="replaced", message=words)


def _is_busy(connection: Connection) -> bool:
    """Whether a run of it waits or is under way: another would only wait behind it."""
    return connection.runs.filter(outcome="").exists()


def _is_held(connection: Connection) -> bool:
    return Hold.objects.filter(run__connection=connection, decision="").exists()


def import_kept(kept: Run, by: str, *, process: str = ANY_WORKER) -> Run:
    """Import a kept delivery now, despite the blackout. Raises NotKept, and NotInTurn where others that came before it are still needed."""
    connection = kept.connection
    if connection is None or kept.outcome != KEPT:
        raise NotKept(str(kept.pk))
    with transaction.atomic():
        locked(connection.district_id)
        line = list(line_of(connection))
        places = {run.pk: place for place, run in enumerate(line)}
        if kept.pk not in places:
            raise NotKept(str(kept.pk))
        if held_before(kept):
            raise NotInTurn(str(kept.pk))
        until = line[: places[kept.pk] + 1]
        if still_needed([run.plan.modes for run in until]) != [len(until) - 1]:
            raise NotInTurn(str(kept.pk))
        about = {"snapshot": kept.snapshot, "despite_blackout": True}
        run = waiting_run(connection, by, {"kind": "delivery"}, process, **about)
        _replaced(kept, f"Imported as import {run.pk}, despite the blackout.")
    return run


# --- Everything that is planned, for those who look -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planned:
    """What is planned for one connection. `blackout` and `additions` are last days, None today where there is none; `kept` counts."""

    connection: Connection
    schedule: Schedule | None
    next: Due | None
    blackout: date | None
    additions: date | None
    kept: int


def timetable(district: District, now: datetime) -> list[Planned]:
    """Of every connection of a district, in their order."""
    connections = Connection.objects.filter(district=district).exclude(kind=MANUAL).select_related("district")
    return [_planned(connection, now) for connection in connections.order_by("pk")]


def _planned(connection: Connection, now: datetime) -> Planned:
    today, schedule = today_of(connection.district, now), schedule_of(connection)
    return Planned(
        connection=connection,
        schedule=schedule,
        next=next_start(schedule, now) if schedule else None,
        blackout=blackout_end(connection, today),
        additions=additions_end(connection, today),
        kept=line_of(connection).count(),
    )
