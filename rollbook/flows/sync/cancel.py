"""Cancel: a sync run ends at its next safe point, between two batches. What it has done until then stays, with its links and its journal."""

from django.db.models import F, Q
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.jobs.beats import alive, is_worker
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.progress import end
from rollbook.refusal import Refusal
from rollbook.store.models import SyncRun


class SyncHasEnded(Refusal):
    """This sync run has come to its end already: there is nothing left to cancel. What it did can be undone."""


def cancel(run: SyncRun, by: str) -> SyncRun:
    """Asks that the run end; one that nobody works on ends at once. Raises SyncHasEnded."""
    if not SyncRun.objects.filter(pk=run.pk, outcome="").update(cancelled_by=by[:200]):
        raise SyncHasEnded(str(run.pk))
    audit.record(None, "sync.cancel", "sync run", run.pk, run.connection.name, by=by)
    # Taken like any other that works on it, so that a worker who comes at the same moment finds it taken.
    if SyncRun.objects.filter(_idle(), pk=run.pk, outcome="").update(fence=F("fence") + 1):
        run.refresh_from_db()
        end(run, "cancelled", cancelled_words(run))
    run.refresh_from_db()
    return run


def cancelled_words(run: SyncRun) -> str:
    """What a cancelled run says."""
    by = SyncRun.objects.filter(pk=run.pk).values_list("cancelled_by", flat=True).first() or "somebody"
    if not run.journal:
        return f"Cancelled by {by}. Nothing of it was applied."
    return f"Cancelled by {by}. What was done until then stays; the next run finds the rest."


def _idle() -> Q:
    """Of runs that have not ended: those that wait for their turn, or for a worker where none is alive."""
    if any(is_worker(one.name) for one in alive(timezone.now())):
        return Q(turn_at=None)
    return Q(turn_at=None) | Q(process=ANY_WORKER)
