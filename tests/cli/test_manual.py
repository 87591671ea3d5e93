"""Manual records, as an operator types them."""

import json

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.store.models import District, Enrollment, Role, Run, User
from tests.cast import AMARA, ART, MS_TANAKA, RIVERBEND_HIGH, RIVERBEND_MIDDLE
from tests.console.roster import load_riverbend
from tests.delivered import a_district

pytestmark = pytest.mark.django_db

ADA = ["--given-name", "Ada", "--family-name", "Reyes", "--username", "areyes", "--id", "ada"]


@pytest.fixture
def district() -> District:
    district = a_district()
    load_riverbend(district)
    return district


def rollbook(*words: str, expect: int = 0, answer: str | None = None) -> str:
    """What the command said, on both streams."""
    said = CliRunner().invoke(app, ["manual", *words], input=answer)
    assert said.exit_code == expect, said.output
    return said.output


def test_a_person_is_shown_asked_about_added_edited_deleted_and_restored(district):
    add = ["user", "add", str(district.pk), *ADA, "--role", f"principal@{RIVERBEND_HIGH},2026-08-01"]
    assert "familyName: - -> Reyes" in rollbook(*add, answer="n\n", expect=1)
    assert not User.objects.filter(district=district, sourced_id="ada").exists()
    assert "success" in rollbook(*add, answer="y\n")
    both = ["--role", f"principal@{RIVERBEND_HIGH},2026-08-01", "--role", f"teacher@{RIVERBEND_MIDDLE}"]
    told = json.loads(
        rollbook("user", "edit", str(district.pk), "ada", "--set", "email=", *both, "--yes", "--json")
    )
    assert [(one["action"], one["sourcedId"]) for one in told["changes"]] == [("create", "ada-role-2")]
    assert Role.objects.get(district=district, source_id="ada-role-1").begin_date == "2026-08-01"
    rollbook("user", "delete", str(district.pk), "ada", "--yes")
    assert json.loads(rollbook("list", str(district.pk), "--json")) == []
    [row] = json.loads(rollbook("list", str(district.pk), "--status", "deleted", "--json"))
    assert (row["sourcedId"], row["status"]) == ("ada", "tobedeleted")
    rollbook("user", "restore", str(district.pk), "ada", "--yes")
    assert "ada" in rollbook("list", str(district.pk))
    assert "command line" in Run.objects.filter(district=district).latest("pk").started_by


def test_somebody_is_enrolled_and_the_end_is_set(district):
    rollbook("enroll", "add", str(district.pk), MS_TANAKA, ART, "--role", "teacher", "--id", "seat", "--yes")
    rollbook("enroll", "edit", str(district.pk), "seat", "--set", "endDate=2027-01-31", "--yes")
    assert Enrollment.objects.get(district=district, sourced_id="seat").end_date == "2027-01-31"
    [row] = json.loads(rollbook("list", str(district.pk), "--json"))
    assert row["what"] == f"teacher {MS_TANAKA} in {ART}"
    rollbook("enroll", "delete", str(district.pk), "seat", "--yes")
    assert "active" not in rollbook("list", str(district.pk), "--status", "all")
    rollbook("enroll", "restore", str(district.pk), "seat", "--yes")


def test_what_cannot_be_is_refused_in_words_and_changes_nothing(district):
    number = str(district.pk)
    assert "came in by an import" in rollbook("user", "delete", number, AMARA, "--yes", expect=1)
    assert "at least one role" in rollbook("user", "add", number, *ADA, "--yes", expect=1)
    assert "ROLE@ORG" in rollbook("user", "add", number, *ADA, "--role", "teacher", expect=2)
    assert "is no field of users" in rollbook("user", "add", number, *ADA, "--set", "password=x", expect=2)
    refused = rollbook("enroll", "add", number, AMARA, "nowhere", "--role", "student", "--yes", expect=1)
    assert "classSourcedId: Nothing of this id is in the roster" in refused
    assert not Run.objects.filter(district=district, outcome="success").exists()
