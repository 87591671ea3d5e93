"""`rollbook find`, `explain` and `sanity`: in words and in JSON."""

import csv
import json

import pytest

from rollbook.flows.publish import publish
from rollbook.store.models import District, Grant
from tests import cast
from tests.cli.typed import typed
from tests.console.roster import load_riverbend
from tests.delivered import a_district, a_grant_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> District:
    district = a_district()
    load_riverbend(district)
    publish(district.pk, None, "a test")
    district.refresh_from_db()
    return district


@pytest.fixture
def high(district: District) -> Grant:
    return a_grant_to(district, cast.RIVERBEND_HIGH, app="MathTrail")


def test_one_person_is_found_with_all_that_belongs_to_them(high: Grant):
    said = typed("find", str(high.pk), "okonkwo").stdout
    assert said.startswith("users  student-001  Amara Okonkwo")
    assert "enrollments:" in said
    assert "org-district  Riverbend Unified School District  RUSD  (for reference only)" in said
    told = json.loads(typed("find", str(high.pk), "okonkwo", "--json").stdout)
    assert told["users"]["total"] == 1
    assert {part["relation"] for part in told["belonging"]} >= {"enrollments", "classes", "demographics"}
    assert "sees nothing like that" in typed("find", str(high.pk), cast.KOFI).stdout


def test_an_explanation_ends_in_what_to_change(high: Grant, district: District):
    said = typed("explain", cast.KOFI, "--grant", str(high.pk), expect=1).stdout
    assert "student-002: MathTrail does not see it." in said
    assert "NO   Its school Riverbend Elementary School is not chosen." in said
    assert (
        "To change that: Permissions, Organizations. Who may: installation operator, district administrator."
        in said
    )
    [told] = json.loads(typed("explain", cast.AMARA, "--district", str(district.pk), "--json").stdout)
    assert (told["app"], told["sees"], told["change"]) == ("MathTrail", True, [])
    typed("explain", cast.AMARA, expect=2)


def test_a_check_is_run_listed_shown_and_scheduled(high: Grant):
    number = str(high.pk)
    assert "No check has been made yet" in typed("sanity", "show", number, expect=1).stderr
    said = typed("sanity", "run", number).stdout
    assert "classes-without-teachers" in said
    assert json.loads(typed("sanity", "show", number, "--json").stdout)["phase"] == "done"
    rows = list(csv.DictReader(typed("sanity", "show", number, "--csv").stdout.splitlines()))
    assert rows[0]["group"] == "counts"
    [listed] = json.loads(typed("sanity", "list", number, "--json").stdout)
    assert listed["phase"] == "done"
    assert (
        "checked at 05:30 on mon" in typed("sanity", "schedule", number, "--at", "5:30", "--on", "mon").stdout
    )
    assert "checked by people only" in typed("sanity", "schedule", number).stdout


def test_licences_are_entered_and_left_out_again(high: Grant):
    number = str(high.pk)
    said = typed("sanity", "licences", number, "1", "--of", "students").stdout
    assert said == f"Grant {number}: licences for 1 students.\n"
    assert "licences-exceeded" in typed("sanity", "run", number).stdout
    told = json.loads(typed("sanity", "licences", number, "none", "--json").stdout)
    assert told["licences"] is None
    assert "whole number" in typed("sanity", "licences", number, "many", expect=1).stderr


def test_a_limit_that_is_passed_ends_in_exit_code_1(high: Grant):
    number = str(high.pk)
    assert (
        "courses-without-classes 0.0 %"
        in typed("sanity", "limit", number, "courses-without-classes", "0").stdout
    )
    assert "Exports are kept back. Courses without classes" in typed("sanity", "run", number, expect=1).stderr
    assert "no limits" in typed("sanity", "limit", number, "courses-without-classes", "none").stdout
    typed("sanity", "limit", number, "courses-without-classes", "few", expect=1)
