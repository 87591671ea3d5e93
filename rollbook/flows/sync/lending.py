"""Lending: a district of this installation, whose roster an organization reads, lets that organization's members in by its launch pad.

One act sets it up and switches it on. Nothing is registered and no secret is told, since both ends are this installation; who may come is what
the district shares with the product, asked at each sign-in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count

from django.db import transaction

from rollbook.engine.launching import PROVIDER
from rollbook.engine.signing_in.claims import LAUNCH_PAD
from rollbook.flows.launching import own_provider, pads
from rollbook.flows.signing_in import providers
from rollbook.flows.sync.connections import State
from rollbook.flows.sync.overview import district_of
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.refusal import Refusal
from rollbook.store.models import District, IdentityProvider, Organization, SyncConnection

ANSWERED = (State.WAITING, State.ACTIVE, State.PAUSED)
"""A connection whose source has answered is the organization's, and not only asked for."""


class NotLent(Refusal):
    """No district of this installation lends its sign-in with this roster: its launch pad is closed, or lets this organization's members in
    already.
    """


@dataclass(frozen=True)
class Lent:
    """What is lent. `ways` are those by which the district's people come in at their launch pad; `service` is the name of the district's own
    sign-in service, empty where nobody comes in by one.
    """

    connection: SyncConnection
    district: District
    ways: tuple[str, ...]
    service: str


def lent(organization: Organization) -> list[Lent]:
    """What could be taken up now."""
    return list(_lent(organization))


def lent_with(connection: SyncConnection) -> Lent | None:
    """What goes with this roster, where that is a district's here whose launch pad is open, and is not taken up yet."""
    if connection.target_kind != DIRECTORY or connection.state not in ANSWERED:
        return None
    district = district_of(connection)
    if (
        district is None
        or connection.organization.product.app_id is None
        or _is_taken_up(connection, district)
    ):
        return None
    pad = pads.pad_of(district)
    if not pad.is_on:
        return None
    provider = own_provider.provider_of(district)
    service = provider.name if provider is not None and provider.is_active else ""
    ways = tuple(way for way in pads.ways_offered(pad) if way != PROVIDER or service)
    return Lent(connection, district, ways, service if PROVIDER in ways else "") if ways else None


def take_up(connection: SyncConnection) -> IdentityProvider:
    """From now on the district's people come in by their launch pad. Raises NotLent."""
    organization = connection.organization
    with transaction.atomic():
        Organization.objects.select_for_update().only("pk").get(pk=organization.pk)
        found = lent_with(connection)
        if found is None:
            raise NotLent
        made = providers.add_provider(
            organization,
            LAUNCH_PAD.key,
            _free_name(organization, found.district.name),
            tenants=[str(found.district.pk)],
            connection=connection,
        )
        return providers.switch(made, True)


def _lent(organization: Organization) -> Iterator[Lent]:
    every = SyncConnection.objects.filter(organization=organization).select_related("organization__product")
    for connection in every.order_by("pk"):
        found = lent_with(connection)
        if found is not None:
            yield found


def _is_taken_up(connection: SyncConnection, district: District) -> bool:
    pads_of_it = providers.providers(connection.organization).filter(preset=LAUNCH_PAD.key)
    return any(str(district.pk) in one.tenants for one in pads_of_it)


def _free_name(organization: Organization, wanted: str) -> str:
    taken = set(providers.providers(organization).values_list("name", flat=True))
    names = chain([wanted[:190]], (f"{wanted[:190]} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)
