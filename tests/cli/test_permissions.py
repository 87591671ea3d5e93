"""`rollbook grant`, the part about permissions, as an operator types it."""

import json
from pathlib import Path

import pytest

from rollbook.flows.acting import acting
from rollbook.flows.districts import add_district
from rollbook.flows.permission_edits import edit_permissions, rule_now
from rollbook.store.models import District, Grant
from tests.api.roster import fill
from tests.command import rollbook
from tests.delivered import a_grant


@pytest.fixture
def grant(db: None) -> Grant:
    district = add_district("Riverbend")
    fill(district)
    return a_grant(District.objects.get(pk=district.pk))


def told(*words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(rollbook(*words, "--json").output)
    return found


def test_fields_are_treated_looked_at_kept_and_given_back(grant: Grant, tmp_path: Path) -> None:
    number = str(grant.pk)
    rows = {row["field"]: row for row in told("grant", "fields", number)}
    assert rows["users.email"] == {
        "field": "users.email", "treatment": "share", "possible": ["share", "omit", "mask", "pseudonymise"],
    }  # fmt: skip
    said = rollbook(
        "grant", "fields", number, "users.email=omit", "users.familyName=mask", "--why", "enough"
    ).output
    assert "version 2" in said
    assert (
        "required by the standard"
        in rollbook("grant", "fields", number, "users.familyName=omit", expect=1).output
    )
    assert "COLLECTION.FIELD" in rollbook("grant", "fields", number, "email=omit", expect=2).output
    latest, first = told("grant", "history", number)
    assert (latest["version"], latest["why"], first["version"]) == (2, "enough", 1)
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(first["rule"]), encoding="utf-8")
    shown = rollbook("grant", "preview", number, "--rule", str(file)).output
    assert "email: - -> " in shown
    assert told("grant", "preview", number, "--version", "1")["reasons"] == []  # type: ignore[call-overload]
    assert "version 3" in rollbook("grant", "restore", number, "1").output
    assert (
        "version 4"
        in rollbook("grant", "edit", number, "--starts-on", "2026-01-01", "--ends-on", "2099-01-01").output
    )
    assert "a day" in rollbook("grant", "edit", number, "--ends-on", "tomorrow", expect=1).output.lower()
    assert told("grant", "history", number)[0]["startsOn"] == "2026-01-01"
    rollbook("grant", "fields", number, "users.email=omit")
    rollbook("grant", "Riverbend", "An app", "--permission", "none")
    rows = {row["field"]: row["treatment"] for row in told("grant", "fields", number)}
    assert rows["users.email"] == "omit", "another level leaves the fields as they were"
    assert told("grant", "history", number)[0]["startsOn"] == "2026-01-01"


def test_a_person_opts_out_and_in_again(grant: Grant) -> None:
    person = told("grant", "preview", str(grant.pk))["examples"][0]["sourcedId"]  # type: ignore[call-overload,index]
    rollbook("grant", "opt-out", "Riverbend", str(person), "--reason", "a letter", "--grant", str(grant.pk))
    [row] = told("grant", "opt-outs", "Riverbend")
    assert (row["sourcedId"], row["of"], row["reason"]) == (person, "An app", "a letter")
    rollbook("grant", "opt-in", str(row["optOut"]))
    assert told("grant", "opt-outs", "Riverbend") == []
    assert len(told("grant", "opt-outs", "Riverbend", "--all")) == 1
    assert (
        "no person"
        in rollbook("grant", "opt-out", "Riverbend", "nobody", "--reason", "a letter", expect=1).output
    )


def test_a_second_person_is_asked_for_and_answers(grant: Grant) -> None:
    rollbook("grant", "approval", "Riverbend", "--demographics", "--people", "3")
    assert told("grant", "approval", "Riverbend") == [{"full": False, "demographics": True, "people": 3}]
    rollbook("app", "add", "Another")
    assert "second person" in rollbook("grant", "Riverbend", "Another", "--permission", "full").output
    other = Grant.objects.latest("pk")
    said = rollbook("grant", "copy", str(grant.pk), str(other.pk)).output
    assert "second person" in said
    [row] = told("grant", "requests", "Riverbend")  # the later edit takes the place of the earlier
    request = str(row["request"])
    assert "somebody else" in rollbook("grant", "approve", request, expect=1).output
    rollbook("grant", "withdraw", request)
    with acting("ann@riverbend.example", "console"):
        waits = edit_permissions(other, rule_now(grant))
    assert waits is not None
    assert "approved" in rollbook("grant", "approve", str(waits.pk)).output
    assert told("grant", "requests", "Riverbend") == []
