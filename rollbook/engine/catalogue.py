"""Every code a Finding can have, in the order they are told in. docs/reference/findings.md and the pages of the console follow from it."""

from rollbook.engine.codes import SEVERITIES, SEVERITY_MEANING, WHO, Code
from rollbook.engine.codes_of_files import FILE_CODES
from rollbook.engine.codes_of_preparation import PREPARATION_CODES
from rollbook.engine.codes_of_records import RECORD_CODES
from rollbook.engine.codes_of_rosters import ROSTER_CODES

__all__ = ["CATALOGUE", "CODES", "CONSEQUENCES", "SEVERITIES", "Code", "findings_markdown", "severity_words"]

CODES = (*FILE_CODES, *RECORD_CODES, *ROSTER_CODES, *PREPARATION_CODES)

CATALOGUE = {code.code: code for code in CODES}

CONSEQUENCES = frozenset({"reference-file", "reference", "waiting"})
"""Told behind the others of their severity: what follows from them may be among those."""


def findings_markdown() -> str:
    """The page docs/reference/findings.md."""
    lines = [
        "# Findings",
        "",
        "What `rollbook validate` and an import can say about a package. Each finding names the file, the line, the field and the value",
        "at fault. `--as-import` judges as an import does: deviations that can be read without guessing are repaired",
        "([repairs](repairs.md)) and become warnings.",
        "",
        "| severity | meaning |",
        "|---|---|",
        *(f"| {severity} | {SEVERITY_MEANING[severity]} |" for severity in SEVERITIES),
        "",
        "A district may count a warning for more, or for less ([how](../how-to/read-the-findings.md)).",
        f"Of each code at most 100 findings a file are listed; all are counted. There are {len(CODES)} codes.",
    ]
    for code in CODES:
        lines += ["", f"## {code.code}", "", f"**{code.title}**: {severity_words(code)}.", ""]
        lines += [code.meaning, "", f"*Why it matters:* {code.why}", "", f"*Example:* {code.example}", ""]
        lines += [f"*What to do:* {code.remedy}", "", f"*Who can:* {WHO[code.who]}"]
    return "\n".join(lines) + "\n"


def severity_words(code: Code) -> str:
    return f"{code.severity} (as an import: {code.as_import})" if code.as_import else code.severity
