"""Roster hubs where a product is registered as a partner: by which client its customers prove themselves there, and the key that opens its list.

The product's support says it once for all its customers. None of them ever sees the secrets.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rollbook.connectors.oneroster_rest.address import refused_unless_web
from rollbook.connectors.openid_connect.server import clean_issuer
from rollbook.engine.signing_in.claims import PRESETS
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.directory import is_number
from rollbook.flows.signing_in.providers import claim_names
from rollbook.refusal import Refusal
from rollbook.store.models import Hub, Product

ROSTERING = {key: one for key, one in PRESETS.items() if one.rosters}
"""The presets whose keepers have rosters too."""
SECRET = ("client_secret", "partner_key")
SHOWN = ("name", "preset", "issuer", "client_id", "listing", "names")


class NoSuchHub(Refusal):
    """The product is registered at no hub of this number or name: `rollbook product hub list` shows where it is."""


class NotAHub(Refusal):
    """No rosters are kept there: a hub is classlink, clever or any."""


class HubExists(Refusal):
    """The product is registered at this hub already: change what is known of it."""


class HubIncomplete(Refusal):
    """A hub needs a name, its issuer, the client ID by which it knows the product, the address of its list, and the key that opens it."""


class HubTenantNeeded(Refusal):
    """Say which claim tells the district somebody is of: this kind of hub has none that is known (tenant=district, for example)."""


class HubSecretNeeded(Refusal):
    """Give the secret too where the address changes: the one that is kept goes to nobody else."""


def register(product: Product, preset: str, **about: Any) -> Hub:
    """The product is registered there. `about` as in `change_hub`; what is not said is the preset's. Raises NotAHub, and what it raises."""
    if preset not in ROSTERING:
        raise NotAHub(preset[:40])
    kind = ROSTERING[preset]
    made = Hub(product=product, preset=preset, made_by=actor().name[:254])
    told = {"name": kind.title, "issuer": kind.issuer} | {name: text for name, text in about.items() if text}
    _fill(made, told)
    with transaction.atomic():
        _judge(made)
        made.save(force_insert=True)
        _note(made, "hub.add", after=_told(made))
    return made


def change_hub(hub: Hub, **about: Any) -> Hub:
    """Changes what is named: name, issuer, client_id, client_secret, listing, partner_key, names. A secret left empty stays.

    What is read by the former key goes on with it: a connection keeps the key it was made with. Raises BadSetting, NoSuchClaimName,
    HubIncomplete, HubTenantNeeded, HubSecretNeeded, HubExists.
    """
    before, was = _told(hub), (hub.issuer, hub.listing)
    _fill(hub, about)
    if hub.issuer != was[0] and hub.client_secret and not about.get("client_secret"):
        raise HubSecretNeeded
    if hub.listing != was[1] and not about.get("partner_key"):
        raise HubSecretNeeded
    with transaction.atomic():
        _judge(hub)
        hub.save()
        fresh = {name: "changed" for name in SECRET if about.get(name)}
        _note(hub, "hub.change", before=before, after=_told(hub) | fresh)
    return hub


def remove_hub(hub: Hub) -> None:
    """Nobody connects by it any more, and its secrets are forgotten; what was connected by it goes on."""
    with transaction.atomic():
        _note(hub, "hub.remove", before=_told(hub))
        hub.delete()


def hubs_of(product: Product) -> QuerySet[Hub]:
    """Where the product is registered, by name."""
    return Hub.objects.filter(product=product).select_related("product").order_by("name", "pk")


def find_hub(product: Product, number_or_name: str) -> Hub:
    """Raises NoSuchHub."""
    every = hubs_of(product)
    found = every.filter(pk=int(number_or_name)).first() if is_number(number_or_name) else None
    found = found or every.filter(name=number_or_name).first()
    if found is None:
        raise NoSuchHub(number_or_name[:200])
    return found


def _fill(hub: Hub, about: Mapping[str, Any]) -> None:
    for name, given in about.items():
        if name not in SECRET or given.strip():
            setattr(hub, name, READ[name](given))


def _judge(hub: Hub) -> None:
    if not (hub.name and hub.issuer and hub.client_id and hub.listing and hub.partner_key):
        raise HubIncomplete
    if not (ROSTERING[hub.preset].tenant or hub.names.get("tenant")):
        raise HubTenantNeeded
    if hubs_of(hub.product).filter(issuer=hub.issuer).exclude(pk=hub.pk).exists():
        raise HubExists(hub.issuer)


def _issuer(text: str) -> str:
    return clean_issuer(text) if text.strip() else ""


def _listing(text: str) -> str:
    """As the connector keeps it, so that a source is known again by it."""
    address = text.strip().rstrip("/")
    if address:
        refused_unless_web(address, insecure=False)
    return address


READ: Mapping[str, Any] = {
    "name": lambda text: " ".join(text.replace("\0", "").split())[:200],
    "issuer": _issuer,
    "client_id": lambda text: text.strip()[:500],
    "client_secret": lambda text: text.strip(),
    "listing": _listing,
    "partner_key": lambda text: text.strip(),
    "names": claim_names,
}


def _told(hub: Hub) -> dict[str, Any]:
    return {name: getattr(hub, name) for name in SHOWN}


def _note(
    hub: Hub, act: str, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None
) -> None:
    audit.record(None, act, "hub", f"{hub.product_id}/{hub.pk}", hub.name, before=before, after=after)
