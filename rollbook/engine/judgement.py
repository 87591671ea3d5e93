"""Judging a package: open, read the manifest, stage, apply the rules. What comes of it is a Judgement, from which a plan can be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.content import judge_content
from rollbook.engine.elsewhere import Belonging, Elsewhere, Owners
from rollbook.engine.emptiness import judge_emptiness
from rollbook.engine.findings import Findings
from rollbook.engine.hierarchy import judge_hierarchy
from rollbook.engine.identity import judge_identity
from rollbook.engine.lengths import judge_lengths
from rollbook.engine.manifest import Manifest, read_manifest
from rollbook.engine.membership import judge_membership
from rollbook.engine.owners import judge_owners
from rollbook.engine.package import Limits, Package, open_package
from rollbook.engine.preparation.prepare import extra_files, name_delivered, prepare
from rollbook.engine.preparation.steps import Step
from rollbook.engine.raised import Severities, hold_raised
from rollbook.engine.references import judge_references
from rollbook.engine.rules import LIFECYCLE, judge_records
from rollbook.engine.since import judge_since
from rollbook.engine.sql import name
from rollbook.engine.stage import Staging, open_staging, stage
from rollbook.engine.teaching import judge_teaching
from rollbook.engine.telling import Tell, untold

MEMORY = "512MB"
MEMORY_OF_THE_LARGE = "900MB"
LARGE = 1 << 30
"""In bytes, unpacked: a district of half a million students or more."""
THREADS = 2


@dataclass
class Judgement:
    """What was staged and what was found. A fatal judgement allows no plan. Close it when done.

    `promised` are the tables of which the package says that all there is comes, whatever came.
    """

    staging: Staging
    findings: Findings
    promised: frozenset[str] = frozenset()

    @property
    def fatal(self) -> bool:
        return self.findings.fatal

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return self.findings.counts()

    def close(self) -> None:
        self.staging.close()

    def __enter__(self) -> "Judgement":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def judge(
    path: Path,
    workdir: Path,
    *,
    lenient: bool,
    accepted: Path | None,
    elsewhere: Elsewhere | None = None,
    belonging: Belonging | None = None,
    owners: Owners | None = None,
    severities: Severities | None = None,
    domains: Sequence[str] = (),
    steps: Sequence[Step] = (),
    limits: Limits | None = None,
    memory: str | None = None,
    threads: int = THREADS,
    tell: Tell = untold,
) -> Judgement:
    """Judges the package at `path`, using the empty folder `workdir`; by the letter, or as an import does (`lenient`).

    `accepted` is the folder of the district's accepted snapshot, an empty folder before the first; None where nothing is known of a
    district, and then references that only it could answer are let pass. `elsewhere` knows what the district's other connections serve,
    `belonging` what they say of this one's classes and people, `owners` whose the ids are that it has not delivered yet,
    `severities` what it counts its warnings for, `domains` where its e-mail addresses are (none given: not judged), `steps` prepare
    what is judged. `tell` hears how many rows are read, judged by themselves, and then
    with what they refer to. Raises NotAPackage.
    """
    limits = limits or Limits()
    findings = Findings(lenient, severities or {})
    package = open_package(path, workdir, findings, limits, extra_files(steps))
    manifest = read_manifest(package, findings)
    large = _is_large(package)
    staging = open_staging(
        workdir, memory or (MEMORY_OF_THE_LARGE if large else MEMORY), threads, beside=large
    )
    neighbours = staging.neighbours
    neighbours.ask, neighbours.belonging, neighbours.owners = elsewhere, belonging, owners
    staging.lenient = lenient
    staging.longest = limits.field
    staging.binding = manifest.binding
    rows = _stage_files(staging, package, manifest, findings, tell)
    prepared = prepare(staging, package.extras, steps, findings) if steps else []
    hold_raised(staging, findings)
    judged = 0
    for staged in staging.tables.values():
        tell("judging", judged, rows)
        judge_records(staging, staged, findings)
        judged += staged.rows
    tell("relating", 0, rows)
    judge_owners(staging, accepted, findings)
    if not manifest.given:
        _demand_clear_modes(staging, findings)
    judge_emptiness(staging, accepted, findings)
    _judge_suspicions(staging, accepted, domains, findings)
    judge_references(staging, accepted, findings, tell)
    name_delivered(staging, prepared, findings)
    return Judgement(staging, findings, manifest.promised)


def _is_large(package: Package) -> bool:
    return sum(file.path.stat().st_size for file in package.files.values()) > LARGE


def _judge_suspicions(
    staging: Staging, accepted: Path | None, domains: Sequence[str], findings: Findings
) -> None:
    """What no rule of the standard forbids and the field knows to go wrong."""
    judge_since(staging, accepted, findings)
    judge_content(staging, accepted, domains, findings)
    judge_lengths(staging, findings)
    judge_identity(staging, accepted, findings)
    judge_hierarchy(staging, accepted, findings)
    judge_membership(staging, findings)
    judge_teaching(staging, accepted, findings)


def _stage_files(
    staging: Staging, package: Package, manifest: Manifest, findings: Findings, tell: Tell
) -> int:
    """How many rows there are in all."""
    if manifest.binding is None:
        return 0
    tables = [table for table in manifest.binding.tables if table.name in manifest.modes]
    rows = {table.name: max(package.files[table.file].facts.lines - 1, 0) for table in tables}
    read, known = 0, sum(rows.values())
    for table in tables:
        tell("reading", read, known)
        stage(staging, package.files[table.file], table, manifest.modes[table.name], findings)
        read += rows[table.name]
    return known


def _demand_clear_modes(staging: Staging, findings: Findings) -> None:
    """Without a manifest, a file whose status columns are filled may be complete or changes only: that is not guessed."""
    for staged in staging.tables.values():
        filled = " OR ".join(f"{name(column)} <> ''" for column in LIFECYCLE if staged.has(column))
        if filled and staging.number(f"SELECT count(*) FROM {staged.records} WHERE {filled}"):
            findings.add("manifest-unclear", staged.file)
