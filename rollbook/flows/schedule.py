"""What falls due by the clock, for every district: its midnight, tombstones whose time is over, what nobody reads any more, imports that
did not come, and those whose time has come; then the syncs of organizations; last, the letters that tell of it.

`keep` runs in one thread of the server. Several hosts may all run it: each act looks for itself whether there is anything left to do.
"""

import logging
import time
from datetime import UTC, datetime
from threading import Event

from django.conf import settings
from django.db import close_old_connections

from rollbook.flows.dispatch import dispatch_due, prune_packages
from rollbook.flows.launching.apps import forget_launches
from rollbook.flows.overdue import watch
from rollbook.flows.post import forget_given_up, send_due
from rollbook.flows.prune import prune, prune_nonces
from rollbook.flows.publish import publish_due, publish_without_tombstones
from rollbook.flows.questions import forget_answers
from rollbook.flows.sanity_plans import ask_due
from rollbook.flows.signing_in import attempts, reviews
from rollbook.flows.snapshots import prune_shelf
from rollbook.flows.spans import tell_of_blackouts
from rollbook.flows.sync.schedule import start_due_syncs
from rollbook.flows.sync.waiting import look_after_sync_holds
from rollbook.flows.timetable import release_kept, start_due
from rollbook.flows.waiting import look_after_holds
from rollbook.store.models import District

EVERY = 60.0
"""Seconds between two looks: a role that begins with the day is served within a minute of its midnight."""

DAY = 86_400_000
log = logging.getLogger(__name__)


def keep(stop: Event, every: float = EVERY) -> None:
    """Do what is due, at once and then again and again, until `stop` is set. A fault is logged and costs only that look."""
    while not stop.is_set():
        close_old_connections()
        try:
            look_after_all()
        except Exception:
            # The clock of the whole installation: were it to end here, no district would be looked after again.
            log.exception("looking after what is due")
        close_old_connections()
        stop.wait(every)


def look_after_all() -> None:
    """Everything that is due now. A fault in one district does not keep the others waiting."""
    for district_id in District.objects.order_by("id").values_list("id", flat=True):
        try:
            look_after(district_id)
        except Exception:
            # Whatever one district has is its own; it is looked at again in a minute.
            log.exception("looking after district %s", district_id)
    try:
        start_due_syncs(datetime.now(UTC))
        look_after_sync_holds(datetime.now(UTC))
    except Exception:
        # Districts and their letters do not wait for the syncs of products.
        log.exception("looking after the syncs")
    prune_nonces()
    attempts.prune(datetime.now(UTC))
    reviews.forget_old(datetime.now(UTC))
    forget_given_up(datetime.now(UTC))
    send_due()


def look_after(district_id: int) -> None:
    """Everything that may be due for one district now."""
    publish_due(district_id)
    publish_without_tombstones(district_id, time.time_ns() // 1_000_000 - settings.TOMBSTONE_DAYS * DAY)
    prune(district_id)
    now = datetime.now(UTC)
    release_kept(district_id, now)
    start_due(district_id, now)
    ask_due(district_id, now)
    dispatch_due(district_id, now)
    prune_packages(district_id, now)
    tell_of_blackouts(district_id, now)
    watch(district_id, now)
    look_after_holds(district_id, now)
    prune_shelf(district_id, now)
    forget_answers(district_id, now)
    forget_launches(district_id, now)
