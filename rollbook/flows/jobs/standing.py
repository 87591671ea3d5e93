"""Standing: how far a run is at this moment, for whoever looks. It asks nothing of the worker."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from rollbook.flows.jobs.turns import WAITING, ahead_of
from rollbook.flows.limits import APPLIED
from rollbook.flows.progress import PHASES, of
from rollbook.store.models import Progress, Run

WALKED = tuple(phase for phase in PHASES if phase not in (WAITING, "done"))


@dataclass(frozen=True)
class Standing:
    """`done` of `known` rows in `phase` (0 known: nobody knows), `percent` of the whole walk; `seconds_left` None where no earlier run tells.

    `ahead` runs of its district come first. `cancelled_by` has asked that it end; with `can_cancel` somebody still may.
    """

    phase: str
    done: int
    known: int
    percent: int
    seconds_left: int | None
    ahead: int
    cancelled_by: str
    can_cancel: bool
    is_over: bool


def standing(run: Run, now: datetime | None = None) -> Standing:
    """Where the run stands."""
    row = of(run.pk).first()
    if run.outcome or row is None:
        return Standing(run.phase, 0, 0, 100 if run.outcome else 0, None, 0, "", False, bool(run.outcome))
    durations = _durations_before(run)
    left = _seconds_left(row, durations, now or timezone.now())
    return Standing(
        phase=row.phase,
        done=row.done,
        known=row.known,
        percent=_percent(row, left, now or timezone.now()),
        seconds_left=None if left is None else round(left),
        ahead=ahead_of(run) if run.turn_at is None else 0,
        cancelled_by=row.cancelled_by,
        can_cancel=not row.too_late and not row.cancelled_by,
        is_over=False,
    )


def _durations_before(run: Run) -> dict[str, float]:
    """How long each phase took the last time its connection applied something by this flow; empty where it never did."""
    earlier = Run.objects.filter(
        connection=run.connection_id, flow=run.flow, outcome__in=APPLIED, pk__lt=run.pk
    )
    known: dict[str, float] = {}
    for number in earlier.order_by("-pk").values_list("pk", flat=True)[:5]:
        durations = of(number).values_list("durations", flat=True).first() or {}
        if "applying" in durations:
            known = {phase: seconds for phase, seconds in durations.items() if phase in WALKED}
            break
    return known


def _seconds_left(row: Progress, durations: dict[str, float], now: datetime) -> float | None:
    """What the phases to come took the last time, and what is left of this one by its rows, or by the clock."""
    if not durations:
        return None
    if row.phase not in WALKED:
        return sum(durations.values())
    to_come = WALKED[WALKED.index(row.phase) + 1 :]
    elapsed = (now - row.since).total_seconds()
    if row.known and row.done:
        here = elapsed * (row.known - row.done) / row.done
    else:
        here = max(durations.get(row.phase, 0.0) - elapsed, 0.0)
    return here + sum(durations.get(phase, 0.0) for phase in to_come)


def _percent(row: Progress, left: float | None, now: datetime) -> int:
    """Of the time it takes, where an earlier run tells that; else of its phases."""
    if row.phase not in WALKED:
        return 0
    if left is None:
        here = min(row.done / row.known, 1.0) if row.known else 0.0
        return int(100 * (WALKED.index(row.phase) + here) / len(WALKED))
    gone = sum(seconds for phase, seconds in row.durations.items() if phase in WALKED)
    gone += (now - row.since).total_seconds()
    return min(int(100 * gone / (gone + left)), 99) if gone + left else 0
