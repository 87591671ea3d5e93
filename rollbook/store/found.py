"""What a run found, as it was kept beside it: the listed findings, the exact totals by code and file, and the severities it judged by."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollbook.engine.aside import FINDINGS, TALLIES
from rollbook.engine.catalogue import SEVERITIES
from rollbook.engine.findings import Finding, Findings, Tally
from rollbook.store.models import Run
from rollbook.store.shelf import run_folder, shelf


@dataclass(frozen=True)
class Found:
    """`listed` and `tallies` have the gravest in front; `severities` are those that were the district's own."""

    listed: list[Finding] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    severities: dict[str, str] = field(default_factory=dict)

    def narrowed(self, *, code: str = "", severity: str = "", file: str = "") -> "Found":
        """Only those of this code, severity and file; what is empty narrows nothing."""

        def wanted(one: Finding | Tally) -> bool:
            return code in ("", one.code) and severity in ("", one.severity) and file in ("", one.file)

        return Found(
            [one for one in self.listed if wanted(one)],
            [one for one in self.tallies if wanted(one)],
            self.severities,
        )

    @property
    def failed(self) -> bool:
        """Whether anything is wrong that is not repaired."""
        return any(one.severity in ("fatal", "error") for one in self.tallies)

    @property
    def total(self) -> int:
        """How many findings there are, the unlisted too."""
        return sum(one.total for one in self.tallies)


def keep_found(run: Run, findings: Findings) -> None:
    """Put the findings of a run beside its plan."""
    folder = run_folder(run)
    findings.write(folder / FINDINGS)
    findings.write_tallies(folder / TALLIES)


def found_by(run: Run) -> Found:
    """What the run found; nothing where nothing is kept."""
    return found_in(shelf() / f"{run.district_id}/runs/{run.pk}")


def found_in(folder: Path) -> Found:
    """What was found, as it was written into a folder; nothing where there is none."""
    file, totals = folder / FINDINGS, folder / TALLIES
    if not file.is_file():
        return Found()
    listed = [Finding(**one) for one in json.loads(file.read_text(encoding="utf-8"))]
    listed.sort(key=lambda one: SEVERITIES.index(one.severity))
    told = json.loads(totals.read_text(encoding="utf-8")) if totals.is_file() else {}
    return Found(listed, _tallies(told, listed), told.get("severities", {}))


def _tallies(told: dict[str, Any], listed: list[Finding]) -> list[Tally]:
    """As they were kept; of an older run, counted from what is listed."""
    if told:
        return [Tally(**one) for one in told["tallies"]]
    counts: dict[tuple[str, str, str], int] = {}
    for one in listed:
        key = (one.code, one.severity, one.file)
        counts[key] = counts.get(key, 0) + 1
    return [Tally(*key, total=number, listed=number) for key, number in counts.items()]
