"""What a code of a finding consists of: its severity, what it means, why it matters, what to do, an example, and who can do it.

`severity` is what it is by the letter; `as_import` what it is when a package is read as the import reads it, where that differs.
"""

from dataclasses import dataclass

SEVERITIES = ("fatal", "error", "warning", "note")

SEVERITY_MEANING = {
    "fatal": "The package cannot be judged further, and nothing of it is imported.",
    "error": "The record, or the whole file where a file is named, is held back: what is stored of it stays as it is.",
    "warning": "It was read all the same, as the finding says; look whether that is what was meant.",
    "note": "Nothing needs to be done.",
}

WHO = {
    "export": "Whoever sets up the export of the student information system: its administrator, or its vendor.",
    "office": "The office that keeps the records, in the student information system.",
    "either": "Where it is a single record, the office that keeps it; where it is a whole column, whoever sets up the export.",
    "district": "An administrator of the district, here in Rollbook.",
    "nobody": "Nobody has to.",
}
"""Who can put it right."""


@dataclass(frozen=True)
class Code:
    """One kind of finding. `remedy` is also its message where nothing more particular can be said; `who` is a key of `WHO`."""

    code: str
    severity: str
    title: str
    meaning: str
    remedy: str
    example: str
    as_import: str | None = None
    why: str = ""
    who: str = "export"

    def severity_as(self, lenient: bool) -> str:
        return self.as_import if lenient and self.as_import else self.severity
