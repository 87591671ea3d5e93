"""Turns: one run at a time in a district, in the order they came; the districts go round, each one run."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.flows.publish import locked
from rollbook.store.models import Run

ANY_WORKER = "worker"
"""`Run.process` of what any worker may walk. Other names are of processes that walk their own."""


WAITING = "waiting"


def give_turns() -> list[Run]:
    """The turns of all districts in which nobody has it, each to the run that waits longest; those that a worker has to walk."""
    return [run for run in first_in_line().filter(process=ANY_WORKER) if take_turn(run)]


def first_in_line() -> QuerySet[Run]:
    """Of each district in which no run has the turn, the one that waits longest."""
    busy = Run.objects.filter(outcome="", turn_at__isnull=False).values("district_id")
    first = {}
    for pk, district in waiting().exclude(district_id__in=busy).values_list("pk", "district_id"):
        first.setdefault(district, pk)
    return Run.objects.filter(pk__in=first.values()).order_by("pk")


def waiting() -> QuerySet[Run]:
    """What waits for its turn, the longest first."""
    return (
        Run.objects.filter(outcome="", phase=WAITING, turn_at__isnull=True).exclude(process="").order_by("pk")
    )


def take_turn(run: Run) -> bool:
    """Whether the run has its district's turn now. It ends with the run."""
    with transaction.atomic():
        locked(run.district_id)
        if ahead_of(run):
            return False
        here = Run.objects.filter(district=run.district_id, outcome="")
        now = timezone.now()
        if here.filter(pk=run.pk, turn_at__isnull=True).update(turn_at=now):
            run.turn_at = now
            return True
        return False


def give_back(run: Run) -> None:
    """The turn, while somebody thinks about what was planned: others need not wait for that."""
    Run.objects.filter(pk=run.pk, outcome="").update(turn_at=None)
    run.turn_at = None


def ahead_of(run: Run) -> int:
    """How many runs of its district come before one that waits."""
    here = Run.objects.filter(district=run.district_id, outcome="", turn_at__isnull=False).exclude(pk=run.pk)
    return here.count() + waiting().filter(district=run.district_id, pk__lt=run.pk).count()
