"""Turns of syncs: one run at a time in an organization; the organizations go round, each one run. And what the dead have left."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils import timezone

from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.runs import take_turn, waiting
from rollbook.store.models import SyncRun


def give_turns(now: datetime | None = None) -> list[SyncRun]:
    """The turns of all organizations in which nobody has it, each to the run that waits longest; those that a worker has to walk."""
    return [run for run in first_in_line(now).filter(process=ANY_WORKER) if take_turn(run)]


def first_in_line(now: datetime | None = None) -> QuerySet[SyncRun]:
    """Of each organization in which no run has the turn, the one that waits longest and may begin now."""
    busy = SyncRun.objects.filter(outcome="", turn_at__isnull=False).values("organization_id")
    first: dict[int, int] = {}
    for pk, organization in (
        waiting(now).exclude(organization_id__in=busy).values_list("pk", "organization_id")
    ):
        first.setdefault(organization, pk)
    return SyncRun.objects.filter(pk__in=first.values()).order_by("pk")


def with_turn() -> list[SyncRun]:
    """The runs a worker has to walk now."""
    return list(
        SyncRun.objects.filter(outcome="", turn_at__isnull=False, process=ANY_WORKER).order_by("turn_at")
    )


def begin_again(run: SyncRun) -> bool:
    """Whether a run that the engine gave up, and that has not ended, got another turn, and with it another name there."""
    here = SyncRun.objects.filter(pk=run.pk, outcome="", turn_at=run.turn_at)
    return bool(here.update(turn_at=timezone.now()))


def end_those_of_the_dead(living: Sequence[str]) -> None:
    """A command that was stopped in the middle: what it did stays, with its links, and the next run finds the rest."""
    theirs = SyncRun.objects.filter(outcome="").exclude(process__in=["", ANY_WORKER, *living])
    # The fence: if it is not dead after all, it changes nothing any more.
    theirs.update(
        outcome="failed",
        message="The command was stopped in the middle. The next run goes on from what is there.",
        ended_at=timezone.now(),
        phase="done",
        turn_at=None,
        fence=F("fence") + 1,
    )
