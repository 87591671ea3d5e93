"""`rollbook product`, `organization` and `member`: a directory worked on from the command line."""

import json
from typing import Any

import pytest

from tests.command import rollbook

pytestmark = pytest.mark.django_db


def told(*words: str) -> Any:
    return json.loads(rollbook(*words, "--json").output)


@pytest.fixture
def organization() -> str:
    told("product", "add", "Reader")
    made = told("organization", "add", "Reader", "Riverbend", "--seats", "1", "--domain", "school.example")
    told("organization", "site", "add", "Riverbend", "Riverbend High")
    return str(made["organization"])


def add(organization: str, name: str, *words: str) -> Any:
    return told(
        "member", "add", organization, "--given", name, "--family", "Silva",
        "--email", f"{name.lower()}@school.example", *words,
    )  # fmt: skip


def test_a_directory_by_hand_from_the_first_product_to_a_member_with_a_seat(organization: str):
    assert told("organization", "list")[0] | {"organization": 0} == {
        "organization": 0,
        "name": "Riverbend",
        "product": "Reader",
        "plan": "",
        "entitlements": ["rostering"],
        "seats": 1,
        "taken": 0,
        "domains": ["school.example"],
        "roles": ["administrator", "teacher", "aide", "proctor", "student"],
        "timeZone": "UTC",
        "requiresSecondStep": False,
    }
    ana = add(organization, "Ana", "--role", "student", "--site", "Riverbend High")
    assert (ana["state"], ana["sites"]) == ("inactive", ["Riverbend High"])
    assert told("member", "activate", organization, "ana@school.example")["taken"] is True
    assert "active already" in rollbook("member", "activate", organization, str(ana["member"])).output
    add(organization, "Ben")
    refused = rollbook("member", "activate", organization, "ben@school.example", expect=1)
    assert "seats" in refused.output
    assert told("organization", "edit", organization, "--unlimited")["seats"] is None
    assert told("member", "activate", organization, "ben@school.example")["state"] == "active"


def test_what_is_set_by_hand_is_shown_with_who_and_why(organization: str):
    ana = str(add(organization, "Ana", "--role", "student")["member"])
    rollbook("--as", "Helen", "member", "role", organization, ana, "--add", "teacher", "--why", "Chess club.")
    rollbook("member", "site", organization, ana, "--set", "Riverbend High")
    rollbook("member", "set", organization, ana, "grade", "07")
    shown = told("member", "show", organization, ana)
    assert [(one["field"], one["value"], one["how"]) for one in shown["byHand"]] == [
        ("grade", "07", "set"),
        ("roles", ["teacher"], "add"),
        ("sites", [shown["byHand"][2]["value"][0]], "set"),
    ]
    assert (shown["byHand"][1]["by"], shown["byHand"][1]["why"]) == ("Helen (command line)", "Chess club.")
    assert "Chess club." in rollbook("member", "show", organization, ana).output
    rollbook("member", "follow", organization, ana, "grade")
    assert len(told("member", "show", organization, ana)["byHand"]) == 2


def test_members_are_listed_by_what_is_asked_and_the_archived_only_when_asked_for(organization: str):
    add(organization, "Ana", "--role", "student")
    add(organization, "Ben", "--role", "teacher", "--site", "Riverbend High")
    for words, names in (
        ((), ["Ana", "Ben"]),
        (("--role", "teacher"), ["Ben"]),
        (("--site", "Riverbend High"), ["Ben"]),
        (("--search", "ana silva"), ["Ana"]),
        (("--state", "archived"), []),
    ):
        assert [one["givenName"] for one in told("member", "list", organization, *words)] == names
    rollbook("member", "archive", organization, "ana@school.example", "--why", "Moved.")
    assert [one["givenName"] for one in told("member", "list", organization)] == ["Ben"]
    assert told("member", "restore", organization, "ana@school.example")["state"] == "inactive"


def test_an_organizations_key_is_shown_once(organization: str):
    made = told("organization", "key", "add", organization, "--name", "Nightly")
    assert made["secret"].startswith("rollbook_org_")
    assert made["secret"] not in rollbook("organization", "key", "list", organization, "--json").output
    rollbook("organization", "key", "revoke", organization, str(made["key"]))
    assert told("organization", "key", "list", organization) == []


def test_a_group_by_hand_and_who_is_in_it(organization: str):
    ana = add(organization, "Ana")
    told("group", "add", organization, "Chess", "--site", "Riverbend High")
    told("group", "put-in", organization, "Chess", str(ana["member"]), "--role", "aide")
    assert [(one["title"], one["members"]) for one in told("group", "list", organization)] == [("Chess", 1)]
    assert [
        (one["givenName"], one["role"], one["by"]) for one in told("group", "show", organization, "Chess")
    ] == [("Ana", "aide", "hand")]
    assert told("group", "title", organization, "Chess", "Go")["title"] == "Go"
    told("group", "take-out", organization, "Go", str(ana["member"]))
    assert "None yet" in rollbook("group", "show", organization, "Go").output
