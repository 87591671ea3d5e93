"""How the tests of the REST door call it: through Django's client, with tokens, or signed."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from django.http import HttpResponse
from django.test import Client
from oauthlib.oauth1 import Client as Signer

from rollbook.flows.apps import Key

V1P1 = "/ims/oneroster/v1p1"
V1P2 = "/ims/oneroster/rostering/v1p2"
PUBLIC = "http://testserver"
SCOPES = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
SCOPES_V1P1 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"

BASES = {"1.1": V1P1, "1.2": V1P2}


def basic(key: Key) -> dict[str, str]:
    """The header of RFC 6749 §2.3.1."""
    pair = f"{quote(key.client_id, safe='')}:{quote(key.client_secret, safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def ask_token(form: Mapping[str, str], query: str = "", **headers: str) -> Any:
    """POSTs the form to the token endpoint."""
    body = "&".join(f"{name}={quote(text, safe='')}" for name, text in form.items())
    return Client().post(
        f"/oauth2/token{query}", body, content_type="application/x-www-form-urlencoded", headers=headers
    )


def token_of(key: Key, *scopes: str) -> str:
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
    answer = ask_token(form, **basic(key))
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def get(path: str, token: str = "", **headers: str) -> Any:
    """GETs an address of ours; `path` may hold percent-encoding and a query."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return Client().get(path, headers=headers)


def signed(key: Key, url: str, **options: Any) -> dict[str, str]:
    """The headers of a GET signed by OAuth 1.0a; `url` is what the client believes it calls."""
    signer = Signer(key.client_id, client_secret=key.client_secret, **options)
    _, headers, _ = signer.sign(url)
    return {str(name): str(text) for name, text in headers.items()}


def get_signed(key: Key, path: str, believed: str = PUBLIC, **options: Any) -> HttpResponse:
    """GETs `path` signed for `believed` + `path`."""
    answer: HttpResponse = Client().get(path, headers=signed(key, believed + path, **options))
    return answer


def path_of(url: str) -> str:
    """The path and query of an absolute address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
