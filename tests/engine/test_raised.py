"""A district counts a warning for more or for less, and what is raised is held back."""

from pathlib import Path

import pytest

from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.judgement import judge
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.engine.raised import choices
from tests.engine.packages import (
    DOMAINS,
    FIRST_IDS,
    NOTHING_STORED,
    orgs,
    package_of,
    steps_for,
    stored_before,
    write_package,
)


def planned(path: Path, tmp_path: Path, **severities: str) -> tuple[dict[str, int], PlanSummary | None]:
    """The counts of findings and the plan of a first delivery, judged with these severities (`-` as `_`)."""
    work = tmp_path / "judging"
    work.mkdir()
    own = {code.replace("_", "-"): severity for code, severity in severities.items()}
    with judge(path, work, lenient=True, accepted=NOTHING_STORED, severities=own) as judgement:
        if judgement.fatal:
            return judgement.counts, None
        return judgement.counts, make_plan(judgement, NOTHING_STORED, tmp_path / "plan", FIRST_IDS)


def created(plan: PlanSummary | None) -> dict[str, int]:
    assert plan is not None
    return {collection: actions["create"] for collection, actions in plan.counts.items()}


def sessions(folder: Path) -> Path:
    """Two sessions, one of which ends before it begins."""
    year = {"type": "term", "schoolYear": "2027", "endDate": "2027-06-30"}
    rows = [
        {"sourcedId": "term-1", "title": "One", "startDate": "2026-08-01", **year},
        {"sourcedId": "term-2", "title": "Two", "startDate": "2027-08-01", **year},
    ]
    return write_package(folder, {"academicSessions": rows})


def test_a_raised_warning_holds_its_record_back(tmp_path: Path):
    counts, plan = planned(sessions(tmp_path / "package"), tmp_path, dates_reversed="error")
    assert counts["error"] >= 1
    assert created(plan) == {"academicSessions": 1}


def test_a_lowered_warning_is_a_note_and_its_record_comes_in(tmp_path: Path):
    counts, plan = planned(sessions(tmp_path / "package"), tmp_path, dates_reversed="note")
    assert (counts["error"], counts["note"]) == (0, 1)
    assert created(plan) == {"academicSessions": 2}


def test_what_is_said_of_a_file_holds_the_file_back(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1")})
    text = (package / "orgs.csv").read_text(encoding="utf-8").splitlines()
    lines = [",".join(line.split(",")[::-1]) for line in text]
    (package / "orgs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _, plan = planned(package, tmp_path, header_order="error")
    assert created(plan) == {}


def test_what_is_said_of_the_whole_package_ends_it(tmp_path: Path):
    counts, plan = planned(package_of("manifest-missing"), tmp_path, manifest_missing="fatal")
    assert counts["fatal"] == 1
    assert plan is None


def test_a_record_with_a_line_break_is_held_back_and_its_neighbours_are_not(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1", "org-2")})
    text = (package / "orgs.csv").read_text(encoding="utf-8")
    (package / "orgs.csv").write_text(text.replace("Org org-1", '"Org\norg-1"'), encoding="utf-8")
    _, plan = planned(package, tmp_path, csv_newline="error")
    assert created(plan) == {"orgs": 1}


def test_only_warnings_can_be_changed():
    changed = {code for code in CATALOGUE if choices(code)}
    assert changed == {code for code, kind in CATALOGUE.items() if kind.severity_as(True) == "warning"}
    assert choices("duplicate") == choices("no-such-code") == ()


def test_a_severity_for_what_is_no_warning_changes_nothing(tmp_path: Path):
    counts, _ = planned(package_of("duplicate"), tmp_path, duplicate="note")
    assert counts["error"] == 2


@pytest.mark.parametrize(
    "code", sorted(code for code, kind in CATALOGUE.items() if kind.severity_as(True) == "warning")
)
def test_every_warning_can_be_raised(code: str, tmp_path: Path):
    work = tmp_path / "judging"
    work.mkdir()
    raised = {code: choices(code)[0]}
    stored = stored_before(code, tmp_path) or NOTHING_STORED
    with judge(
        package_of(code),
        work,
        lenient=True,
        accepted=stored,
        severities=raised,
        domains=DOMAINS,
        steps=steps_for(code),
    ) as judgement:
        found = [one for one in judgement.findings.tallies() if one.code == code]
    assert {one.severity for one in found} == set(raised.values())
    assert judgement.findings.failed
