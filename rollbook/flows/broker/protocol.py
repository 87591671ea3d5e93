"""The protocol: authorization code with PKCE, refresh, and no other grant. oauthlib judges the requests, and asks here what we know.

Sources: OpenID Connect Core 1.0; RFC 6749, RFC 7636 (PKCE), RFC 9207 (`iss`), RFC 9700 (best practice). Of codes and tokens only checksums
are kept. Every question is asked in one transaction beside the roster's file, so that a code or a token is taken once.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus, urlencode

from django.db import transaction
from oauthlib.common import Request
from oauthlib.oauth2 import AuthorizationEndpoint, BearerToken, OAuth2Error, TokenEndpoint
from oauthlib.oauth2.rfc6749.errors import FatalClientError
from oauthlib.openid import RequestValidator
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant

from rollbook.engine.broker.telling import OPENID, SCOPES, claims_about
from rollbook.flows.applications import particulars
from rollbook.flows.apps import grant_of
from rollbook.flows.broker import visits
from rollbook.flows.broker.addresses import issuer
from rollbook.flows.broker.clients import has_secret, live_client, redirects_of
from rollbook.flows.broker.keys import ours, signed
from rollbook.flows.broker.subjects import Standing
from rollbook.refusal import Refusal
from rollbook.store.models import District, SignInClient, SignInCode, Visit, VisitToken

CODE_HOLDS = timedelta(seconds=60)
TOKEN_HOLDS = timedelta(minutes=10)
FORM = "application/x-www-form-urlencoded"
MOST_NONCE = 500
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class BadRequestThere(Refusal):
    """The application you come from asks in a way that is not understood: tell the people who run it."""

    # `error` is the protocol's word for it, `told` the sentence about it, for who keeps the application.
    def __init__(self, error: str, told: str) -> None:
        super().__init__(error)
        self.error, self.told = error, told


class SendBack(Exception):
    """The application hears at `address` that it does not get a sign-in."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class TokenUnknown(Refusal):
    """This token opens nothing, or nothing any more."""


@dataclass(frozen=True)
class Asked:
    """What a client asks for, once it is known that it may ask. `request` is oauthlib's."""

    client: SignInClient
    scopes: tuple[str, ...]
    prompt: frozenset[str]
    login_hint: str
    max_age: int | None
    request: Request


class Validator(RequestValidator):
    """What oauthlib asks while it judges one request. `standing` and `visit` are there where a code is to be made."""

    def __init__(self, now: datetime, visit: Visit | None = None) -> None:
        super().__init__()
        self.now, self.visit = now, visit
        self.holding: Standing | None = None
        self.code: SignInCode | None = None
        self.spent: VisitToken | None = None

    # --- Asking for a sign-in ---------------------------------------------------------------------------------------------------

    def validate_client_id(self, client_id: str, request: Request, *_: Any, **__: Any) -> bool:
        request.client = live_client(client_id)
        return request.client is not None

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *_: Any, **__: Any
    ) -> bool:
        return redirect_uri in redirects_of(request.client)

    def get_default_redirect_uri(self, *_: Any, **__: Any) -> str | None:
        return None

    def validate_response_type(self, client_id: str, response_type: str, *_: Any, **__: Any) -> bool:
        return response_type == "code"

    def is_pkce_required(self, *_: Any, **__: Any) -> bool:
        return True

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        return []

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        """What we do not know is passed over (Core §3.1.2.1); without openid it is no sign-in."""
        scopes[:] = [one for one in SCOPES if one in scopes]
        return OPENID in scopes

    def validate_silent_login(self, request: Request) -> bool:
        """Whether somebody is there is asked before; here nobody is kept out."""
        return True

    def validate_silent_authorization(self, request: Request) -> bool:
        return True

    def validate_user_match(self, id_token_hint: str | None, *_: Any, **__: Any) -> bool:
        """Who is there is compared with the hint once it is known who is there."""
        return True

    def save_authorization_code(self, client_id: str, code: Mapping[str, str], request: Request) -> None:
        assert self.visit is not None
        SignInCode.objects.create(
            checksum=checksum(code["code"]), visit=self.visit, redirect_uri=request.redirect_uri,
            challenge=request.code_challenge, nonce=request.nonce or "", scope=" ".join(request.scopes),
            expires_at=self.now + CODE_HOLDS,
        )  # fmt: skip

    # --- Exchanging a code, refreshing ------------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Request, *_: Any, **__: Any) -> bool:
        return True

    def authenticate_client(self, request: Request, *_: Any, **__: Any) -> bool:
        client_id, secret = _credentials(request)
        request.client = live_client(client_id)
        if request.client is None or not has_secret(request.client, secret, self.now):
            return False
        request.client_id = client_id
        return True

    def authenticate_client_id(self, client_id: str, request: Request, *_: Any, **__: Any) -> bool:
        return False

    def validate_grant_type(self, client_id: str, grant_type: str, *_: Any, **__: Any) -> bool:
        return grant_type in ("authorization_code", "refresh_token")

    def validate_code(
        self, client_id: str, code: str, client: SignInClient, request: Request, *_: Any, **__: Any
    ) -> bool:
        """A code is taken here, whatever follows: who shows it a second time ends what came of it (RFC 6749 §4.1.2)."""
        found = SignInCode.objects.select_related("visit").filter(checksum=checksum(code)).first()
        if found is None or found.visit.client_id != client.pk:
            return False
        if not SignInCode.objects.filter(pk=found.pk, used_at=None).update(used_at=self.now):
            VisitToken.objects.filter(family=found.pk).delete()
            return False
        self.holding = visits.hold(found.visit, client, self.now) if found.expires_at > self.now else None
        if self.holding is None:
            return False
        self.code, request.scopes, request.user = found, found.scope.split(), found.visit.subject
        return True

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        return self.code.challenge if self.code else None

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        return self.code is not None and self.code.redirect_uri == redirect_uri

    def get_authorization_code_nonce(self, *_: Any) -> str | None:
        return self.code.nonce if self.code else None

    def invalidate_authorization_code(self, *_: Any, **__: Any) -> None:
        """It was taken already."""

    def validate_refresh_token(
        self, refresh_token: str, client: SignInClient, request: Request, *_: Any, **__: Any
    ) -> bool:
        """Each is taken once; who shows one a second time may have found it, so its whole family ends (RFC 9700 §4.14.2)."""
        kept = VisitToken.objects.select_related("visit").filter(kind=VisitToken.Kind.REFRESH)
        found = kept.filter(checksum=checksum(refresh_token)).first()
        if found is None or found.visit.client_id != client.pk or found.expires_at <= self.now:
            return False
        if not VisitToken.objects.filter(pk=found.pk, used_at=None).update(used_at=self.now):
            VisitToken.objects.filter(family=found.family).delete()
            return False
        self.holding = visits.hold(found.visit, client, self.now)
        self.spent, request.user = found, found.visit.subject
        return self.holding is not None

    def get_original_scopes(self, refresh_token: str, request: Request, *_: Any, **__: Any) -> list[str]:
        return self.spent.scope.split() if self.spent else []

    def rotate_refresh_token(self, request: Request) -> bool:
        return True

    def save_bearer_token(self, token: Mapping[str, Any], request: Request, *_: Any, **__: Any) -> None:
        visit, family = self._of()
        kinds = VisitToken.Kind
        holds = ((kinds.ACCESS, "access_token", TOKEN_HOLDS), (kinds.REFRESH, "refresh_token", visits.KEPT))
        VisitToken.objects.bulk_create(
            VisitToken(
                checksum=checksum(token[name]), kind=kind, visit=visit, family=family, scope=" ".join(request.scopes),
                expires_at=self.now + long,
            )
            for kind, name, long in holds
        )  # fmt: skip

    def get_id_token(self, token: Any, token_handler: Any, request: Request) -> str:
        visit, _ = self._of()
        assert self.holding is not None
        begun = int(self.now.timestamp())
        claims = {
            **claims_about(self.holding.person, request.client.tells, request.scopes),
            "iss": issuer(), "aud": request.client.client_id, "iat": begun, "exp": begun + int(TOKEN_HOLDS.total_seconds()),
            "auth_time": int(visit.signed_in_at.timestamp()), "sid": str(visit.pk), "at_hash": _half(token["access_token"]),
        }  # fmt: skip
        if self.code is not None and self.code.nonce:
            claims["nonce"] = self.code.nonce
        return signed(claims, self.now)

    def _of(self) -> tuple[Visit, int]:
        if self.code is not None:
            return self.code.visit, self.code.pk
        assert self.spent is not None
        return self.spent.visit, self.spent.family


# --- The three questions ----------------------------------------------------------------------------------------------------------------


def asked_for(address: str, now: datetime) -> Asked:
    """What somebody is sent to us with; `address` is the whole one. Raises BadRequestThere where nobody may be sent back, else SendBack."""
    scopes, told = _judged(_authorization(Validator(now)).validate_authorization_request, address)
    request = told["request"]
    if request.code_challenge_method != "S256" or not CHALLENGE.fullmatch(request.code_challenge):
        raise SendBack(error_at(request, "invalid_request", "Only S256 is understood."))
    if len(request.nonce or "") > MOST_NONCE or "\0" in (request.nonce or ""):
        raise SendBack(error_at(request, "invalid_request", "This nonce cannot be kept."))
    for name in ("request", "request_uri"):
        if getattr(request, name, None):
            raise SendBack(error_at(request, f"{name}_not_supported", "This is not understood."))
    return Asked(
        request.client, tuple(scopes), frozenset(told["prompt"]), request.login_hint or "", _seconds(request), request
    )  # fmt: skip


def answered(asked: Asked, address: str, visit: Visit, now: datetime) -> str:
    """Where the browser goes with a code for this visit. Raises BadRequestThere, SendBack."""
    with transaction.atomic(using=visits.database()):
        headers, _, _ = _judged(
            _authorization(Validator(now, visit)).create_authorization_response, address, scopes=list(asked.scopes)
        )  # fmt: skip
    return f"{headers['Location']}&{urlencode({'iss': issuer()})}"


def error_at(request: Request, error: str, words: str = "") -> str:
    """Where a client hears that it does not get what it asked for."""
    said = {"error": error, "iss": issuer()} | ({"error_description": words} if words else {})
    said |= {"state": request.state} if request.state else {}
    return f"{request.redirect_uri}{'&' if '?' in request.redirect_uri else '?'}{urlencode(said)}"


def leads_there(asked: Asked, standing: Standing) -> bool:
    """Whether the address is one that the app has in the district of who is there: districts can say others than the catalogue."""
    if asked.client.app is None:
        return True
    grant = grant_of(District.objects.get(pk=standing.district_id), asked.client.app)
    return grant is not None and asked.request.redirect_uri in particulars(grant)["redirect_uris"]


def exchanged(body: str, authorization: str, now: datetime) -> tuple[dict[str, str], str, int]:
    """Headers, body and status of the answer to what was sent to the token endpoint."""
    validator = Validator(now)
    bearer = BearerToken(validator, lambda _: _token(), TOKEN_HOLDS.total_seconds, lambda _: _token())
    bearer.expires_in = int(TOKEN_HOLDS.total_seconds())
    grants = {
        "authorization_code": AuthorizationCodeGrant(validator),
        "refresh_token": RefreshTokenGrant(validator),
    }
    server = TokenEndpoint("authorization_code", bearer, grants)
    headers = {"Authorization": authorization, "Content-Type": FORM}
    with transaction.atomic(using=visits.database()):
        answer: tuple[dict[str, str], str, int] = server.create_token_response(
            issuer() + "/token", "POST", body, headers
        )
    return answer


def userinfo(token: str, now: datetime) -> dict[str, Any]:
    """Who an access token is about, as they are now. Raises TokenUnknown."""
    kept = VisitToken.objects.select_related("visit").filter(kind=VisitToken.Kind.ACCESS, expires_at__gt=now)
    found = kept.filter(checksum=checksum(token)).first()
    client = SignInClient.objects.select_related("app", "product").filter(pk=found.visit.client_id).first() if found else None  # fmt: skip
    standing = visits.hold(found.visit, client, now) if found and client else None
    if found is None or client is None or standing is None:
        raise TokenUnknown
    return claims_about(standing.person, client.tells, found.scope.split())


@dataclass(frozen=True)
class Goodbye:
    """Somebody wants to sign out: by which client, of which visit, and where they may go then (empty: nowhere)."""

    client: SignInClient | None
    visit: Visit | None
    back: str


def goodbye(told: Mapping[str, str]) -> Goodbye:
    """What a request to sign out says, as far as it can be believed. Source: OpenID Connect RP-Initiated Logout 1.0 §2, §3."""
    claims = ours(told.get("id_token_hint", "")) or {}
    if claims.get("iss") != issuer():
        claims = {}
    client_id = str(claims.get("aud") or told.get("client_id", ""))
    if told.get("client_id") not in (None, "", client_id):
        return Goodbye(None, None, "")
    client = live_client(client_id)
    visit = visits.visit_of(str(claims.get("sid", ""))) if claims else None
    back = told.get("post_logout_redirect_uri", "")
    if client is None or back not in client.post_logout_uris:
        return Goodbye(client, visit, "")
    state = f"{'&' if '?' in back else '?'}{urlencode({'state': told['state']})}" if told.get("state") else ""
    return Goodbye(client, visit, back + state)


def is_about(hint: str, standing: Standing) -> bool:
    """Whether a token of ours that a client shows is about who is there."""
    claims = ours(hint)
    return claims is not None and claims.get("sub") == standing.person.subject


# --- Beneath ----------------------------------------------------------------------------------------------------------------------------


def _authorization(validator: Validator) -> AuthorizationEndpoint:
    grant = AuthorizationCodeGrant(validator)
    return AuthorizationEndpoint("code", BearerToken(validator), {"code": grant, "none": grant})


def _judged(question: Any, address: str, **more: Any) -> Any:
    try:
        return question(address, **more)
    except FatalClientError as fault:
        raise BadRequestThere(fault.error, fault.description or "") from None
    except ValueError:
        # What is no query at all: oauthlib reads none of it.
        raise BadRequestThere("invalid_request", "This is no query.") from None
    except OAuth2Error as fault:
        if not fault.redirect_uri:
            raise BadRequestThere(fault.error, fault.description or "") from None
        raise SendBack(f"{fault.in_uri(fault.redirect_uri)}&{urlencode({'iss': issuer()})}") from None


def _seconds(request: Request) -> int | None:
    text = str(getattr(request, "max_age", None) or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _credentials(request: Request) -> tuple[str, str]:
    """As they are sent: in the header, else in the form. Source: RFC 6749 §2.3.1."""
    scheme, _, encoded = str(request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return str(request.client_id or ""), str(request.client_secret or "")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def checksum(text: str) -> str:
    """What is kept of a code or a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def _half(token: str) -> str:
    """`at_hash` (Core §3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _token() -> str:
    return secrets.token_urlsafe(32)
