"""Previews: a plan that is shown and waits without hurry. It can be applied while the roster it was made for is still the roster."""

from django.db import transaction
from django.utils import timezone

from rollbook.engine.findings import Findings
from rollbook.engine.plan import PlanSummary
from rollbook.flows import audit
from rollbook.flows.ingest import Prepared, StaleBasis, basis_of, carry_out
from rollbook.flows.limits import APPLIED
from rollbook.flows.preparation import PREPARATION, version_of
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run

PREVIEWED = "previewed"
PREPARED = ("ingest", PREPARATION)
"""Flows whose deliveries are prepared by the connection's steps."""

SHOWN = "Shown and not applied. It can be applied while the roster stays as it is."


class NotAPreview(Refusal):
    """This import is no preview that waits: it was applied, or ended otherwise. Make a new one."""


class OtherSteps(Refusal):
    """This plan was prepared by steps that are not those that hold. Save them first, or preview the delivery again."""


class PlanGone(Refusal):
    """The plan of this import is no longer kept. Preview the delivery again."""


def preview(prepared: Prepared) -> Run:
    """End a prepared run as shown, to be applied later or never. What cannot be planned has its outcome already."""
    run = prepared.run
    if run.outcome or prepared.summary is None:
        return run
    run.outcome, run.message, run.ended_at = PREVIEWED, SHOWN, timezone.now()
    run.save(update_fields=["outcome", "message", "ended_at"])
    return run


def stale_words(run: Run) -> str:
    """What has changed since the plan of this preview was made, as a sentence; empty while it can be applied."""
    if basis_of(District.objects.get(pk=run.district_id)) == run.plan.basis:
        return ""
    since = Run.objects.filter(
        district=run.district_id, outcome__in=APPLIED, publication__isnull=False, ended_at__gt=run.plan.created_at
    )  # fmt: skip
    latest = since.exclude(pk=run.pk).order_by("-ended_at").first()
    what = f"run {latest.pk} was applied" if latest else "the roster has changed"
    return f"This plan is stale: {what} after it was made."


def apply_preview(run: Run, by: str) -> Run:
    """Carry out a preview as it was shown; the limits are asked again, and may hold it. Raises NotAPreview, PlanGone, StaleBasis."""
    refuse_unappliable(run)
    assert run.connection is not None
    prepared = _prepared_again(run, run.connection)
    _take(run, by)
    return carry_out(prepared)


def refuse_unappliable(run: Run) -> None:
    """Raises NotAPreview, PlanGone, StaleBasis, OtherSteps."""
    if run.connection is None or run.outcome != PREVIEWED:
        raise NotAPreview(str(run.pk))
    if not shelf.place(run.plan.shelf_name).exists():
        raise PlanGone(str(run.pk))
    if stale_words(run):
        raise StaleBasis(str(run.pk))
    if has_other_steps(run):
        raise OtherSteps(str(run.pk))


def has_other_steps(run: Run) -> bool:
    """Whether the plan was prepared by steps that are not those that hold: a draft's, or an earlier version's."""
    if run.connection is None or run.flow not in PREPARED:
        return False
    return run.plan.preparation != version_of(run.connection)


def _prepared_again(run: Run, connection: Connection) -> Prepared:
    plan = run.plan
    summary = PlanSummary(plan.counts, {}, plan.fingerprint, empty=plan.empty)
    return Prepared(run, connection, Findings(lenient=True), summary, shelf.run_folder(run))


def _take(run: Run, by: str) -> None:
    """Two people may press the button at once: one of them applies it."""
    applied_by = f"{run.started_by}, applied by {by}"[:200]
    with transaction.atomic():
        waiting = Run.objects.filter(pk=run.pk, outcome=PREVIEWED)
        if not waiting.update(outcome="", message="", ended_at=None, started_by=applied_by):
            raise NotAPreview(str(run.pk))
        audit.record(run.district_id, "run.apply_preview", "run", run.pk, by=by)
    run.refresh_from_db()
