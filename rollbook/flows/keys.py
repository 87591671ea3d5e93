"""The keys of an app: one is made, gets a new secret, an end, addresses it may be used from, and is revoked. Every act is audited."""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.names import optional_name
from rollbook.flows.removal import refuse_removed
from rollbook.refusal import Refusal
from rollbook.store.hashing import RandomSecretHasher
from rollbook.store.models import Bearer, Credential, Grant, KeyUse

DAY = timedelta(days=1)
MOST_KEPT = timedelta(days=30)
"""The longest time for which a former secret still holds."""

MOST_ADDRESSES = 100

ENDPOINTS = {
    "v1p1": "/ims/oneroster/v1p1",
    "v1p2": "/ims/oneroster/rostering/v1p2",
    "token": "/oauth2/token",
}
"""Where a key is used: OneRoster 1.1 and 1.2, and where it gets a token."""


class NoSuchKey(Refusal):
    """There is no key with this client id: `rollbook key list` shows them."""


class KeyRevoked(Refusal):
    """This key was revoked, and that cannot be taken back: make another."""


class IsABearer(Refusal):
    """This is the bearer of the partner API, and has no secret of its own: the app's maker makes a new one, and you can revoke it."""


class BadOverlap(Refusal):
    """A former secret may hold from 0 hours (it ends now) to 720, which is 30 days."""


class InThePast(Refusal):
    """This moment is over: write one to come, or revoke the key."""


class NotANetwork(Refusal):
    """This is no address and no network: write one a line, such as 203.0.113.7 or 203.0.113.0/24 or 2001:db8::/32, at most 100."""


class NoReadableSecret(Refusal):
    """This secret is kept as a hash only and cannot be shown again. *New secret* makes another; only a key for OAuth 1.0a can be read."""


@dataclass(frozen=True)
class Key:
    """A credential with a secret that was just made, which is shown this once: only a hash is kept, unless OAuth 1 needs to read it."""

    credential_id: int
    client_id: str
    client_secret: str
    oauth1: bool


@dataclass(frozen=True)
class Standing:
    """A key as it stands at a moment: `state` is live, expired or revoked; `used_at` in milliseconds UTC, None if never."""

    credential: Credential
    state: str
    used_at: int | None
    used_from: str
    former_holds: bool

    @property
    def networks(self) -> list[str]:
        return self.credential.addresses.split()


def endpoints() -> dict[str, str]:
    """The whole addresses, by the names in ENDPOINTS."""
    return {name: settings.PUBLIC_URL + path for name, path in ENDPOINTS.items()}


def add_key(
    grant: Grant,
    *,
    oauth1: bool = False,
    name: str = "",
    expires_at: datetime | None = None,
    addresses: Iterable[str] = (),
) -> Key:
    """One more credential of the grant; with `oauth1` the same pair signs OAuth 1.0a requests too. Raises NameTooLong, InThePast,
    NotANetwork, AppRemoved.
    """
    refuse_removed(grant)
    judge_end(expires_at)
    name = optional_name(name)
    networks = _networks(addresses)
    secret = _secret()
    with transaction.atomic():
        credential = Credential.objects.create(
            grant=grant,
            name=name,
            client_id=str(uuid.uuid4()),
            client_secret=_hashed(secret),
            client_type=Credential.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Credential.GRANT_CLIENT_CREDENTIALS,
            oauth1_secret=secret if oauth1 else "",
            expires_at=expires_at,
            addresses=networks,
        )
        _record(credential, "key.add", after=_told(credential))
    return Key(credential.pk, credential.client_id, secret, oauth1)


def find_key(client_id: str, grant: Grant | None = None) -> Credential:
    """Raises NoSuchKey; where a grant is given, for a key of another too."""
    found = Credential.objects.select_related("grant__app", "grant__district").filter(client_id=client_id)
    if grant is not None:
        found = found.filter(grant=grant)
    credential = found.first()
    if credential is None:
        raise NoSuchKey(client_id)
    return credential


def renew_secret(credential: Credential, keep: timedelta = DAY) -> Key:
    """Another secret for the same client id; the former one holds for so long on, so that nobody has to change both at once.

    Where an earlier secret still held, it ends now. Raises KeyRevoked, BadOverlap, IsABearer.
    """
    if not timedelta(0) <= keep <= MOST_KEPT:
        raise BadOverlap(str(keep))
    secret = _secret()
    with transaction.atomic():
        one = _locked(credential)
        if Bearer.objects.filter(credential=one).exists():
            raise IsABearer
        oauth1 = bool(one.oauth1_secret)
        one.former_secret = one.client_secret if keep else ""
        one.former_oauth1_secret = one.oauth1_secret if keep else ""
        one.former_until = timezone.now() + keep if keep else None
        one.client_secret = _hashed(secret)
        one.oauth1_secret = secret if oauth1 else ""
        one.save()
        _record(one, "key.renew", after={"formerHoldsUntil": one.former_until})
    return Key(one.pk, one.client_id, secret, oauth1)


def end_former_secret(credential: Credential) -> None:
    """The former secret ends now. Raises KeyRevoked."""
    with transaction.atomic():
        one = _locked(credential)
        until = one.former_until
        one.former_secret = one.former_oauth1_secret = ""
        one.former_until = None
        one.save()
        _record(one, "key.end_former", before={"formerHoldsUntil": until})


def revoke_key(client_id: str) -> Credential:
    """The key opens nothing from this moment on; a second time changes nothing. Raises NoSuchKey."""
    credential = find_key(client_id)
    if credential.revoked_at is None:
        with transaction.atomic():
            credential.revoked_at = timezone.now()
            credential.oauth1_secret = credential.former_secret = credential.former_oauth1_secret = ""
            credential.former_until = None
            credential.save()
            _record(credential, "key.revoke")
    return credential


def set_end(credential: Credential, at: datetime | None) -> Credential:
    """The key opens nothing from that moment on; None: it has no end. Raises KeyRevoked, InThePast."""
    judge_end(at)
    with transaction.atomic():
        one = _locked(credential)
        before = {"expiresAt": one.expires_at}
        one.expires_at = at
        one.save()
        _record(one, "key.expire", before=before, after={"expiresAt": at})
    return one


def set_addresses(credential: Credential, addresses: Iterable[str]) -> Credential:
    """The key is used from these addresses and networks only; none: from anywhere. Raises KeyRevoked, NotANetwork."""
    networks = _networks(addresses)
    with transaction.atomic():
        one = _locked(credential)
        before = {"addresses": one.addresses.split()}
        one.addresses = networks
        one.save()
        _record(one, "key.allow", before=before, after={"addresses": networks.split()})
    return one


def read_secret(credential: Credential) -> str:
    """The secret of a key for OAuth 1.0a, in clear; that it was looked at is kept. Raises KeyRevoked, NoReadableSecret.

    The doors ask for the operator's own password first.
    """
    with transaction.atomic():
        one = _locked(credential)
        if not one.oauth1_secret:
            raise NoReadableSecret(one.client_id)
        _record(one, "key.show_secret")
    return str(one.oauth1_secret)


def note_refused_look(credential: Credential) -> None:
    """Somebody wanted to see a secret and did not know the password of the account they had signed in with."""
    _record(credential, "key.show_secret_refused")


def keys_of(grant: Grant, now: datetime | None = None) -> list[Standing]:
    """The keys of a grant, the latest first, revoked ones last."""
    moment = now or timezone.now()
    credentials = list(Credential.objects.filter(grant=grant).order_by("-pk"))
    uses = {use.pk: use for use in KeyUse.objects.filter(pk__in=[one.pk for one in credentials])}
    found = [_standing(one, uses.get(one.pk), moment) for one in credentials]
    return sorted(found, key=lambda one: one.state == "revoked")


def standing_of(credential: Credential) -> Standing:
    return _standing(credential, KeyUse.objects.filter(pk=credential.pk).first(), timezone.now())


def _standing(credential: Credential, use: KeyUse | None, now: datetime) -> Standing:
    state = "live"
    if credential.expires_at is not None and credential.expires_at <= now:
        state = "expired"
    if credential.revoked_at is not None:
        state = "revoked"
    holds = credential.former_until is not None and credential.former_until > now and state == "live"
    return Standing(credential, state, use.at if use else None, str(use.address or "") if use else "", holds)


def _locked(credential: Credential) -> Credential:
    found = (
        Credential.objects.select_for_update(of=("self",)).select_related("grant__app").get(pk=credential.pk)
    )
    if found.revoked_at is not None:
        raise KeyRevoked(found.client_id)
    return found


def _secret() -> str:
    """Letters, digits, "-" and "_" only: no client needs to encode them, so none can encode them wrong."""
    return secrets.token_urlsafe(32)


def _hashed(secret: str) -> str:
    return make_password(secret, hasher=RandomSecretHasher.algorithm)


def judge_end(at: datetime | None) -> None:
    """Raises InThePast."""
    if at is not None and at <= timezone.now():
        raise InThePast(str(at))


def _networks(texts: Iterable[str]) -> str:
    """One a line, in the form that is compared later."""
    found = []
    for text in texts:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError as fault:
            raise NotANetwork(text.strip()) from fault
    if len(found) > MOST_ADDRESSES:
        raise NotANetwork(str(len(found)))
    return "\n".join(dict.fromkeys(found))


def _told(credential: Credential) -> dict[str, object]:
    return {
        "name": credential.name,
        "oauth1": bool(credential.oauth1_secret),
        "expiresAt": credential.expires_at,
        "addresses": credential.addresses.split(),
    }


def _record(
    credential: Credential,
    act: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    grant = credential.grant
    audit.record(grant.district_id, act, "key", credential.client_id, grant.title, before=before, after=after)
