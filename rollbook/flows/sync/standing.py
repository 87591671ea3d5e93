"""Standing: how far a sync run is at this moment, in percent of the whole walk, for whoever looks. It asks nothing of the worker."""

from dataclasses import dataclass
from datetime import datetime

from rollbook.flows.sync.runs import WAITING, waiting
from rollbook.store.models import SyncRun

SHARES = {"fetching": 35, "reading": 20, "planning": 10, "planned": 0, "applying": 33, "verifying": 2}
"""Of a hundred, what each phase takes of a first sync; the order is that of the walk."""


@dataclass(frozen=True)
class Standing:
    """`done` of `known` things in `phase` (0 known: nobody knows), `percent` of the walk; `ahead` runs of its organization come first.

    `not_before`: it waits for a provider until then. `cancelled_by` has asked that it end.
    """

    phase: str
    done: int
    known: int
    percent: int
    ahead: int
    not_before: datetime | None
    cancelled_by: str
    is_over: bool


def standing(run: SyncRun) -> Standing:
    """Where the run stands."""
    is_over = bool(run.outcome)
    waits = not is_over and run.phase == WAITING
    return Standing(
        phase=run.phase,
        done=run.done,
        known=run.known,
        percent=100 if is_over else _percent(run),
        ahead=_ahead(run) if waits and run.turn_at is None else 0,
        not_before=run.not_before if waits else None,
        cancelled_by=run.cancelled_by,
        is_over=is_over,
    )


def _percent(run: SyncRun) -> int:
    """99 at most, while it has not ended."""
    if run.phase not in SHARES:
        return 0
    phases = list(SHARES)
    behind = sum(SHARES[phase] for phase in phases[: phases.index(run.phase)])
    here = min(run.done / run.known, 1.0) if run.known else 0.0
    return min(int(behind + SHARES[run.phase] * here), 99)


def _ahead(run: SyncRun) -> int:
    here = SyncRun.objects.filter(organization=run.organization_id, outcome="").exclude(pk=run.pk)
    return (
        here.exclude(turn_at=None).count()
        + waiting().filter(organization=run.organization_id, pk__lt=run.pk).count()
    )
