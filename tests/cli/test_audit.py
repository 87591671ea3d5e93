"""`rollbook audit`, `key`, `access` and the roles of `operator`, as an operator types them."""

import csv
import io
import json

import pytest
from django.db import connection

from rollbook.api import access_log
from rollbook.flows import apps
from rollbook.flows.districts import add_district
from rollbook.store.models import Credential, District, Grant
from tests.api.calls import V1P1, ask_token, basic, get, token_of
from tests.api.roster import fill
from tests.command import rollbook


@pytest.fixture
def district(db) -> District:
    made = add_district("Riverbend")
    fill(made)
    return made


@pytest.fixture
def grant(district) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading App"), "full", [], enabled=True)


def told(*words: str, expect: int = 0):
    return json.loads(rollbook(*words, "--json", expect=expect).stdout)


def made(*words: str) -> apps.Key:
    answer = told("key", *words)
    return apps.Key(0, answer["clientId"], answer["clientSecret"], answer["oauth1"])


def test_the_log_is_listed_exported_and_verified(grant):
    rollbook("grant", "disable", str(grant.pk))
    [latest] = told("audit", "list", "--district", "Riverbend", "--act", "grant", "--most", "1")
    assert (latest["act"], latest["about"], latest["door"]) == (
        "grant.disable",
        "Reading App",
        "command line",
    )
    assert (
        "grant.disable" in rollbook("audit", "list", "--district", "Riverbend", "--search", "reading").stdout
    )
    lines = list(csv.DictReader(io.StringIO(rollbook("audit", "export", "--district", "Riverbend").stdout)))
    assert [int(line["number"]) for line in lines] == list(range(1, len(lines) + 1))
    objects = rollbook("audit", "export", "--district", "Riverbend", "--format", "jsonl").stdout.splitlines()
    assert len(objects) == len(lines)
    [verdict] = told("audit", "verify", "--district", "Riverbend")
    known = f"{verdict['entries']}:{verdict['hash']}"
    assert told("audit", "verify", "--district", "Riverbend", "--known", known)[0]["holds"] is True
    assert all(one["holds"] for one in told("audit", "verify"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_auditentry SET about = 'Other App' WHERE act = 'grant.disable'")
    [verdict] = told("audit", "verify", "--district", "Riverbend", expect=1)
    assert "was changed" in verdict["wrong"]


def test_a_key_is_rotated_bounded_and_let_go(grant):
    key = made("add", str(grant.pk), "--oauth1", "--name", "Server", "--days", "30")
    renewed = made("rotate", key.client_id, "--keep-hours", "2")
    for one in (key, renewed):
        assert ask_token({"grant_type": "client_credentials"}, **basic(one)).status_code == 200
    rollbook("key", "end-former", key.client_id)
    assert ask_token({"grant_type": "client_credentials"}, **basic(key)).status_code == 401
    rollbook("key", "expire", key.client_id, "--never")
    rollbook("key", "allow", key.client_id, "203.0.113.0/24", "2001:db8::1")
    [row] = told("key", "list")
    assert (row["expires"], row["addresses"]) == (None, ["203.0.113.0/24", "2001:db8::1/128"])
    assert ask_token({"grant_type": "client_credentials"}, **basic(renewed)).status_code == 403
    rollbook("key", "allow", key.client_id, "--anywhere")
    assert Credential.objects.get().addresses == ""
    rollbook("key", "revoke", key.client_id)
    assert "revoked" in rollbook("key", "rotate", key.client_id, expect=1).stderr


def test_what_an_app_took_and_may_take_is_told(grant, district):
    token = token_of(apps.add_key(grant))
    get(f"{V1P1}/students?fields=givenName", token)
    access_log.flush()
    [row] = told("access", "history", str(grant.pk))
    assert (row["what"], row["fields"], row["status"]) == ("students", ["givenName"], "200")
    [row] = told("access", "person", "Riverbend", "student-0")
    assert (row["app"], row["calls"]) == ("Reading App", 1)
    lines = rollbook("access", "person", "Riverbend", "student-0", "--csv").stdout.splitlines()
    assert len(lines) == 2
    assert "No person" in rollbook("access", "person", "Riverbend", "nobody", expect=1).stderr
    assert told("access", "unused", str(grant.pk)) == []
    [row] = told("access", "allow", str(grant.pk), "--requests", "500")
    assert (row["requests"], row["records"], row["requestsToday"]) == (500, None, 1)
    [row] = told("access", "allow", str(grant.pk), "--requests", "0")
    assert row["requests"] is None


def test_roles_are_given_and_changed(district):
    row = told("operator", "add", "lee@riverbend.example", "--district", "Riverbend", "--role", "school administrator",
               "--school", "school-north")  # fmt: skip
    assert (row["role"], row["schools"]) == ("school administrator", ["school-north"])
    [row] = told(
        "operator", "change", "lee@riverbend.example", "--district", "Riverbend", "--role", "privacy officer"
    )
    assert (row["role"], row["schools"]) == ("privacy officer", [])
    refused = rollbook(
        "operator",
        "add",
        "x@riverbend.example",
        "--district",
        "Riverbend",
        "--role",
        "school administrator",
        expect=1,
    )
    assert "name at least one" in refused.stderr
