"""Connecting by sign-in: who signs in at a hub as somebody who works for a district has proved which district it is, and types nothing.

The product's key opens only what was proved to the product's own client there: what an organization says of a provider opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from rollbook.connectors.partner_listing import PARTNER_LISTING
from rollbook.engine.signing_in.claims import LAUNCH_PAD, PRESETS, PUPIL, Preset, claims_of
from rollbook.engine.signing_in.ladder import OUTCOMES
from rollbook.flows import audit
from rollbook.flows.signing_in import providers
from rollbook.flows.sync import connections, lending
from rollbook.flows.sync.connections import State
from rollbook.flows.sync.hubs import ROSTERING, hubs_of
from rollbook.flows.sync.lending import Lent
from rollbook.refusal import Languages, Refusal
from rollbook.store.models import Hub, IdentityProvider, Organization, SyncConnection

HUB, PROVIDER = "hub-", "provider-"


class NoSuchWay(Refusal):
    """There is no such service by which a roster could be connected."""


class NotProved(Refusal):
    """The sign-in proved no district."""

    @property
    def code(self) -> str:
        return CODES.get(type(self), "not-proved")


class NobodyProved(NotProved):
    """Nobody came back from there. `outcome` is one of the ladder's."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome

    @property
    def code(self) -> str:
        return self.outcome

    @property
    def words(self) -> str:
        return Languages.say(OUTCOMES[self.outcome][0])


class APupil(NotProved):
    """You signed in there as a pupil. A roster is connected by somebody who works for the district: sign out there, and let them sign in."""


class NoWorkSaid(NotProved):
    """The service did not say that you work for the district. Sign in there with the account of a teacher, of the staff or of an
    administrator, or ask whoever keeps the service to give yours such a role.
    """


class NoTenantSaid(NotProved):
    """The service did not say which district you are of. Sign in there with an account that the district gave you, not a private one."""


class OtherDistrict(NotProved):
    """You signed in there for another district than the one this organization has declared. Sign out there and come again with an account of
    the declared district; or, if that one is wrong, change it under Sign-in first.
    """


class AnothersDistrict(NotProved):
    """The roster of this district is connected with another customer of the product already. Ask for help: the product's support sees both."""


CODES: Mapping[type[NotProved], str] = {
    APupil: "pupil",
    NoWorkSaid: "no-work",
    NoTenantSaid: "no-tenant",
    OtherDistrict: "other-district",
    AnothersDistrict: "anothers-district",
}


@dataclass(frozen=True)
class Way:
    """Where somebody may prove it: at a hub, by the product's client there; at a provider of the organization's own; or at neither yet."""

    title: str
    preset: Preset
    hub: Hub | None = None
    provider: IdentityProvider | None = None

    @property
    def key(self) -> str:
        """By which an address names it."""
        if self.hub is not None:
            return f"{HUB}{self.hub.pk}"
        return f"{PROVIDER}{self.provider.pk}" if self.provider is not None else self.preset.key

    @property
    def party(self) -> Hub | IdentityProvider | None:
        """Who knows us there; None: nobody yet."""
        return self.hub or self.provider


@dataclass(frozen=True)
class Proof:
    """Which district it is, and who said so."""

    way: Way
    issuer: str
    tenant: str


@dataclass(frozen=True)
class Offer:
    """How the people of a connected source could sign in. `hub` knows the product already, so nothing has to be asked; where it is a district
    of this installation, `lent` is its launch pad, and one click is enough.
    """

    connection: SyncConnection
    preset: Preset
    issuer: str
    tenant: str
    hub: Hub | None = None
    lent: Lent | None = None


# --- Where -----------------------------------------------------------------------------------------------------------------------------


def ways(organization: Organization) -> list[Way]:
    """The product's hubs, then the organization's own services that keep rosters, then those that are known and not set up yet."""
    found = [Way(hub.name, PRESETS[hub.preset], hub) for hub in hubs_of(organization.product)]
    known = {way.hub.issuer for way in found if way.hub}
    own = providers.providers(organization).exclude(client_id="").filter(preset__in=ROSTERING)
    found += [Way(one.name, PRESETS[one.preset], provider=one) for one in own if one.issuer not in known]
    there = {way.preset.key for way in found}
    return found + [Way(one.title, one) for key, one in ROSTERING.items() if one.issuer and key not in there]


def find_way(organization: Organization, key: str) -> Way:
    """Raises NoSuchWay."""
    found = next((way for way in ways(organization) if way.key == key), None)
    if found is None:
        raise NoSuchWay(key[:40])
    return found


def way_of(provider: IdentityProvider) -> Way | None:
    """How the roster of a provider's district is connected, where it keeps rosters and none goes with it yet."""
    if provider.connection_id or not provider.client_id:
        return None
    for way in ways(provider.organization):
        if way.provider == provider or (way.hub is not None and way.hub.issuer == provider.issuer):
            return way
    return None


# --- What was proved -------------------------------------------------------------------------------------------------------------------


def told(way: Way, said: Mapping[str, Any]) -> dict[str, str]:
    """What is kept of the claims until they are judged: nothing that says who it was."""
    claims = claims_of(way.preset, said, way.party.names if way.party else None)
    return {"issuer": claims.issuer, "tenant": claims.tenant, "role": claims.role}


def prove(organization: Organization, way: Way, said: Mapping[str, str]) -> Proof:
    """What `told` comes to; that it came to nothing is kept. Raises NotProved."""
    try:
        return _judged(organization, way, said)
    except NotProved as refusal:
        why = {"code": refusal.code, "service": way.title, "issuer": said["issuer"], "tenant": said["tenant"]}
        audit.record(None, "sync.not_prove", "organization", organization.pk, organization.name, after=why)
        raise


def _judged(organization: Organization, way: Way, said: Mapping[str, str]) -> Proof:
    if said["role"] == PUPIL:
        raise APupil
    if not said["role"]:
        raise NoWorkSaid
    proof = Proof(way, said["issuer"], said["tenant"])
    if not proof.tenant.strip():
        raise NoTenantSaid
    declared = _declared(organization, proof)
    if declared and proof.tenant not in declared:
        raise OtherDistrict
    if way.hub is not None and _of_others(organization, way.hub, proof.tenant).exists():
        raise AnothersDistrict
    return proof


def connect(organization: Organization, proof: Proof) -> SyncConnection:
    """The connection to this district's roster by the product's key, made where there is none yet; it is not tested yet.

    Sign-in services that are this district's, and go with no roster, go with it from now on.
    """
    hub = proof.way.hub
    if hub is None:
        raise NoSuchWay(proof.way.key)
    with transaction.atomic():
        Organization.objects.select_for_update().only("pk").get(pk=organization.pk)
        made = _known(organization, hub, proof.tenant) or _made(organization, hub, proof.tenant)
        told = {"hub": hub.pk, "issuer": proof.issuer, "tenant": proof.tenant}
        audit.record(None, "sync.prove", "sync connection", made.pk, made.name, after=told)
        join(made, proof.issuer, proof.tenant)
    return made


def join(connection: SyncConnection, issuer: str, tenant: str) -> None:
    """Whoever signs in for this tenant is of this roster."""
    for one in providers.providers(connection.organization).filter(issuer=issuer, connection=None):
        if tenant in one.tenants:
            providers.edit_provider(one, connection=connection)


def _declared(organization: Organization, proof: Proof) -> set[str]:
    own = proof.way.provider
    found = [own] if own is not None else providers.providers(organization).filter(issuer=proof.issuer)
    return {tenant for one in found for tenant in one.tenants}


def _reading(hub: Hub, tenant: str) -> QuerySet[SyncConnection]:
    return SyncConnection.objects.filter(
        source_kind=PARTNER_LISTING.kind, source_settings__listing=hub.listing, source_settings__tenant=tenant
    ).order_by("pk")


def _of_others(organization: Organization, hub: Hub, tenant: str) -> QuerySet[SyncConnection]:
    """What was only begun is nobody's yet: its source never answered."""
    others = _reading(hub, tenant).filter(organization__product=organization.product)
    over = (State.REQUESTED, State.DISCONNECTED)
    return others.exclude(organization=organization).exclude(state__in=over)


def _known(organization: Organization, hub: Hub, tenant: str) -> SyncConnection | None:
    """One that is there is gone on with; one that was disconnected finds everybody again."""
    found = _reading(hub, tenant).filter(organization=organization).select_related("organization__product").first()  # fmt: skip
    if found is None:
        return None
    if found.state == State.DISCONNECTED:
        connections.request_again(found)
    if connections.secrets_of(found).get("key") != hub.partner_key:
        connections.edit(found, {"key": hub.partner_key}, {})
    return found


def _made(organization: Organization, hub: Hub, tenant: str) -> SyncConnection:
    filled = {"listing": hub.listing, "tenant": tenant, "key": hub.partner_key}
    return connections.connect(
        organization, connections.free_name(organization, hub.name), PARTNER_LISTING.kind, filled
    )


# --- And the other way round: who is rostered can sign in ------------------------------------------------------------------------------


def offer_of(connection: SyncConnection) -> Offer | None:
    """How the people of this source can sign in, where that is known of it and not set up yet."""
    organization = connection.organization
    if connection.target_kind != "directory" or providers.providers(organization).filter(connection=connection).exists():  # fmt: skip
        return None
    tenant = str(connection.source_settings.get("tenant", ""))
    listing = str(connection.source_settings.get("listing", ""))
    lent = lending.lent_with(connection)
    if lent is not None:
        tenant = str(lent.district.pk)
        return Offer(connection, PRESETS[LAUNCH_PAD.key], settings.PUBLIC_URL, tenant, lent=lent)
    hub = hubs_of(organization.product).filter(listing=listing).first() if listing else None
    if hub is not None:
        return Offer(connection, PRESETS[hub.preset], hub.issuer, tenant, hub)
    preset = _keeper_of(listing or str(connection.source_settings.get("url", "")))
    return Offer(connection, preset, preset.issuer, tenant) if preset else None


def draft_of(offer: Offer) -> IdentityProvider:
    """What the form begins with: all that is known. The secret is not in it."""
    draft = providers.draft(offer.connection.organization, offer.preset.key)
    draft.issuer, draft.connection = offer.issuer, offer.connection
    draft.tenants = [offer.tenant] if offer.tenant else []
    if offer.lent is not None:
        draft.name = offer.lent.district.name
    if offer.hub is not None:
        draft.name, draft.client_id, draft.names = offer.hub.name, offer.hub.client_id, offer.hub.names
    return draft


def take_up(offer: Offer, **about: Any) -> IdentityProvider:
    """The provider as it is offered, with what was filled in. The product's secret goes along to the product's own client at the same
    issuer, and nowhere else. Raises what `providers.add_provider` raises.
    """
    hub = offer.hub
    is_hubs = hub is not None and (about.get("issuer"), about.get("client_id")) == (hub.issuer, hub.client_id)
    if hub is not None and is_hubs and not about.get("client_secret"):
        about["client_secret"] = hub.client_secret
    return providers.add_provider(offer.connection.organization, offer.preset.key, **about)


def _keeper_of(address: str) -> Preset | None:
    """Whose host it is."""
    host = (urlsplit(address if "://" in address else f"https://{address}").hostname or "").casefold()
    for one in PRESETS.values():
        if any(host == known or host.endswith(f".{known}") for known in one.hosts):
            return one
    return None
