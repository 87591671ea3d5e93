"""What can be done with a run that has ended: apply a plan that was only shown, go back to before it or after it."""

from dataclasses import dataclass

from rollbook.console.reports import is_kept
from rollbook.engine.safeguards import Hazard
from rollbook.flows.limits import APPLIED
from rollbook.flows.previews import PREVIEWED, OtherSteps, has_other_steps, stale_words
from rollbook.flows.undo import can_return
from rollbook.store.models import Run


@dataclass(frozen=True)
class ShownPreview:
    """A plan that waits without hurry. `stale` says why it can no longer be applied, `moved` whether that is because the roster is another
    one; `hazards` is what would hold it.
    """

    stale: str
    moved: bool
    hazards: list[str]


@dataclass(frozen=True)
class WaysBack:
    """Whether the roster can be brought to what it was before this run, and to what it was after it."""

    before: bool
    after: bool


def shown_preview(run: Run) -> ShownPreview | None:
    """None where the run is no preview."""
    if run.outcome != PREVIEWED or not hasattr(run, "plan"):
        return None
    hazards = [
        Hazard(**{key: value for key, value in one.items() if key != "words"}) for one in run.plan.hazards
    ]
    moved = stale_words(run)
    stale = moved or (OtherSteps().words if has_other_steps(run) else "")
    return ShownPreview(stale, bool(moved), [hazard.words for hazard in hazards])


def ways_back(run: Run) -> WaysBack | None:
    """None where there is no way back."""
    if run.outcome not in APPLIED or not hasattr(run, "plan"):
        return None
    after = can_return(run)
    before = bool(run.plan.counts) and is_kept(run) and (after or not _anything_after(run))
    return WaysBack(before, after) if before or after else None


def _anything_after(run: Run) -> bool:
    later = Run.objects.filter(connection=run.connection_id, outcome__in=APPLIED, ended_at__gt=run.ended_at)
    return any(one.plan.counts for one in later.filter(plan__isnull=False).select_related("plan"))
