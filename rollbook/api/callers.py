"""Who calls: a token or a signature becomes the reader whose eyes the call sees with.

A token's own row never changes, so it is remembered; whether its key and its grant still open anything is asked every time.
"""

import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.db import connections, router

from rollbook.api import oauth1
from rollbook.api.call import Call
from rollbook.api.refusals import AddressRefused, AppDisabled, ScopeMissing, Unauthorised
from rollbook.flows.partner_access import credential_of
from rollbook.oneroster import scopes
from rollbook.oneroster.spec import Operation
from rollbook.store.models import AccessToken, Credential
from rollbook.store.prepared import fetch
from rollbook.store.visibility import WHOLE_ROSTER, Reader

MOST_TOKENS = 10_000


@dataclass(frozen=True)
class Token:
    """What a token says for good. `expires` is in milliseconds UTC."""

    credential_id: int
    scopes: frozenset[str]
    expires: int


@dataclass(frozen=True)
class Caller:
    """The reader, whether its key is good and its app enabled, and the scopes held (None: signed by OAuth 1, which knows none).

    `is_at_home`: the call comes from an address the key may be used from. `requests` and `records` are the app's daily allowances.
    """

    reader: Reader
    is_live: bool
    scopes: frozenset[str] | None
    is_at_home: bool = True
    requests: int | None = None
    records: int | None = None

    def judge(self, operation: Operation) -> None:
        """Raises AppDisabled, AddressRefused or ScopeMissing unless this caller may call the operation."""
        if not self.is_live:
            raise AppDisabled
        if not self.is_at_home:
            raise AddressRefused
        if self.scopes is not None and not scopes.opens(self.scopes, operation):
            raise ScopeMissing


def identify(call: Call) -> Caller:
    """Raises Unauthorised."""
    scheme, _, rest = call.authorization.partition(" ")
    if call.application is not None:
        return _through_partner(call, rest.strip() if scheme.lower() == "bearer" else "")
    if scheme.lower() == "bearer":
        return _bearer(rest.strip(), call)
    if call.version == "1.1" and oauth1.is_signed(call):
        return _caller(oauth1.verified(call), None, call)
    raise Unauthorised


def _through_partner(call: Call, secret: str) -> Caller:
    """A bearer of the partner API opens one application's reads, and no token or signature does."""
    assert call.application is not None
    credential_id = credential_of(secret, call.application) if secret else None
    if credential_id is None:
        raise Unauthorised
    return _caller(credential_id, None, call)


def _bearer(text: str, call: Call) -> Caller:
    token = remembered(hashlib.sha256(text.encode()).hexdigest())
    if token is None or token.expires <= call.now:
        raise Unauthorised
    return _caller(token.credential_id, token.scopes, call)


_tokens: dict[str, Token] = {}
_lock = threading.Lock()


def remembered(checksum: str) -> Token | None:
    """The token with this checksum, from memory or from its row; None when there is none."""
    token = _tokens.get(checksum)
    if token is None:
        token = _stored(checksum)
        if token:
            with _lock:
                if len(_tokens) >= MOST_TOKENS:
                    _tokens.clear()
                _tokens[checksum] = token
    return token


def _stored(checksum: str) -> Token | None:
    rows = AccessToken.objects.filter(token_checksum=checksum)
    for credential_id, scope, expires in rows.values_list("application_id", "scope", "expires"):
        return Token(credential_id, scope_set(scope), int(expires.timestamp() * 1000))
    return None


@lru_cache(maxsize=1000)
def scope_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


CREDENTIAL = """
    SELECT g.district_id, g.id, g.version, g.view_id, g.enabled, c.revoked_at, c.expires_at IS NULL OR c.expires_at > %s, c.addresses,
        g.daily_requests, g.daily_records, g.shows_deleted
    FROM store_credential c JOIN store_grant g ON g.id = c.grant_id
    WHERE c.id = %s
"""


def _caller(credential_id: int, held: frozenset[str] | None, call: Call) -> Caller:
    """One indexed query; the ORM would build the same reader from three objects in ten times the time."""
    connection = connections[router.db_for_read(Credential)]
    now = connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(call.now / 1000, UTC))
    found = fetch(connection, CREDENTIAL, [now, credential_id])
    if not found:
        raise Unauthorised
    district_id, grant_id, version, view_id, is_enabled, revoked_at, holds, addresses, *most, deleted = found[
        0
    ]
    reader = Reader(district_id, grant_id, version, credential_id, view_id or WHOLE_ROSTER, bool(deleted))
    is_live = bool(is_enabled) and revoked_at is None and bool(holds)
    return Caller(reader, is_live, held, not addresses or is_at_home(call.client, addresses), *most)


def is_at_home(address: str | None, networks: str) -> bool:
    """Whether a key that may be used from these networks only is used from one of them; without any, it is so everywhere."""
    if not networks:
        return True
    try:
        here = ip_address(address or "")
    except ValueError:
        return False  # no address, so none of those the key is used from
    # An IPv4 client that comes over a socket of IPv6.
    mapped = getattr(here, "ipv4_mapped", None)
    return any((mapped or here) in network for network in _parsed(networks))


@lru_cache(maxsize=1000)
def _parsed(networks: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, networks.split()))
