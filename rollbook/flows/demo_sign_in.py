"""The demo's way in for people of the roster: the district's launch pad, a client of the broker for its product, three people with passwords.

One of them has no seat in the film room yet, and takes one with their first sign-in.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rollbook.engine.launching import BADGE, PASSWORD
from rollbook.flows.broker.clients import Secret, add_client, clients, renew_secret
from rollbook.flows.launching import pads, passwords
from rollbook.flows.launching.people import name_of
from rollbook.flows.signing_in import providers
from rollbook.store.models import (
    District,
    IdentityProvider,
    Organization,
    Product,
    SyncConnection,
    User,
)

PEOPLE = ("student-007", "student-001", "staff-006")
"""Who can come in, by sourcedId; in another roster than Riverbend the first three who have a username."""
WAY = "Riverbend launch pad"


@dataclass(frozen=True)
class DemoMember:
    """Somebody of the roster who can come in at the launch pad."""

    name: str
    username: str
    password: str


@dataclass(frozen=True)
class DemoSignIn:
    """`client` has the secret of this start; `launch_pad` is the address at which `members` come in."""

    client: Secret
    launch_pad: str
    members: tuple[DemoMember, ...]


def set_up_sign_in(district: District, organization: Organization) -> DemoSignIn:
    """The launch pad, open, as a way into this organization; a client of its product; people with passwords that are new at every start."""
    pad = pads.pad_of(district)
    if not pad.is_on:
        pads.set_ways(district, [PASSWORD, BADGE])
        pad = pads.switch(district, True)
    _way_in(district, organization)
    members = tuple(_member(user) for user in _people(district))
    return DemoSignIn(_client(organization.product), pads.address_of(pad), members)


def _way_in(district: District, organization: Organization) -> None:
    """By the launch pad into the organization, whose roster this is."""
    known = IdentityProvider.objects.filter(organization=organization, name=WAY, removed_at=None)
    if known.exists():
        return
    roster = SyncConnection.objects.filter(organization=organization, target_kind="directory").first()
    made = providers.add_provider(
        organization, "launch-pad", WAY, tenants=[str(district.pk)], connection=roster
    )
    providers.switch(made, True)


def _client(product: Product) -> Secret:
    """Its secret is new at every start, and the former one opens nothing."""
    known = clients(product=product).first()
    if known is None:
        return add_client(product=product)
    return renew_secret(known, timedelta(0))


def _people(district: District) -> list[User]:
    active = User.objects.filter(district=district, status="active", enabled_user=True).exclude(username=None)
    chosen = {one.sourced_id: one for one in active.filter(sourced_id__in=PEOPLE)}
    named = [chosen[one] for one in PEOPLE if one in chosen]
    return named or list(active.exclude(username="").order_by("id")[: len(PEOPLE)])


def _member(user: User) -> DemoMember:
    password = secrets.token_urlsafe(9)
    passwords.give_password(user, password, datetime.now(UTC), must_change=False)
    return DemoMember(name_of(user), user.username or "", password)
