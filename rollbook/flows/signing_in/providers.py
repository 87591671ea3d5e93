"""The identity providers of an organization: what they are, what they may be believed, and whether they let anybody in."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.connectors.openid_connect.server import Server, clean_issuer, server_of
from rollbook.engine.signing_in.claims import LAUNCH_PAD, NAMES, PRESETS, Claims, Preset
from rollbook.engine.signing_in.ladder import CHOSEN, EMAIL, IDENTIFIER, SOURCED_ID, Trust
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.directory import is_number
from rollbook.flows.email_domains import clean_domain
from rollbook.refusal import Refusal
from rollbook.store.models import (
    IdentityProvider,
    LaunchProvider,
    Organization,
    SyncConnection,
    TenantedProvider,
)

USUAL = (SOURCED_ID, IDENTIFIER, EMAIL)
"""The rungs of a provider of which nothing is said: a username identifies only where that is declared."""


class NoSuchProvider(Refusal):
    """The organization has no identity provider of this number or name: `rollbook sign-in list` shows them."""


class NoSuchPreset(Refusal):
    """This is no kind of provider that Rollbook knows: classlink, clever, google, entra, launch-pad or any."""


class ProviderExists(Refusal):
    """The organization has an identity provider of this name already."""


class ProviderNameNeeded(Refusal):
    """Give the provider the name by which members know it."""


class ClientIdNeeded(Refusal):
    """The provider knows this installation by a client ID, which it gives when you register it there."""


class ProviderSecretNeeded(Refusal):
    """Give the client secret too where the issuer changes: the one that is kept goes to nobody else."""


class IssuerNeeded(Refusal):
    """Name the issuer: the address of the provider, under which it describes itself."""


class TenantNeeded(Refusal):
    """Many share this provider: name at least one tenant whose people may come in by it."""


class NoSuchRung(Refusal):
    """What members can be recognised by: sourced-id, identifier, username, email."""


class NoSuchClaimName(Refusal):
    """A claim of another name can be said for: tenant, sourced_id, identifier, username, role."""


class NoSuchSeats(Refusal):
    """A first sign-in takes a seat: rostered (where its roster has the member), always, or never."""


class NotARosterOfIt(Refusal):
    """The organization has no such roster, or it is not kept in its own directory."""


def add_provider(organization: Organization, preset: str, name: str = "", **about: Any) -> IdentityProvider:
    """A way in, switched off until it was set up and tried: the provider wants our address before it gives a client ID.

    `about` as in `edit_provider`; what is not said is the preset's.

    Raises NoSuchPreset, ProviderExists and what `edit_provider` raises.
    """
    kind = preset_of(preset)
    told = {"issuer": kind.issuer, "rungs": USUAL, "tenants": (), "domains": organization.domains} | about
    made = IdentityProvider(organization=organization, preset=preset, made_by=actor().name[:254])
    _fill(made, {"name": name or kind.title} | told)
    with transaction.atomic():
        _judge(made)
        made.save(force_insert=True)
        _note(made, "identity_provider.add", _told(made))
    return made


def draft(organization: Organization, preset: str) -> IdentityProvider:
    """What a form begins with; it is not kept. Raises NoSuchPreset."""
    kind = preset_of(preset)
    return IdentityProvider(
        organization=organization, preset=preset, name=kind.title, issuer=kind.issuer, rungs=list(USUAL), domains=organization.domains
    )  # fmt: skip


def edit_provider(provider: IdentityProvider, **about: Any) -> IdentityProvider:
    """Changes what is named: name, issuer, client_id, client_secret, tenants, domains, rungs, names, connection, seats.

    Raises ProviderNameNeeded, IssuerNeeded, BadSetting, ClientIdNeeded, TenantNeeded, NotADomain, NoSuchRung, NoSuchClaimName, NoSuchSeats,
    NotARosterOfIt, ProviderExists, ProviderSecretNeeded.
    """
    before = _told(provider)
    _fill(provider, about)
    if provider.issuer != before["issuer"] and provider.client_secret and not about.get("client_secret"):
        raise ProviderSecretNeeded
    with transaction.atomic():
        _judge(provider)
        provider.save()
        changed = _told(provider) | ({"client_secret": "changed"} if about.get("client_secret") else {})
        _note(provider, "identity_provider.change", changed, before)
    return provider


def switch(provider: IdentityProvider, is_active: bool) -> IdentityProvider:
    """From now on it lets members in, or nobody: then who came in by it is out at their next step. Raises ClientIdNeeded."""
    if is_active and not provider.client_id:
        raise ClientIdNeeded
    with transaction.atomic():
        provider.is_active = is_active
        provider.save(update_fields=["is_active"])
        _note(provider, "identity_provider.switch_on" if is_active else "identity_provider.switch_off", {})
    return provider


def remove_provider(provider: IdentityProvider) -> None:
    """It lets nobody in any more and its secret is forgotten; whose sign-ins were whose stays known, should it be set up again."""
    with transaction.atomic():
        provider.is_active, provider.removed_at, provider.client_secret = False, timezone.now(), ""
        provider.save(update_fields=["is_active", "removed_at", "client_secret"])
        _note(provider, "identity_provider.remove", {})


def providers(organization: Organization) -> QuerySet[IdentityProvider]:
    """Those that were not removed, by name."""
    found = IdentityProvider.objects.filter(organization=organization, removed_at=None)
    return found.select_related("organization__product", "connection").order_by("name", "pk")


def find_provider(organization: Organization, number_or_name: str) -> IdentityProvider:
    """Raises NoSuchProvider."""
    every = providers(organization)
    found = every.filter(pk=int(number_or_name)).first() if is_number(number_or_name) else None
    found = found or every.filter(name=number_or_name).first()
    if found is None:
        raise NoSuchProvider(number_or_name[:200])
    return found


def preset_of(key: str) -> Preset:
    """Raises NoSuchPreset."""
    if key not in PRESETS:
        raise NoSuchPreset(key[:40])
    return PRESETS[key]


def trust_of(provider: IdentityProvider | LaunchProvider, issuer: str) -> Trust:
    """What the provider may be believed, where a token of it was proved to be from `issuer`."""
    return Trust(
        issuer=issuer,
        tenants=frozenset(provider.tenants),
        domains=frozenset(provider.domains),
        rungs=frozenset(provider.rungs),
        needs_tenant=needs_tenant(provider),
    )


def needs_tenant(provider: TenantedProvider) -> bool:
    """Whether the issuer is many tenants': the preset has a claim that says which, or one was named."""
    return bool(PRESETS[provider.preset].tenant or provider.names.get("tenant"))


def names_of(claims: Claims) -> tuple[str, str, str]:
    """What an identity is kept by."""
    return claims.issuer, claims.tenant, claims.subject


def learn(provider: IdentityProvider, now: int) -> list[str]:
    """Asks the provider what it is; what was found, a line each. Raises BadSetting, ProviderTrouble."""
    if provider.preset == LAUNCH_PAD.key:
        return ["It is this installation itself."]
    return lines_about(server_of(provider.issuer, now), now)


def lines_about(server: Server, now: int) -> list[str]:
    """What a provider said of itself, for who sets it up. Raises ProviderTrouble."""
    found = len(server.all_keys(now))
    return [
        f"It is the issuer {server.issuer}.",
        f"People sign in at {server.authorization}.",
        f"Keys it signs with: {found}.",
    ]


# --- What is filled in --------------------------------------------------------------------------------------------------------------


def _fill(provider: IdentityProvider, about: Mapping[str, Any]) -> None:
    if provider.preset == LAUNCH_PAD.key:
        # It is this installation itself: nothing of it is registered anywhere, or said otherwise.
        about = {
            name: value
            for name, value in about.items()
            if name not in ("issuer", "client_id", "client_secret", "names")
        }
        provider.issuer, provider.client_id = settings.PUBLIC_URL, LAUNCH_PAD.key
    for name, value in about.items():
        if name == "client_secret" and not value:
            continue  # left empty: as it was
        if name == "connection":
            value = _roster(provider.organization, value)
        setattr(provider, name, READ[name](value) if name in READ else value)


def _judge(provider: IdentityProvider) -> None:
    if not provider.name:
        raise ProviderNameNeeded
    if provider.is_active and not provider.client_id:
        raise ClientIdNeeded
    if needs_tenant(provider) and not provider.tenants:
        raise TenantNeeded
    if providers(provider.organization).filter(name=provider.name).exclude(pk=provider.pk).exists():
        raise ProviderExists(provider.name)


def _issuer(text: str) -> str:
    if not text.strip():
        raise IssuerNeeded
    return clean_issuer(text)


def _rungs(given: Iterable[str]) -> list[str]:
    wanted = set(given)
    if unknown := sorted(wanted.difference(CHOSEN)):
        raise NoSuchRung(unknown[0][:40])
    return [rung for rung in CHOSEN if rung in wanted]


def claim_names(given: Mapping[str, str]) -> dict[str, str]:
    """The claims of other names, without those left empty. Raises NoSuchClaimName."""
    if unknown := sorted(set(given).difference(NAMES)):
        raise NoSuchClaimName(unknown[0][:40])
    return {name: claim.strip()[:100] for name, claim in given.items() if claim.strip()}


def _seats(text: str) -> str:
    if text not in IdentityProvider.Seats.values:
        raise NoSuchSeats(text[:40])
    return text


def _roster(organization: Organization, given: SyncConnection | int | str | None) -> SyncConnection | None:
    if given in (None, "", 0):
        return None
    number = given.pk if isinstance(given, SyncConnection) else given
    found = SyncConnection.objects.filter(organization=organization, target_kind="directory")
    one = found.filter(pk=int(number)).first() if is_number(str(number)) else None
    if one is None:
        raise NotARosterOfIt(str(number)[:40])
    return one


READ: Mapping[str, Any] = {
    "name": lambda text: " ".join(text.replace("\0", "").split())[:200],
    "issuer": _issuer,
    "client_id": lambda text: text.strip()[:500],
    "client_secret": lambda text: text.strip(),
    "tenants": lambda given: list(dict.fromkeys(str(one).strip() for one in given if str(one).strip())),
    "domains": lambda given: sorted({clean_domain(one) for one in given if one.strip()}),
    "rungs": _rungs,
    "names": claim_names,
    "seats": _seats,
}


def _told(provider: IdentityProvider) -> dict[str, Any]:
    columns = (
        "name", "preset", "issuer", "client_id", "tenants", "domains", "rungs", "names", "connection_id", "seats",
    )  # fmt: skip
    return {name: getattr(provider, name) for name in columns}


def _note(
    provider: IdentityProvider, act: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:
    number = f"{provider.organization_id}/{provider.pk}"
    audit.record(None, act, "identity provider", number, provider.name, before=before, after=after)
