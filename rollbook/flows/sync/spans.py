"""Spans: days of the organization's clock on which a sync changes nothing (a blackout), or removes nothing. Entered and taken out by people."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.calendar import Days, local_day, stretch_end
from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import SyncConnection, SyncSpan

BLACKOUT, ADDITIONS = SyncSpan.Kind.BLACKOUT, SyncSpan.Kind.ADDITIONS
LONGEST = timedelta(days=366)


class NoSuchSyncSpan(Refusal):
    """There are no such days of this sync connection, or they were taken out: `rollbook sync days list` shows them."""


class BadSyncDays(Refusal):
    """Days are blackout or additions-only; the first day comes first, the last is not over yet, and from one to the other is a year at most."""


class InBlackout(Refusal):
    """Today is a day on which this sync changes nothing. Show what it would do with a preview, or take the days out of its calendar."""


def add_span(
    connection: SyncConnection, kind: str, first: date, last: date, by: str, why: str = ""
) -> SyncSpan:
    """Days from `first` to `last`, both among them. Raises BadSyncDays."""
    if kind not in SyncSpan.Kind.values or not first <= last <= first + LONGEST or last < _today(connection):
        raise BadSyncDays(f"{kind} {first} – {last}")
    with transaction.atomic():
        span = SyncSpan.objects.create(
            connection=connection,
            kind=kind,
            first_day=first,
            last_day=last,
            why=why.strip()[:200],
            added_by=by[:200],
        )
        _note(connection, "sync.add_days", span, by)
    return span


def remove_span(connection: SyncConnection, number: int, by: str) -> SyncSpan:
    """It counts no longer; that there was one stays known. Raises NoSuchSyncSpan."""
    with transaction.atomic():
        span = spans_of(connection).select_for_update().filter(pk=number).first()
        if span is None:
            raise NoSuchSyncSpan(str(number))
        span.removed_by, span.removed_at = by[:200], timezone.now()
        span.save(update_fields=["removed_by", "removed_at"])
        _note(connection, "sync.remove_days", span, by)
    return span


def spans_of(connection: SyncConnection, kind: str = "") -> QuerySet[SyncSpan]:
    """What counts, past or to come, by its days."""
    found = SyncSpan.objects.filter(connection=connection, removed_at=None)
    return (found.filter(kind=kind) if kind else found).order_by("first_day", "pk")


def blackout_end(connection: SyncConnection, now: datetime | None = None) -> date | None:
    """The last day of the blackout that today lies in; None if it lies in none."""
    return _end(connection, BLACKOUT, now)


def additions_end(connection: SyncConnection, now: datetime | None = None) -> date | None:
    """The last day on which nothing is removed; None if today is none of them."""
    return _end(connection, ADDITIONS, now)


def refuse_in_blackout(connection: SyncConnection) -> None:
    """Raises InBlackout, which names the last day."""
    if last := blackout_end(connection):
        raise InBlackout(f"until {last}")


def _end(connection: SyncConnection, kind: str, now: datetime | None) -> date | None:
    days = [Days(*one) for one in spans_of(connection, kind).values_list("first_day", "last_day")]
    return stretch_end(days, _today(connection, now)) if days else None


def _today(connection: SyncConnection, now: datetime | None = None) -> date:
    return local_day(now or timezone.now(), ZoneInfo(connection.organization.time_zone))


def _note(connection: SyncConnection, act: str, span: SyncSpan, by: str) -> None:
    told = {"kind": span.kind, "first": span.first_day, "last": span.last_day, "why": span.why}
    audit.record(None, act, "sync connection", connection.pk, connection.name, after=told, by=by)
