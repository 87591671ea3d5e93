"""`rollbook severity` and `rollbook operator token`."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from rollbook.cli.main import app
from rollbook.flows import operators
from rollbook.flows.tokens import token_of
from rollbook.store.models import District
from tests.delivered import a_district

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> District:
    district = a_district()
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district)
    return district


def rollbook(*arguments: object, expect: int = 0) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == expect, done.output
    return done.output


def test_a_warning_is_raised_shown_and_cleared(district: District):
    raising = (district.pk, "dates-reversed", "error", "--why", "Timetable.")
    assert "count as error" in rollbook("--as", "Helen", "severity", "set", *raising)
    [row] = json.loads(rollbook("severity", "list", district.pk, "--json"))
    assert (row["code"], row["severity"], row["by"], row["why"]) == (
        "dates-reversed", "error", "Helen (command line)", "Timetable.",
    )  # fmt: skip
    rollbook("severity", "clear", district.pk, "dates-reversed")
    assert json.loads(rollbook("severity", "list", district.pk, "--json")) == []
    assert len(json.loads(rollbook("severity", "list", district.pk, "--all", "--json"))) > 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("duplicate", "note", "--why", "x"), "Only what is a warning"),
        (("nothing", "note", "--why", "x"), "No finding has this code"),
        (("dates-reversed", "error"), "Say why"),
    ],
)
def test_what_cannot_be_weighed_is_refused_in_words(district: District, arguments, words: str):
    assert words in rollbook("severity", "set", district.pk, *arguments, expect=1)


def test_a_token_is_printed_once_listed_without_itself_and_revoked(district: District):
    made = json.loads(
        rollbook(
            "operator",
            "token",
            "add",
            "brandt@riverbend.example",
            "--district",
            district.pk,
            "--name",
            "Nightly",
            "--days",
            30,
            "--json",
        )
    )
    assert token_of(made["secret"], datetime.now(UTC))
    listed = rollbook("operator", "token", "list", district.pk, "--json")
    assert made["secret"] not in listed
    assert json.loads(listed)[0]["name"] == "Nightly"
    rollbook("operator", "token", "revoke", made["token"])
    assert token_of(made["secret"], datetime.now(UTC)) is None
    assert json.loads(rollbook("operator", "token", "list", district.pk, "--json")) == []
