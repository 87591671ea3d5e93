"""Undo: back to the roster as it was before a run, as a plan like any other: shown, weighed against the limits, held or applied."""

from rollbook.engine.findings import Findings
from rollbook.engine.undo import make_undo
from rollbook.flows.ingest import Prepared, keep_plan
from rollbook.flows.limits import APPLIED, weigh
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import District, Run


class NoSuchRun(Refusal):
    """There is no run of this number."""


class NotUndoable(Refusal):
    """Only a run that changed the roster can be undone, and only while its plan is kept."""


def find_run(run_id: int) -> Run:
    """Raises NoSuchRun."""
    run = Run.objects.select_related("connection", "plan").filter(pk=run_id).first()
    if run is None:
        raise NoSuchRun(str(run_id))
    return run


def prepare_undo(undone: Run, started_by: str) -> Prepared:
    """Plan the way back to before `undone`: all that its connection applied since is taken back too. `carry_out` does the rest.

    Raises NotUndoable.
    """
    connection = undone.connection
    if connection is None or undone.outcome not in APPLIED or not hasattr(undone, "plan"):
        raise NotUndoable(str(undone.pk))
    plans = [shelf.place(run.plan.shelf_name) for run in _applied_since(undone)]
    if not all(plan.exists() for plan in plans):
        raise NotUndoable(str(undone.pk))
    district = District.objects.get(pk=connection.district_id)
    run = Run.objects.create(
        district=district,
        connection=connection,
        flow="undo",
        phase="planning",
        started_by=started_by,
        undoes=undone,
    )
    folder = shelf.run_folder(run)
    accepted = accepted_for(connection, district.generation)
    summary = make_undo(plans, accepted, folder)
    hazards = weigh(connection, summary, accepted, folder / "plan.parquet", folder)
    keep_plan(run, district, summary)
    return Prepared(run, connection, Findings(lenient=True), summary, folder, hazards)


def _applied_since(undone: Run) -> list[Run]:
    """The run itself and what its connection applied after it, in that order."""
    applied = Run.objects.filter(
        connection=undone.connection_id,
        outcome__in=APPLIED,
        plan__isnull=False,
        ended_at__gte=undone.ended_at,
    )
    return list(applied.select_related("plan").order_by("ended_at", "id"))
