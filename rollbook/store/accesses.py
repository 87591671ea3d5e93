"""What apps took lately, counted and the last of it: calls by REST and packages that were delivered, of many grants in one query each.

Every count of accesses anywhere (an app's card, its history, the API) is made here, so that all of them say the same number.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet

from rollbook.store.models import AccessRow, Delivery, Export

DAYS = 30
"""Accesses are counted over this many days."""


@dataclass(frozen=True)
class Taken:
    """The last time an app took something: when (milliseconds UTC), how it went (an HTTP status, or the outcome of a delivery and why),
    how many records, from where.
    """

    at: int
    status: int | str
    records: int
    address: str
    reason: str = ""

    @property
    def told(self) -> dict[str, object]:
        """As programs read it."""
        at = datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="seconds")
        return {
            "at": at, "status": str(self.status), "records": self.records, "address": self.address, "reason": self.reason,
        }  # fmt: skip


def since(now: datetime) -> int:
    """Where the days begin over which accesses are counted, in milliseconds UTC."""
    return int((now - timedelta(days=DAYS)).timestamp() * 1000)


def access_counts(grants: Collection[int], now: datetime) -> dict[int, int]:
    """{grant: how often it took something within the last 30 days}, calls and deliveries together."""
    begun = since(now)
    calls = AccessRow.objects.filter(grant_id__in=grants, at__gte=begun).order_by()
    handed = _ended(grants).filter(started_at__gte=datetime.fromtimestamp(begun / 1000, UTC))
    counted = Counter(dict(calls.values_list("grant_id").annotate(Count("id"))))
    counted.update(dict(handed.values_list("grant_id").annotate(Count("id"))))
    return dict(counted)


def _ended(grants: Collection[int]) -> QuerySet[Delivery]:
    """The deliveries that came to something, well or not."""
    return Delivery.objects.filter(grant_id__in=grants).exclude(outcome="").order_by()


def last_calls(grants: Collection[int]) -> dict[int, Taken]:
    """{grant: its last call by REST}, of those that ever called."""
    # One short walk down an index for each: to group them, a database reads every row an app ever left.
    found = (AccessRow.objects.filter(grant_id=grant).order_by("-at").first() for grant in grants)
    return {row.grant_id: Taken(row.at, row.status, row.records, row.address or "") for row in found if row}


def last_packages(grants: Collection[int]) -> dict[int, Taken]:
    """{grant: its last package by SFTP}, of those that ever had one: brought to its server, well or not, or fetched by it from ours."""
    by_sftp = Q(way=Export.Way.PUSH) | Q(way=Export.Way.PICKUP, picked_up_at__isnull=False)
    latest = _ended(grants).filter(by_sftp).values("grant_id").annotate(last=Max("id"))
    rows = Delivery.objects.filter(id__in=[one["last"] for one in latest])
    return {row.grant_id: _taken(row) for row in rows}


def _taken(row: Delivery) -> Taken:
    records = sum(number for number in row.counts.values() if isinstance(number, int))
    at = row.picked_up_at or row.started_at
    return Taken(int(at.timestamp() * 1000), row.outcome, records, row.address, row.reason)
