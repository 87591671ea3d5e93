"""The keys that the broker signs with: made, published before they sign and for a while after, and then forgotten. One algorithm: RS256."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from jwcrypto.common import JWException, json_encode
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import SigningKey

ALGORITHM = "RS256"
BITS = 2048
KNOWN_BEFORE = timedelta(minutes=10)
"""So long a key is published before it signs: clients keep what we publish for half of it."""
KNOWN_AFTER = timedelta(hours=1)
"""So long a key is published after its last signature: longer than any token of ours holds."""
KEPT = timedelta(days=90)
"""So long a token is taken for ours when somebody signs out with it."""


class NoKeyYet(Refusal):
    """The broker has no key yet: `rollbook broker add` makes one with the first client."""


def ensure_key(now: datetime) -> None:
    """There is a key to sign with. Call it in a transaction."""
    if not SigningKey.objects.filter(ended_at=None).exists():
        _make(now, now)


def rotate(now: datetime, *, at_once: bool = False) -> SigningKey:
    """A new key, which signs once clients can have heard of it, or at once where the old one is known to others; the old one stays published.

    With `at_once` the old ones vanish: whoever has them can sign nothing more that is believed.
    """
    starts = now if at_once else now + KNOWN_BEFORE
    with transaction.atomic():
        before = list(SigningKey.objects.select_for_update().filter(ended_at=None))
        made = _make(now, starts)
        ended = now - KNOWN_AFTER if at_once else starts
        for one in before:
            one.ended_at = ended
            one.save(update_fields=["ended_at"])
        if at_once:
            SigningKey.objects.exclude(pk=made.pk).delete()
        _note("signing_key.rotate", made, {"at": made.signs_at.isoformat(), "at_once": at_once})
    return made


def _make(now: datetime, signs_at: datetime) -> SigningKey:
    kid = secrets.token_urlsafe(12)
    pair = JWK.generate(kty="RSA", size=BITS, use="sig", alg=ALGORITHM, kid=kid)
    made = SigningKey.objects.create(
        kid=kid, algorithm=ALGORITHM, public=pair.export_public(as_dict=True), private=pair.export_private(), made_at=now,
        signs_at=signs_at,
    )  # fmt: skip
    _note("signing_key.make", made, {})
    return made


def published(now: datetime) -> list[dict[str, Any]]:
    """The public halves, the one that signs first."""
    return [one.public for one in _published(now)]


def _published(now: datetime) -> QuerySet[SigningKey]:
    stays = Q(ended_at=None) | Q(ended_at__gt=now - KNOWN_AFTER)
    return SigningKey.objects.filter(stays).order_by("signs_at", "pk")


def known() -> QuerySet[SigningKey]:
    """All that are known still, the latest first."""
    return SigningKey.objects.order_by("-signs_at", "-pk")


def signing(now: datetime) -> SigningKey:
    """The key that signs now. Raises NoKeyYet."""
    found = SigningKey.objects.filter(signs_at__lte=now).order_by("-signs_at", "-pk").first()
    if found is None:
        raise NoKeyYet
    return found


def signed(claims: Mapping[str, Any], now: datetime, kind: str = "JWT") -> str:
    """A token of ours. Raises NoKeyYet."""
    key = signing(now)
    token = JWS(json.dumps(dict(claims)).encode())
    header = {"alg": key.algorithm, "kid": key.kid, "typ": kind}
    token.add_signature(JWK.from_json(key.private), None, json_encode(header))
    return str(token.serialize(compact=True))


def ours(raw: str) -> dict[str, Any] | None:
    """The claims of a token that we signed, also of one that is over; None of anything else."""
    token = JWS()
    token.allowed_algs = [ALGORITHM]
    try:
        token.deserialize(raw)
        kid = str(token.jose_header.get("kid") or "")
        key = SigningKey.objects.filter(kid=kid).first() if kid.isprintable() else None
        if key is None:
            return None
        token.verify(JWK(**key.public))
        claims = json.loads(token.payload)
    except (JWException, ValueError, TypeError, AttributeError):
        return None
    return claims if isinstance(claims, dict) else None


def forget_old(now: datetime) -> int:
    """Keys that have long not signed; how many."""
    return SigningKey.objects.filter(ended_at__lt=now - KEPT).delete()[0]


def _note(act: str, key: SigningKey, after: Mapping[str, Any]) -> None:
    audit.record(None, act, "signing key", key.kid, after={"algorithm": key.algorithm, **after})
