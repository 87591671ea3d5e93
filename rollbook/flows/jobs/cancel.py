"""Cancel: a run ends at its next safe point, with nothing applied. Once it changes the roster it is too late."""

from django.utils import timezone

from rollbook.flows.progress import ask_to_cancel, note
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
    nobody_at_it = Run.objects.filter(pk=run.pk, outcome="", turn_at__isnull=True).exclude(process="")
    words = f"Cancelled by {by} while it waited for its turn."
    if nobody_at_it.update(outcome="cancelled", message=words, ended_at=timezone.now()):
        note(run.pk, "done")
