"""Dispatch: packages that fall due by the clock of a district, and those that are no longer kept."""

from datetime import datetime, timedelta

from django.db import IntegrityError, router, transaction

from rollbook.engine.calendar import last_due
from rollbook.flows.deliveries import COMMAND, DOWNLOAD, SUCCESS, hand_over_due, place_of
from rollbook.flows.exports import PICKUP, daily_of
from rollbook.flows.publish import local_date
from rollbook.flows.spans import zone_of
from rollbook.store import shelf
from rollbook.store.circumstances import is_begun_and_not_over, left_out_since
from rollbook.store.models import Delivery, Export, Grant, Publication

BY = "schedule"
DOWNLOADS_STAY = timedelta(days=1)
PICKUPS_STAY = timedelta(days=30)
PICKUPS_KEPT = 7
"""So many packages wait for an app that fetches them; older ones make room."""


def dispatch_due(district_id: int, now: datetime) -> int:
    """Ask for what is due; how many packages that were. What was missed while no server ran is made up for, once."""
    exports = Export.objects.filter(grant__district_id=district_id, grant__removed_at=None, enabled=True)
    return sum(_asked(export, now) for export in exports.select_related("grant__district").order_by("pk"))


def _asked(export: Export, now: datetime) -> bool:
    due = last_due(daily_of(export), zone_of(export.grant.district), now) if export.times else None
    if due is None or due.at <= export.set_at or not export.grant.enabled:
        return False
    if Delivery.objects.filter(grant_id=export.grant_id, due=due.name).exists():
        return False
    try:
        # Several hosts may look at the same time: one of them is first.
        with transaction.atomic(using=router.db_for_write(Delivery)):
            hand_over_due(export.grant, BY, due.name)
    except IntegrityError:
        return False
    return True


def prune_packages(district_id: int, now: datetime) -> int:
    """Remove the packages that wait for nobody any more; how many went. What was delivered stays known."""
    gone = 0
    for delivery in Delivery.objects.filter(district_id=district_id, kept=True):
        if not _is_needed(delivery, now):
            shelf.delete(place_of(delivery))
            gone += Delivery.objects.filter(pk=delivery.pk).update(kept=False)
    return gone


def _is_needed(delivery: Delivery, now: datetime) -> bool:
    if delivery.way in (DOWNLOAD, COMMAND):
        return now - delivery.started_at < DOWNLOADS_STAY
    return delivery.pk in {one.pk for one in kept_for(delivery.grant_id, now)}


def kept_for(grant_id: int, now: datetime) -> list[Delivery]:
    """The packages that wait for an app on our server, the latest first. Those made under other permissions wait no more, nor those that
    may tell of somebody who has opted out since.
    """
    waiting = Grant.objects.filter(pk=grant_id, removed_at=None, enabled=True, export__way=PICKUP)
    grant = waiting.select_related("district").first()
    if grant is None:
        return []
    today = local_date(grant.district, now.timestamp())
    if not is_begun_and_not_over(grant.starts_on, grant.ends_on, today):
        return []
    made = Delivery.objects.filter(
        grant_id=grant_id, way=PICKUP, outcome=SUCCESS, kept=True, grant_version=grant.version,
        started_at__gt=now - PICKUPS_STAY,
    )  # fmt: skip
    found = list(made.order_by("-pk"))
    told_too_much = _telling_too_much(grant, {one.publication for one in found if one.publication}, today)
    return [one for one in found if one.publication not in told_too_much][:PICKUPS_KEPT]


def _telling_too_much(grant: Grant, numbers: set[int], today: str) -> set[int]:
    """Those of these publications that are older than an opt-out in force. What is served now knows them all."""
    older = Publication.objects.filter(district=grant.district, number__in=numbers)
    return {
        one.number
        for one in older.exclude(number=grant.district.publication)
        if left_out_since(one, grant, today)
    }
