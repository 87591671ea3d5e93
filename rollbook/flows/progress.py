"""Progress: how far a run is, told while it works, and the asking that it end. Nothing here decides what is done.

It is written beside the roster (`store.models.jobs`), so that it can be told in the middle of the transaction that changes the roster.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.refusal import Refusal
from rollbook.store.models import Progress, Run
from rollbook.store.soon import soon_kept

BESIDE = "reading"
"""The database it is written to: on PostgreSQL another connection to the same, so that an open transaction does not hide it."""

OFTEN = 0.5
"""Seconds between two writings of the same phase."""

MANY, STEP = 5_000, 10
"""Of so many rows a tenth is worth a writing at any time: a small table goes by in a moment, and the large one behind it takes long."""

PHASES = (
    "waiting",
    "fetching",
    "kept",
    "reading",
    "judging",
    "relating",
    "planning",
    "recording",
    "planned",
    "applying",
    "publishing",
    "done",
)
"""In the order a run goes through them; one may leave some out, and one that is held ends in `held`."""

OUT_OF_REACH = (OperationalError, InterfaceError)
"""The database does not answer, or has no time now: a reason to do a step again, not to end a run."""

Tell = Callable[[str, int, int], None]
"""`tell(phase, rows done, rows known)`; 0 known where nobody knows."""


class Cancelled(Refusal):
    """Somebody cancelled this. Nothing of it was applied."""


class TakenOver(Refusal):
    """Another process has taken this run over, because this one did not answer for a while."""


@dataclass
class Teller:
    """Tells of a run that this process has taken. Raises Cancelled where somebody asked for that, TakenOver where another process is at it.

    With `in_transaction` it only tells: the run's own row learns of its phase with the commit, and it is too late to cancel.
    """

    run: Run
    in_transaction: bool = False
    _phase: str = ""
    _told: float = 0.0
    _rows: tuple[int, int] = (0, 0)

    def __call__(self, phase: str, done: int = 0, known: int = 0) -> None:
        moment = time.monotonic()
        if not self._is_news(phase, done, known) and moment - self._told < OFTEN:
            return
        if not self.in_transaction:
            self._refuse_to_go_on(phase)
        note(self.run.pk, phase, done, known)
        self._phase, self._told, self._rows = phase, moment, (done, known)

    def _is_news(self, phase: str, done: int, known: int) -> bool:
        """Another phase, or one of whose rows nobody knew, or a good part of many rows."""
        told, of_known = self._rows
        if phase != self._phase or (known and not of_known):
            return True
        return known >= MANY and STEP * (done - told) >= known

    def _refuse_to_go_on(self, phase: str) -> None:
        mine = taken(self.run)
        if not (mine.exists() if phase == self.run.phase else mine.update(phase=phase)):
            raise TakenOver(str(self.run.pk))
        self.run.phase = phase
        if of(self.run.pk).exclude(cancelled_by="").exists():
            raise Cancelled(str(self.run.pk))


@dataclass
class Written:
    """Hears how many changes were written, a few at a time, and tells of all so far."""

    tell: Tell
    known: int
    done: int = 0

    def __call__(self, more: int) -> None:
        self.done += more
        self.tell("applying", self.done, self.known)


def taken(run: Run) -> QuerySet[Run]:
    """The run, unless somebody else has taken it since: what changes it goes through here."""
    return Run.objects.filter(pk=run.pk, fence=run.fence)


def of(run_id: int) -> QuerySet[Progress]:
    return Progress.objects.using(BESIDE).filter(pk=run_id)


def note(run_id: int, phase: str, done: int = 0, known: int = 0) -> None:
    """Keeps how far a run is; where it comes into another phase, how long the last one took."""
    now = timezone.now()
    # It would wait for all that the run itself writes meanwhile.
    with soon_kept(BESIDE):
        if of(run_id).filter(phase=phase).update(done=done, known=known):
            return
        row, is_new = Progress.objects.using(BESIDE).get_or_create(
            pk=run_id, defaults={"phase": phase, "since": now, "done": done, "known": known}
        )
        if not is_new:
            _leave(row, now)
            row.phase, row.since, row.done, row.known = phase, now, done, known
            row.save(using=BESIDE, update_fields=["phase", "since", "done", "known", "durations"])


def ask_nothing(run_id: int) -> None:
    """A run that waits again has not been asked to end, and may be."""
    of(run_id).update(cancelled_by="", too_late=False)


def close_to_cancelling(run: Run) -> None:
    """From here on the run changes the roster. Raises Cancelled where somebody was faster."""
    note(run.pk, "applying")
    if not of(run.pk).filter(cancelled_by="").update(too_late=True):
        raise Cancelled(str(run.pk))


def ask_to_cancel(run_id: int, by: str) -> bool:
    """Whether that was in time: then it ends at its next safe point."""
    return bool(of(run_id).filter(too_late=False).update(cancelled_by=by))


def _leave(row: Progress, now: datetime) -> None:
    seconds = row.durations.get(row.phase, 0) + (now - row.since).total_seconds()
    row.durations = {**row.durations, row.phase: round(seconds, 3)}
