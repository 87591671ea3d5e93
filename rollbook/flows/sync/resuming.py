"""Resuming: a sync run that stands still is given to another worker. What it did until then stays, and is not done twice."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.cancel import SyncHasEnded
from rollbook.flows.sync.standing import standing
from rollbook.refusal import Refusal
from rollbook.store.models import SyncRun


class NotStill(Refusal):
    """This sync run is coming on, or waits for its turn: there is nothing to resume. One that does not come on for five minutes can be."""


def resume(run: SyncRun, by: str, now: datetime | None = None) -> SyncRun:
    """Any worker may go on with it, from the step it is in; whoever had it changes nothing any more. Raises SyncHasEnded, NotStill."""
    now = now or timezone.now()
    if run.outcome:
        raise SyncHasEnded(str(run.pk))
    if not standing(run, now).is_still:
        raise NotStill(str(run.pk))
    with transaction.atomic():
        here = SyncRun.objects.filter(pk=run.pk, outcome="", fence=run.fence, turn_at=run.turn_at)
        # Another turn, and with it another name in the job engine.
        if not here.update(process=ANY_WORKER, fence=F("fence") + 1, turn_at=now, moved_at=now):
            raise NotStill(str(run.pk))
        audit.record(None, "sync.resume", "sync run", run.pk, run.connection.name, by=by)
    run.refresh_from_db()
    return run
