"""Findings as they leave the house: masked, harmless to spreadsheets, each with what to do."""

import csv
import io

import pytest

from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.findings import Finding
from rollbook.engine.report import COLUMNS, csv_of, masked


def finding(file: str, field: str, value: str, code: str = "list-item", message: str = "") -> Finding:
    return Finding(code, "error", file, 7, field, value, message or f"Read as {value}.", "user-1")


@pytest.mark.parametrize(
    ("file", "field", "value", "shown"),
    [
        ("users.csv", "email", "Amara.O@riverbend.example", "Xxxxx.X@xxxxxxxxx.xxxxxxx"),
        ("users.csv", "phone", "+1 555 0100", "+9 999 9999"),
        ("users.csv", "familyName", "Ñandú", "Xxxxx"),
        ("users.csv", "metadata.lunch", "Free", "Xxxx"),
        ("userProfiles.csv", "username", "amy7", "xxx9"),
        ("demographics.csv", "birthDate", "9/1/2011", "•••"),
        ("demographics.csv", "asian", "TRUE", "•••"),
        ("results.csv", "score", "ninety", "•••"),
        ("users.csv", "role", "pupil", "pupil"),
        ("demographics.csv", "sourcedId", "bad id", "bad id"),
        ("classes.csv", "title", "Algebra", "Algebra"),
    ],
)
def test_what_is_personal_is_masked(file: str, field: str, value: str, shown: str):
    told = masked(finding(file, field, value))
    assert told.value == shown
    assert (value in told.message) == (shown == value)


def test_a_domain_is_nobodys_own_and_is_told():
    told = masked(finding("users.csv", "email", "mail.example", "email-domain"))
    assert told.value == "mail.example"


def test_a_masked_finding_still_says_what_to_do():
    told = masked(finding("users.csv", "email", "amy"))
    assert told.message == CATALOGUE["list-item"].remedy


def test_a_message_that_quotes_nothing_personal_is_kept():
    told = masked(finding("users.csv", "email", "amy@x.example", message="2 records have it (lines 2, 5)."))
    assert told.message == "2 records have it (lines 2, 5)."
    quoting = masked(finding("users.csv", "email", "amy@x.example", message="amy@x.example is theirs too."))
    assert "amy" not in quoting.message


def test_the_csv_names_the_place_and_what_to_do():
    lines = list(
        csv.reader(io.StringIO("".join(csv_of([finding("classes.csv", "title", "x", message="Do, this.")]))))
    )
    assert lines[0] == list(COLUMNS)
    [row] = lines[1:]
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["file"], told["line"], told["field"], told["sourcedId"]) == (
        "classes.csv",
        "7",
        "title",
        "user-1",
    )
    assert told["what to do"] == "Do, this."


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(value: str):
    [_, line] = csv_of([finding("classes.csv", "title", value, message="Words.")])
    assert next(csv.reader([line]))[COLUMNS.index("value")] == f"'{value}"
