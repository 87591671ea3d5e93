"""Standing: how far a sync run is at this moment, in percent of its walk and in time, for whoever looks. It asks nothing of the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from rollbook.flows.jobs.beats import alive, is_worker
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.progress import WALKED
from rollbook.flows.sync.reading import NOT_READING
from rollbook.flows.sync.runs import IMPORT, WAITING, waiting
from rollbook.store.models import SyncRun

SHARES = {"fetching": 35.0, "reading": 20.0, "planning": 10.0, "applying": 33.0, "verifying": 2.0}
"""What each phase takes of a walk where no earlier run tells; the order is that of the walk."""

SHOWING, CARRYING_OUT = ("fetching", "reading", "planning"), ("applying", "verifying")

STILL_AFTER = timedelta(minutes=5)
"""A run that has its turn and has not come on for so long is said to stand still."""

LOOKED_AT = 10
"""So many earlier runs of the connection are asked how long their phases took."""


@dataclass(frozen=True)
class Standing:
    """`done` of `known` things in `phase` (0 known: nobody knows), `percent` of the walk; `ahead` runs of its organization come first.

    `seconds_left` is None where no earlier run tells. `not_before`: it waits for a provider until then. `cancelled_by` has asked that it end.
    `is_still`: it should come on, and has not for five minutes; `moved_at` is when it last did. `nobody_works`: it waits, and no worker runs.
    """

    phase: str
    done: int
    known: int
    percent: int
    seconds_left: int | None
    ahead: int
    not_before: datetime | None
    cancelled_by: str
    is_over: bool
    is_still: bool
    moved_at: datetime | None
    nobody_works: bool


def standing(run: SyncRun, now: datetime | None = None) -> Standing:
    """Where the run stands."""
    now = now or timezone.now()
    is_over = bool(run.outcome)
    waits = not is_over and run.phase == WAITING and run.turn_at is None
    ahead = _ahead(run) if waits else 0
    not_before = run.not_before if waits and run.not_before and run.not_before > now else None
    took = {} if is_over else took_before(run)
    moved_at = _moved_at(run)
    return Standing(
        phase=run.phase,
        done=run.done,
        known=run.known,
        percent=100 if is_over else _percent(run, took, now),
        seconds_left=None if is_over or ahead or not_before else _seconds_left(run, took, now),
        ahead=ahead,
        not_before=not_before,
        cancelled_by=run.cancelled_by,
        is_over=is_over,
        is_still=not is_over and run.turn_at is not None and now - moved_at >= STILL_AFTER,
        moved_at=moved_at,
        nobody_works=waits and not ahead and not not_before and _nobody_works(run, now),
    )


def took_before(run: SyncRun) -> dict[str, float]:
    """How many seconds each phase took the last time that its connection did the same; empty for what it never did."""
    kind = run.task.get("kind", "")
    earlier = SyncRun.objects.filter(
        connection=run.connection_id, task__kind=kind, outcome__in=LIKE_THE_REST, pk__lt=run.pk
    )
    found: dict[str, float] = {}
    for durations in earlier.order_by("-pk").values_list("durations", flat=True)[:LOOKED_AT]:
        for phase, seconds in durations.items():
            found.setdefault(phase, float(seconds))
    return found


LIKE_THE_REST = ("success", "partly", "previewed", "held", "incomplete", "drifted")
"""Outcomes of runs whose phases took as long as those of others; where there was nothing to do it was quicker."""


def _moved_at(run: SyncRun) -> datetime:
    """When it last came on, or could begin to."""
    return max(one for one in (run.moved_at, run.turn_at, run.started_at) if one is not None)


def _nobody_works(run: SyncRun, now: datetime) -> bool:
    return run.process == ANY_WORKER and not any(is_worker(one.name) for one in alive(now))


def walk_of(run: SyncRun) -> tuple[str, ...]:
    """The phases until it ends: a plan that was looked at is only carried out; a preview, and a first sync, is only made."""
    kind = run.task.get("kind")
    if run.task.get("approved"):
        return CARRYING_OUT
    is_shown = run.task.get("preview") or (run.connection.first_applied_at is None and kind != IMPORT)
    phases = SHOWING if is_shown else WALKED
    return tuple(one for one in phases if kind not in NOT_READING or one not in ("fetching", "reading"))


def _percent(run: SyncRun, took: Mapping[str, float], now: datetime) -> int:
    """99 at most, while it has not ended."""
    phases = walk_of(run)
    if run.phase == "planned":
        return min(
            int(100 * _weight([one for one in phases if one in SHOWING], took) / _weight(phases, took)), 99
        )
    if run.phase not in phases:
        return 0
    behind = _weight(phases[: phases.index(run.phase)], took)
    here = _weight((run.phase,), took) * _part(run, took, now)
    return min(int(100 * (behind + here) / _weight(phases, took)), 99)


def _weight(phases: Sequence[str], took: Mapping[str, float]) -> float:
    """By time where it is known of all phases, else by what is usual."""
    weights = took if all(took.get(one, 0.0) > 0 for one in WALKED) else SHARES
    return sum(weights[one] for one in phases)


def _part(run: SyncRun, took: Mapping[str, float], now: datetime) -> float:
    """How much of its phase is behind it: by what is counted, else by the clock."""
    if run.known:
        return min(run.done / run.known, 1.0)
    if run.phase_at is None or not took.get(run.phase):
        return 0.0
    return min((now - run.phase_at).total_seconds() / took[run.phase], 0.95)


def _seconds_left(run: SyncRun, took: Mapping[str, float], now: datetime) -> int | None:
    """What the phases to come took the last time, and what is left of this one by what is counted, or by the clock."""
    phases = walk_of(run)
    if any(phase not in took for phase in phases):
        return None
    if run.phase not in phases:
        behind = SHOWING if run.phase == "planned" else ()
        return round(sum(took[phase] for phase in phases if phase not in behind))
    elapsed = (now - run.phase_at).total_seconds() if run.phase_at else 0.0
    left = max(took[run.phase] - elapsed, 0.0)
    if run.known and run.done:
        left = elapsed * (run.known - run.done) / run.done
    return round(max(left, 0.0) + sum(took[phase] for phase in phases[phases.index(run.phase) + 1 :]))


def _ahead(run: SyncRun) -> int:
    here = SyncRun.objects.filter(organization=run.organization_id, outcome="").exclude(pk=run.pk)
    return (
        here.exclude(turn_at=None).count()
        + waiting().filter(organization=run.organization_id, pk__lt=run.pk).count()
    )
