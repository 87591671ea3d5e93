"""Findings as they leave the house, by download or by an address: what is personal is masked, and every row says what to do."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.findings import Finding

CONTACTS = frozenset(
    {
        "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone",
        "userMasterIdentifier", "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "description",
    }
)  # fmt: skip
"""Fields of users.csv and userProfiles.csv of which only the shape is shown: it says what is wrong, and of whom it does not."""

HIDDEN = {
    "users.csv": frozenset({"password", "pronouns"}),
    "userProfiles.csv": frozenset({"password"}),
    "results.csv": frozenset({"score", "comment", "textScore", "scoreStatus"}),
}
"""Fields of which nothing is shown; of demographics.csv, none."""

OF_NOBODY = frozenset({"email-domain"})
"""Findings whose value says nothing of a person: a domain that whoever reads it may have to add to the district's."""

LIFECYCLE = frozenset({"", "sourcedId", "status", "dateLastModified"})
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
NOTHING_SHOWN = "•••"
REPAIRED = "Read as "
"""So begins a message that says how a value was read."""

COLUMNS = (
    "severity",
    "code",
    "title",
    "file",
    "line",
    "field",
    "sourcedId",
    "value",
    "delivered",
    "records",
    "what to do",
)


def masked(finding: Finding) -> Finding:
    """The finding without anything personal: values of people by their shape alone (`xxxx@xxx.xx`), or not at all."""
    value, delivered = _masked(finding, finding.value), _masked(finding, finding.delivered)
    if (value, delivered) == (finding.value, finding.delivered):
        return finding
    return replace(finding, value=value, delivered=delivered, message=_discreet(finding))


def _discreet(finding: Finding) -> str:
    """The message, unless it quotes what is masked: then what the catalogue says, which cannot."""
    quoted = [text for text in (finding.value, finding.delivered) if text and text in finding.message]
    if not quoted and not finding.message.startswith(REPAIRED):
        return finding.message
    kind = CATALOGUE.get(finding.code)
    return kind.remedy if kind else ""


def _masked(finding: Finding, value: str) -> str:
    file, field = finding.file, finding.field
    if not value or field in LIFECYCLE or finding.code in OF_NOBODY:
        return value
    if file == "demographics.csv" or field in HIDDEN.get(file, ()):
        return NOTHING_SHOWN
    if file in ("users.csv", "userProfiles.csv") and (field in CONTACTS or field.startswith("metadata.")):
        return shape(value)
    return value


def shape(value: str) -> str:
    """The kinds of its letters alone: `Ann7@home.example` is `Xxx9@xxxx.xxxxxxx`."""
    return "".join(_kind(letter) for letter in value)


def _kind(letter: str) -> str:
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return "9" if letter.isdigit() else letter


def csv_of(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings as lines of CSV, masked, behind a header of `COLUMNS`."""
    yield _line(COLUMNS)
    for finding in map(masked, findings):
        kind = CATALOGUE.get(finding.code)
        yield _line(
            (
                finding.severity, finding.code, kind.title if kind else "", finding.file, str(finding.line or ""),
                finding.field, finding.source_id, finding.value, finding.delivered,
                str(finding.count), finding.message,
            )
        )  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(map(harmless, cells))
    return written.getvalue()


def harmless(cell: str) -> str:
    """A spreadsheet takes what begins like a formula for one; an apostrophe in front makes it text."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
