"""An identity provider that is replayed: its discovery document, its keys, and a token endpoint that answers what a test lays ready."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

CLIENT_ID, SECRET = "rollbook", "a secret of the tests"
ENDPOINTS = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}


class Replayed:
    """One provider: what it says next stands in `said` (claims) or `raw` (a whole token), and in `info` (userinfo).

    `endpoints` are where it is asked, `ways` by what a client may prove itself; `shown` is the Authorization header and the query of what was
    asked last, by path.
    """

    def __init__(self, port: int) -> None:
        self.issuer = self.told_issuer = f"http://127.0.0.1:{port}"
        self.said: dict[str, Any] = {}
        self.raw = ""
        self.info: dict[str, Any] | None = None
        self.algorithm = "RS256"
        self.end_session = ""
        self.endpoints = dict(ENDPOINTS)
        self.ways: list[str] = []
        self.shown: dict[str, tuple[str, str]] = {}
        self.forms: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.rotate()

    def rotate(self) -> None:
        """Another key, and the one before is gone."""
        self.keys = {
            "RS256": JWK.generate(kty="RSA", size=2048, kid=f"rsa-{time.monotonic_ns()}"),
            "ES256": JWK.generate(kty="EC", crv="P-256", kid=f"ec-{time.monotonic_ns()}"),
        }

    def signed(self, claims: dict[str, Any], key: JWK | None = None, **header: Any) -> str:
        key = key or self.keys[self.algorithm]
        token = JWS(json.dumps(claims))
        told = {"alg": self.algorithm, "kid": key.get("kid")} | header
        token.add_signature(key, None, json.dumps({name: one for name, one in told.items() if one}))
        return token.serialize(compact=True)

    def token(self, now: int | None = None, **claims: Any) -> str:
        at = int(time.time()) if now is None else now
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "s-1", "iat": at, "exp": at + 300}
        return self.signed(
            {name: one for name, one in (usual | self.said | claims).items() if one is not None}
        )

    def answer(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path.endswith("/.well-known/openid-configuration"):
            told: dict[str, Any] = {name: f"{self.issuer}/{end}" for name, end in self.endpoints.items()}
            more: dict[str, Any] = {"userinfo_endpoint": f"{self.issuer}/me"} if self.info is not None else {}
            more |= {"end_session_endpoint": self.end_session} if self.end_session else {}
            more |= {"token_endpoint_auth_methods_supported": self.ways} if self.ways else {}
            return 200, told | more | {"issuer": self.told_issuer}
        if path == f"/{self.endpoints['jwks_uri']}":
            return 200, {"keys": [key.export_public(as_dict=True) for key in self.keys.values()]}
        if path == f"/{self.endpoints['token_endpoint']}":
            return 200, {"id_token": self.raw or self.token(), "access_token": "for the tests", "token_type": "Bearer"}  # fmt: skip
        if path == "/me":
            return 200, self.info
        return 404, {}


@contextmanager
def replayed() -> Iterator[Replayed]:
    """One that answers on this machine while the block runs."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            provider.shown[asked.path] = self.headers.get("Authorization", ""), asked.query
            status, told = provider.answer(asked.path)
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            form = {name: one[0] for name, one in parse_qs(text).items()}
            form["authorization"] = base64.b64decode(
                self.headers.get("Authorization", "").removeprefix("Basic ")
            ).decode()
            provider.forms.append(form)
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider = Replayed(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
