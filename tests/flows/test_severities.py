"""What a district counts its warnings for: decided by a person, used in judging, kept with the run."""

from pathlib import Path

import pytest

from rollbook.flows.severities import (
    NoSuchCode,
    NotASeverity,
    NotAWarning,
    WhyNeeded,
    clear_severity,
    set_severity,
    severities_of,
    weighed,
)
from rollbook.store.found import found_by
from rollbook.store.models import District, Run, SeverityChange
from tests.cast import riverbend
from tests.delivered import a_district, deliver

pytestmark = pytest.mark.django_db(transaction=True)

REVERSED = {"academicSessions": {"grading-1": {"startDate": "2027-06-01", "endDate": "2026-06-01"}}}


def delivered(district: District, folder: Path) -> Run:
    return deliver(district, riverbend(folder, REVERSED))


def test_a_raised_warning_holds_its_record_back_and_the_run_remembers_why(tmp_path: Path):
    district = a_district()
    set_severity(district, "dates-reversed", "error", "brandt@riverbend.example", "They broke the timetable.")
    run = delivered(district, tmp_path / "package")
    clear_severity(district, "dates-reversed", "brandt@riverbend.example")
    found = found_by(run)
    assert run.findings["error"] >= 1
    assert found.severities == {"dates-reversed": "error"}
    assert found.narrowed(code="dates-reversed").listed[0].severity == "error"


def test_another_districts_decision_changes_nothing_here(tmp_path: Path):
    set_severity(a_district("Cedar Falls"), "dates-reversed", "error", "x", "Because.")
    run = delivered(a_district(), tmp_path / "package")
    assert run.findings["error"] == 0
    assert found_by(run).narrowed(code="dates-reversed").tallies[0].severity == "warning"


def test_the_latest_decision_holds_and_all_are_kept():
    district = a_district()
    set_severity(district, "dates-reversed", "error", "ann", "First.")
    set_severity(district, "dates-reversed", "note", "ben", "Second.")
    assert severities_of(district) == {"dates-reversed": "note"}
    [own] = [one for one in weighed(district) if one.is_own]
    assert (own.decision.by, own.decision.why) == ("ben", "Second.")
    clear_severity(district, "dates-reversed", "cem")
    assert severities_of(district) == {}
    assert [one.by for one in SeverityChange.objects.order_by("id")] == ["ann", "ben", "cem"]


@pytest.mark.parametrize(
    ("code", "severity", "why", "refusal"),
    [
        ("no-such-code", "note", "x", NoSuchCode),
        ("duplicate", "note", "x", NotAWarning),
        ("byte-order-mark", "error", "x", NotAWarning),
        ("dates-reversed", "fatal", "x", NotASeverity),
        ("dates-reversed", "error", " ", WhyNeeded),
    ],
)
def test_what_cannot_be_decided_is_refused(code: str, severity: str, why: str, refusal: type[Exception]):
    with pytest.raises(refusal):
        set_severity(a_district(), code, severity, "x", why)
