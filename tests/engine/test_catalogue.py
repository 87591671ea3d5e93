"""Every code has a package of its own that shows it, and every page says what the code says."""

from pathlib import Path

import pytest

from rollbook.engine.catalogue import CATALOGUE, SEVERITIES, Code
from rollbook.engine.codes import WHO
from rollbook.engine.codes_of_rosters import ROSTER_CODES
from rollbook.engine.judgement import judge
from rollbook.engine.plan import make_plan
from rollbook.engine.repairs import KINDS
from tests.engine.packages import (
    FIRST_IDS,
    NOTHING_STORED,
    judged,
    orgs,
    owners_for,
    package_of,
    steps_for,
    stored_before,
    write_package,
)

HARMLESS = {
    "byte-order-mark", "header-draft-column", "list-separator", "dates-reversed", "prepared", "preparation-idle",
    "preparation-unmatched", "preparation-tie",
}  # fmt: skip
HARMLESS |= {code.code for code in ROSTER_CODES} - {"column-vanished"}
"""Codes that are no error by the letter, and come without one."""


@pytest.mark.parametrize("code", sorted(set(CATALOGUE) - {"file-empty"}))
def test_a_package_shows_its_finding(code: str, tmp_path: Path):
    findings = judged(
        package_of(code),
        tmp_path,
        accepted=stored_before(code, tmp_path),
        steps=steps_for(code),
        owners=owners_for(code),
    )
    found = [one for one in findings if one.code == code]
    assert found
    assert {one.severity for one in found} == {CATALOGUE[code].severity}
    assert all(one.message for one in found)
    assert findings.failed == (code not in HARMLESS)


@pytest.mark.parametrize("code", sorted(code.code for code in ROSTER_CODES))
def test_what_the_field_knows_is_told_alone(code: str, tmp_path: Path):
    findings = judged(
        package_of(code),
        tmp_path,
        lenient=True,
        accepted=stored_before(code, tmp_path),
        steps=steps_for(code),
    )
    assert {one.code for one in findings} - {"header-optional-missing"} == {code}


@pytest.mark.parametrize(
    "code", sorted(code for code, kind in CATALOGUE.items() if kind.as_import == "warning")
)
def test_what_is_repaired_is_no_error_as_an_import(code: str, tmp_path: Path):
    findings = judged(package_of(code), tmp_path, lenient=True, steps=steps_for(code))
    assert findings.severity(code) == "warning"
    assert code in {one.code for one in findings}
    assert not findings.failed


def test_a_file_without_records_is_not_believed_where_records_are_stored(tmp_path: Path):
    stored = tmp_path / "stored"
    with judge(
        write_package(tmp_path / "first", {"orgs": orgs("org-1")}),
        work(tmp_path, "a"),
        lenient=True,
        accepted=NOTHING_STORED,
    ) as judgement:
        make_plan(judgement, NOTHING_STORED, stored, FIRST_IDS)
    with judge(
        package_of("file-empty"), work(tmp_path, "b"), lenient=True, accepted=stored / "accepted"
    ) as judgement:
        assert [one.code for one in judgement.findings] == ["file-empty"]
        summary = make_plan(judgement, stored / "accepted", tmp_path / "second", FIRST_IDS)
    assert summary.changes == 0
    assert not summary.empty


def test_there_is_a_package_for_every_code_and_no_other():
    folders = {path.name for path in Path(__file__).parent.parent.joinpath("packages").iterdir()}
    assert folders == set(CATALOGUE)


def test_every_repaired_code_is_a_kind_of_repair():
    assert {kind.code for kind in KINDS} == {code for code, kind in CATALOGUE.items() if kind.as_import} | {
        "list-separator"
    }
    assert {kind.severity for kind in CATALOGUE.values()} <= set(SEVERITIES)


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE)
def test_every_code_says_what_why_how_and_who(kind: Code):
    for words in (kind.title, kind.meaning, kind.why, kind.remedy, kind.example):
        assert words.strip() == words != ""
    for sentence in (kind.meaning, kind.why, kind.remedy):
        assert sentence.endswith(".")
    assert kind.who in WHO


def work(folder: Path, name: str) -> Path:
    made = folder / f"work-{name}"
    made.mkdir()
    return made
