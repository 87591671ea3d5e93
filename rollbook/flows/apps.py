"""Apps: one enters the catalogue, a district grants it something, it gets keys, and loses them again."""

import secrets
import uuid
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from rollbook.flows.publish import set_rule
from rollbook.refusal import Refusal
from rollbook.store.hashing import RandomSecretHasher
from rollbook.store.models import App, Credential, District, Grant
from rollbook.store.visibility import FULL, Rule, basic


class AppExists(Refusal):
    """An app of this name is in the catalogue already."""


class NoSuchApp(Refusal):
    """No app of this name or number is in the catalogue: `rollbook app list` shows them."""


class NoSuchGrant(Refusal):
    """There is no grant of this number: `rollbook grant list` shows them."""


class NoSuchKey(Refusal):
    """There is no key with this client id: `rollbook key list` shows them."""


class SchoolsOnlyWithBasic(Refusal):
    """A full grant sees every school: leave the schools out, or grant basic."""


class SchoolsNeeded(Refusal):
    """A basic grant sees the schools chosen: name at least one."""


@dataclass(frozen=True)
class Key:
    """A new credential with its secret, which is shown this once: only a hash of it is kept, unless OAuth 1 needs to read it."""

    credential_id: int
    client_id: str
    client_secret: str
    oauth1: bool


def add_app(name: str, vendor: str = "") -> App:
    """A product enters the catalogue. Raises AppExists."""
    name = name.strip()
    with transaction.atomic():
        if App.objects.filter(name=name).exists():
            raise AppExists(name)
        return App.objects.create(name=name, vendor=vendor.strip())


def find_app(name_or_number: str) -> App:
    """The app of this name, else of this number. Raises NoSuchApp."""
    app = App.objects.filter(name=name_or_number).first()
    if app is None and name_or_number.isdecimal():
        app = App.objects.filter(pk=int(name_or_number)).first()
    if app is None:
        raise NoSuchApp(name_or_number)
    return app


def grant_of(district: District, app: App) -> Grant | None:
    """The grant of this app in this district, if it has one that was not removed."""
    return Grant.objects.filter(district=district, app=app, removed_at=None).first()


def find_grant(number: int) -> Grant:
    """Raises NoSuchGrant."""
    grant = Grant.objects.select_related("app", "district").filter(pk=number).first()
    if grant is None:
        raise NoSuchGrant(str(number))
    return grant


def grant_app(
    district: District, app: App, permission: str, schools: list[str], *, enabled: bool = True
) -> Grant:
    """What the app may see of the district from now on: a new grant, or the one there is with another rule and enabled or not as it was.

    `permission` is full, or basic with the schools' served sourcedIds. Publishes. Raises SchoolsOnlyWithBasic, SchoolsNeeded,
    UnknownSchool.
    """
    rule = _rule(district, permission, schools)
    with transaction.atomic():
        grant = grant_of(district, app) or Grant(district=district, app=app, enabled=enabled)
        if grant.rule != rule.canonical():
            set_rule(grant, rule, f"what {app.name} may see")
    return grant


def _rule(district: District, permission: str, schools: list[str]) -> Rule:
    if permission == Grant.Permission.FULL:
        if schools:
            raise SchoolsOnlyWithBasic(permission)
        return FULL
    if not schools:
        raise SchoolsNeeded(permission)
    return basic(district.pk, schools)


def enable(grant: Grant) -> None:
    """The app reads again, with the keys it has."""
    _set_enabled(grant, True)


def disable(grant: Grant) -> None:
    """The app gets nothing from this moment on: no token, and 403 for those it holds."""
    _set_enabled(grant, False)


def _set_enabled(grant: Grant, is_enabled: bool) -> None:
    grant.enabled = is_enabled
    grant.save(update_fields=["enabled"])


def add_key(grant: Grant, *, oauth1: bool = False, name: str = "") -> Key:
    """One more credential of the grant; with `oauth1` the same pair signs OAuth 1.0a requests too."""
    # Letters, digits, "-" and "_" only: no client needs to encode them, so none can encode them wrong.
    key = Key(0, str(uuid.uuid4()), secrets.token_urlsafe(32), oauth1)
    credential = Credential.objects.create(
        grant=grant,
        name=name.strip(),
        client_id=key.client_id,
        client_secret=make_password(key.client_secret, hasher=RandomSecretHasher.algorithm),
        client_type=Credential.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Credential.GRANT_CLIENT_CREDENTIALS,
        oauth1_secret=key.client_secret if oauth1 else "",
    )
    return Key(credential.pk, key.client_id, key.client_secret, oauth1)


def revoke_key(client_id: str) -> Credential:
    """The key opens nothing from this moment on; a second time changes nothing. Raises NoSuchKey."""
    credential = Credential.objects.filter(client_id=client_id).first()
    if credential is None:
        raise NoSuchKey(client_id)
    if credential.revoked_at is None:
        credential.revoked_at = timezone.now()
        credential.oauth1_secret = ""
        credential.save(update_fields=["revoked_at", "oauth1_secret"])
    return credential
