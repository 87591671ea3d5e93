"""Cancel: a run ends at its next safe point, with nothing applied. Once it changes the roster it is too late."""

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.jobs.beats import alive, is_worker
from rollbook.flows.jobs.steps import end_cancelled
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.progress import ask_to_cancel
from rollbook.refusal import Refusal
from rollbook.store.models import Run


class HasEnded(Refusal):
    """This has come to its end already: there is nothing left to cancel."""


class TooLate(Refusal):
    """It is too late to cancel: the roster is being changed already. Wait until it is done; it can be undone then."""


def cancel(run: Run, by: str) -> Run:
    """Asks that the run end; one that nobody works on ends at once. Raises HasEnded, TooLate."""
    if Run.objects.filter(pk=run.pk).exclude(outcome="").exists():
        raise HasEnded(str(run.pk))
    if not ask_to_cancel(run.pk, by):
        raise TooLate(str(run.pk))
    audit.record(run.district_id, "run.cancel", "run", run.pk, by=by)
    # Taken like any other that works on it, so that a worker who comes at the same moment finds it taken.
    if _idle(run).update(fence=F("fence") + 1):
        run.refresh_from_db()
        end_cancelled(run, by)
    run.refresh_from_db()
    return run


def _idle(run: Run) -> QuerySet[Run]:
    """The run, if it waits for its turn, or for a worker where none is alive."""
    here = Run.objects.filter(pk=run.pk, outcome="").exclude(process="")
    if any(is_worker(one.name) for one in alive(timezone.now())):
        return here.filter(turn_at__isnull=True)
    return here.filter(Q(turn_at__isnull=True) | Q(process=ANY_WORKER))
