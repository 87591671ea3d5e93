"""The clients of the broker: who may take sign-ins from us, where they may lead back to, and what they may be told. No key of OneRoster is one.

An app's addresses are those of its *Edit* page, and are changed there.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.broker.telling import TELLS, USUAL
from rollbook.engine.web_addresses import redirect_uris, web_address
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.applications import particulars
from rollbook.flows.broker.keys import ensure_key
from rollbook.flows.keys import MOST_KEPT, BadOverlap
from rollbook.flows.names import optional_name
from rollbook.refusal import Refusal
from rollbook.store.hashing import RandomSecretHasher
from rollbook.store.models import App, Grant, Product, SignInClient

BEGINNING = "signin-"
"""By this a client is told from a key of OneRoster at a glance."""
MOST = 10


class NoSuchClient(Refusal):
    """There is no sign-in client of this client ID: `rollbook broker list` shows them."""


class ClientRevoked(Refusal):
    """This sign-in client was revoked, and that cannot be taken back: make another."""


class OneOfBoth(Refusal):
    """A sign-in client is of a product or of an app: name one of the two."""


class EnoughClients(Refusal):
    """There are 10 sign-in clients already: revoke one that is not used any more."""


class RedirectsElsewhere(Refusal):
    """The redirect URIs of an app are those of its page *Edit*: change them there."""


class NoSuchTelling(Refusal):
    """What a client can be told: name, email, username, roles, sites, sourced-id."""


@dataclass(frozen=True)
class Secret:
    """A client with a secret that was just made, which is shown this once: only a hash is kept."""

    client: SignInClient
    secret: str


def add_client(
    product: Product | None = None, app: App | None = None, name: str = "", **about: Any
) -> Secret:
    """One more client, of a product or of an app; `about` as in `edit_client`.

    Raises OneOfBoth, EnoughClients, NameTooLong and what `edit_client` raises.
    """
    owner = product or app
    if owner is None or (product is not None and app is not None):
        raise OneOfBoth
    secret = _secret()
    made = SignInClient(
        product=product, app=app, name=optional_name(name) or owner.name, client_id=BEGINNING + secrets.token_urlsafe(12),
        secret=_hashed(secret), tells=list(USUAL), subject_key=_secret(), made_by=actor().name[:254],
    )  # fmt: skip
    with transaction.atomic():
        if clients(product=product, app=app).count() >= MOST:
            raise EnoughClients
        _fill(made, about)
        made.save(force_insert=True)
        ensure_key(timezone.now())
        _note(made, "sign_in_client.add", told(made))
    return Secret(made, secret)


def edit_client(client: SignInClient, **about: Any) -> SignInClient:
    """Changes what is named: name, redirect_uris, post_logout_uris, logout_uri, tells.

    Raises ClientRevoked, RedirectsElsewhere, BadRedirect, BadWebAddress, NoSuchTelling, NameTooLong.
    """
    with transaction.atomic():
        one = _locked(client)
        before = told(one)
        _fill(one, about)
        one.save()
        _note(one, "sign_in_client.change", told(one), before)
    return one


def renew_secret(client: SignInClient, keep: timedelta) -> Secret:
    """Another secret; the former holds for `keep` longer, so that nobody is shut out meanwhile. Raises ClientRevoked, BadOverlap."""
    if not timedelta(0) <= keep <= MOST_KEPT:
        raise BadOverlap
    secret = _secret()
    with transaction.atomic():
        one = _locked(client)
        one.former_secret = one.secret if keep else ""
        one.former_until = timezone.now() + keep if keep else None
        one.secret = _hashed(secret)
        one.save()
        _note(one, "sign_in_client.renew", {"formerHoldsUntil": one.former_until})
    return Secret(one, secret)


def revoke_client(client: SignInClient) -> SignInClient:
    """Nobody signs in by it any more, and what it was given opens nothing; a second time changes nothing."""
    if client.revoked_at is None:
        with transaction.atomic():
            one = _locked(client)
            one.revoked_at, one.former_secret, one.former_until = timezone.now(), "", None
            one.save()
            _note(one, "sign_in_client.revoke", {})
        client = one
    return client


def clients(product: Product | None = None, app: App | None = None) -> QuerySet[SignInClient]:
    """Those that were not revoked, of one owner or of all, by name."""
    found = SignInClient.objects.filter(revoked_at=None).select_related("product__app", "app")
    if product is not None:
        found = found.filter(product=product)
    if app is not None:
        found = found.filter(app=app)
    return found.order_by("name", "pk")


def find_client(client_id: str) -> SignInClient:
    """Raises NoSuchClient."""
    found = SignInClient.objects.select_related("product__app", "app").filter(client_id=client_id).first()
    if found is None:
        raise NoSuchClient(client_id[:60])
    return found


def client_of(app: App) -> SignInClient | None:
    """By which client somebody who starts this app at a launch pad signs in: the app's own, else one of the product that it is."""
    own = clients(app=app).first()
    return own or clients().filter(product__app=app).first()


def live_client(client_id: str) -> SignInClient | None:
    """The client of this id where it may be used."""
    if not client_id or "\0" in client_id:
        return None
    return clients().filter(client_id=client_id).first()


def has_secret(client: SignInClient, secret: str, now: datetime) -> bool:
    """Whether it is the client's secret, or the former while that holds."""
    former = client.former_secret if client.former_until and client.former_until > now else ""
    return any(check_password(secret, one) for one in (client.secret, former) if one)


def redirects_of(client: SignInClient) -> list[str]:
    """Where a sign-in may lead back to, byte for byte; of an app's client, in whichever district."""
    app = _app(client)
    if app is None:
        return list(client.redirect_uris)
    found = list(app.redirect_uris)
    if client.app is not None:
        for grant in Grant.objects.filter(app=app, removed_at=None).select_related("app"):
            found += particulars(grant)["redirect_uris"]
    return list(dict.fromkeys(found))


def has_own_redirects(client: SignInClient) -> bool:
    """Whether the addresses are the client's own, because there is no app that has them."""
    return _app(client) is None


def _app(client: SignInClient) -> App | None:
    return client.app if client.app is not None else client.product.app if client.product else None


def told(client: SignInClient) -> dict[str, Any]:
    """A client as programs read it, and as it stands in the audit log."""
    return {
        "clientId": client.client_id, "name": client.name, "product": client.product_id, "app": client.app_id,
        "redirectUris": redirects_of(client), "postLogoutUris": client.post_logout_uris, "logoutUri": client.logout_uri,
        "tells": client.tells,
    }  # fmt: skip


def _fill(client: SignInClient, about: Mapping[str, Any]) -> None:
    if about.get("redirect_uris") is not None and not has_own_redirects(client):
        if set(about["redirect_uris"]) - set(redirects_of(client)):
            raise RedirectsElsewhere
        about = {name: value for name, value in about.items() if name != "redirect_uris"}
    for name, value in about.items():
        setattr(client, name, READ[name](value))


def _name(text: str) -> str:
    return optional_name(text)


def _tells(given: Iterable[str]) -> list[str]:
    wanted = set(given)
    if unknown := sorted(wanted.difference(TELLS)):
        raise NoSuchTelling(unknown[0][:40])
    return [one for one in TELLS if one in wanted]


READ: Mapping[str, Any] = {
    "name": _name,
    "redirect_uris": lambda given: redirect_uris(list(given)),
    "post_logout_uris": lambda given: redirect_uris(list(given)),
    "logout_uri": web_address,
    "tells": _tells,
}


def _locked(client: SignInClient) -> SignInClient:
    found = SignInClient.objects.select_for_update(of=("self",)).select_related("product__app", "app")
    one = found.get(pk=client.pk)
    if one.revoked_at is not None:
        raise ClientRevoked(one.client_id)
    return one


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _hashed(secret: str) -> str:
    return make_password(secret, hasher=RandomSecretHasher.algorithm)


def _note(
    client: SignInClient, act: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:
    audit.record(None, act, "sign-in client", client.client_id, client.name, before=before, after=after)
