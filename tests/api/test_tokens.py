"""The token endpoint: who gets a token, by which roads, for which scopes, and what is kept of it."""

import logging

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rollbook.api.tokens import REGISTERED, prune_tokens
from rollbook.flows import apps
from rollbook.store.models import AccessToken, Credential
from tests.api.calls import SCOPES, SCOPES_V1P1, ask_token, basic, token_of

CREDENTIALS = {"grant_type": "client_credentials"}
CORE = f"{SCOPES}roster-core.readonly"


def test_a_key_in_the_header_gets_a_token_for_an_hour(key):
    answer = ask_token(CREDENTIALS, **basic(key))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)


def test_a_key_in_the_form_gets_a_token(key):
    form = CREDENTIALS | {"client_id": key.client_id, "client_secret": key.client_secret}
    assert ask_token(form).status_code == 200


def test_grant_type_and_scope_may_stand_in_the_address(key):
    answer = ask_token({}, f"?grant_type=client_credentials&scope={CORE}", **basic(key))
    assert answer.status_code == 200
    assert answer.json()["scope"] == CORE


def test_the_form_goes_before_the_address(key):
    answer = ask_token(CREDENTIALS | {"scope": CORE}, f"?scope={SCOPES}roster.readonly", **basic(key))
    assert answer.json()["scope"] == CORE


def test_a_secret_in_the_address_is_refused_and_not_logged(key, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = ask_token(CREDENTIALS, f"?client_id={key.client_id}&client_secret={key.client_secret}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert key.client_secret not in caplog.text
    assert key.client_secret not in answer.content.decode()


def test_who_asks_for_no_scope_gets_every_scope_of_the_standard(key):
    told = set(ask_token(CREDENTIALS, **basic(key)).json()["scope"].split())
    assert told == set(REGISTERED)
    assert {
        f"{SCOPES_V1P1}roster.readonly",
        f"{SCOPES}gradebook.createpost",
        f"{SCOPES}assessment.readonly",
    } <= told


def test_a_scope_left_empty_is_no_scope(key):
    told = ask_token(CREDENTIALS | {"scope": " "}, **basic(key)).json()["scope"].split()
    assert set(told) == set(REGISTERED)


def test_who_asks_for_scopes_gets_those_once_each(key):
    answer = ask_token(CREDENTIALS | {"scope": f"{CORE}  {SCOPES}roster.readonly {CORE}"}, **basic(key))
    assert answer.json()["scope"] == f"{CORE} {SCOPES}roster.readonly"


def test_an_unknown_scope_is_named_invalid(key):
    for scope in ("everything", f"{CORE} {SCOPES}roster.write"):
        answer = ask_token(CREDENTIALS | {"scope": scope}, **basic(key))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("grant_type", ["password", "authorization_code", "refresh_token", "nonsense"])
def test_no_other_grant_type_is_known(key, grant_type):
    answer = ask_token({"grant_type": grant_type}, **basic(key))
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_request_without_a_grant_type_is_invalid(key):
    answer = ask_token({}, **basic(key))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Basic bm9ib2R5Om5vdGhpbmc=",
        "Basic /w==",
        "Basic AGE6Yg==",
        "Basic \xff\xfe",
        "Bearer abc",
        "",
    ],
)
def test_a_stranger_gets_no_token_and_is_told_how_to_authenticate(db, header):
    answer = ask_token(CREDENTIALS, **({"Authorization": header} if header else {}))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_secret_gets_no_token(key):
    form = CREDENTIALS | {"client_id": key.client_id, "client_secret": key.client_secret[:-1]}
    assert ask_token(form).status_code == 401
    assert ask_token(form | {"client_secret": ""}).status_code == 401


def test_a_disabled_app_gets_no_token(grant, key):
    apps.disable(grant)
    answer = ask_token(CREDENTIALS, **basic(key))
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    apps.enable(grant)
    assert ask_token(CREDENTIALS, **basic(key)).status_code == 200


def test_whoever_has_not_the_secret_does_not_learn_that_an_app_is_disabled(grant, key):
    apps.disable(grant)
    form = CREDENTIALS | {"client_id": key.client_id, "client_secret": "guess"}
    assert ask_token(form).status_code == 401


def test_a_revoked_key_gets_no_token(key):
    apps.revoke_key(key.client_id)
    assert ask_token(CREDENTIALS, **basic(key)).status_code == 401


def test_neither_secrets_nor_tokens_are_kept_as_they_are(key):
    token = token_of(key)
    kept = Credential.objects.get(client_id=key.client_id)
    assert kept.client_secret.startswith("random_sha256$")
    stored = AccessToken.objects.get()
    assert stored.token == ""
    for alias in {"default", AccessToken.objects.db}:
        with connections[alias].cursor() as cursor:
            for table in ("store_credential", "store_accesstoken"):
                if table in connections[alias].introspection.table_names(cursor):
                    cursor.execute(f"SELECT * FROM {table}")
                    assert token not in repr(cursor.fetchall())
                    cursor.execute(f"SELECT * FROM {table}")
                    assert key.client_secret not in repr(cursor.fetchall())


def test_a_token_asked_for_writes_nothing_into_the_roster(key):
    with CaptureQueriesContext(connections["default"]) as asked:
        token_of(key)
    statements = [query["sql"] for query in asked.captured_queries]
    assert any("store_credential" in text for text in statements)
    written = [text for text in statements if text.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all(text.startswith('INSERT INTO "store_accesstoken"') for text in written)
    assert connections["default"].vendor == "postgresql" or not written


def test_a_log_at_its_most_talkative_holds_no_token(key, caplog):
    with caplog.at_level(logging.DEBUG):
        token = token_of(key)
    assert token not in caplog.text
    assert key.client_secret not in caplog.text


def test_a_token_is_asked_for_by_post(key):
    answer = Client().get("/oauth2/token?grant_type=client_credentials", headers=basic(key))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_form_that_never_ends_is_refused(key):
    answer = ask_token(CREDENTIALS | {"x": "y" * 100_000}, **basic(key))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    many = {f"p{number}": "x" for number in range(200)}
    answer = ask_token(CREDENTIALS | many, **basic(key))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_tokens_that_open_nothing_any_more_are_forgotten(key):
    token_of(key)
    stored = AccessToken.objects.get()
    prune_tokens(stored.expires)
    assert AccessToken.objects.exists()
    prune_tokens(stored.expires.replace(year=stored.expires.year + 1))
    assert not AccessToken.objects.exists()
