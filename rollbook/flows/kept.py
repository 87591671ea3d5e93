"""Kept: deliveries wait in line that came during a blackout, or bring only what changed since one that waits itself. Here is decided
which delivery joins the line, which leaves it unneeded, and which takes the place of one that is held.
"""

from datetime import date

from django.db.models import QuerySet

from rollbook.engine.succession import supersedes
from rollbook.flows.districts import MANUAL
from rollbook.flows.spans import KEPT, blackout_end, today_of
from rollbook.store.models import Connection, Hold, Run


def words_to_keep(run: Run) -> str:
    """Why a planned run is not to be carried out now; empty where it is. What a person decided or entered is never kept."""
    connection = run.connection
    if connection is None or run.flow != "ingest" or connection.kind == MANUAL or _is_relinked(run):
        return ""
    end = blackout_end(connection, today_of(connection.district))
    if end and not run.despite_blackout:
        return kept_words(end)
    if held := held_before(run):
        return (
            f"Kept: import {held.pk} is held, and this delivery brings only what changed since."
            " It is imported once somebody has decided about that one."
        )
    if any(not supersedes(run.plan.modes, one.plan.modes) for one in kept_before(run)):
        return (
            "Kept: deliveries that came before it are imported first, and it brings only what changed since."
        )
    return ""


def kept_words(end: date) -> str:
    """What a run says that is kept until a blackout is over."""
    return f"Kept: blackout until {end}. Nothing of it is applied yet."


def held_before(run: Run) -> Run | None:
    """The oldest earlier run of its connection that is held, and whose place it cannot take."""
    return next((hold.run for hold in holds_before(run) if not takes_the_place_of(run, hold.run)), None)


def holds_before(run: Run) -> list[Hold]:
    """What of its connection came before it and waits for a decision, the oldest first."""
    earlier = Hold.objects.filter(run__connection=run.connection_id, run__lt=run.pk, decision="")
    return list(earlier.select_related("run__plan").order_by("run_id"))


def takes_the_place_of(run: Run, held: Run) -> bool:
    """Whether nothing of a held run's delivery is lost with its plan: the delivery of `run` says it anew, or is the same one."""
    is_same = held.snapshot_id is not None and held.snapshot_id == run.snapshot_id
    return is_same or supersedes(run.plan.modes, held.plan.modes)


def line_of(connection: Connection) -> QuerySet[Run]:
    """The runs whose deliveries are kept, as they came."""
    return (
        Run.objects.filter(connection=connection, outcome=KEPT)
        .select_related("plan")
        .order_by("snapshot_id", "pk")
    )


def kept_before(run: Run) -> list[Run]:
    """Those whose deliveries came before that of `run`."""
    assert run.connection is not None
    return (
        list(line_of(run.connection).filter(snapshot_id__lt=run.snapshot_id or 0)) if run.snapshot_id else []
    )


def needless_before(run: Run) -> list[Run]:
    """Those that this delivery says anew."""
    return [one for one in kept_before(run) if supersedes(run.plan.modes, one.plan.modes)]


def _is_relinked(run: Run) -> bool:
    return any(hazard["code"] == "relinked" for hazard in run.plan.hazards)
