"""What a partner gets by its key: the districts that added its apps, a bearer for each, and the keys to read there directly.

A bearer reads one district through the partner API and nothing else. What is seen is the grant's, as by every other key.
"""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.keys import Key, add_key
from rollbook.flows.partners import grants_of
from rollbook.flows.tokens import checksum
from rollbook.refusal import Refusal
from rollbook.store.hashing import RandomSecretHasher
from rollbook.store.models import Bearer, Credential, Grant, Partner

BEGINNING = "rollbook_application_"
BEARER_NAME, MINTED_NAME = "Bearer of the partner API", "Made by the partner API"
MOST_MINTED = 5


class NoSuchApplication(Refusal):
    """No district has added an app of yours under this number: GET /applications lists them."""


class NotEnabled(Refusal):
    """The district has not enabled this app, so no key of it opens anything yet: ask the district's administrator to enable it."""


class NoReadableKey(Refusal):
    """There is no key here whose secret can be read again: POST to this address to make an OAuth 2 key, whose secret is shown that once,
    or ask the district's administrator to make a key for OAuth 1.0a.
    """


class BearerRevoked(Refusal):
    """The district has revoked the bearer of this application: ask its administrator."""


class EnoughMinted(Refusal):
    """Five keys made here are in use already: ask the district's administrator to revoke those that are not needed."""


def applications(partner: Partner) -> QuerySet[Grant]:
    """Where the partner's apps were added and not removed, by number."""
    return grants_of(partner).filter(removed_at=None)


def find_application(partner: Partner, number: int) -> Grant:
    """Raises NoSuchApplication."""
    grant = applications(partner).filter(pk=number).first()
    if grant is None:
        raise NoSuchApplication(str(number))
    return grant


# --- Bearers ------------------------------------------------------------------------------------------------------------------------


def bearers_of(grants: Iterable[Grant]) -> dict[int, str]:
    """The bearer of each of these grants, by its number; made where there never was one, empty where it was revoked."""
    wanted = {grant.pk: grant for grant in grants}
    found = _known_bearers(wanted)
    return found | {number: _first_bearer(grant) for number, grant in wanted.items() if number not in found}


def _known_bearers(grants: Iterable[int]) -> dict[int, str]:
    known = list(Bearer.objects.filter(credential__grant__in=grants).select_related("credential"))
    live = {one.credential.grant_id: one.secret for one in known if one.credential.revoked_at is None}
    return dict.fromkeys((one.credential.grant_id for one in known), "") | live


def _first_bearer(grant: Grant) -> str:
    """Made once, also when two programs ask for the list at one time."""
    with transaction.atomic():
        Grant.objects.select_for_update().get(pk=grant.pk)
        known = _known_bearers([grant.pk])
        return known[grant.pk] if known else make_bearer(grant)


def renew_bearer(grant: Grant) -> str:
    """A new bearer, for a partner whose former one may be known to others. Raises NotEnabled, BearerRevoked."""
    _judge(grant)
    with transaction.atomic():
        if bearers_of([grant])[grant.pk] == "":
            raise BearerRevoked
        return make_bearer(grant)


def make_bearer(grant: Grant) -> str:
    """A new bearer; the one there was opens nothing any more."""
    secret = BEGINNING + secrets.token_urlsafe(32)
    with transaction.atomic():
        now = timezone.now()
        old = Credential.objects.filter(grant=grant, revoked_at=None, bearer__isnull=False)
        old.update(revoked_at=now)
        credential = Credential.objects.create(
            grant=grant,
            name=BEARER_NAME,
            client_id=str(uuid.uuid4()),
            # A secret nobody was told: this key gets no token, it is its bearer that opens.
            client_secret=make_password(secrets.token_urlsafe(32), hasher=RandomSecretHasher.algorithm),
            client_type=Credential.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Credential.GRANT_CLIENT_CREDENTIALS,
        )
        Bearer.objects.create(credential=credential, secret=secret, checksum=checksum(secret))
        audit.record(grant.district_id, "bearer.make", "grant", grant.pk, grant.title)
    return secret


def credential_of(secret: str, application: int) -> int | None:
    """The credential behind this bearer, where it is this application's and was not replaced or revoked: then the list has another."""
    found = Bearer.objects.filter(
        checksum=checksum(secret), credential__grant_id=application, credential__revoked_at=None
    )
    return found.values_list("credential_id", flat=True).first()


# --- Keys to read directly ----------------------------------------------------------------------------------------------------------


def readable_key(grant: Grant, now: datetime) -> Credential:
    """The latest key of the grant for OAuth 1.0a, whose secret is kept readable. Raises NotEnabled, NoReadableKey."""
    _judge(grant)
    keys = Credential.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), grant=grant, revoked_at=None)
    with transaction.atomic():
        key: Credential | None = keys.exclude(oauth1_secret="").order_by("-pk").first()
        if key is None:
            raise NoReadableKey
        audit.record(grant.district_id, "key.show", "key", key.client_id, grant.title)
    return key


def mint(grant: Grant) -> Key:
    """A new OAuth 2 key of the grant, its secret shown this once. Raises NotEnabled, EnoughMinted."""
    _judge(grant)
    with transaction.atomic():
        if Credential.objects.filter(grant=grant, name=MINTED_NAME, revoked_at=None).count() >= MOST_MINTED:
            raise EnoughMinted
        return add_key(grant, name=MINTED_NAME)


def _judge(grant: Grant) -> None:
    """A disabled app gets nothing, and no key either."""
    if not grant.enabled:
        raise NotEnabled
