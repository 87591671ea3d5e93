"""Access history: every call an app made and every package it was given, one list, the latest first; and what it takes in a day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import transaction
from django.db.models import QuerySet

from rollbook.flows import audit, disclosure
from rollbook.refusal import Refusal
from rollbook.store.models import AccessRow, Credential, DailyUse, Delivery, Grant

PAGE = 50
MOST_PAGES = 200
DAY = 86_400
MOST_ALLOWED = 10**12

CALL, DELIVERY = "REST", "delivery"


class NotAnAllowance(Refusal):
    """An allowance is a whole number from 1 on, a day; leave it empty for none."""


@dataclass(frozen=True)
class Taking:
    """One call or one package. `at` in milliseconds UTC; `what` is the path of a call or the mode of a package; `status` an HTTP status, or
    the outcome of a delivery; `reason` says why one failed. `fields` is empty for all.
    """

    at: int
    kind: str
    what: str
    version: str
    records: int
    status: str
    good: bool
    fields: tuple[str, ...] = ()
    milliseconds: int | None = None
    address: str = ""
    key: str = ""
    publication: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Day:
    """What an app took on one day of UTC."""

    day: date
    requests: int
    records: int


def takings(
    grant: Grant, since: int, page: int = 1, size: int = PAGE, *, only_bad: bool = False
) -> list[Taking]:
    """One page of what the app took since that moment (milliseconds UTC)."""
    end = min(page, MOST_PAGES) * size
    calls, deliveries = _calls(grant, since, only_bad), _deliveries(grant, since, only_bad)
    names = _names(grant)
    found = [_call(row, names) for row in calls[:end]] + [_delivery(one) for one in deliveries[:end]]
    return sorted(found, key=lambda one: -one.at)[end - size : end]


def count(grant: Grant, since: int, *, only_bad: bool = False) -> int:
    """How many there are."""
    return _calls(grant, since, only_bad).count() + _deliveries(grant, since, only_bad).count()


def every_taking(grant: Grant, since: int) -> Iterator[Taking]:
    """All of them, for a file: first the calls, then the packages, each the latest first."""
    names = _names(grant)
    for row in _calls(grant, since, False).iterator(chunk_size=2000):
        yield _call(row, names)
    for one in _deliveries(grant, since, False):
        yield _delivery(one)


HEADER = (
    "at", "kind", "what", "version", "fields", "records", "status", "milliseconds", "address", "key", "publication", "reason",
)  # fmt: skip


def csv_rows(grant: Grant, since: int) -> Iterator[Sequence[object]]:
    """The same as rows of a file, under a header."""
    yield HEADER
    for one in every_taking(grant, since):
        yield (
            disclosure.moment(one.at), one.kind, one.what, one.version, " ".join(one.fields), one.records, one.status,
            one.milliseconds, one.address, one.key, one.publication, one.reason,
        )  # fmt: skip


def note_export(grant: Grant, days: int) -> None:
    """Keeps in the audit log that so many days of it were exported."""
    audit.record(grant.district_id, "access.export", "grant", grant.pk, grant.title, after={"days": days})


def _calls(grant: Grant, since: int, only_bad: bool) -> QuerySet[AccessRow]:
    found = AccessRow.objects.filter(grant_id=grant.pk, at__gte=since)
    return (found.filter(status__gte=400) if only_bad else found).order_by("-at", "-id")


def _deliveries(grant: Grant, since: int, only_bad: bool) -> QuerySet[Delivery]:
    begun = datetime.fromtimestamp(since / 1000, UTC)
    found = Delivery.objects.filter(grant_id=grant.pk, started_at__gte=begun).exclude(outcome="")
    return (found.exclude(outcome="success") if only_bad else found).order_by("-started_at", "-id")


def _names(grant: Grant) -> dict[int, str]:
    """What each key is called: by its name, else by the beginning of its client id."""
    keys = Credential.objects.filter(grant=grant).values_list("id", "name", "client_id")
    return {number: name or client_id[:8] for number, name, client_id in keys}


def _call(row: AccessRow, names: dict[int, str]) -> Taking:
    return Taking(
        at=row.at,
        kind=CALL,
        what=row.collection,
        version=row.version,
        records=row.records,
        status=str(row.status),
        good=row.status < 400,
        fields=tuple(name for name in row.fields.split(",") if name),
        milliseconds=row.milliseconds,
        address=row.address or "",
        key=names.get(row.credential_id, ""),
        publication=row.publication or None,
    )


def _delivery(one: Delivery) -> Taking:
    return Taking(
        at=int(one.started_at.timestamp() * 1000),
        kind=DELIVERY,
        what=one.mode,
        version=one.version,
        records=sum(number for number in one.counts.values() if isinstance(number, int)),
        status=one.outcome,
        good=one.outcome == "success",
        milliseconds=int((one.ended_at - one.started_at).total_seconds() * 1000) if one.ended_at else None,
        address=one.address,
        publication=one.publication,
        reason=one.reason,
    )


# --- What it may take in a day -----------------------------------------------------------------------------------------------------


def set_allowance(grant: Grant, requests: int | None, records: int | None) -> Grant:
    """How many requests and records the app may take from midnight to midnight UTC; None is no limit. Raises NotAnAllowance."""
    for number in (requests, records):
        if number is not None and not 1 <= number <= MOST_ALLOWED:
            raise NotAnAllowance(str(number))
    with transaction.atomic():
        before = {"requests": grant.daily_requests, "records": grant.daily_records}
        grant.daily_requests, grant.daily_records = requests, records
        grant.save(update_fields=["daily_requests", "daily_records"])
        after = {"requests": requests, "records": records}
        audit.record(
            grant.district_id, "allowance.change", "grant", grant.pk, grant.title, before=before, after=after
        )
    return grant


def days(grant: Grant, now: datetime, number: int = 30) -> list[Day]:
    """What it took on each of the last days, today first."""
    today = int(now.timestamp()) // DAY
    rows = DailyUse.objects.filter(grant_id=grant.pk, day__gt=today - number)
    used = {
        day: (requests, records) for day, requests, records in rows.values_list("day", "requests", "records")
    }
    return [
        Day(datetime.fromtimestamp(day * DAY, UTC).date(), *used.get(day, (0, 0)))
        for day in range(today, today - number, -1)
    ]
