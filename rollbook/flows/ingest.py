"""Ingest: a delivery is kept, staged, judged and planned, and then, if somebody says so, applied and published in one transaction.

`prepare` does everything that can be shown without changing anything; `carry_out` does the rest, or holds what is hazardous. A worker walks
the same in steps: `keep`, `plan`, `act`. Each can be killed at any line and done again: the roster changes with the one commit at the end,
which moves the run too, and what a dead process leaves on the shelf is put there again.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from rollbook.engine.findings import Findings
from rollbook.engine.judgement import Judgement, judge
from rollbook.engine.package import NotAPackage
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.engine.preparation.steps import Step
from rollbook.engine.rekey import add_relinks, pairing, relink_accepted
from rollbook.engine.safeguards import Hazard
from rollbook.engine.telling import Tell, untold
from rollbook.flows import audit
from rollbook.flows.beside_readers import changes_much, giving_way, leave_processors, look_anew
from rollbook.flows.completeness import keep_certificate, outcome_of
from rollbook.flows.email_domains import domains_of
from rollbook.flows.kept import holds_before, needless_before, takes_the_place_of, words_to_keep
from rollbook.flows.limits import APPLIED, weigh
from rollbook.flows.notify import import_address, tell_operators
from rollbook.flows.preparation import steps_by, version_for
from rollbook.flows.progress import (
    OUT_OF_REACH,
    Cancelled,
    TakenOver,
    Teller,
    Written,
    close_to_cancelling,
    note,
    taken,
)
from rollbook.flows.publish import locked, publish
from rollbook.flows.severities import severities_of
from rollbook.flows.spans import KEPT, additions_end, left_out_words, today_of
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.beginning import Beginning, beginning
from rollbook.store.deliveries import accepted_for
from rollbook.store.found import keep_found
from rollbook.store.looked import Looked
from rollbook.store.models import (
    RECORDS,
    Connection,
    District,
    Hold,
    Plan,
    Preparation,
    Run,
    Served,
    ViewRow,
)
from rollbook.store.models.publication import COLLECTIONS
from rollbook.store.neighbours import belonging_of, neighbours_of, owners_of
from rollbook.store.target import apply, changed_by, first_free_ids, taken_ids

BY_HAND = "manual"
"""The flow of what people enter: its acts are audited one by one (`flows.manual`)."""

LEFT_AS_IT_IS = (Cancelled, TakenOver, *OUT_OF_REACH)
"""What does not end a run as failed: whoever walks it ends it, or begins the step again."""

MANY = 1_000
"""So many changes at least are worth a DuckDB of their own that puts a district's first publication together."""


class StaleBasis(Refusal):
    """The roster has changed since this plan was made. Plan it anew and look at it again: on its page, or by `rollbook run again`."""


class TakenIds(Refusal):
    """New records would be served under ids that other records of this district have. Give the connection a prefix, or correct the ids."""


@dataclass(frozen=True)
class Prepared:
    """A delivery as far as it goes without changing anything. `summary` is None where it cannot be planned at all.

    `hazards` are the reasons why `carry_out` will hold the plan instead of applying it.
    """

    run: Run
    connection: Connection
    findings: Findings
    summary: PlanSummary | None
    folder: Path
    hazards: list[Hazard] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return self.summary.changes if self.summary else 0


def prepare(
    connection: Connection, delivery: Path, started_by: str, certificate: Mapping[str, Any] | None = None
) -> Prepared:
    """Keep, stage, judge and plan `delivery`. Raises NotAPackage, with the run ended as refused, for what is none.

    `certificate` says what was proved of its completeness; without it the manifest's word is taken.
    """
    run = begin(connection, started_by, phase="kept")
    keep(run, delivery, certificate)
    return plan(run)


def prepare_relinked(held: Run, started_by: str) -> Prepared:
    """The delivery of `held` planned anew, with its re-keyed records re-linked: they keep their rows and the ids apps know."""
    assert held.connection is not None
    run = begin(held.connection, started_by, phase="kept", snapshot=held.snapshot)
    return plan(run, held)


def begin(connection: Connection, started_by: str, **about: Any) -> Run:
    """A new run of a connection; `about` are more of its columns."""
    known = {"district_id": connection.district_id, "connection": connection, "started_by": started_by}
    with transaction.atomic():
        run = Run.objects.create(**known | {"flow": "ingest"} | about)
        if run.flow != BY_HAND:
            audit.record(
                run.district_id,
                "run.begin",
                "run",
                run.pk,
                connection.name,
                after={"flow": run.flow},
                by=started_by,
            )
    return run


def keep(run: Run, delivery: Path, certificate: Mapping[str, Any] | None = None) -> None:
    """Put the delivery on the shelf, as it arrived; the run is on it from now on."""
    assert run.connection is not None
    run.snapshot = shelf.keep_delivery(run.connection, delivery)
    keep_certificate(run.snapshot, certificate)
    _keep_in(run, snapshot=run.snapshot, phase="kept")


def plan(run: Run, relinking: Run | None = None) -> Prepared:
    """Stage, judge and plan the delivery of this run; with the re-keyed records of the held run `relinking` re-linked.

    Raises NotAPackage, with the run ended as refused; Cancelled and TakenOver, with the run as it is.
    """
    assert run.connection is not None
    folder = shelf.run_folder(run) / f"attempt-{run.fence}"
    try:
        return _judged_and_planned(run, run.connection, folder, relinking)
    except NotAPackage as refusal:
        _end(run, "refused", str(refusal))
        raise
    except LEFT_AS_IT_IS:
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while {run.phase}")
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def carry_out(prepared: Prepared) -> Run:
    """Apply and publish what was planned, or hold it where there is a hazard: then what is served stays, and the operators are told.

    Raises StaleBasis if the roster is no longer the one the plan was made for, TakenIds.
    """
    run = prepared.run
    if run.outcome or prepared.summary is None:
        return run
    return _carried_out(run, apply_run)


def act(run: Run) -> Run:
    """The same for a run that was planned by whomever; one that has ended is left alone.

    Raises Cancelled, TakenOver and StaleBasis, with the run as it is: it may be planned anew. TakenIds ends it as refused.
    """
    return run if run.outcome else _carried_out(run, _applied)


def apply_run(run: Run) -> Run:
    """Apply and publish the plan of this run, hazardous or not. Raises StaleBasis, TakenIds, with the run ended as refused."""
    try:
        return _applied(run)
    except StaleBasis as refusal:
        _end(run, "refused", refusal.words)
        raise


def _carried_out(run: Run, apply_it: Callable[[Run], Run]) -> Run:
    if words := words_to_keep(run):
        _end(run, KEPT, words)
        _replace_needless(run)
        return run
    if not changes_of(run.plan):
        outcome = "empty" if run.plan.empty else "success"
        _end(run, *outcome_of(run, outcome, f"Nothing changed. {left_out_words(run.plan)}".strip()), "done")
    elif run.plan.hazards:
        _hold(run)
    else:
        run = apply_it(run)
    _replace_earlier(run)
    return run


def _applied(run: Run) -> Run:
    try:
        return _applied_and_published(run)
    except TakenIds as refusal:
        _end(run, "refused", f"{refusal.words} ({refusal})")
        raise
    except (*LEFT_AS_IT_IS, StaleBasis):
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while applying; nothing was changed.")
        raise


def decline(prepared: Prepared) -> Run:
    """End a prepared run without applying it, because somebody said no."""
    _end(prepared.run, "declined", "Not applied.")
    return prepared.run


def _judged_and_planned(run: Run, connection: Connection, folder: Path, relinking: Run | None) -> Prepared:
    tell = Teller(run)
    tell("reading")
    district = District.objects.get(pk=connection.district_id)
    work = folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    (work / "staged").mkdir(parents=True)
    accepted = accepted_for(connection, district.generation)
    held_plan = shelf.place(relinking.plan.shelf_name) if relinking else None
    if held_plan:
        with pairing(held_plan, work) as pairs:
            relink_accepted(pairs, accepted, work / "relinked")
        accepted = work / "relinked"
    version = version_for(run)
    delivery, staged = shelf.place(run.snapshot.shelf_name), work / "staged"
    with judged(connection, delivery, staged, accepted, steps_by(version), tell) as judgement:
        _keep_findings(run, judgement.findings)
        if judgement.findings.fatal:
            _end(run, "refused", "The delivery cannot be read as a whole; see the findings.")
            return Prepared(run, connection, judgement.findings, None, shelf.run_folder(run))
        tell("planning")
        until = additions_end(connection, today_of(district))
        with database.cursor() as cursor:
            free = first_free_ids(cursor, district.pk)
        summary = make_plan(judgement, accepted, folder, free, only_adds=until is not None, tell=tell)
        _keep_findings(run, judgement.findings)
    made = folder / "plan.parquet"
    if held_plan:
        with pairing(held_plan, work) as pairs:
            summary = add_relinks(pairs, made, summary)
    hazards = weigh(connection, summary, accepted, made, work)
    keep_plan(run, district, summary, hazards, folder, until, version)
    return Prepared(run, connection, judgement.findings, summary, shelf.run_folder(run), hazards)


def judged(
    connection: Connection,
    delivery: Path,
    work: Path,
    accepted: Path,
    steps: Sequence[Step],
    tell: Tell = untold,
) -> Judgement:
    """The delivery judged as an import by this connection judges it, prepared by `steps`, in the empty folder `work`; to be closed.

    Raises NotAPackage.
    """
    return judge(
        delivery,
        work,
        lenient=True,
        accepted=accepted,
        elsewhere=neighbours_of(connection),
        belonging=belonging_of(connection),
        owners=owners_of(connection) if _may_meet_others(connection) else None,
        severities=severities_of(connection.district),
        domains=domains_of(connection.district),
        steps=steps,
        tell=tell,
    )


def keep_plan(
    run: Run,
    district: District,
    summary: PlanSummary,
    hazards: Sequence[Hazard],
    folder: Path,
    additions_until: date | None = None,
    preparation: Preparation | None = None,
) -> None:
    """Put the plan that was made in `folder` into the run's own, and note it with the roster it was made for: the run is planned.

    Raises TakenOver: what an overtaken process made never takes the place of what its successor did.
    """
    with transaction.atomic():
        _keep_in(run, phase="planned")
        shelf.put_plan(run, folder)
        about = {
            "district": district,
            "shelf_name": f"{district.pk}/runs/{run.pk}/plan.parquet",
            "fingerprint": summary.fingerprint,
            "basis": basis_of(district),
            "counts": summary.counts,
            "hazards": [hazard.as_dict() for hazard in hazards],
            "empty": summary.empty,
            "left_out": summary.left_out,
            "additions_until": additions_until,
            "modes": summary.modes,
            "preparation": preparation,
        }
        run.plan, _ = Plan.objects.update_or_create(run=run, defaults=about)
    note(run.pk, "planned")


def changes_of(plan: Plan) -> int:
    """How many records a plan changes."""
    return sum(sum(actions.values()) for actions in plan.counts.values())


def _hold(run: Run) -> None:
    """The plan waits for a person, and the operators of the district are told."""
    hazards = run.plan.hazards
    with transaction.atomic():
        Hold.objects.create(run=run, district=run.district, hazards=hazards)
        _end(run, "held", hazards[0]["words"], "held")
        _tell_of_hold(run)


def _tell_of_hold(run: Run) -> None:
    reasons = "\n".join(f"- {hazard['words']}" for hazard in run.plan.hazards)
    tell_operators(
        run.district,
        "An import is held",
        f"Import {run.pk} was not applied, because it would change more than the limits allow:\n\n{reasons}\n\n"
        f"Apps go on reading the roster as it was. Look at the plan and decide:\n{import_address(run)}\n",
    )


def _replace_earlier(run: Run) -> None:
    """What an earlier delivery of the connection left on hold is out of date now, where this one says it anew."""
    for hold in holds_before(run):
        if not takes_the_place_of(run, hold.run):
            continue
        hold.decision, hold.decided_at = Hold.Decision.REPLACED, datetime.now(UTC)
        hold.why = f"Import {run.pk} came after it."
        with transaction.atomic():
            hold.save(update_fields=["decision", "decided_at", "why"])
            _end(hold.run, "replaced", hold.why)
    _replace_needless(run)


def _replace_needless(run: Run) -> None:
    """What is kept of its connection and said anew by this run's delivery need not be imported any more, nor kept."""
    for kept in needless_before(run):
        _end(kept, "replaced", f"Import {run.pk} came after it.")


def _keep_findings(run: Run, findings: Findings) -> None:
    _keep_in(run, findings=findings.counts())
    keep_found(run, findings)


def _applied_and_published(run: Run) -> Run:
    connection = run.connection
    assert connection is not None
    close_to_cancelling(run)
    tell: Tell = Teller(run, in_transaction=True)
    apart = database.vendor == "postgresql" and not database.in_atomic_block
    with transaction.atomic():
        district = locked(run.district_id)
        if has_been_applied(run):
            run.refresh_from_db()
            return run
        if basis_of(district) != run.plan.basis:
            raise StaleBasis(str(run.pk))
        plan = shelf.place(run.plan.shelf_name)
        changes = changes_of(run.plan)
        is_first = changes >= MANY and _is_first(run, district)
        if not is_first:
            tell = giving_way(tell)
        tell("applying", 0, changes)
        with (
            database.cursor() as cursor,
            _begun_by(run, cursor, apart) if is_first else nullcontext() as begun,
        ):
            leave_processors(cursor)
            _refuse_taken_ids(cursor, connection, plan)
            apply(cursor, connection, plan, Written(tell, changes))
            is_much = changes_much(district, changes)
            if is_much:
                look_anew(cursor, RECORDS.values())
            changed = changed_by(cursor, connection, plan) if district.publication else None
            looked = _looked(run.plan, tell)
            tell("publishing", 0, looked.known)
            reason, made = f"{run.flow} {run.pk}", begun() if begun else None
            publication = publish(district.pk, changed, reason, made, looked)
            if is_much:
                look_anew(cursor, (Served, ViewRow))
        district.refresh_from_db()
        district.generation += 1
        district.save(update_fields=["generation"])
        run.publication = publication.number if publication else district.publication
        _end(run, *outcome_of(run, message=left_out_words(run.plan)), "done")
        # Before the commit that makes it true: if that fails, the next delivery overwrites it.
        shelf.put_accepted(connection, district.generation, shelf.run_folder(run) / "accepted")
        shelf.carry_accepted_of_others(connection, district.generation)
    note(run.pk, "done")
    shelf.drop_older_accepted(connection.district_id, district.generation)
    return run


def _looked(plan: Plan, tell: Tell) -> Looked:
    """What publishing will look at, as far as a plan says: what it changes."""
    expected = {collection: sum(plan.counts.get(collection, {}).values()) for collection in COLLECTIONS}
    return Looked(lambda done, known: tell("publishing", done, known), expected)


def has_been_applied(run: Run) -> bool:
    """Whether the plan of this run is in the roster already, with the district locked. Raises TakenOver where another process has the run."""
    now = Run.objects.values("fence", "outcome").get(pk=run.pk)
    if now["outcome"] in APPLIED:
        return True
    if now["fence"] != run.fence:
        raise TakenOver(str(run.pk))
    return False


def _is_first(run: Run, district: District) -> bool:
    """Whether there is nothing yet in this district, and the whole of what will be lies on the shelf."""
    if district.publication or not (shelf.run_folder(run) / "accepted").exists():
        return False
    return not any(model.objects.filter(district=district).exists() for model in RECORDS.values())


def _begun_by(
    run: Run, cursor: CursorWrapper, apart: bool
) -> AbstractContextManager[Callable[[], Beginning]]:
    """A district's first roster is on the shelf as this run's delivery, whole: nearly all of it can be served from there."""
    folder = shelf.run_folder(run)
    where = folder / "accepted", folder / "work"
    return beginning(cursor, run.district_id, run.connection.prefix, *where, apart=apart)


def _refuse_taken_ids(cursor: CursorWrapper, connection: Connection, plan: Path) -> None:
    if _may_meet_others(connection) and (taken := taken_ids(cursor, connection, plan)):
        raise TakenIds(str(taken))


def _may_meet_others(connection: Connection) -> bool:
    """Only a second connection, one that was removed, or a re-link can have given away an id that a delivery brings anew."""
    district = connection.district_id
    return (
        Connection.objects.filter(district=district).exclude(pk=connection.pk).exists()
        or Hold.objects.filter(district=district, decision=Hold.Decision.RELINK).exists()
        or audit.was_done(district, "connection", "connection.remove")
    )


def basis_of(district: District) -> str:
    """What a plan is made for, in one word: it moves with every plan applied."""
    return f"generation {district.generation}"


def _end(run: Run, outcome: str, message: str, phase: str | None = None) -> None:
    _keep_in(
        run,
        outcome=outcome,
        message=message,
        ended_at=datetime.now(UTC),
        phase=phase or run.phase,
        publication=run.publication,
    )


def _keep_in(run: Run, **columns: Any) -> None:
    """Raises TakenOver where another process has taken the run since: then nothing is written."""
    if not taken(run).update(**columns):
        raise TakenOver(str(run.pk))
    for column, value in columns.items():
        setattr(run, column, value)
