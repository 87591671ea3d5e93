"""Holds: what a person decides about a plan that was not applied unasked. Who, when and why are kept with it."""

from django.db import transaction
from django.utils import timezone

from rollbook.engine.safeguards import Hazard
from rollbook.flows import audit
from rollbook.flows.ingest import (
    LEFT_AS_IT_IS,
    Prepared,
    StaleBasis,
    apply_run,
    basis_of,
    carry_out,
    prepare_relinked,
)
from rollbook.flows.limits import raise_limits
from rollbook.refusal import Refusal
from rollbook.store.models import District, Hold, Run


class NoSuchHold(Refusal):
    """No plan of this number waits for a decision: `rollbook hold list` shows those that do."""


class AlreadyDecided(Refusal):
    """Somebody has decided about this plan already, or a newer delivery has taken its place."""


class WhyNeeded(Refusal):
    """Say why, in a few words: they are kept with the decision."""


class NothingToRelink(Refusal):
    """Nothing in this plan looks re-keyed: apply it, or reject it."""


def open_holds(district: District | None = None) -> list[Hold]:
    """What waits for a decision, the oldest first."""
    waiting = Hold.objects.filter(decision="").select_related("run__connection", "run__plan", "district")
    return list((waiting.filter(district=district) if district else waiting).order_by("run_id"))


def find_hold(run_id: int) -> Hold:
    """The hold of this run, decided or not. Raises NoSuchHold."""
    hold = (
        Hold.objects.filter(run_id=run_id).select_related("run__connection", "run__plan", "district").first()
    )
    if hold is None:
        raise NoSuchHold(str(run_id))
    return hold


def hazards_of(hold: Hold) -> list[Hazard]:
    """What made it wait."""
    return [Hazard(**{name: value for name, value in one.items() if name != "words"}) for one in hold.hazards]


def can_relink(hold: Hold) -> bool:
    return any(hazard.code == "rekey" for hazard in hazards_of(hold))


def apply_once(hold: Hold, by: str, why: str) -> Run:
    """Apply the plan as it was shown. Raises StaleBasis if the roster has changed since: nothing is decided then, and it can be planned anew."""
    return _apply(hold, by, why, Hold.Decision.APPLY)


def apply_and_raise(hold: Hold, by: str, why: str) -> Run:
    """Apply the plan, and set the limits it reached just above it."""
    return _apply(hold, by, why, Hold.Decision.RAISE)


def reject(hold: Hold, by: str, why: str) -> Run:
    """The plan is never applied; what is served stays."""
    with transaction.atomic():
        _decide(hold, by, why, Hold.Decision.REJECT)
        _end(hold.run, "rejected", "A person rejected this plan.")
        _record(hold, Hold.Decision.REJECT, by, why)
    return hold.run


def relink(hold: Hold, by: str, why: str) -> Run:
    """Plan the same delivery anew, with its re-keyed records re-linked. The new plan waits to be looked at: the run is returned held.

    Raises NothingToRelink, StaleBasis.
    """
    refuse_unrelinkable(hold, why)
    prepared: Prepared = prepare_relinked(hold.run, by)
    settle_relinked(hold, prepared.run, by, why)
    return carry_out(prepared)


def settle_relinked(hold: Hold, made: Run, by: str, why: str) -> None:
    """The held plan is done with: the run `made` has taken its place."""
    with transaction.atomic():
        _decide(hold, by, why, Hold.Decision.RELINK)
        _end(hold.run, "replaced", f"Re-linked as import {made.pk}.")
        _record(hold, Hold.Decision.RELINK, by, why)


def refuse_unrelinkable(hold: Hold, why: str, *, is_decided: bool = False) -> None:
    """Raises NothingToRelink, StaleBasis, and unless it is decided that it be re-linked WhyNeeded, AlreadyDecided."""
    if not can_relink(hold):
        raise NothingToRelink(str(hold.run_id))
    if not is_decided:
        refuse_undecidable(hold, why)
    refuse_stale(hold)


def refuse_stale(hold: Hold) -> None:
    """Raises StaleBasis where the roster has changed since the plan was made."""
    if basis_of(District.objects.get(pk=hold.district_id)) != hold.run.plan.basis:
        raise StaleBasis(str(hold.run_id))


def _apply(hold: Hold, by: str, why: str, decision: Hold.Decision) -> Run:
    try:
        with transaction.atomic():
            _decide(hold, by, why, decision)
            applied = apply_run(hold.run)
            # Behind what locks the district, as everywhere: two who decide at once must not wait for one another.
            if decision == Hold.Decision.RAISE:
                raise_limits(hold.district, hazards_of(hold))
            _record(hold, decision, by, why)
            return applied
    except StaleBasis:
        hold.run.refresh_from_db()
        raise
    except (AlreadyDecided, *LEFT_AS_IT_IS):
        raise
    except (Refusal, OSError) as refusal:
        # The decision went with the transaction: what became of it is kept.
        with transaction.atomic():
            _decide(hold, by, why, decision)
            _end(hold.run, "refused", getattr(refusal, "words", type(refusal).__name__))
            _record(hold, decision, by, why)
        raise


def _decide(hold: Hold, by: str, why: str, decision: Hold.Decision) -> None:
    """Takes the hold, if nobody else has; in the caller's transaction, so that a decision and what comes of it are one."""
    refuse_undecidable(hold, why)
    now = timezone.now()
    kept = {"decision": decision, "decided_by": by, "decided_at": now, "why": why.strip()}
    if not Hold.objects.filter(pk=hold.pk, decision="").update(**kept):
        raise AlreadyDecided(str(hold.run_id))


def refuse_undecidable(hold: Hold, why: str) -> None:
    """Raises WhyNeeded, AlreadyDecided."""
    if not why.strip():
        raise WhyNeeded
    if not Hold.objects.filter(pk=hold.pk, decision="").exists():
        raise AlreadyDecided(str(hold.run_id))


def _record(hold: Hold, decision: Hold.Decision, by: str, why: str) -> None:
    audit.record(
        hold.district_id, f"import.{decision}", "run", hold.run_id, after={"why": why.strip()}, by=by
    )


def _end(run: Run, outcome: str, message: str) -> None:
    run.outcome, run.message, run.ended_at = outcome, message, timezone.now()
    run.save(update_fields=["outcome", "message", "ended_at"])
