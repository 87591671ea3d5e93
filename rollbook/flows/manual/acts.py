"""Acts: adding, editing, deleting and restoring a manual record. Shown first, as the plan that it is; applied, it is a run like any other.

Nothing is stored of what is only shown. What is applied is what was shown: the plan's fingerprint says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection as database
from django.db import transaction

from rollbook.engine.findings import Finding, Findings
from rollbook.engine.plan import make_plan
from rollbook.flows import audit, ingest, progress
from rollbook.flows.districts import MANUAL
from rollbook.flows.manual.cautions import cautions
from rollbook.flows.manual.entries import (
    Entry,
    Rows,
    saved_rows,
    status_rows,
    unknown_references,
    write_delta,
)
from rollbook.flows.publish import locked
from rollbook.refusal import Refusal
from rollbook.store.deliveries import accepted_for, begin_owning_nothing
from rollbook.store.models import RECORDS, Connection, District, Record, Run
from rollbook.store.models.roster import ACTIVE, TOBEDELETED
from rollbook.store.plans import PlannedChange, find_changes
from rollbook.store.target import first_free_ids
from rollbook.work_folders import work_folder

COLLECTIONS = ("users", "enrollments")
"""What is kept by hand."""

FLOW = ingest.BY_HAND
SHOWN = 100


class NoSuchRecord(Refusal):
    """There is no such record in this district: look for its id under Roster."""


class NotManual(Refusal):
    """This record came in by an import, and the next import would overwrite what is changed by hand. Correct it in the system it comes from."""


class IdTaken(Refusal):
    """Another record of this district has this id already. Choose another one, or leave it empty and one is made."""


class DeletedByHand(Refusal):
    """A manual record with this id was deleted. Restore it, or choose another id."""


class NotAccepted(Refusal):
    """This cannot be kept as it is: something is missing or wrong."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__("; ".join(f"{one.field}: {one.words}" for one in problems))
        self.problems = problems


class NothingToChange(Refusal):
    """This changes nothing: the record is so already."""


class ShownOtherwise(Refusal):
    """The roster has changed since this was shown. Look at it again, and confirm it then."""


class ImportUnderWay(Refusal):
    """An import of this district is under way, and what is kept by hand waits for its turn. Nothing is lost: confirm again when it is done."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; `row` counts the roles from 0, and is None for the record itself."""

    row: int | None
    field: str
    words: str


@dataclass(frozen=True)
class Wanted:
    """What is to be done: `verb` is add, edit, delete or restore; `record` is None for what is to be added."""

    verb: str
    entry: Entry
    record: Record | None = None


@dataclass(frozen=True)
class Shown:
    """What it would change, in the order of the plan, and what to think of. `fingerprint` is the plan's."""

    changes: list[PlannedChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fingerprint: str = ""


def manual_connection(district: District) -> Connection:
    """The connection that owns what is kept by hand, made when it is first needed."""
    found = Connection.objects.filter(district=district, kind=MANUAL).first()
    if found:
        return found
    with transaction.atomic():
        generation = locked(district.pk).generation
        made, is_new = Connection.objects.get_or_create(
            district=district, kind=MANUAL, defaults={"name": "Manual records"}
        )
        if is_new:
            begin_owning_nothing(made, generation)
        return made


def find_record(district: District, collection: str, sourced_id: str) -> Record:
    """The record served under this id, whoever owns it. Raises NoSuchRecord."""
    found = RECORDS[collection]._default_manager.filter(district=district, sourced_id=sourced_id).first()
    if found is None:
        raise NoSuchRecord(sourced_id)
    return found


def is_manual(record: Record) -> bool:
    return Connection.objects.filter(pk=record.connection_id, kind=MANUAL).exists()


def own_record(district: District, collection: str, sourced_id: str) -> Record:
    """The manual record of this id. Raises NoSuchRecord, and NotManual with the name of the connection that owns it."""
    record = find_record(district, collection, sourced_id)
    if collection not in COLLECTIONS or not is_manual(record):
        owner = Connection.objects.filter(pk=record.connection_id).first()
        raise NotManual(owner.name if owner else sourced_id)
    return record


def show(district: District, wanted: Wanted) -> Shown:
    """What doing so would change. Raises NotAccepted, NothingToChange, IdTaken, DeletedByHand."""
    connection = manual_connection(district)
    _refuse_taken(connection, wanted)
    with work_folder("manual") as work:
        return _planned(connection, wanted, work)


def do(district: District, wanted: Wanted, by: str, seen: str = "") -> Run:
    """Does it, now. `seen` is the fingerprint of what was shown, empty where nobody looked.

    Raises NotAccepted, NothingToChange, IdTaken, DeletedByHand, ShownOtherwise, ImportUnderWay.
    """
    connection = manual_connection(district)
    _refuse_import_under_way(district)
    with work_folder("manual") as work, _turn(district):
        _refuse_taken(connection, wanted)
        package = write_delta(work / "package", _rows(connection, wanted))
        run = ingest.begin(connection, by, flow=FLOW, phase="kept")
        try:
            walked = _walked(run, package, wanted, seen)
            collection, sourced_id = wanted.entry.collection, wanted.entry.sourced_id
            audit.record(
                district.pk, f"manual.{wanted.verb}", collection, sourced_id, after={"run": run.pk}, by=by
            )
            return walked
        except BaseException:
            # The run goes with the transaction, and its number may be given again.
            progress.of(run.pk).delete()
            raise


def _walked(run: Run, package: Path, wanted: Wanted, seen: str) -> Run:
    ingest.keep(run, package)
    prepared = ingest.plan(run)
    _refuse_problems(run.district, prepared.findings, wanted)
    if not prepared.changes or prepared.summary is None:
        raise NothingToChange(wanted.entry.sourced_id)
    if seen and prepared.summary.fingerprint != seen:
        raise ShownOtherwise(wanted.entry.sourced_id)
    return ingest.apply_run(run)


@contextmanager
def _turn(district: District) -> Iterator[None]:
    """Nobody else changes the roster of this district meanwhile. All is one transaction: what is refused leaves nothing."""
    with transaction.atomic():
        locked(district.pk)
        _refuse_import_under_way(district)
        yield


def _refuse_import_under_way(district: District) -> None:
    if Run.objects.filter(district=district, outcome="", turn_at__isnull=False).exists():
        raise ImportUnderWay(district.name)


def _refuse_taken(connection: Connection, wanted: Wanted) -> None:
    if wanted.verb != "add":
        return
    model = RECORDS[wanted.entry.collection]
    taken: Any = model._default_manager.filter(
        district=connection.district_id, sourced_id=wanted.entry.sourced_id
    ).first()
    if taken is None:
        return
    if taken.connection_id == connection.pk and taken.status == TOBEDELETED:
        raise DeletedByHand(taken.sourced_id)
    raise IdTaken(taken.sourced_id)


def _rows(connection: Connection, wanted: Wanted) -> Rows:
    if wanted.verb in ("add", "edit"):
        return saved_rows(connection, wanted.entry, wanted.record)
    assert wanted.record is not None
    status = TOBEDELETED if wanted.verb == "delete" else ACTIVE
    return status_rows(connection, wanted.record, wanted.entry.collection, status)


def _planned(connection: Connection, wanted: Wanted, work: Path) -> Shown:
    """The road of a delivery as far as the plan, beside the shelf."""
    district = District.objects.get(pk=connection.district_id)
    package = write_delta(work / "package", _rows(connection, wanted))
    (work / "staged").mkdir()
    accepted = accepted_for(connection, district.generation)
    with ingest.judged(connection, package, work / "staged", accepted, ()) as judgement:
        _refuse_problems(district, judgement.findings, wanted)
        with database.cursor() as cursor:
            free = first_free_ids(cursor, district.pk)
        summary = make_plan(judgement, accepted, work, free)
    if not summary.changes:
        raise NothingToChange(wanted.entry.sourced_id)
    notes = [*cautions(district, wanted.verb, wanted.entry), *_warnings(judgement.findings)]
    return Shown(find_changes(work / "plan.parquet", limit=SHOWN), notes, summary.fingerprint)


def _warnings(findings: Findings) -> list[str]:
    return [f"{one.field}: {one.message}" for one in findings.listed if one.severity == "warning"]


# --- What is wrong with an entry --------------------------------------------------------------------------------------------------


def _refuse_problems(district: District, findings: Findings, wanted: Wanted) -> None:
    """Raises NotAccepted: by hand there is no half of it."""
    problems = [_problem(one) for one in findings.listed if one.severity in ("fatal", "error")]
    if wanted.verb in ("add", "edit"):
        known = {(one.row, one.field) for one in problems}
        unknown = unknown_references(district, wanted.entry)
        problems += [
            Problem(row, name, WORDS["reference"]) for row, name in unknown if (row, name) not in known
        ]
    if wanted.entry.collection == "users" and wanted.verb in ("add", "edit") and not wanted.entry.roles:
        problems.append(Problem(None, "roles", "Give at least one role at a school or at the district."))
    named = {(one.row, one.field) for one in problems}
    if (None, "classSourcedId") in named:  # the school follows from the class
        problems = [one for one in problems if one.field != "schoolSourcedId"]
    if problems:
        raise NotAccepted(problems)


def _problem(found: Finding) -> Problem:
    row = found.line - 2 if found.file == "roles.csv" and found.line > 1 else None
    return Problem(row, found.field, WORDS.get(found.code, found.message))


WORDS = {
    "required": "This is needed.",
    "reference": "Nothing of this id is in the roster, or it is deleted.",
    "guid": "An id is made of letters, digits and . - _ / @, without spaces.",
}
"""What is said to a person at a form; everything else as every report says it."""
