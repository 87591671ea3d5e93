"""Trying steps on a delivery: what each would do, with a few rows before and after. Nothing is judged, planned or kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.findings import Findings, shown
from rollbook.engine.headers import METADATA
from rollbook.engine.manifest import read_manifest
from rollbook.engine.package import Limits, open_package
from rollbook.engine.preparation.prepare import Outcome, extra_files, prepare
from rollbook.engine.preparation.steps import Step
from rollbook.engine.report import NOTHING_SHOWN
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging, open_staging, stage

MOST_ROWS = 20
"""In all, over all steps."""

MEMORY = "512MB"
THREADS = 2
ENROLLMENTS = "enrollments"


@dataclass(frozen=True)
class Sample:
    """One row: whose and where it is, and its changed fields as (field, before, after). What demographics say is hidden."""

    line: int
    source_id: str
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Tried:
    """What came of one step, and some of the rows it changed, with all that the steps made of them."""

    outcome: Outcome
    samples: tuple[Sample, ...] = ()


def try_steps(path: Path, workdir: Path, steps: Sequence[Step]) -> list[Tried]:
    """Applies the steps to the package at `path`, using the empty folder `workdir`. Raises NotAPackage.

    A step whose file is not in the package is told of as idle.
    """
    findings = Findings(lenient=True)
    package = open_package(path, workdir, findings, Limits(), extra_files(steps))
    manifest = read_manifest(package, findings)
    staging = open_staging(workdir, MEMORY, THREADS)
    try:
        staging.binding = manifest.binding
        for table in manifest.binding.tables if manifest.binding else ():
            if table.name in manifest.modes and table.name in _needed(steps):
                stage(staging, package.files[table.file], table, manifest.modes[table.name], findings)
        outcomes = {one.number: one for one in prepare(staging, package.extras, steps, findings)}
        told = [
            outcomes.get(number)
            or Outcome(number, step, step.target, idle=f"{step.file}.csv is not in the package")
            for number, step in enumerate(steps, 1)
        ]
        return _sampled(staging, told)
    finally:
        staging.close()


def _needed(steps: Sequence[Step]) -> set[str]:
    files = {step.file for step in steps}
    return files | ({ENROLLMENTS} if any(step.kind == "primary-org" for step in steps) else set())


def _sampled(staging: Staging, outcomes: Sequence[Outcome]) -> list[Tried]:
    """Some rows of each step that changed any, as many for each, no row twice."""
    left = MOST_ROWS
    working = sum(1 for one in outcomes if one.changed)
    seen: set[tuple[str, int]] = set()
    tried = []
    for outcome in outcomes:
        if not outcome.changed or not left:
            tried.append(Tried(outcome))
            continue
        share = max(1, left // working)
        samples = _samples(staging, staging.tables[outcome.step.file], outcome, share, seen)
        left, working = left - len(samples), working - 1
        tried.append(Tried(outcome, samples))
    return tried


def _samples(
    staging: Staging, staged: Staged, outcome: Outcome, most: int, seen: set[tuple[str, int]]
) -> tuple[Sample, ...]:
    columns = {column: column for column in staged.header.positions} | {
        f"{METADATA}{key}": f"metadata_{place}" for key, place in staged.header.metadata.items()
    }
    there = {str(row[0]) for row in staging.connection.execute(f"DESCRIBE {staged.records}").fetchall()}
    changed = [(field, column) for field, column in columns.items() if f"delivered {field}" in there]
    selected = "".join(f", {name(f'delivered {field}')}, {name(column)}" for field, column in changed)
    rows = staging.connection.execute(
        f'SELECT "line", "sourcedId"{selected} FROM {staged.records} WHERE {name(f"step {outcome.number}")} ORDER BY 1 LIMIT {most + len(seen)}'
    ).fetchall()
    found: list[Sample] = []
    for line, source_id, *values in rows:
        if (staged.name, line) not in seen and len(found) < most:
            seen.add((staged.name, line))
            found.append(Sample(line, source_id, _fields(staged, [field for field, _ in changed], values)))
    return tuple(found)


def _fields(staged: Staged, names: list[str], values: list[str | None]) -> tuple[tuple[str, str, str], ...]:
    pairs = zip(names, values[::2], values[1::2], strict=True)
    return tuple(
        (field, _shown(staged, before), _shown(staged, after or ""))
        for field, before, after in pairs
        if before is not None
    )


def _shown(staged: Staged, value: str) -> str:
    return NOTHING_SHOWN if value and staged.name == "demographics" else shown(value)
