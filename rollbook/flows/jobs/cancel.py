"""Cancel: a run ends at its next safe point, with nothing applied. Once it changes the roster it is too late."""

from django.db.models import F

from rollbook.flows.jobs.steps import end_cancelled
from rollbook.flows.progress import ask_to_cancel
from rollbook.refusal import Refusal
from rollbook.store.models import Run


class HasEnded(Refusal):
    """This run has come to its end: there is nothing left to cancel."""


class TooLate(Refusal):
    """It is too late to cancel: the roster is being changed already. Wait until it is done; it can be undone then."""


def cancel(run: Run, by: str) -> Run:
    """Asks that the run end; one that waits ends at once. Raises HasEnded, TooLate."""
    if Run.objects.filter(pk=run.pk).exclude(outcome="").exists():
        raise HasEnded(str(run.pk))
    if not ask_to_cancel(run.pk, by):
        raise TooLate(str(run.pk))
    _end_if_waiting(run, by)
    run.refresh_from_db()
    return run


def _end_if_waiting(run: Run, by: str) -> None:
    """Taken like any other that works on it, so that a worker who comes at the same moment finds it taken."""
    nobody_at_it = Run.objects.filter(pk=run.pk, outcome="", turn_at__isnull=True).exclude(process="")
    if nobody_at_it.update(fence=F("fence") + 1):
        run.refresh_from_db()
        end_cancelled(run, by)
