"""`rollbook operator mfa`, `sessions`, `break-glass` and `require-mfa`: what is done on the server when somebody has lost everything."""

import json
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from rollbook.flows import audit, second_steps, sign_ins
from rollbook.store.models import Account
from tests.command import rollbook

pytestmark = pytest.mark.django_db

EMAIL = "brandt@riverbend.example"
PASSWORD = "seven quiet herons at noon"


def told(*words: str, stdin: str = "") -> Any:
    return json.loads(rollbook(*words, "--json", stdin=stdin).output)


@pytest.fixture
def tenant() -> str:
    tenant = str(told("district", "add", "Riverbend")["tenantId"])
    told("operator", "add", EMAIL, "--district", tenant, "--password-stdin", stdin=f"{PASSWORD}\n")
    return tenant


def test_who_has_lost_everything_signs_in_with_the_password_alone_again(tenant: str):
    account = Account.objects.get()
    second_steps.add_app(account, "JBSWY3DPEHPK3PXP", "192.0.2.7")
    client = Client()
    client.force_login(account)
    assert [step["method"] for step in told("operator", "mfa", "list", EMAIL)] == ["totp"]
    assert len(told("operator", "sessions", EMAIL)) == 1
    assert told("operator", "mfa", "reset", EMAIL) == {"email": EMAIL, "removed": 1}
    assert told("operator", "mfa", "list", EMAIL) == []
    assert told("operator", "sessions", EMAIL) == []
    assert client.get("/").url.startswith("/sign-in")
    sign_ins.pour()
    entry = audit.entries(int(tenant), act="second_step.reset").get()
    assert (entry.door, entry.about) == ("command line", EMAIL)


def test_sessions_are_ended_by_number_and_all_at_once(tenant: str):
    for _ in range(3):
        Client(headers={"user-agent": "Firefox/128.0 Linux"}).force_login(Account.objects.get())
    rows = told("operator", "sessions", EMAIL)
    assert len(told("operator", "sessions", EMAIL, "--end", str(rows[0]["session"]))) == 2
    assert "is signed in nowhere" in rollbook("operator", "sessions", EMAIL, "--end-all").output
    assert "has ended already" in rollbook("operator", "sessions", EMAIL, "--end", "1", expect=1).output


def test_a_district_and_an_organization_require_a_second_step(tenant: str):
    assert told("district", "require-mfa", tenant)["requiresSecondStep"] is True
    assert second_steps.required_by(Account.objects.get()) == "Riverbend"
    assert told("district", "require-mfa", tenant, "--off")["requiresSecondStep"] is False
    told("product", "add", "Reader")
    told("organization", "add", "Reader", "Northwind")
    assert told("organization", "require-mfa", "Northwind")["requiresSecondStep"] is True


def test_a_break_glass_account_is_made_once(tenant: str):
    made = told("operator", "break-glass", "safe@example.org")
    assert made["breakGlass"] is True
    assert made["passwordLink"].startswith("http")
    rollbook("operator", "break-glass", EMAIL, expect=1)


def test_nobody_of_this_name_is_said_so():
    assert "Nobody signs in here" in rollbook("operator", "mfa", "reset", "x@example.org", expect=1).output


def test_an_invitation_leaves_by_e_mail_with_the_link_that_is_printed(tenant: str):
    made = told("operator", "add", "tanaka@riverbend.example", "--district", tenant, "--mail")
    [message] = mail.outbox
    assert message.to == ["tanaka@riverbend.example"]
    assert made["passwordLink"] in message.body
