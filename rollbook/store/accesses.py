"""What apps took lately, counted and the last of it: calls by REST and packages that were delivered, of many grants in one query each.

Every count of accesses anywhere (an app's card, its history, the API) is made here, so that all of them say the same number.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from rollbook.store.models import AccessRow

DAYS = 30
"""Accesses are counted over this many days."""


@dataclass(frozen=True)
class Taken:
    """The last time an app took something: when (milliseconds UTC), how it went (an HTTP status), how many records, from where."""

    at: int
    status: int
    records: int
    address: str


def since(now: datetime) -> int:
    """Where the days begin over which accesses are counted, in milliseconds UTC."""
    return int((now - timedelta(days=DAYS)).timestamp() * 1000)


def access_counts(grants: Collection[int], now: datetime) -> dict[int, int]:
    """{grant: how often it took something within the last 30 days}, calls and deliveries together."""
    rows = AccessRow.objects.filter(grant_id__in=grants, at__gte=since(now)).order_by()
    return dict(rows.values_list("grant_id").annotate(Count("id")))


def last_calls(grants: Collection[int]) -> dict[int, Taken]:
    """{grant: its last call by REST}, of those that ever called."""
    latest = (
        AccessRow.objects.filter(grant_id__in=grants).order_by().values("grant_id").annotate(last=Max("id"))
    )
    rows = AccessRow.objects.filter(id__in=[one["last"] for one in latest])
    return {row.grant_id: Taken(row.at, row.status, row.records, row.address or "") for row in rows}
