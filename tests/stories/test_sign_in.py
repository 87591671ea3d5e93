"""A pupil comes in at the launch pad, starts the product through the broker, takes the last seat, and is the same person by another provider.

All of it in a real browser, with real redirects between four servers: Rollbook, the product, and an identity provider of the school's.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.console.test_browser import open_context
from tests.console.test_sign_in_browser import provider
from tests.installation import Installation, free_port, fresh_installation
from tests.stories.make_sign_in import PASSWORD, PRODUCT

pytestmark = pytest.mark.browser

AT_SCHOOL = {"amara": {"role": "student", "name": "Amara Okonkwo", "sourcedId": cast.AMARA}}


@dataclass
class Product:
    """A product's server: at /start it begins a sign-in, at /signed-in it ends one. `people` are the ID tokens' claims as they came."""

    port: int
    issuer: str = ""
    client: dict[str, str] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, asked: dict[str, str]) -> str:
        """Where the browser is sent: to the issuer that began, or to the only one it knows."""
        assert asked.get("iss", self.issuer) == self.issuer
        state, verifier = secrets.token_urlsafe(8), secrets.token_urlsafe(40)
        self.away[state] = verifier
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        hint = {"login_hint": asked["login_hint"]} if "login_hint" in asked else {}
        there = {
            "response_type": "code", "client_id": self.client["id"], "redirect_uri": f"{self.url}/signed-in",
            "scope": "openid profile email", "state": state, "nonce": f"n-{state}", "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self.described()['authorization_endpoint']}?{urlencode(there | hint)}"

    def end(self, answer: dict[str, str]) -> dict[str, Any]:
        """What the ID token says of who came back."""
        form = {
            "grant_type": "authorization_code", "code": answer["code"], "redirect_uri": f"{self.url}/signed-in",
            "code_verifier": self.away.pop(answer["state"]),
        }  # fmt: skip
        pair = base64.b64encode(f"{self.client['id']}:{self.client['secret']}".encode()).decode()
        asked = urllib.request.Request(
            self.described()["token_endpoint"],
            data=urlencode(form).encode(),
            headers={"Authorization": f"Basic {pair}"},
        )
        tokens = asked_of(asked)
        keys = JWKSet.from_json(json.dumps(asked_of(self.described()["jwks_uri"])))
        claims: dict[str, Any] = json.loads(JWT(jwt=tokens["id_token"], key=keys).claims)
        assert (claims["iss"], claims["aud"]) == (self.issuer, self.client["id"])
        assert claims["nonce"] == f"n-{answer['state']}"
        self.people.append(claims)
        return claims

    def described(self) -> dict[str, Any]:
        return asked_of(f"{self.issuer}/.well-known/openid-configuration")


def asked_of(request: str | urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.loads(answer.read())
    return told


@contextlib.contextmanager
def running(product: Product) -> Iterator[None]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: one[0] for name, one in parse_qs(parts.query).items()}
            if parts.path == "/start":
                self.send_response(302)
                self.send_header("Location", product.begin(asked))
                self.end_headers()
                return
            if parts.path != "/signed-in":
                self.send_error(404)
                return
            claims = product.end(asked)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"<!doctype html><h1>Welcome, {claims['name']}</h1>".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", product.port), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Served:
    installation: Installation
    product: Product
    url: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    product, port = Product(free_port()), free_port()
    with fresh_installation() as installation, contextlib.ExitStack() as stack:
        arguments = (f"{product.url}/start", f"{product.url}/signed-in", f"http://127.0.0.1:{port}")
        made = installation.python("-m", "tests.stories.make_sign_in", *arguments)
        product.client = json.loads(made.splitlines()[-1])
        product.issuer = f"{installation.url}/openid"
        number = installation.rows("SELECT id FROM store_identityprovider WHERE preset = 'any'")[0][0]
        back = f"{installation.url}/organizations/1/enter/{number}/callback"
        stack.enter_context(provider(port, AT_SCHOOL, back))
        stack.enter_context(running(product))
        with installation.serving() as url:
            yield Served(installation, product, url)


def member(served: Served) -> tuple[object, ...]:
    [found] = served.installation.rows(
        f"SELECT id, state FROM store_member WHERE source_id = '{cast.AMARA}' AND organization_id = 1"
    )
    return found


def seats(served: Served) -> int:
    [(taken,)] = served.installation.rows("SELECT seats_taken FROM store_organization WHERE id = 1")
    return int(taken)


def at_the_pad(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/launch/1")
    page.get_by_label("My username").fill("aokonkwo")
    page.get_by_label("My password").fill(PASSWORD)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", name="Hello, Amara Okonkwo!")).to_be_visible()


def test_a_pupil_launches_the_product_takes_the_seat_and_is_the_same_by_another_provider(
    served: Served, browser: Browser
):
    assert (member(served)[1], seats(served)) == ("inactive", 0)
    context = open_context(browser, width=390)
    page = context.new_page()
    at_the_pad(page, served)
    page.get_by_role("link", name=PRODUCT).click()
    expect(page.get_by_role("heading", name="Welcome, Amara Okonkwo")).to_be_visible()
    first = served.product.people[-1]
    assert first["sourcedId"] == cast.AMARA
    assert first["roles"] == ["student"]
    assert (member(served)[1], seats(served)) == ("active", 1)
    page.goto(f"{served.url}/launch/1")
    expect(page.get_by_role("heading", name="Hello, Amara Okonkwo!")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{served.product.url}/start")
    expect(page.get_by_role("link", name="School account")).to_be_visible()
    context.close()

    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{served.product.url}/start")
    page.get_by_role("link", name="School account").click()
    page.locator("input[name=login]").fill("amara")
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", name="Welcome, Amara Okonkwo")).to_be_visible()
    context.close()
    assert served.product.people[-1]["sub"] == first["sub"]
    assert len(served.product.people) == 2
    assert seats(served) == 1
    identities = served.installation.rows("SELECT account_id, rung FROM store_identity ORDER BY id")
    assert [rung for _, rung in identities] == ["sourced-id", "sourced-id"]
    assert len({account for account, _ in identities}) == 1
    where = "WHERE act LIKE 'launch%' OR act LIKE 'sign%'"
    told = json.dumps(served.installation.rows(f'SELECT act, "after" FROM store_auditentry {where}'))
    assert PASSWORD not in told
