"""Warnings that a district counts for more, or for less: which can be changed, to what, and what is held back when one is raised.

Only what is a warning as an import can be changed; what is fatal or an error stays so. A rule on records holds its offenders back by
itself (`rules`); what is said of a file, or of the whole package, is held back here.
"""

from collections.abc import Mapping

from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.findings import Findings
from rollbook.engine.rules import hold
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging

OF_THE_PACKAGE = frozenset({"enclosing-folder", "manifest-missing", "manifest-version"})
"""What is said of a package as a whole: raised, nothing of it comes in."""

NOT_READ_ANYWAY = frozenset(
    {
        "stray-file",
        "unknown-file",
        "manifest-key-missing",
        "manifest-key-unknown",
        "csv-blank-line",
        "waiting",
    }
)
"""What these are about is left out or held back in any case."""

Severities = Mapping[str, str]
"""{code: severity} of the codes that a district has changed."""


def choices(code: str) -> tuple[str, ...]:
    """The severities a district may give to findings of this code; none where it may not change it."""
    kind = CATALOGUE.get(code)
    if kind is None or kind.severity_as(lenient=True) != "warning":
        return ()
    return ("fatal" if code in OF_THE_PACKAGE else "error", "warning", "note")


def hold_raised(staging: Staging, findings: Findings) -> None:
    """Holds back the files, and the records with line breaks, about which something was said that the district has raised."""
    for code, file in findings.raised():
        if code in NOT_READ_ANYWAY:
            continue
        for staged in _about(staging, findings, code, file):
            if code == "csv-newline":
                hold(staging, staged, f"SELECT rowid AS r FROM {staged.records} WHERE {_broken_up(staged)}")
            else:
                del staging.tables[staged.name]
                staging.unreadable.add(staged.name)


def _about(staging: Staging, findings: Findings, code: str, file: str) -> list[Staged]:
    """The staged files a finding is about; one of the manifest is about the file that its row names, or else about all."""
    if file != "manifest.csv":
        return [staged for staged in staging.tables.values() if staged.file == file]
    named = {
        f"{one.field.removeprefix('file.')}.csv" for one in findings.listed if one.code == code and one.field
    }
    return [staged for staged in staging.tables.values() if staged.file in named or not named]


def _broken_up(staged: Staged) -> str:
    return " OR ".join(f"contains({name(column)}, chr(10))" for column in staged.columns.values())
