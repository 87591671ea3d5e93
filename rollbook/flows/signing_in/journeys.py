"""The way to an identity provider and back, as a door takes somebody along it. What is remembered meanwhile is kept by the door.

Whom we go to is a provider of an organization, or a hub where its product has a client.
"""

from collections.abc import Mapping
from typing import Any

from rollbook.connectors.contract import ConnectorRefusal
from rollbook.connectors.openid_connect.journey import (
    Client,
    Setting,
    address_there,
    came_back,
    set_out,
    way_out,
)
from rollbook.connectors.openid_connect.server import ProviderTrouble, server_of
from rollbook.connectors.openid_connect.tokens import NotTrusted
from rollbook.engine.signing_in.claims import LAUNCH_PAD, PRESETS
from rollbook.refusal import Refusal
from rollbook.store.models import OpenIDProvider


class NobodyCame(Refusal):
    """The sign-in service proved nobody."""

    # `code` is one of the ladder's OUTCOMES; `told` is for who keeps the provider, and empty where there is nothing to tell.
    def __init__(self, code: str, told: str = "") -> None:
        super().__init__(code)
        self.code, self.told = code, told


def begin(
    provider: OpenIDProvider, redirect_uri: str, now: int, hint: str = "", *, anew: bool = False
) -> tuple[str, dict[str, Any]]:
    """Where the browser is to go, and what the door keeps for its coming back. `hint` says who it may be; with `anew` whoever is in there
    has to sign in again all the same.

    Raises NobodyCame.
    """
    setting = set_out(now)
    try:
        server = server_of(provider.issuer, now)
    except ConnectorRefusal as refusal:
        raise NobodyCame("provider-silent", refusal.words) from None
    client = client_of(provider, redirect_uri)
    return address_there(server, client, setting, hint, anew=anew), setting.kept()


def finish(
    provider: OpenIDProvider,
    redirect_uri: str,
    kept: Mapping[str, Any],
    answer: Mapping[str, str],
    now: int,
) -> dict[str, Any]:
    """What the provider proved of who came back. Raises NobodyCame."""
    setting = Setting(**kept)
    if answer.get("error") and answer.get("state") == setting.state:
        raise NobodyCame("denied", "The provider answered with an error.")
    try:
        server = server_of(provider.issuer, now)
        return came_back(server, client_of(provider, redirect_uri), setting, answer, now)
    except NotTrusted as refusal:
        raise NobodyCame("not-trusted", refusal.words) from None
    except ProviderTrouble as refusal:
        raise NobodyCame("provider-silent", refusal.words) from None


def way_out_of(provider: OpenIDProvider, now: int, back: str = "", state: str = "") -> str:
    """Where somebody who came by it signs out there too; empty where it offers that not, or does not answer. `back` is where it leads then,
    as it is registered there.
    """
    if provider.preset == LAUNCH_PAD.key:  # left with everything else that was opened from here
        return ""
    try:
        return way_out(server_of(provider.issuer, now), provider.client_id, back, state)
    except ConnectorRefusal:
        return ""


def client_of(provider: OpenIDProvider, redirect_uri: str) -> Client:
    preset = PRESETS[provider.preset]
    return Client(
        provider.client_id, provider.client_secret, redirect_uri, preset.scopes, preset.other_issuers, preset.subject
    )  # fmt: skip
