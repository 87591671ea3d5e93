"""What a provider says of itself under its issuer's address, and the keys it signs with: asked once and kept for an hour.

A key that is not known is asked for again, so that a provider may change its keys at any moment; but not more often than every ten seconds.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from rollbook.connectors.contract import BadSetting, CannotFetch
from rollbook.connectors.oneroster_rest.address import refuse_forbidden_host, refused_unless_web

WELL_KNOWN = "/.well-known/openid-configuration"
TIME_OUT = httpx2.Timeout(10.0, connect=5.0)
LARGEST_ANSWER = 1 << 20
KEPT_SECONDS = 3600
AGAIN_SECONDS = 10
MOST_SERVERS = 1000
TENANT_PLACE = "{tenantid}"
"""Where an issuer that serves many tenants has the tenant's id (Microsoft Entra)."""

for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ProviderTrouble(CannotFetch):
    """The identity provider cannot be used now."""


@dataclass
class Server:
    """A provider as it describes itself. `issuer` is what its tokens have to say, perhaps with a place for the tenant."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str = ""
    end_session: str = ""
    proves_in_body: bool = False
    read_at: int = 0
    keys: list[JWK] = field(default_factory=list)
    keys_at: int = 0

    def keys_for(self, kid: str, kind: str, now: int) -> list[JWK]:
        """The keys that a token with this header may be signed with; asked for anew where there is none. Raises ProviderTrouble."""
        with _lock:
            found = self._fitting(kid, kind)
            is_old = now - self.keys_at > KEPT_SECONDS
            if is_old or (not found and now - self.keys_at >= AGAIN_SECONDS):
                self.keys, self.keys_at = _keys(get_json(self.jwks)), now
                found = self._fitting(kid, kind)
        return found

    def all_keys(self, now: int) -> list[JWK]:
        """Every key, asked for now. Raises ProviderTrouble."""
        with _lock:
            self.keys, self.keys_at = _keys(get_json(self.jwks)), now
            return self.keys

    def _fitting(self, kid: str, kind: str) -> list[JWK]:
        """Without an id in the token, only a key that is the only one of its kind."""
        of_kind = [one for one in self.keys if one.get("kty") == kind and one.get("use") in (None, "sig")]
        if kid:
            return [one for one in of_kind if one.get("kid") == kid]
        return of_kind if len(of_kind) == 1 else []


_lock = threading.RLock()
_known: dict[str, Server] = {}


def server_of(issuer: str, now: int) -> Server:
    """The provider of this issuer. Raises BadSetting, ProviderTrouble."""
    with _lock:
        known = _known.get(issuer)
        if known is None or now - known.read_at > KEPT_SECONDS:
            known = _discovered(issuer, now)
            if len(_known) >= MOST_SERVERS:
                _known.clear()
            _known[issuer] = known
        return known


def forget_servers() -> None:
    """What was learnt of providers is asked for again."""
    with _lock:
        _known.clear()


def clean_issuer(written: str) -> str:
    """The issuer as it was written, without the part that discovery adds. Raises BadSetting."""
    text = written.strip().removesuffix(WELL_KNOWN)
    refused_unless_web(text, insecure=False)
    return text if "://" in text else f"https://{text}"


def _discovered(issuer: str, now: int) -> Server:
    told = get_json(issuer.rstrip("/") + WELL_KNOWN)
    said = _text(told, "issuer")
    if said != issuer and not _is_of_tenants(said, issuer):
        raise ProviderTrouble(
            "The provider says that it is another issuer than the one that was written down."
        )
    found = Server(
        said,
        _address(told, "authorization_endpoint"),
        _address(told, "token_endpoint"),
        _address(told, "jwks_uri"),
        _address(told, "userinfo_endpoint") if told.get("userinfo_endpoint") else "",
        _usable(told, "end_session_endpoint"),
        read_at=now,
    )
    ways = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    found.proves_in_body = "client_secret_basic" not in ways and "client_secret_post" in ways
    return found


def _is_of_tenants(said: str, issuer: str) -> bool:
    """Whether the issuer differs only in the place of the tenant: what is asked serves all of them under one address."""
    before, place, after = said.partition(TENANT_PLACE)
    fits = issuer.startswith(before) and issuer.endswith(after)
    return bool(place) and fits and len(issuer) > len(before) + len(after)


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _address(told: Mapping[str, Any], name: str) -> str:
    """An address that may be asked. Raises ProviderTrouble."""
    address = _text(told, name)
    if not address.startswith(("https://", "http://")):
        raise ProviderTrouble(f"The provider's {name} is no address of the web.")
    try:
        refused_unless_web(address.partition("?")[0], insecure=False)
    except BadSetting as refusal:
        raise ProviderTrouble(f"The provider's {name} cannot be used: {refusal.words}") from None
    return address


def _usable(told: Mapping[str, Any], name: str) -> str:
    """An address that somebody may be sent to; empty where there is none, for nothing else depends on it."""
    try:
        return _address(told, name) if told.get(name) else ""
    except ProviderTrouble:
        return ""


def _keys(told: Mapping[str, Any]) -> list[JWK]:
    """Those that can be read; a kind of key that nobody here knows is passed over."""
    found = []
    for one in told.get("keys") or []:
        try:
            found.append(JWK(**one))
        except (JWException, TypeError, ValueError):
            continue
    return found


def get_json(url: str, token: str = "") -> dict[str, Any]:
    """What stands there, an object. Raises ProviderTrouble."""
    return send("GET", url, {"Authorization": f"Bearer {token}"} if token else {})


def send(
    method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One request and its answer, an object. Nothing of an answer is ever told: it may hold a token. Raises ProviderTrouble."""
    try:
        refuse_forbidden_host(url)
        with httpx2.Client(timeout=TIME_OUT, follow_redirects=False) as client:
            answer = client.request(
                method, url, headers={"Accept": "application/json", **headers}, data=dict(form or {}) or None
            )
    except (BadSetting, httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL):
        raise ProviderTrouble("The provider does not answer.") from None
    if answer.status_code != 200:
        raise ProviderTrouble(f"The provider answered {answer.status_code}.")
    if len(answer.content) > LARGEST_ANSWER:
        raise ProviderTrouble("The provider's answer is too long.")
    try:
        told = json.loads(answer.content)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ProviderTrouble("The provider's answer is not what it should be.")
    return told
