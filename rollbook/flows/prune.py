"""Prune: what nobody reads any more goes. Replaced rows no walk is pinned to, old pins and page lists, nonces past their window."""

import time

from django.db import connection, router, transaction

from rollbook.store.models import District, Nonce, PageChunk, PageList, Pin, Publication
from rollbook.store.pages import PIN_MINUTES
from rollbook.store.shown import keep_shown

GRACE = (PIN_MINUTES + 1) * 60_000
"""Milliseconds for which a replaced publication stays readable, pinned or not: a reader may be about to pin it."""

NONCE_WINDOW = 900
"""Seconds after which a nonce cannot be replayed any more, because its timestamp is refused."""


def prune(district_id: int) -> int:
    """Remove what no walk of this district needs; how many replaced rows went."""
    now = time.time_ns() // 1_000_000
    oldest = _oldest_needed(district_id, now)
    if oldest is None:
        return 0
    _drop_page_lists(district_id, oldest)
    with transaction.atomic(), connection.cursor() as cursor:
        keep_shown(cursor, district_id, oldest)
        removed = 0
        for table in ("store_served", "store_viewrow"):
            cursor.execute(
                f"DELETE FROM {table} WHERE district_id = %s AND to_publication <= %s", [district_id, oldest]
            )
            removed += cursor.rowcount
    return removed


def prune_nonces() -> int:
    """Remove nonces whose time is over, of all districts."""
    removed, _ = Nonce.objects.filter(timestamp__lt=int(time.time()) - NONCE_WINDOW).delete()
    return removed


def _oldest_needed(district_id: int, now: int) -> int | None:
    """The oldest publication that somebody may still read."""
    current = District.objects.values_list("publication", flat=True).get(pk=district_id)
    recent = (
        Publication.objects.filter(district_id=district_id, instant__lte=now - GRACE)
        .order_by("-number")
        .first()
    )
    if not current or recent is None:
        return None
    Pin.objects.filter(district_id=district_id, last_page_at__lt=now - GRACE).delete()
    pinned = Pin.objects.filter(district_id=district_id).order_by("publication").first()
    # What was current when the grace began may be read until it ends.
    return min(recent.number, pinned.publication if pinned else current)


def _drop_page_lists(district_id: int, oldest: int) -> None:
    alias = router.db_for_write(PageList)
    with transaction.atomic(using=alias):
        old = list(
            PageList.objects.filter(district_id=district_id, publication__lt=oldest).values_list(
                "pk", flat=True
            )
        )
        for start in range(0, len(old), 500):
            some = old[start : start + 500]
            PageChunk.objects.filter(page_list_id__in=some).delete()
            PageList.objects.filter(pk__in=some).delete()
