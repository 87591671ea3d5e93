"""`rollbook district` and `rollbook operator`, run inside this process."""

import json
import re

import pytest
from django.test import Client

from rollbook.flows import operators
from rollbook.flows.districts import add_district
from rollbook.store.models import Account, Connection, District, Operator
from tests.command import rollbook
from tests.console.test_sign_in import set_password_by, sign_in

PASSWORD = "seven quiet herons at noon"


@pytest.fixture
def district(db: None) -> District:
    return add_district("Riverbend Unified School District")


def test_a_new_district_gets_a_tenant_id_and_a_way_in_for_packages(db):
    told = rollbook("district", "add", "Riverbend", "--time-zone", "America/Chicago").stdout
    district = District.objects.get()
    assert told == f"Riverbend has the Tenant ID {district.pk}.\n"
    assert district.time_zone == "America/Chicago"
    assert Connection.objects.get(district=district).kind == "upload"


def test_a_time_zone_that_is_none_is_refused_in_words(db):
    result = rollbook("district", "add", "Riverbend", "--time-zone", "Riverbend/Main Street", expect=1)
    assert "This is not a time zone" in result.stderr
    assert not District.objects.exists()


def test_districts_are_listed_for_programs_too(district):
    assert json.loads(rollbook("district", "list", "--json").stdout) == [
        {
            "tenantId": district.pk,
            "name": district.name,
            "timeZone": "UTC",
            "publication": 0,
            "requiresSecondStep": False,
        }
    ]


def test_a_new_operator_gets_a_link_to_set_a_password(district, client: Client):
    told = rollbook("operator", "add", "Brandt@Riverbend.example", "--district", str(district.pk)).stdout
    link = re.search(r"http://testserver(\S+)", told)[1]
    set_password_by(client, link, PASSWORD)
    assert sign_in(Client(), "brandt@riverbend.example", PASSWORD).status_code == 302


def test_a_password_from_standard_input_is_set_and_never_said(district):
    result = rollbook(
        "operator",
        "add",
        "brandt@riverbend.example",
        "--district",
        district.name,
        "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )
    assert Account.objects.get().check_password(PASSWORD)
    assert PASSWORD not in result.output
    assert "http" not in result.output


def test_a_weak_password_adds_nobody(district):
    arguments = ("operator", "add", "b@riverbend.example", "--district", str(district.pk), "--password-stdin")
    result = rollbook(*arguments, stdin="abc\n", expect=1)
    assert "too easy to guess" in result.stderr
    assert not Account.objects.exists()
    assert not Operator.objects.exists()


def test_an_installation_operator_belongs_to_no_district(district):
    role = ("--role", "installation operator")
    rollbook("operator", "add", "root@example.org", *role)
    assert Operator.objects.get().district is None
    refused = rollbook(
        "operator", "add", "other@example.org", *role, "--district", str(district.pk), expect=1
    )
    assert "installation operator works in no district" in refused.stderr


@pytest.mark.parametrize("email", ["", "brandt", "brandt@", "a b@example.org"])
def test_what_is_no_address_is_refused(district, email: str):
    result = rollbook("operator", "add", email, "--district", str(district.pk), expect=1)
    assert "not an e-mail address" in result.stderr


def test_nobody_is_added_twice(district):
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district)
    result = rollbook("operator", "add", "BRANDT@riverbend.example", "--district", str(district.pk), expect=1)
    assert "already an operator there" in result.stderr


def test_operators_are_listed_by_district(district):
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district, "Helen Brandt")
    operators.add_operator("root@example.org", operators.INSTALLATION, None)
    rows = json.loads(rollbook("operator", "list", "--district", str(district.pk), "--json").stdout)
    assert [(row["email"], row["name"], row["role"], row["active"]) for row in rows] == [
        ("brandt@riverbend.example", "Helen Brandt", "district administrator", True)
    ]
    assert len(json.loads(rollbook("operator", "list", "--json").stdout)) == 2


def test_a_password_is_reset_by_a_link_or_from_standard_input(district, client: Client):
    account = operators.add_operator(
        "b@riverbend.example", operators.DISTRICT, district, password=PASSWORD
    ).account
    answer = json.loads(rollbook("operator", "reset-password", account.email, "--json").stdout)
    set_password_by(
        client, answer["passwordLink"].removeprefix("http://testserver"), "nine brass lanterns swing"
    )
    account.refresh_from_db()
    assert account.check_password("nine brass lanterns swing")
    rollbook("operator", "reset-password", account.email, "--password-stdin", stdin=f"{PASSWORD}\n")
    account.refresh_from_db()
    assert account.check_password(PASSWORD)


def test_an_operator_is_deactivated_and_comes_back(district):
    account = operators.add_operator(
        "b@riverbend.example", operators.DISTRICT, district, password=PASSWORD
    ).account
    rollbook("operator", "deactivate", account.email)
    account.refresh_from_db()
    assert not account.is_active
    rollbook("operator", "reactivate", account.email)
    account.refresh_from_db()
    assert account.is_active


@pytest.mark.parametrize("verb", ["reset-password", "deactivate", "reactivate"])
def test_who_does_not_work_here_is_told_so(db, verb: str):
    assert "Nobody works here" in rollbook("operator", verb, "nobody@example.org", expect=1).stderr
