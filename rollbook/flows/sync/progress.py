"""How far a sync run is, told between its batches, and the two reasons to stop: somebody asked for that, or another process has it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from rollbook.flows.progress import OFTEN, Cancelled, TakenOver
from rollbook.store.models import SyncRun

PHASES = ("waiting", "fetching", "reading", "planning", "planned", "applying", "verifying", "done")
"""In the order a run goes through them; reading stands for all that judging a package tells."""

WALKED = ("fetching", "reading", "planning", "applying", "verifying")
"""Those that take time."""


@dataclass
class Teller:
    """Tells of a run that this process has taken. Raises Cancelled, TakenOver."""

    run: SyncRun
    _told: float = 0.0

    def __call__(self, phase: str, done: int = 0, known: int = 0) -> None:
        moment = time.monotonic()
        if phase == self.run.phase and self._told and moment - self._told < OFTEN:
            return
        keep(self.run, **self._columns(phase, done, known))
        self._told = moment
        if taken(self.run).exclude(cancelled_by="").exists():
            raise Cancelled(str(self.run.pk))

    def _columns(self, phase: str, done: int, known: int) -> dict[str, Any]:
        """What comes on is told with the moment; who says the same again has not moved. A process that takes a phase up begins it anew."""
        told = {"done": done, "known": known}
        if phase != self.run.phase or not self._told:
            return told | into(self.run, phase)
        if (done, known) == (self.run.done, self.run.known):
            return told
        return told | {"moved_at": datetime.now(UTC)}


def into(run: SyncRun, phase: str) -> dict[str, Any]:
    """The columns of a run that comes into this phase, with what the last one took."""
    now = datetime.now(UTC)
    durations = dict(run.durations)
    if phase != run.phase and run.phase in WALKED and run.phase_at:
        seconds = durations.get(run.phase, 0.0) + (now - run.phase_at).total_seconds()
        durations[run.phase] = round(seconds, 3)
    return {"phase": phase, "phase_at": now, "moved_at": now, "durations": durations}


@dataclass
class Heard:
    """Hears how far the judging of a package is; all its phases are one here."""

    tell: Teller

    def __call__(self, phase: str, done: int = 0, known: int = 0) -> None:
        self.tell("reading", done, known)


def taken(run: SyncRun) -> QuerySet[SyncRun]:
    """The run, unless somebody else has taken it since: what changes it goes through here."""
    return SyncRun.objects.filter(pk=run.pk, fence=run.fence)


def keep(run: SyncRun, **columns: object) -> None:
    """Writes columns of the run. Raises TakenOver."""
    if not taken(run).update(**columns):
        raise TakenOver(str(run.pk))
    for name, value in columns.items():
        setattr(run, name, value)


def wait_until(run: SyncRun, until: datetime, words: str) -> None:
    """The run gives its turn back, and waits for another from then on. Raises TakenOver."""
    keep(run, **into(run, "waiting"), done=0, known=0, turn_at=None, not_before=until, message=words)


def end(run: SyncRun, outcome: str, words: str) -> None:
    """Raises TakenOver."""
    keep(run, **into(run, "done"), outcome=outcome, message=words, ended_at=datetime.now(UTC), turn_at=None)
