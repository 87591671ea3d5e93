"""The way to a provider and back: where a browser is sent, and what its coming back is worth. Authorization code with PKCE, nonce and state."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

from rollbook.connectors.openid_connect.server import TENANT_PLACE, ProviderTrouble, Server, get_json, send
from rollbook.connectors.openid_connect.tokens import NotTrusted, proved

VOUCHING = ("email_verified", "xms_edov")
MINUTES = 10
"""So long somebody may take to sign in there."""


@dataclass(frozen=True)
class Client:
    """Who we are to a provider. `subject` are the claims by which its users are told apart, where the token is not all it says."""

    client_id: str
    secret: str
    redirect_uri: str
    scopes: str = "openid profile email"
    other_issuers: tuple[str, ...] = ()
    subject: tuple[str, ...] = ("sub",)


@dataclass(frozen=True)
class Setting:
    """What is remembered in the browser's session while somebody is there; good once."""

    state: str
    nonce: str
    verifier: str
    began: int

    def kept(self) -> dict[str, Any]:
        return asdict(self)


def set_out(now: int) -> Setting:
    return Setting(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), now)


def address_there(
    server: Server, client: Client, setting: Setting, hint: str = "", *, anew: bool = False
) -> str:
    """Where the browser is sent; with `anew` to sign in whoever is in there already."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(setting.verifier.encode()).digest()).rstrip(b"=")
    asked = (
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": client.scopes,
            "state": setting.state,
            "nonce": setting.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        | ({"login_hint": hint} if hint else {})
        | ({"prompt": "login"} if anew else {})
    )
    return f"{server.authorization}{'&' if '?' in server.authorization else '?'}{urlencode(asked)}"


def way_out(server: Server, client_id: str, back: str = "", state: str = "") -> str:
    """Where somebody signs out at the provider too; empty where it offers that not. Source: OpenID Connect RP-Initiated Logout 1.0 §2.

    Without the ID token, which is not kept, the provider asks first whether it is really wanted. `back` is registered there; only it brings
    the state back.
    """
    if not server.end_session:
        return ""
    told = {"client_id": client_id} | ({"post_logout_redirect_uri": back, "state": state} if back else {})
    return f"{server.end_session}{'&' if '?' in server.end_session else '?'}{urlencode(told)}"


def came_back(
    server: Server, client: Client, setting: Setting, answer: Mapping[str, str], now: int
) -> dict[str, Any]:
    """The claims of who signed in there: the token's, and of userinfo what the token leaves out. Raises NotTrusted, ProviderTrouble."""
    if not secrets.compare_digest(answer.get("state", "").encode(), setting.state.encode()):
        raise NotTrusted("This is the answer to another sign-in.")
    if now - setting.began > MINUTES * 60:
        raise NotTrusted("This took too long.")
    is_one = TENANT_PLACE not in server.issuer
    if is_one and answer.get("iss") not in (None, server.issuer, *client.other_issuers):
        raise NotTrusted("This is the answer of another provider.")
    told = _exchanged(server, client, setting, answer.get("code", ""))
    raw, access = told.get("id_token"), told.get("access_token")
    if not isinstance(raw, str):
        raise NotTrusted("The provider gave no ID token.")
    claims = proved(server, raw, client.client_id, setting.nonce, now, client.other_issuers)
    if server.userinfo and isinstance(access, str):
        return _more(server, client, claims, access)
    return claims


def _exchanged(server: Server, client: Client, setting: Setting, code: str) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": setting.verifier,
    }
    headers: dict[str, str] = {}
    if client.secret and not server.proves_in_body:
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = client.client_id
        if client.secret:
            form["client_secret"] = client.secret
    return send("POST", server.token, headers, form)


def _more(server: Server, client: Client, claims: dict[str, Any], access: str) -> dict[str, Any]:
    """Userinfo is about the token's subject or not taken (Core §5.3.2); what the token says holds before it, and an address is vouched for
    only by who says it. Where userinfo has no `sub`, as at some providers, another claim by which they tell their users apart has to agree.
    """
    try:
        info = get_json(server.userinfo, access)
    except ProviderTrouble:
        return claims
    if not _is_of_same(claims, info, client):
        return claims
    if "email" in claims:
        info = {name: value for name, value in info.items() if name not in VOUCHING}
    return info | claims


def _is_of_same(claims: Mapping[str, Any], info: Mapping[str, Any], client: Client) -> bool:
    if info.get("sub"):
        return str(info["sub"]) == str(claims["sub"])
    same = {str(claims[name]) for name in ("sub", *client.subject) if claims.get(name)}
    return bool(same & {str(info[name]) for name in client.subject if info.get(name)})
