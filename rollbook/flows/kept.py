"""Kept: deliveries that came during a blackout wait in line. Here is decided which delivery joins the line, and which leaves it unneeded."""

from datetime import date

from django.db.models import QuerySet

from rollbook.engine.succession import supersedes
from rollbook.flows.districts import MANUAL
from rollbook.flows.spans import KEPT, blackout_end, today_of
from rollbook.store.models import Connection, Run


def words_to_keep(run: Run) -> str:
    """Why a planned run is not to be carried out now; empty where it is. What a person decided or entered is never kept."""
    connection = run.connection
    if connection is None or run.flow != "ingest" or connection.kind == MANUAL or _is_relinked(run):
        return ""
    end = blackout_end(connection, today_of(connection.district))
    if end and not run.despite_blackout:
        return kept_words(end)
    if any(not supersedes(run.plan.modes, one.plan.modes) for one in kept_before(run)):
        return (
            "Kept: deliveries that came before it are imported first, and it brings only what changed since."
        )
    return ""


def kept_words(end: date) -> str:
    """What a run says that is kept until a blackout is over."""
    return f"Kept: blackout until {end}. Nothing of it is applied yet."


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
