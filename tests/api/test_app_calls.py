"""Operators' programs manage the apps of a district under /api/v1, as the console does."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from django.test import Client

from rollbook.api.intake_routes import ROOT, SCHEMAS
from rollbook.engine.scope import Rule
from rollbook.flows import approvals, apps, operators
from rollbook.flows.keys import add_key
from rollbook.flows.tokens import make_token
from rollbook.store.models import Credential, District, Grant
from tests.api.roster import Roster

SOUTH = {"level": "basic", "scopes": [{"orgs": {"ids": ["school-south"]}, "courses": "all"}]}


class Program:
    """A program with a token."""

    def __init__(self, district: District, email: str, role: str) -> None:
        account = operators.add_operator(email, role, district).account
        self.secret = make_token(account, district, "Nightly", datetime.now(UTC))[1]

    def ask(self, method: str, path: str, sent: Any = None, expect: int = 200, schema: str = "") -> Any:
        answer = Client().generic(
            method, ROOT + path, b"" if sent is None else json.dumps(sent), "application/json",
            headers={"Authorization": f"Bearer {self.secret}"},
        )  # fmt: skip
        assert answer.status_code == expect, answer.content
        told = answer.json() if answer.content else None
        if schema:
            jsonschema.validate(
                told, {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}}
            )
        return told


@pytest.fixture
def program(roster: Roster, district: District) -> Program:
    return Program(district, "brandt@riverbend.example", operators.DISTRICT)


@pytest.fixture
def added(program: Program) -> dict[str, Any]:
    app = apps.add_app("Reading Garden", "Garden Ltd")
    return program.ask("POST", "/apps", {"app": app.pk, "rule": SOUTH, "why": "Grade 9"}, 201, "App")


def test_an_app_is_found_in_the_catalogue_and_added_with_its_permissions(program, added):
    [entry] = program.ask("GET", "/catalogue?q=garden", schema="Catalogue")["catalogue"]
    assert entry["grant"] == added["id"]
    assert (added["enabled"], added["orgAccess"], added["courseAccess"]) == (
        False,
        "LIMITED ACCESS",
        "FULL ACCESS",
    )
    assert program.ask("GET", "/apps", schema="Apps")["apps"] == [added]
    told = program.ask("GET", f"/apps/{added['id']}/permissions", schema="Permissions")
    assert told["rule"]["scopes"][0]["orgs"] == {"ids": ["school-south"]}
    program.ask("POST", "/apps", {"app": added["app"], "rule": SOUTH}, 409)


def test_an_app_is_renamed_enabled_and_told_other_particulars(program, added):
    path = f"/apps/{added['id']}"
    told = program.ask(
        "PATCH",
        path,
        {"name": "Garden 3", "enabled": True, "startUrl": "https://garden.example"},
        schema="App",
    )
    assert (told["name"], told["enabled"], told["startUrl"]) == ("Garden 3", True, "https://garden.example")
    program.ask("PATCH", path, {"startUrl": "ftp://garden.example"}, 422)
    assert program.ask("PATCH", path, {"launchDate": "2026-09-01"})["launchDate"] == "2026-09-01"
    program.ask("PATCH", path, {"launchDate": "soon"}, 422)
    assert program.ask("PATCH", path, {"launchDate": None})["launchDate"] is None
    program.ask("PATCH", path, {"enabled": "yes"}, 400)
    program.ask("PATCH", path, {"colour": "green"}, 400)


def test_other_permissions_are_looked_at_saved_and_taken_back(program, added):
    path, both = f"/apps/{added['id']}/permissions", {"rule": {"level": "full"}, "why": "All of it"}
    both["rule"]["scopes"] = [{"orgs": "all", "courses": "all", "unenrolled": True, "elsewhere": True}]
    shown = program.ask("POST", f"{path}/preview", both, schema="Preview")
    assert next(one for one in shown["counts"] if one["collection"] == "users")["added"] > 0
    assert shown["forReference"] == []
    assert program.ask("GET", path)["version"] == 1
    assert program.ask("PUT", path, both, schema="Permissions")["orgAccess"] == "FULL ACCESS"
    assert [
        one["version"] for one in program.ask("GET", f"{path}/versions", schema="Versions")["versions"]
    ] == [2, 1]
    told = program.ask("POST", f"{path}/versions/1/restore", {}, schema="Permissions")
    assert (told["version"], told["orgAccess"]) == (3, "LIMITED ACCESS")


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"level": "some"}, 422),
        ({"level": "basic", "scopes": [{"orgs": {"ids": ["nowhere"]}}]}, 422),
        ({"level": "basic", "scopes": [{"orgs": {"ids": [1]}}]}, 422),
        ({"level": "basic", "scopes": [{"orgs": "all", "courses": {"queries": [[{"field": "x", "relation": "equals"}]]}}]}, 422),
        ({"level": "basic", "scopes": {"orgs": "all"}}, 422),
        ({}, 400),
        ([], 400),
    ],
)  # fmt: skip
def test_permissions_that_are_none_are_refused_and_nothing_is_changed(program, added, rule, status):
    before = Grant.objects.get().rule
    program.ask("PUT", f"/apps/{added['id']}/permissions", {"rule": rule}, status)
    assert Grant.objects.get().rule == before


def test_a_removed_app_is_gone_with_its_keys(program, added):
    grant = Grant.objects.get(pk=added["id"])
    add_key(grant)
    program.ask("DELETE", f"/apps/{added['id']}", expect=204)
    assert not Credential.objects.filter(revoked_at=None).exists()
    assert program.ask("GET", "/apps")["apps"] == []
    assert program.ask("GET", f"/apps/{added['id']}")["removed"]
    program.ask("DELETE", f"/apps/{added['id']}", expect=409)
    program.ask("PUT", f"/apps/{added['id']}/permissions", {"rule": SOUTH}, 409)


def test_a_second_person_decides_by_program_too(program, added, district):
    approvals.set_approval(district, approvals.Wanted(full=True), by="a test")
    officer = Program(district, "umeh@riverbend.example", "privacy officer")
    path = f"/apps/{added['id']}/permissions"
    asked = program.ask(
        "PUT", path, {"rule": {"level": "full", "scopes": [{"orgs": "all", "courses": "all"}]}}, 202
    )
    [waiting] = officer.ask("GET", "/approvals", schema="Approvals")["approvals"]
    assert waiting["id"] == asked["waiting"]
    program.ask("POST", f"/approvals/{waiting['id']}", {"how": "approve"}, 409)
    officer.ask("POST", f"/approvals/{waiting['id']}", {"how": "perhaps"}, 400)
    officer.ask("POST", f"/approvals/{waiting['id']}", {"how": "approve"}, 204)
    assert str(Rule.parse(Grant.objects.get(pk=added["id"]).rule).level) == "full"
    officer.ask("PUT", path, {"rule": SOUTH}, 403)


def test_people_are_kept_back_and_an_app_is_asked_for(program):
    app = apps.add_app("MathTrail")
    told = program.ask("POST", "/apps/requests", {"app": app.pk, "why": "Grade 9"}, 201, "App")
    assert (told["requested"], told["permission"]) == (True, "none")
    program.ask("POST", "/opt-outs", {"sourcedId": "nobody", "reason": "A letter"}, 422)
    made = program.ask(
        "POST", "/opt-outs", {"sourcedId": "a/b", "reason": "A letter", "grant": None}, 201, "OptOut"
    )
    assert program.ask("GET", "/opt-outs", schema="OptOuts")["optOuts"] == [made]
    program.ask("DELETE", f"/opt-outs/{made['id']}", expect=204)
    assert program.ask("GET", "/opt-outs")["optOuts"] == []


def test_a_method_an_address_does_not_know_is_told_those_it_does(program, added):
    answer = Client().generic(
        "PUT", f"{ROOT}/apps/{added['id']}", headers={"Authorization": f"Bearer {program.secret}"}
    )
    assert (answer.status_code, answer["Allow"]) == (405, "GET, PATCH, DELETE")


def test_when_a_second_person_is_needed_is_said_by_program(program, district):
    assert program.ask("GET", "/approvals/rule", schema="ApprovalRule") == {
        "full": False, "demographics": False, "people": None,
    }  # fmt: skip
    program.ask("PATCH", "/approvals/rule", {"full": True, "people": 50}, schema="ApprovalRule")
    told = program.ask("PATCH", "/approvals/rule", {"people": None})
    assert told == {"full": True, "demographics": False, "people": None}
    assert vars(approvals.approval_of(district)) == told
    for said, status in (
        ({"people": -1}, 422),
        ({"people": True}, 400),
        ({"full": 1}, 400),
        ({"all": True}, 400),
    ):
        program.ask("PATCH", "/approvals/rule", said, status)
    assert vars(approvals.approval_of(district)) == told


def test_what_another_app_sees_is_copied_and_waits_where_a_second_person_is_needed(program, added, district):
    other = program.ask("POST", "/apps", {"app": apps.add_app("Maths").pk, "rule": {"level": "full"}}, 201)
    place = f"/apps/{added['id']}/permissions/copy"
    program.ask("PATCH", "/approvals/rule", {"full": True})
    assert program.ask("POST", place, {"from": other["id"]}, 202, "Permissions")["waiting"]
    program.ask("PATCH", "/approvals/rule", {"full": False})
    copied = program.ask("POST", place, {"from": other["id"], "why": "As Maths"}, 200, "Permissions")
    assert copied["rule"]["level"] == "full"
    program.ask("POST", place, {"from": "Maths"}, 400)
    program.ask("POST", place, {"from": 10**6}, 404)
