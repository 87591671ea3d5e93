"""Ingest: a delivery is kept, staged, judged and planned, and then, if somebody says so, applied and published in one transaction.

`prepare` does everything that can be shown without changing anything; `carry_out` does the rest. Each can be killed at any line: the roster
changes with the one commit at the end, and what a dead run leaves on the shelf is put there again by the next.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.engine.package import NotAPackage
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.flows.publish import locked, publish
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.bulk import is_postgresql
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import RECORDS, Connection, District, Plan, Run, Served, ViewRow
from rollbook.store.target import apply, changed_by, first_free_ids

ANALYZE_FROM = 10_000
"""Changes from which the database is told to look at the tables anew before it answers questions about them."""


class StaleBasis(Refusal):
    """The roster has changed since this plan was made. Make a new plan and look at it again."""


@dataclass(frozen=True)
class Prepared:
    """A delivery as far as it goes without changing anything. `summary` is None where it cannot be planned at all."""

    run: Run
    connection: Connection
    findings: Findings
    summary: PlanSummary | None
    folder: Path

    @property
    def changes(self) -> int:
        counts = self.summary.counts if self.summary else {}
        return sum(sum(actions.values()) for actions in counts.values())


def prepare(connection: Connection, delivery: Path, started_by: str) -> Prepared:
    """Keep, stage, judge and plan `delivery`. Raises NotAPackage, with the run ended as refused, for what is none."""
    district = District.objects.get(pk=connection.district_id)
    run = Run.objects.create(
        district=district, connection=connection, flow="ingest", phase="kept", started_by=started_by
    )
    run.snapshot = shelf.keep_delivery(connection, delivery)
    run.save(update_fields=["snapshot"])
    folder = shelf.run_folder(run)
    try:
        return _judged_and_planned(run, connection, district, folder)
    except NotAPackage as refusal:
        _end(run, "refused", str(refusal))
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while {run.phase}")
        raise
    finally:
        shutil.rmtree(folder / "work", ignore_errors=True)


def carry_out(prepared: Prepared) -> Run:
    """Apply and publish what was planned. Raises StaleBasis if the roster is no longer the one the plan was made for."""
    run = prepared.run
    if run.outcome or prepared.summary is None:
        return run
    if not prepared.changes:
        _end(run, "empty" if prepared.summary.empty else "success", "Nothing changed.", "done")
        return run
    try:
        return _applied_and_published(prepared)
    except StaleBasis as refusal:
        _end(run, "refused", refusal.words)
        raise
    except BaseException as fault:
        _end(run, "failed", f"{type(fault).__name__} while applying; nothing was changed.")
        raise


def decline(prepared: Prepared) -> Run:
    """End a prepared run without applying it, because somebody said no."""
    _end(prepared.run, "declined", "Not applied.")
    return prepared.run


def _judged_and_planned(run: Run, connection: Connection, district: District, folder: Path) -> Prepared:
    run.phase = "judging"
    run.save(update_fields=["phase"])
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    accepted = accepted_for(connection, district.generation)
    with judge(shelf.place(run.snapshot.shelf_name), work, lenient=True, accepted=accepted) as judgement:
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
    Plan.objects.create(
        district=district,
        run=run,
        shelf_name=f"{district.pk}/runs/{run.pk}/plan.parquet",
        fingerprint=summary.fingerprint,
        basis=_basis(district),
        counts=summary.counts,
    )
    run.phase = "planned"
    run.save(update_fields=["phase"])
    return Prepared(run, connection, judgement.findings, summary, folder)


def _keep_findings(run: Run, findings: Findings, folder: Path) -> None:
    run.findings = findings.counts()
    run.save(update_fields=["findings"])
    findings.write(folder / "findings.json")


def _applied_and_published(prepared: Prepared) -> Run:
    run, connection = prepared.run, prepared.connection
    with transaction.atomic():
        district = locked(run.district_id)
        if _basis(district) != run.plan.basis:
            raise StaleBasis
        plan = shelf.place(run.plan.shelf_name)
        with database.cursor() as cursor:
            apply(cursor, connection, plan)
            _look_anew(cursor, prepared.changes, RECORDS.values())
            changed = changed_by(cursor, connection, plan) if district.publication else None
        publication = publish(district.pk, changed, f"import {run.pk}")
        with database.cursor() as cursor:
            _look_anew(cursor, prepared.changes, (Served, ViewRow))
        district.refresh_from_db()
        district.generation += 1
        district.save(update_fields=["generation"])
        run.publication = publication.number if publication else district.publication
        _end(run, "success", "", "done")
        # Before the commit that makes it true: if that fails, the next delivery overwrites it.
        shelf.put_accepted(connection, district.generation, prepared.folder / "accepted")
    shelf.drop_older_accepted(connection, district.generation)
    return run


def _look_anew(cursor: CursorWrapper, changes: int, tables: Iterable[type[Model]]) -> None:
    """PostgreSQL plans by what it knows of its tables; after so many changes it would know nothing for a minute."""
    if changes >= ANALYZE_FROM and is_postgresql(cursor):
        for model in tables:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _basis(district: District) -> str:
    return f"generation {district.generation}"


def _end(run: Run, outcome: str, message: str, phase: str | None = None) -> None:
    run.outcome, run.message, run.ended_at = outcome, message, datetime.now(UTC)
    run.phase = phase or run.phase
    run.save(update_fields=["outcome", "message", "ended_at", "phase", "publication"])
