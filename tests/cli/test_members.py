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


def test_a_member_is_shut_out_and_let_in_and_tells_where_they_come_from(organization: str):
    ana = str(add(organization, "Ana", "--role", "student", "--grade", "07")["member"])
    rollbook("member", "set", organization, ana, "grade", "08", "--why", "Moved up.")
    assert told("member", "suspend", organization, ana)["state"] == "suspended"
    assert (
        "archived or suspended already" in rollbook("member", "suspend", organization, ana, expect=1).output
    )
    assert told("member", "let-in", organization, ana)["state"] == "inactive"
    assert [one["member"] for one in told("member", "list", organization, "--grade", "08")] == [int(ana)]
    assert told("member", "list", organization, "--source", "7") == []
    origins = {one["field"]: one["from"] for one in told("member", "origins", organization, ana)}
    assert (origins["grade"], origins["given_name"]) == ("hand", "here")
    happened = [one["what"] for one in told("member", "history", organization, ana)]
    assert happened == ["member.let-in", "member.suspend", "member.set", "member.add"]


def test_groups_and_sites_come_back_from_the_archive_and_follow_the_roster_again(organization: str):
    chess = str(told("group", "add", organization, "Chess")["group"])
    rollbook("group", "archive", organization, chess)
    assert told("group", "list", organization) == []
    assert [one["title"] for one in told("group", "list", organization, "--archived")] == ["Chess"]
    rollbook("group", "restore", organization, "Chess")
    rollbook("group", "follow", organization, "Chess", "state")
    refused = rollbook("group", "follow", organization, "Chess", "state", expect=1)
    assert "follows the roster already" in refused.output
    site = told("organization", "site", "rename", organization, "Riverbend High", "Riverbend Upper")
    assert (
        told("organization", "site", "follow", organization, str(site["site"]), "name")["name"]
        == "Riverbend Upper"
    )


def test_an_administrator_is_bound_to_sites_and_the_last_one_is_not(organization: str):
    for email in ("ines", "nora"):
        rollbook("organization", "administrator", "add", organization, f"{email}@school.example")
    bound = told(
        "organization",
        "administrator",
        "role",
        organization,
        "nora@school.example",
        "--site",
        "Riverbend High",
    )
    assert (bound["role"], len(bound["sites"])) == ("site administrator", 1)
    refused = rollbook(
        "organization", "administrator", "role", organization, "ines@school.example", "--site", "Riverbend High", expect=1
    )  # fmt: skip
    assert "Somebody has to remain" in refused.output
