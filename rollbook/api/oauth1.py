"""OAuth 1.0a request signatures (RFC 5849, two-legged), for OneRoster 1.1. Verified by oauthlib; nonces are kept in the database.

The base string is made of the public address, so it is right behind any proxy. Two spellings of it are accepted: the RFC's, and the
one of a widespread client that leaves "/" in parameter values as it is.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from django.conf import settings
from django.db import connections, router
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauthlib.common import Request
from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_HMAC_SHA256,
    RequestValidator,
    SignatureOnlyEndpoint,
)
from oauthlib.oauth1.rfc5849 import signature

from rollbook.api.call import Call
from rollbook.api.endpoints import matches
from rollbook.api.refusals import Unauthorised
from rollbook.store.models import Credential, Nonce

WINDOW = 300
"""Seconds a timestamp may be away from our clock, either way."""

MOST_BODY = 65_536
HASHES = {SIGNATURE_HMAC_SHA1: hashlib.sha1, SIGNATURE_HMAC_SHA256: hashlib.sha256}
FORM = "application/x-www-form-urlencoded"

# What RFC 3986 lets stand in a path segment, and most clients let stand.
SEGMENT = "!$&'()*+,;=:@~"


def is_signed(call: Call) -> bool:
    """Whether the call claims a signature, in its header or (RFC 5849 §3.5.3) in its query."""
    return call.authorization.lower().startswith("oauth ") or "oauth_signature=" in call.query_string


def verified(call: Call) -> int:
    """The credential whose secret signed this call. Raises Unauthorised on a wrong signature, an old timestamp or a replay."""
    checks = Checks()
    body, headers = _rest_of(call)
    for address in _addresses(call):
        request = _signed_request(Endpoint(checks), address, call.method, body, headers)
        # Asked only now: a nonce is used up by a good signature, not by whoever writes one down.
        if request and use_nonce(checks.credential_id, int(request.timestamp), request.nonce):
            return checks.credential_id
        if request:
            break
    raise Unauthorised


def _signed_request(
    endpoint: "Endpoint", address: str, method: str, body: str, headers: dict[str, str]
) -> Request | None:
    """The request as oauthlib has read it, when its signature is good; a header without sense is none."""
    try:
        is_valid, request = endpoint.validate_request(address, method, body, headers)
    except ValueError:
        return None
    return request if is_valid else None


def _addresses(call: Call) -> Iterator[str]:
    """The public address of the call as its client may have written it; the server told us the path decoded."""
    query = urlencode(parse_qsl(call.query_string, keep_blank_values=True), quote_via=quote, safe="~")
    suffix = f"?{query}" if query else ""
    for path in dict.fromkeys(_spellings(call.path)):
        yield f"{settings.PUBLIC_URL}{path}{suffix}"


def _spellings(path: str) -> Iterator[str]:
    yield quote(path, safe="/~")
    yield quote(path, safe=f"/{SEGMENT}")
    slash = "/" if path.endswith("/") else ""
    for match in matches(path):
        for safe in ("~", SEGMENT):
            yield match.path(safe)
            yield match.path(safe) + slash


def _rest_of(call: Call) -> tuple[str, dict[str, str]]:
    """Body and headers as oauthlib wants them; a form's parameters take part in the signature (RFC 5849 §3.4.1.3.1)."""
    headers = {"Authorization": call.authorization} if call.authorization else {}
    if not str(call.request.META.get("CONTENT_TYPE", "")).startswith(FORM):
        return "", headers
    body = call.request.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise Unauthorised
    return body.decode("utf-8", "replace"), headers | {"Content-Type": FORM}


class Endpoint(SignatureOnlyEndpoint):
    """oauthlib's endpoint, which also accepts the second spelling of the base string."""

    def _check_signature(self, request: Request, is_token_request: bool = False) -> bool:
        """Signed with the key's secret, or with the former one while that holds."""
        validator = self.request_validator
        return any(self._is_signed(request, secret) for secret in validator.secrets(request.client_key))

    def _is_signed(self, request: Request, secret: str) -> bool:
        self.request_validator.secret = secret
        if super()._check_signature(request):
            return True
        return constant_time_compare(_signature_with_slashes(request, secret), request.signature)


def _signature_with_slashes(request: Request, secret: str) -> str:
    parameters = "&".join(f"{name}={quote(value, safe='/~')}" for name, value in sorted(request.params))
    base = signature.signature_base_string(
        request.http_method, signature.base_string_uri(request.uri), parameters
    )
    key = f"{quote(secret, safe='~')}&".encode()
    return b64encode(hmac.new(key, base.encode(), HASHES[request.signature_method]).digest()).decode("ascii")


NOTHING = "nothing is signed with this"


class Checks(RequestValidator):
    """What oauthlib asks us about one request. It makes up dummies for unknown keys itself, so that they take as long as known ones."""

    dummy_client = "nobody"

    def __init__(self) -> None:
        super().__init__()
        self.credential_id = 0
        self.secret = NOTHING
        self._secrets: tuple[str, ...] = ()
        self._asked = ""

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return tuple(HASHES)

    @property
    def enforce_ssl(self) -> bool:
        """TLS ends at the proxy; whether the public address has it, `rollbook check` says."""
        return False

    @property
    def timestamp_lifetime(self) -> int:
        return WINDOW

    def check_client_key(self, client_key: str) -> bool:
        """The library's own check knows letters and digits only."""
        return 0 < len(client_key) <= 255 and "\0" not in client_key

    def check_nonce(self, nonce: str) -> bool:
        """The library's own check wants 20 to 30 letters and digits; clients send ten, and other characters."""
        return 0 < len(nonce) <= 255 and "\0" not in nonce

    def validate_timestamp_and_nonce(self, *_: Any, **__: Any) -> bool:
        """The timestamp has been judged by now; the nonce is, by `verified`, once the signature is."""
        return True

    def validate_client_key(self, client_key: str, request: Request) -> bool:
        self._load(client_key)
        return bool(self._secrets)

    def get_client_secret(self, client_key: str, request: Request) -> str:
        """The one that is being tried (`Endpoint`)."""
        return self.secret

    def secrets(self, client_key: str) -> tuple[str, ...]:
        """What a request of this key may be signed with; for an unknown key something that nothing is signed with."""
        self._load(client_key)
        return self._secrets or (NOTHING,)

    def _load(self, client_key: str) -> None:
        if self._asked == client_key:
            return
        self._asked, self._secrets = client_key, ()
        rows = Credential.objects.filter(client_id=client_key).exclude(oauth1_secret="")
        columns = ("id", "oauth1_secret", "former_oauth1_secret", "former_until")
        for self.credential_id, secret, former, until in rows.values_list(*columns):
            holds = former and until and until > timezone.now()
            self._secrets = (secret, former) if holds else (secret,)


def use_nonce(credential_id: int, timestamp: int, nonce: str) -> bool:
    """Uses the nonce up; false when it was already (RFC 5849 §3.3). The insertion is the check, so two at once cannot both pass."""
    with connections[router.db_for_write(Nonce)].cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_nonce (credential_id, timestamp, nonce) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [credential_id, timestamp, nonce],
        )
        return bool(cursor.rowcount == 1)


def prune_nonces(now: int) -> None:
    """Forgets the nonces whose timestamps are too old to be accepted again. `now` is in seconds."""
    Nonce.objects.filter(timestamp__lt=now - 2 * WINDOW).delete()
