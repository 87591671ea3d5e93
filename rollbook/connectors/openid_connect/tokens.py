"""An ID token proved: signed by the issuer, for us, for this very sign-in, and not too old. Source: OpenID Connect Core 1.0 §3.1.3.7."""

import json
from collections.abc import Mapping
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jws import JWS

from rollbook.connectors.contract import ConnectorRefusal
from rollbook.connectors.openid_connect.server import TENANT_PLACE, Server

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
SKEW = 120
"""Seconds by which two clocks may differ."""


class NotTrusted(ConnectorRefusal):
    """The provider's answer proves nothing."""


def proved(
    server: Server, raw: str, client_id: str, nonce: str, now: int, other_issuers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The claims of a token. Raises NotTrusted, ProviderTrouble."""
    claims = _signed(server, raw, now)
    issuer = server.issuer.replace(TENANT_PLACE, str(claims.get("tid") or ""))
    if claims.get("iss") not in (issuer, *other_issuers):
        raise NotTrusted("The token is from another issuer.")
    if claims.get("sub") in (None, ""):
        raise NotTrusted("The token does not say whom it is about.")
    _for_us(claims, client_id)
    _in_time(claims, now)
    if claims.get("nonce") != nonce:
        raise NotTrusted("The token is of another sign-in.")
    return claims


def _signed(server: Server, raw: str, now: int) -> dict[str, Any]:
    token = JWS()
    token.allowed_algs = list(ALGORITHMS)
    try:
        token.deserialize(raw)
        header = token.jose_header
        kind = ALGORITHMS.get(str(header.get("alg")), "")
        for key in server.keys_for(str(header.get("kid") or ""), kind, now) if kind else []:
            if _verifies(token, key):
                claims = json.loads(token.payload)
                if isinstance(claims, dict):
                    return claims
    except (JWException, ValueError, AttributeError, TypeError):
        raise NotTrusted("The token is not one.") from None
    raise NotTrusted("The token is not signed by a key of the provider's.")


def _verifies(token: JWS, key: Any) -> bool:
    try:
        token.verify(key)
    except (JWException, ValueError):
        return False
    return True


def _for_us(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    if (
        client_id not in several
        or (len(several) > 1 and party != client_id)
        or party not in (None, client_id)
    ):
        raise NotTrusted("The token is for another application.")


def _in_time(claims: Mapping[str, Any], now: int) -> None:
    ends, issued, begins = (claims.get(name) for name in ("exp", "iat", "nbf"))
    if not _is_number(ends) or not _is_number(issued):
        raise NotTrusted("The token does not say how long it holds.")
    if ends <= now - SKEW:
        raise NotTrusted("The token is over.")
    if issued > now + SKEW or (_is_number(begins) and begins > now + SKEW):
        raise NotTrusted("The token is of a time to come: look at the clocks.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
