"""`rollbook district own-sign-in`, the same of organizations, and `rollbook operator own-sign-ins`."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rollbook.flows.own_sign_in import coming, setting_up
from rollbook.flows.own_sign_in.setting_up import IsRequired, NotTriedYet
from rollbook.store.models import District, DistrictSignIn
from tests.command import rollbook

pytestmark = pytest.mark.django_db

EMAIL, ISSUER = "brandt@riverbend.example", "https://login.riverbend.example"


def told(*words: str, stdin: str = "") -> Any:
    return json.loads(rollbook(*words, "--json", stdin=stdin).output)


def test_it_is_set_up_required_and_removed_on_the_server():
    tenant = str(told("district", "add", "Riverbend")["tenantId"])
    told("operator", "add", EMAIL, "--district", tenant, "--password-stdin", stdin="seven quiet herons\n")
    of = ("district", "own-sign-in")
    named = ("--issuer", ISSUER, "--client-id", "rollbook", "--domain", "riverbend.example", "--secret-stdin")
    row = told(*of, "set", tenant, "any", *named, stdin="do not tell\n")
    assert (row["on"], row["domains"], row["required"]) == (False, ["riverbend.example"], False)
    assert row["redirectAddress"].endswith(f"/sign-in/by/district-{tenant}/callback")
    shown = rollbook(*of, "show", tenant).output
    assert f"link: {row['link']}" in shown
    assert "do not tell" not in shown

    rollbook(*of, "enable", tenant)
    own = setting_up.the_own_of(District.objects.get())
    assert NotTriedYet().words in rollbook(*of, "require", tenant, expect=1).output
    said = {"iss": ISSUER, "sub": "b-1", "email": EMAIL, "email_verified": True}
    coming.come(own, said, datetime(2026, 9, 1, tzinfo=UTC))
    assert told(*of, "require", tenant) == {"name": "Riverbend", "required": True}
    assert IsRequired().words in rollbook(*of, "disable", tenant, expect=1).output
    told(*of, "require", tenant, "--off")
    rollbook(*of, "disable", tenant)
    rollbook(*of, "remove", tenant)
    assert not DistrictSignIn.objects.exists()

    assert [one["issuer"] for one in told("operator", "own-sign-ins", EMAIL)] == [ISSUER]
    assert told("operator", "own-sign-ins", EMAIL, "--forget") == []


def test_an_organization_has_one_as_well():
    told("product", "add", "Reader")
    told("organization", "add", "Reader", "Northwind")
    named = ("--client-id", "rollbook", "--tenant", "northwind.example", "--domain", "northwind.example")
    row = told("organization", "own-sign-in", "set", "Northwind", "google", *named)
    assert (row["issuer"], row["tenants"]) == ("https://accounts.google.com", ["northwind.example"])
