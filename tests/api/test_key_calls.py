"""Operators' programs keep keys, look at accesses and read the audit log under /api/v1; a role that may not is refused."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.api import access_log
from rollbook.api.route import ROOT
from rollbook.flows import apps, keys, operators, partners
from rollbook.flows.tokens import make_token
from rollbook.store.models import Credential, Grant, User
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
    app = program.ask("GET", f"/apps/{grant.pk}", schema="App")
    last = {name: app["lastCall"][name] for name in ("status", "records", "address")}
    assert last == {"status": "200", "records": 2, "address": "127.0.0.1"}
    assert (app["accessCount"], app["lastPackage"]) == (1, None)
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


def test_where_a_key_is_used_is_told_with_the_keys(program, grant):
    told = program.ask("GET", f"/apps/{grant.pk}/keys", schema="Keys")
    assert told["tenantId"] == grant.district_id
    assert told["endpoints"]["v1p1"].endswith("/ims/oneroster/v1p1")
    assert any("roster" in scope for scope in told["scopes"])


def test_a_former_secret_is_ended(program, grant):
    key = keys.add_key(grant)
    keys.renew_secret(keys.find_key(key.client_id))
    place = f"/apps/{grant.pk}/keys/{key.credential_id}/secret/former"
    assert program.ask("DELETE", place, schema="Key")["formerHoldsUntil"] is None
    assert ask_token({"grant_type": "client_credentials"}, **basic(key)).status_code == 401


def test_a_readable_secret_is_shown_to_who_knows_the_operators_password_and_audited(program, grant):
    account = operators.find_account("brandt@riverbend.example")
    operators.set_password(account, "seven quiet herons at noon")
    readable, hashed = keys.add_key(grant, oauth1=True), keys.add_key(grant)
    place = f"/apps/{grant.pk}/keys/{readable.credential_id}/secret/show"
    program.ask("POST", place, {"password": "not this one"}, 403)
    shown = program.ask("POST", place, {"password": "seven quiet herons at noon"}, schema="Secret")
    assert shown["clientSecret"] == readable.client_secret
    other = f"/apps/{grant.pk}/keys/{hashed.credential_id}/secret/show"
    program.ask("POST", other, {"password": "seven quiet herons at noon"}, 409)
    acts = [entry["act"] for entry in program.ask("GET", "/audit?act=key", schema="AuditLog")["entries"]]
    assert acts[:2] == ["key.show_secret", "key.show_secret_refused"]
    for _ in range(7):
        program.ask("POST", place, {"password": "not this one"}, 403)
    program.ask("POST", place, {"password": "seven quiet herons at noon"}, 429)


def test_files_for_an_auditor_are_exported_and_that_is_audited(program, grant, roster):
    person = User.objects.filter(district=grant.district, sourced_id__startswith="student").first()
    files = {
        f"/apps/{grant.pk}/access.csv": "at,kind,what",
        f"/disclosures.csv?sourcedId={person.sourced_id}": "app,",
        "/audit.csv?act=key&since=2001-01-01T00:00:00Z": "number,at,actor",
    }
    for path, header in files.items():
        answer = Client().get(ROOT + path, headers={"Authorization": f"Bearer {program.secret}"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), path
        assert answer.content.decode().startswith(header), path
    acts = [entry["act"] for entry in program.ask("GET", "/audit")["entries"]]
    assert {"access.export", "disclosure.export", "audit.export"} <= {*acts}
    program.ask("GET", "/audit?since=yesterday", expect=400)


def test_the_installations_audit_log_is_told_to_installation_operators_only(program, district):
    for path in ("", ".csv", "/verify"):
        program.ask("GET", f"/installation/audit{path}", expect=403)
    account = operators.add_operator("root@example.org", operators.INSTALLATION, None).account
    program.secret = make_token(account, district, "Nightly", timezone.now())[1]
    partners.add_partner("Quorndle")
    entries = program.ask("GET", "/installation/audit?act=partner", schema="AuditLog")["entries"]
    assert [entry["about"] for entry in entries] == ["Quorndle"]
    assert program.ask("GET", "/installation/audit/verify", schema="AuditVerdict")["holds"] is True
