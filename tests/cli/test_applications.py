"""`rollbook grant show`, `rename`, `particulars`, `ask` and `remove`, as an operator types them."""

import json
from datetime import UTC, datetime

import pytest

from rollbook.flows import apps
from rollbook.flows.keys import add_key
from rollbook.store.models import AccessRow, Credential, Grant
from tests.cli.test_apps import rollbook
from tests.delivered import a_district

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant() -> Grant:
    return apps.grant_app(a_district(), apps.add_app("Reading Garden"), "full", [])


def test_an_app_is_renamed_and_shown(grant):
    rollbook("grant", "rename", str(grant.pk), "Garden 3")
    told = json.loads(rollbook("grant", "show", str(grant.pk), "--json"))
    assert (told["name"], told["catalogueName"], told["orgAccess"]) == (
        "Garden 3",
        "Reading Garden",
        "FULL ACCESS",
    )
    at = int(datetime(2026, 11, 2, 3, 4, tzinfo=UTC).timestamp() * 1000)
    AccessRow.objects.create(
        district_id=grant.district_id, grant_id=grant.pk, grant_version=1, credential_id=1, at=at, publication=1, version="1.1",
        collection="users", status=403, address="203.0.113.7",
    )  # fmt: skip
    last = json.loads(rollbook("grant", "show", str(grant.pk), "--json"))["lastCall"]
    assert (last["at"], last["status"]) == ("2026-11-02T03:04:00+00:00", "403")
    assert "403, 0, 203.0.113.7" in rollbook("grant", "show", str(grant.pk))
    assert "Garden 3" in rollbook("grant", "show", str(grant.pk))


def test_particulars_are_entered_and_forgotten(grant):
    number = str(grant.pk)
    rollbook("grant", "particulars", number, "--start-url", "https://garden.example", "--contact-name", "Ana")
    assert json.loads(rollbook("grant", "particulars", number, "--json"))["contact_name"] == "Ana"
    assert "https://" in rollbook("grant", "particulars", number, "--website", "garden", expect=1)
    assert "Ana" not in rollbook("grant", "particulars", number, "--from-catalogue")


def test_an_app_is_removed_with_its_keys_and_only_once(grant):
    add_key(grant)
    rollbook("grant", "remove", str(grant.pk), "--yes")
    assert not Credential.objects.filter(revoked_at=None).exists()
    assert "removed" in rollbook("grant", "remove", str(grant.pk), "--yes", expect=1)
    assert "removed" in rollbook("grant", "enable", str(grant.pk), expect=1)
    assert json.loads(rollbook("grant", "list", "--json")) == []


def test_an_app_is_asked_for(grant):
    apps.add_app("MathTrail")
    rollbook("grant", "ask", str(grant.district_id), "MathTrail", "--why", "Grade 9")
    asked = Grant.objects.get(app__name="MathTrail")
    assert (asked.permission, asked.enabled, asked.own["requested"]["why"]) == ("none", False, "Grade 9")
