"""Signatures of OAuth 1.0a: which are accepted, behind which proxies, and never twice."""

import base64
import hashlib
import hmac
import time
from urllib.parse import quote, quote_plus, unquote, urlencode

import pytest
from django.db import connection
from django.test import Client
from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_HMAC_SHA256,
    SIGNATURE_PLAINTEXT,
    SIGNATURE_TYPE_QUERY,
)
from oauthlib.oauth1 import Client as Signer

from rollbook.api.oauth1 import prune_nonces
from rollbook.flows import apps
from rollbook.store.models import Credential, Nonce
from tests.api.calls import PUBLIC, V1P1, V1P2, get_signed, path_of, signed

USERS = f"{V1P1}/users"
QUERIES = (
    "",
    "?limit=10&offset=20",
    "?filter=" + quote("status='active'", safe=""),
    "?filter=" + quote("givenName='Colin Robert'", safe=""),
    "?filter="
    + quote("familyName='O''Neil~Ñandú/é' AND dateLastModified>'2020-01-01T01:00:00.000Z'", safe=""),
    "?filter=givenName%3D%27Colin+Robert%27&sort=familyName",
    "?fields=",
    "?b=2&a=1&a=0&a=",
)


@pytest.mark.parametrize("method", [SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256])
@pytest.mark.parametrize("query", QUERIES)
def test_a_signed_request_is_let_in(key, method, query):
    assert get_signed(key, USERS + query, signature_method=method).status_code in (200, 400)


def test_only_a_good_signature_reaches_the_question(key):
    """A blank selection is a 400 of the question's own, so a 400 shows that the signature was good."""
    assert get_signed(key, f"{USERS}?fields=").status_code == 400
    other = apps.Key(0, key.client_id, "another secret", True)
    assert get_signed(other, f"{USERS}?fields=").status_code == 401


@pytest.mark.parametrize(
    "path", ["/users/a%2Fb", "/users/a@b", "/users/a%40b", "/users/a%20b", "/users/%C3%A9", "/users/"]
)
def test_the_path_may_be_spelt_as_its_client_likes(key, path):
    assert get_signed(key, V1P1 + path).status_code in (200, 404)


def test_the_public_address_is_what_counts_behind_a_proxy(key, settings):
    settings.PUBLIC_URL = "https://roster.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    headers = signed(
        key, f"https://roster.example.org{USERS}?limit=1", signature_method=SIGNATURE_HMAC_SHA256
    )
    inside = Client().get(f"{USERS}?limit=1", headers=headers | {"Host": "10.0.0.7:8000"})
    assert inside.status_code == 200
    assert 'rel="first"' in inside["Link"]
    assert inside["Link"].startswith("<https://roster.example.org/")
    headers = signed(key, f"http://10.0.0.7:8000{USERS}?limit=1")
    assert Client().get(f"{USERS}?limit=1", headers=headers | {"Host": "10.0.0.7:8000"}).status_code == 401


def test_the_public_address_may_have_a_port(key, settings):
    settings.PUBLIC_URL = "https://roster.example.org:8443"
    headers = signed(key, f"https://roster.example.org:8443{USERS}")
    assert Client().get(USERS, headers=headers).status_code == 200


def sample_client_headers(key: apps.Key, url: str) -> dict[str, str]:
    """Signs as a widespread sample client does: `quote` leaves "/" in values, nonces have ten characters, no oauth_version."""
    base, _, query = url.partition("?")
    oauth = {
        "oauth_consumer_key": key.client_id,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": "aB3dE5gH7j",
    }
    parameters = oauth | {
        name: unquote(text) for name, _, text in (part.partition("=") for part in query.split("&") if part)
    }
    joined = "&".join(f"{name}={quote(text)}" for name, text in sorted(parameters.items()))
    text = f"GET&{quote_plus(base)}&{quote_plus(joined)}"
    digest = hmac.new(f"{key.client_secret}&".encode(), text.encode(), hashlib.sha256).digest()
    oauth["oauth_signature"] = base64.b64encode(digest).decode()
    shown = ",".join(f'{name}="{quote_plus(text)}"' for name, text in oauth.items())
    return {"Authorization": f"OAuth {shown}"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "10000", "offset": "0"},
        {"filter": "familyName='a/b'"},
        {"filter": "familyName~'x' AND givenName='Colin Robert/~é'"},
    ],
)
def test_a_client_that_leaves_slashes_in_values_is_let_in(key, parameters):
    path = f"{USERS}?{urlencode(parameters, quote_via=quote, safe='')}"
    assert Client().get(path, headers=sample_client_headers(key, PUBLIC + path)).status_code == 200


def test_a_signature_may_travel_in_the_query(key):
    from_query = signed_url(key, f"{PUBLIC}{USERS}?limit=1")
    assert Client().get(path_of(from_query)).status_code == 200


def signed_url(key: apps.Key, url: str) -> str:

    signer = Signer(key.client_id, client_secret=key.client_secret, signature_type=SIGNATURE_TYPE_QUERY)
    return str(signer.sign(url)[0])


def test_a_replay_is_refused(key):
    headers = signed(key, PUBLIC + USERS)
    assert Client().get(USERS, headers=headers).status_code == 200
    again = Client().get(USERS, headers=headers)
    assert again.status_code == 401
    assert "OAuth " in again["WWW-Authenticate"]


def test_a_wrong_signature_uses_no_nonce_up(key):
    stolen = apps.Key(0, key.client_id, "wrong", True)
    assert get_signed(stolen, USERS, nonce="abc").status_code == 401
    assert not Nonce.objects.exists()
    assert get_signed(key, USERS, nonce="abc").status_code == 200


@pytest.mark.parametrize("nonce", ["0123456789", "x", "a-b_c.d~e=", "n" * 64])
def test_nonces_may_look_any_way(key, nonce):
    assert get_signed(key, USERS, nonce=nonce).status_code == 200


def test_a_clock_five_minutes_off_is_the_most_that_is_borne(key):
    now = int(time.time())
    for off in (-290, 290):
        assert get_signed(key, USERS, timestamp=str(now + off)).status_code == 200
    for off in (-320, 320):
        assert get_signed(key, USERS, timestamp=str(now + off)).status_code == 401


def test_changing_the_query_breaks_the_signature(key):
    headers = signed(key, f"{PUBLIC}{USERS}?limit=1")
    assert Client().get(f"{USERS}?limit=2", headers=headers).status_code == 401


def test_changing_the_method_breaks_the_signature(key):
    headers = signed(key, PUBLIC + USERS)
    assert Client().head(USERS, headers=headers).status_code == 401


def test_no_other_method_of_signing_is_taken(key):
    assert get_signed(key, USERS, signature_method=SIGNATURE_PLAINTEXT).status_code == 401


def test_a_key_without_oauth_1_signs_nothing(grant):
    key = apps.add_key(grant)
    assert get_signed(key, USERS).status_code == 401
    assert get_signed(apps.Key(0, key.client_id, "", False), USERS).status_code == 401


def test_signatures_are_for_1_1_alone(key):
    assert get_signed(key, f"{V1P2}/users").status_code == 401


def test_a_revoked_key_signs_nothing(key):
    apps.revoke_key(key.client_id)
    assert get_signed(key, USERS).status_code == 401


def test_a_disabled_app_is_forbidden_although_its_signature_is_good(grant, key):
    apps.disable(grant)
    assert get_signed(key, USERS).status_code == 403


def test_the_secret_is_encrypted_where_it_is_kept(key):

    with connection.cursor() as cursor:
        cursor.execute("SELECT oauth1_secret FROM store_credential")
        [[kept]] = cursor.fetchall()
    assert key.client_secret not in kept
    assert Credential.objects.get().oauth1_secret == key.client_secret


def test_old_nonces_are_forgotten_once_their_timestamps_are_refused(key):
    now = int(time.time())
    get_signed(key, USERS)
    prune_nonces(now + 500)
    assert Nonce.objects.count() == 1
    prune_nonces(now + 700)
    assert not Nonce.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "OAuth",
        "OAuth nonsense",
        'OAuth oauth_consumer_key="x"',
        'OAuth oauth_consumer_key="x",oauth_nonce="1",oauth_timestamp="abc",oauth_signature_method="HMAC-SHA1",oauth_signature="x"',
        'OAuth oauth_consumer_key="x",oauth_consumer_key="y"',
        'OAuth oauth_consumer_key="%00",oauth_nonce="%00",oauth_timestamp="{now}",oauth_signature_method="HMAC-SHA1",oauth_signature="x"',
        'OAuth oauth_consumer_key="\xff",oauth_nonce="a",oauth_timestamp="{now}",oauth_signature_method="HMAC-SHA1",oauth_signature="\xff"',
    ],
)
def test_nonsense_in_the_header_is_unauthorised_and_no_more(db, header):
    answer = Client().get(
        f"{USERS}?x=%zz&y=%ff", headers={"Authorization": header.replace("{now}", str(int(time.time())))}
    )
    assert answer.status_code == 401
