"""Operators' programs keep keys, look at accesses and read the audit log under /api/v1; a role that may not is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.api import access_log
from rollbook.flows import apps, keys, operators
from rollbook.store.models import Credential, Grant
from tests.api.calls import V1P1, ask_token, basic, get, token_of
from tests.api.test_app_calls import Program


@pytest.fixture
def program(roster, district) -> Program:
    return Program(district, "brandt@riverbend.example", operators.DISTRICT)


def test_a_key_is_made_renewed_bounded_and_revoked(program, grant):
    place = f"/apps/{grant.pk}/keys"
    made = program.ask("POST", place, {"name": "Server", "oauth1": True}, 201, "Secret")
    key = apps.Key(made["id"], made["clientId"], made["clientSecret"], True)
    assert ask_token({"grant_type": "client_credentials"}, **basic(key)).status_code == 200
    renewed = program.ask("POST", f"{place}/{key.credential_id}/secret", {"keepHours": 0}, 201, "Secret")
    assert renewed["clientSecret"] != made["clientSecret"]
    assert ask_token({"grant_type": "client_credentials"}, **basic(key)).status_code == 401
    end = (timezone.now() + timedelta(days=1)).isoformat()
    told = program.ask(
        "PATCH", f"{place}/{key.credential_id}", {"expiresAt": end, "addresses": ["203.0.113.7"]}, 200, "Key"
    )
    assert told["addresses"] == ["203.0.113.7/32"]
    kept = program.ask("PATCH", f"{place}/{key.credential_id}", {"expiresAt": None}, 200, "Key")
    assert (kept["expiresAt"], kept["addresses"]) == (None, ["203.0.113.7/32"])
    [listed] = program.ask("GET", place, schema="Keys")["keys"]
    assert made["clientSecret"] not in str(listed)
    program.ask("DELETE", f"{place}/{key.credential_id}", expect=204)
    assert Credential.objects.get().revoked_at
    program.ask("PATCH", f"{place}/{key.credential_id}", {"addresses": []}, 409)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"expiresAt": "2001-01-01T00:00:00Z"}, 422),
        ({"expiresAt": "tomorrow"}, 400),
        ({"expiresAt": "2101-01-01T00:00:00"}, 400),
        ({"addresses": ["nowhere"]}, 422),
        ({"addresses": "203.0.113.7"}, 400),
        ({"color": "red"}, 400),
    ],
)
def test_what_is_wrong_with_a_key_is_said_and_none_is_made(program, grant, sent, status: int):
    program.ask("POST", f"/apps/{grant.pk}/keys", sent, status)
    assert not Credential.objects.exists()


def test_another_districts_app_is_not_there(program, elsewhere_grant):
    for path in ("keys", "access", "unused", "allowance"):
        program.ask("GET", f"/apps/{elsewhere_grant.pk}/{path}", expect=404)


@pytest.fixture
def elsewhere_grant(grant) -> Grant:
    return apps.grant_app(
        apps.find_grant(grant.pk).district.__class__.objects.create(name="Cedar"), grant.app, "full", []
    )


def test_accesses_allowances_and_disclosures_are_told(program, grant):
    token = token_of(keys.add_key(grant, name="Server"))
    get(f"{V1P1}/users?limit=2", token)
    access_log.flush()
    told = program.ask("GET", f"/apps/{grant.pk}/access", schema="Accesses")
    assert told["total"] == 1
    assert (told["accesses"][0]["what"], told["accesses"][0]["records"], told["accesses"][0]["key"]) == (
        "users",
        2,
        "Server",
    )
    program.ask("PUT", f"/apps/{grant.pk}/allowance", {"requests": 1}, 200, "Allowance")
    told = program.ask("GET", f"/apps/{grant.pk}/allowance", schema="Allowance")
    assert told == {"requests": 1, "records": None, "requestsToday": 1, "recordsToday": 2}
    assert get(f"{V1P1}/users", token).status_code == 429
    program.ask("PUT", f"/apps/{grant.pk}/allowance", {"requests": -1}, 422)
    program.ask("GET", f"/apps/{grant.pk}/unused", schema="Unused")
    [one] = program.ask("GET", "/disclosures?sourcedId=student-0", schema="Disclosures")["disclosures"]
    assert (one["app"], one["calls"]) == ("Reading App", 1)
    program.ask("GET", "/disclosures?sourcedId=nobody", expect=404)


def test_the_audit_log_is_read_and_checked_and_says_which_program_acted(program, grant):
    program.ask("POST", f"/apps/{grant.pk}/keys", {"name": "Server"}, 201)
    first = program.ask("GET", "/audit?act=key", schema="AuditLog")["entries"][0]
    assert (first["act"], first["door"]) == ("key.add", "API")
    assert first["actor"].startswith("brandt@riverbend.example (token ")
    assert not program.ask("GET", f"/audit?act=key&before={first['number']}")["entries"]
    verdict = program.ask("GET", "/audit/verify", schema="AuditVerdict")
    assert verdict["holds"] is True


def test_a_role_that_may_not_is_refused(roster, district, grant):
    officer = Program(district, "officer@riverbend.example", operators.PRIVACY)
    officer.ask("GET", "/audit")
    officer.ask("GET", f"/apps/{grant.pk}/access")
    for method, path in (
        ("GET", f"/apps/{grant.pk}/keys"),
        ("PUT", f"/apps/{grant.pk}/allowance"),
        ("GET", "/connections"),
    ):
        told = officer.ask(method, path, expect=403)
        assert "role" in told["detail"]
