"""Ingest: a delivery is kept, staged, judged and planned, and then, if somebody says so, applied and published in one transaction.

`prepare` does everything that can be shown without changing anything; `carry_out` does the rest, or holds what is hazardous. Each can be
killed at any line: the roster changes with the one commit at the end, and what a dead run leaves on the shelf is put there again by the next.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.engine.package import NotAPackage
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.engine.rekey import add_relinks, pairing, relink_accepted
from rollbook.engine.safeguards import Hazard
from rollbook.flows.completeness import keep_certificate, outcome_of
from rollbook.flows.limits import weigh
from rollbook.flows.notify import import_address, tell_operators
from rollbook.flows.publish import locked, publish
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.beginning import Beginning, beginning
from rollbook.store.bulk import is_postgresql
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import (
    RECORDS,
    Connection,
    District,
    Hold,
    Plan,
    Run,
    Served,
    Snapshot,
    ViewRow,
)
from rollbook.store.target import apply, changed_by, first_free_ids, taken_ids

ANALYZE_FROM = 10_000
"""Changes from which the database is told to look at the tables anew before it answers questions about them."""


class StaleBasis(Refusal):
    """The roster has changed since this plan was made. Make a new plan and look at it again."""


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
    run = _begun(connection, started_by)
    run.snapshot = shelf.keep_delivery(connection, delivery)
    keep_certificate(run.snapshot, certificate)
    run.save(update_fields=["snapshot"])
    return _prepared(run, connection)


def prepare_relinked(held: Run, started_by: str) -> Prepared:
    """The delivery of `held` planned anew, with its re-keyed records re-linked: they keep their rows and the ids apps know."""
    assert held.connection is not None
    run = _begun(held.connection, started_by, held.snapshot)
    return _prepared(run, held.connection, shelf.place(held.plan.shelf_name))


def carry_out(prepared: Prepared) -> Run:
    """Apply and publish what was planned, or hold it where there is a hazard: then what is served stays, and the operators are told.

    Raises StaleBasis if the roster is no longer the one the plan was made for, TakenIds.
    """
    run = prepared.run
    if run.outcome or prepared.summary is None:
        return run
    if not prepared.changes:
        outcome = "empty" if prepared.summary.empty else "success"
        _end(run, *outcome_of(run, outcome, "Nothing changed."), "done")
    elif prepared.hazards:
        _hold(run, prepared.hazards)
    else:
        apply_run(run)
    _replace_earlier(run)
    return run


def apply_run(run: Run) -> Run:
    """Apply and publish the plan of this run, hazardous or not. Raises StaleBasis, TakenIds, with the run ended as refused."""
    try:
        return _applied_and_published(run)
    except (StaleBasis, TakenIds) as refusal:
        _end(run, "refused", refusal.words)
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while applying; nothing was changed.")
        raise


def decline(prepared: Prepared) -> Run:
    """End a prepared run without applying it, because somebody said no."""
    _end(prepared.run, "declined", "Not applied.")
    return prepared.run


def _begun(connection: Connection, started_by: str, snapshot: Snapshot | None = None) -> Run:
    return Run.objects.create(
        district=connection.district,
        connection=connection,
        snapshot=snapshot,
        flow="ingest",
        phase="kept",
        started_by=started_by,
    )


def _prepared(run: Run, connection: Connection, relinking: Path | None = None) -> Prepared:
    folder = shelf.run_folder(run)
    try:
        return _judged_and_planned(run, connection, folder, relinking)
    except NotAPackage as refusal:
        _end(run, "refused", str(refusal))
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while {run.phase}")
        raise
    finally:
        shutil.rmtree(folder / "work", ignore_errors=True)


def _judged_and_planned(run: Run, connection: Connection, folder: Path, relinking: Path | None) -> Prepared:
    run.phase = "judging"
    run.save(update_fields=["phase"])
    district = District.objects.get(pk=connection.district_id)
    work = folder / "work"
    (work / "staged").mkdir(parents=True, exist_ok=True)
    accepted = accepted_for(connection, district.generation)
    if relinking:
        with pairing(relinking, work) as pairs:
            relink_accepted(pairs, accepted, work / "relinked")
        accepted = work / "relinked"
    with judge(
        shelf.place(run.snapshot.shelf_name), work / "staged", lenient=True, accepted=accepted
    ) as judgement:
        _keep_findings(run, judgement.findings, folder)
        if judgement.findings.fatal:
            _end(run, "refused", "The delivery cannot be read as a whole; see the findings.")
            return Prepared(run, connection, judgement.findings, None, folder)
        run.phase = "planning"
        run.save(update_fields=["phase"])
        with database.cursor() as cursor:
            free = first_free_ids(cursor, district.pk)
        summary = make_plan(judgement, accepted, folder, free)
        _keep_findings(run, judgement.findings, folder)
    plan = folder / "plan.parquet"
    if relinking:
        with pairing(relinking, work) as pairs:
            summary = add_relinks(pairs, plan, summary)
    hazards = weigh(connection, summary, accepted, plan, work)
    keep_plan(run, district, summary)
    return Prepared(run, connection, judgement.findings, summary, folder, hazards)


def keep_plan(run: Run, district: District, summary: PlanSummary) -> None:
    """Note the plan that lies in the run's folder, and the roster it was made for: the run is planned."""
    Plan.objects.create(
        district=district,
        run=run,
        shelf_name=f"{district.pk}/runs/{run.pk}/plan.parquet",
        fingerprint=summary.fingerprint,
        basis=basis_of(district),
        counts=summary.counts,
    )
    run.phase = "planned"
    run.save(update_fields=["phase"])


def _hold(run: Run, hazards: list[Hazard]) -> None:
    """The plan waits for a person, and the operators of the district are told."""
    with transaction.atomic():
        Hold.objects.create(run=run, district=run.district, hazards=[hazard.as_dict() for hazard in hazards])
        _end(run, "held", hazards[0].words, "held")
    reasons = "\n".join(f"- {hazard.words}" for hazard in hazards)
    tell_operators(
        run.district,
        "An import is held",
        f"Import {run.pk} was not applied, because it would change more than the limits allow:\n\n{reasons}\n\n"
        f"Apps go on reading the roster as it was. Look at the plan and decide:\n{import_address(run)}\n",
    )


def _replace_earlier(run: Run) -> None:
    """What an earlier delivery of the connection left on hold is out of date now."""
    earlier = Hold.objects.filter(run__connection=run.connection_id, run__lt=run.pk, decision="")
    for hold in earlier.select_related("run"):
        hold.decision, hold.decided_at = Hold.Decision.REPLACED, datetime.now(UTC)
        hold.why = f"Import {run.pk} came after it."
        with transaction.atomic():
            hold.save(update_fields=["decision", "decided_at", "why"])
            _end(hold.run, "replaced", hold.why)


def _keep_findings(run: Run, findings: Findings, folder: Path) -> None:
    run.findings = findings.counts()
    run.save(update_fields=["findings"])
    findings.write(folder / "findings.json")


def _applied_and_published(run: Run) -> Run:
    connection = run.connection
    assert connection is not None
    with transaction.atomic():
        district = locked(run.district_id)
        if basis_of(district) != run.plan.basis:
            raise StaleBasis
        plan = shelf.place(run.plan.shelf_name)
        changes = sum(sum(actions.values()) for actions in run.plan.counts.values())
        with database.cursor() as cursor:
            _refuse_taken_ids(cursor, connection, plan)
            apply(cursor, connection, plan)
            _look_anew(cursor, changes, RECORDS.values())
            changed = changed_by(cursor, connection, plan) if district.publication else None
        with _begun_by(run, district) as begun:
            publication = publish(district.pk, changed, f"{run.flow} {run.pk}", begun)
        with database.cursor() as cursor:
            _look_anew(cursor, changes, (Served, ViewRow))
        district.refresh_from_db()
        district.generation += 1
        district.save(update_fields=["generation"])
        run.publication = publication.number if publication else district.publication
        _end(run, *outcome_of(run), "done")
        # Before the commit that makes it true: if that fails, the next delivery overwrites it.
        shelf.put_accepted(connection, district.generation, shelf.run_folder(run) / "accepted")
    shelf.drop_older_accepted(connection, district.generation)
    return run


@contextmanager
def _begun_by(run: Run, district: District) -> Iterator[Beginning | None]:
    """A district's first roster is on the shelf as this run's delivery, whole: nearly all of it can be served from there."""
    accepted = shelf.run_folder(run) / "accepted"
    if district.publication or district.generation or not accepted.exists():
        yield None
        return
    work = shelf.run_folder(run) / "work"
    with beginning(district.pk, run.connection.prefix, accepted, work) as begun:
        yield begun


def _refuse_taken_ids(cursor: CursorWrapper, connection: Connection, plan: Path) -> None:
    """Only a second connection, or a re-link, can have given away an id that a delivery brings anew."""
    district = connection.district_id
    others = Connection.objects.filter(district=district).exclude(pk=connection.pk).exists()
    if others or Hold.objects.filter(district=district, decision=Hold.Decision.RELINK).exists():
        taken = taken_ids(cursor, connection, plan)
        if taken:
            raise TakenIds(f"{taken[1]:,} {taken[0]}")


def _look_anew(cursor: CursorWrapper, changes: int, tables: Iterable[type[Model]]) -> None:
    """PostgreSQL plans by what it knows of its tables; after so many changes it would know nothing for a minute."""
    if changes >= ANALYZE_FROM and is_postgresql(cursor):
        for model in tables:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def basis_of(district: District) -> str:
    """What a plan is made for, in one word: it moves with every plan applied."""
    return f"generation {district.generation}"


def _end(run: Run, outcome: str, message: str, phase: str | None = None) -> None:
    run.outcome, run.message, run.ended_at = outcome, message, datetime.now(UTC)
    run.phase = phase or run.phase
    run.save(update_fields=["outcome", "message", "ended_at", "phase", "publication"])
