"""The report of a sync run: every operation of its plan with what became of it and why, what was remarked and held back, and the sums."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from rollbook.engine.aside import FINDINGS
from rollbook.engine.report import harmless
from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.operations import COLLECTION_OF, Operation, Remark, Value, new_handle
from rollbook.engine.sync.plan_file import OPERATIONS, REMARKS, read_plan, read_remarks
from rollbook.engine.sync.plan_pages import remarks_by_code
from rollbook.engine.sync.remarks import CODES
from rollbook.flows.sync.holds import Gate, hazard_of, holds_of
from rollbook.store import journal
from rollbook.store.models import Case, Link, SyncHold, SyncOutcome, SyncRun
from rollbook.store.sync_shelf import run_folder

DONE, PLANNED, HELD, LEFT_OUT, NOTED = "done", "planned", "held", "left-out", "noted"
"""What became of an operation, besides what a target says that did not take it; `noted` is a remark about a record without an operation."""
WRONG = "wrong"
"""A record in which the source itself is wrong: it is held back, and what was there stays."""

WORDS = {
    ops.CREATE: "created",
    ops.LINK: "linked",
    ops.UPDATE: "updated",
    ops.ARCHIVE: "archived",
    ops.RESTORE: "restored",
    ops.PURGE: "purged",
    ops.RELINK: "re-linked",
    ops.MISS: "missing",
    ops.FIND: "found again",
    ops.NOTE: "unchanged here",
    ops.UNLINK: "unlinked",
    ops.RELEASE: "override ended",
}


TITLES = {one.code: one.title for one in CODES}

KINDS = {collection: kind for kind, collection in COLLECTION_OF.items()}

Made = dict[tuple[str, str], str]
"""{(kind, handle): id of the target's}"""


@dataclass(frozen=True)
class Line:
    """One record of a report. `changes` is {field: (old, new)} as text; `number` 0 is a remark."""

    number: int
    kind: str
    what: str
    outcome: str
    source_id: str
    target: str
    reason: str
    words: str
    changes: dict[str, tuple[str, str]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def lines(run: SyncRun, *, kind: str = "", outcome: str = "") -> Iterator[Line]:
    """The operations in their order, the remarks, what is wrong at the source; narrowed to a kind and an outcome where these are given."""
    for line in _all_lines(run):
        if kind in ("", line.kind) and outcome in ("", line.outcome):
            yield line


def _all_lines(run: SyncRun) -> Iterator[Line]:
    plan, remarks = run_folder(run) / OPERATIONS, run_folder(run) / REMARKS
    outcomes = {one.operation: one for one in SyncOutcome.objects.filter(run=run)}
    behind, gate, made = journal.covered(run), Gate(run), _made(run)
    for operation in read_plan(plan) if plan.exists() else ():
        yield line_of(operation, outcome_of(run, operation, behind, gate, outcomes), outcomes, made)
    for remark in read_remarks(remarks) if remarks.exists() else ():
        yield noted(remark)
    yield from _wrong(run_folder(run) / FINDINGS)


def _wrong(findings: Path) -> Iterator[Line]:
    """Records that were held back, each with the first error in it, as far as findings are listed one by one."""
    seen: set[tuple[str, str]] = set()
    for found in json.loads(findings.read_text(encoding="utf-8")) if findings.exists() else ():
        kind = KINDS.get(found["file"].removesuffix(".csv"), "")
        record = (kind, found["source_id"])
        if kind and found["source_id"] and found["severity"] == "error" and record not in seen:
            seen.add(record)
            yield Line(0, kind, "failed", WRONG, found["source_id"], "", found["code"], found["message"], {})


def noted(remark: Remark) -> Line:
    """A remark as a line of a report."""
    words = " ".join(filter(None, (_title(remark.code), remark.field and f"({remark.field})")))
    return Line(0, remark.kind, "skipped", NOTED, remark.source_id, "", remark.code, words, {})


def outcome_of(
    run: SyncRun,
    operation: Operation,
    behind: journal.Covered,
    gate: Gate,
    outcomes: dict[int, SyncOutcome],
) -> str:
    """What became of an operation: what its target said, or one of the words above."""
    if operation.number in outcomes:
        return outcomes[operation.number].status
    if operation.number in behind:
        return DONE
    if not gate(operation):
        return (
            LEFT_OUT
            if operation.bundle and run.stakes.get("first") and operation.bundle not in run.ticked
            else HELD
        )
    return PLANNED


def line_of(operation: Operation, outcome: str, outcomes: dict[int, SyncOutcome], made: Made) -> Line:
    """An operation as a line of a report."""
    said = outcomes.get(operation.number)
    told = operation.changed or tuple(operation.after)
    reason = said.code if said and said.code else operation.reason
    return Line(
        operation.number,
        operation.kind,
        WORDS[operation.action],
        outcome,
        operation.source_id,
        (said.target if said else "") or made.get((operation.kind, operation.target), operation.target),
        reason,
        said.words if said and said.words else _title(reason),
        {
            name: (_text(operation.before.get(name, "")), _text(operation.after.get(name, "")))
            for name in told
        },
    )


def _made(run: SyncRun) -> Made:
    """What the handles of records became that this run made."""
    links = Link.objects.filter(connection=run.connection_id, linked_run=run.pk)
    found = links.values_list("kind", "source_id", "target").iterator()
    return {(kind, new_handle(source_id)): target for kind, source_id, target in found}


def _title(code: str) -> str:
    """What a code is called; empty for a reason that needs no words."""
    return TITLES.get(code, "")


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else value


HEADING = ("number", "kind", "what", "outcome", "sourcedId", "record", "reason", "changes", "words")


def write_csv(run: SyncRun, file: TextIO) -> int:
    """The report as CSV, a record a line; how many lines."""
    rows = csv.writer(file)
    rows.writerow(HEADING)
    count = 0
    for line in lines(run):
        count += 1
        rows.writerow(csv_row(line))
    return count


def csv_row(line: Line) -> list[Any]:
    """A line under HEADING."""
    shown = (
        line.kind,
        line.what,
        line.outcome,
        line.source_id,
        line.target,
        line.reason,
        told_changes(line),
        line.words,
    )
    return [line.number or "", *map(harmless, shown)]


def told_changes(line: Line) -> str:
    """The fields of a line in words: old → new, or what is new where there was nothing."""
    return "; ".join(
        f"{name}: {old} → {new or '-'}" if old else f"{name}: {new}"
        for name, (old, new) in line.changes.items()
        if old or new
    )


def summary(run: SyncRun) -> dict[str, Any]:
    """What a run came to, for people and programs."""
    remarks = run_folder(run) / REMARKS
    counted = remarks_by_code(remarks) if remarks.exists() else {}
    return {
        "run": run.pk,
        "connection": run.connection_id,
        "task": run.task,
        "outcome": run.outcome,
        "phase": run.phase,
        "message": run.message,
        "planned": run.counts.get("operations", {}),
        "leftOut": run.counts.get("leftOut", {}),
        "statistics": run.statistics,
        "fingerprint": run.fingerprint,
        "holds": [hold_row(one) for one in holds_of(run)],
        "remarks": counted,
        "codes": _codes(run, counted),
        "cases": Case.objects.filter(connection=run.connection_id, closed_at=None).count(),
        "findings": run.findings,
        "read": {name: run.certificate.get(name) for name in ("whole", "held", "counts", "complete")},
        "verified": run.verified,
        "ticked": run.ticked,
        "startedBy": run.started_by,
        "startedAt": run.started_at.isoformat(),
        "endedAt": run.ended_at.isoformat() if run.ended_at else None,
    }


def _codes(run: SyncRun, remarked: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each code that stands in the report, with what it means, what is to be done and who can: the most frequent first."""
    refused = SyncOutcome.objects.filter(run=run).values_list("code", flat=True)
    counts = Counter(remarked)
    counts.update(code for code in refused if code)
    known = {one.code: one for one in CODES}
    return [
        {**asdict(known[code]), "count": number} if code in known else {"code": code, "count": number}
        for code, number in counts.most_common()
    ]


def hold_row(hold: SyncHold) -> dict[str, Any]:
    return {
        "hold": hold.pk,
        "code": hold.code,
        "level": hold.level,
        "scope": hold.scope,
        "kind": hold.kind,
        "operations": hold.operations,
        "words": hazard_of(hold).words,
        "decision": hold.decision,
        "since": hold.created_at.isoformat(),
    }
