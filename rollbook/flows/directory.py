"""Products, the organizations that are their customers, the sites that these have, and the keys with which their programs work."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models import QuerySet

from rollbook.engine.sync.operations import CREATE, SITES, Operation
from rollbook.flows import audit
from rollbook.flows.districts import UnknownTimeZone
from rollbook.flows.email_domains import clean_domain
from rollbook.flows.tokens import checksum
from rollbook.refusal import Refusal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import App, Organization, OrganizationKey, Product, Site

ROLES = ("administrator", "teacher", "aide", "proctor", "student")
ADMINISTRATORS = ("administrator",)
"""The roles of a product that names none, the highest first."""

ENTITLED = ("rostering",)
BEGINNING = "rollbook_org_"
SHOWN = len(BEGINNING) + 6
MOST_KEYS = 10
BY_HAND = 0
"""The number that stands for a person where a connection's would stand."""


class NameNeeded(Refusal):
    """Give it a name."""


class ProductExists(Refusal):
    """There is a product of this name already."""


class NoSuchProduct(Refusal):
    """There is no product of this name or number: `rollbook product list` shows them."""


class BadRoles(Refusal):
    """Roles are different words, the highest first, and those that administer are among them."""


class OrganizationExists(Refusal):
    """This product has an organization of this name already."""


class NoSuchOrganization(Refusal):
    """There is no organization of this number, or not one alone of this name: `rollbook organization list` shows them."""


class BadSeats(Refusal):
    """The number of seats is a whole number from 0 on; none means that there is no limit."""


class NoSuchSite(Refusal):
    """The organization has no site of this number, or not one alone of this name: `rollbook organization site list` shows them."""


class KeyNameNeeded(Refusal):
    """Give the key a name that says which program uses it."""


class EnoughKeys(Refusal):
    """An organization has at most 10 keys at a time: revoke one that is not used any more."""


class NoSuchOrganizationKey(Refusal):
    """The organization has no key of this number."""


# --- Products -----------------------------------------------------------------------------------------------------------------------


def add_product(
    name: str, roles: Sequence[str] = ROLES, administrators: Sequence[str] = ADMINISTRATORS
) -> Product:
    """A product whose customers take rosters in; `roles` the highest first. Raises NameNeeded, BadRoles, ProductExists."""
    name, roles = _name(name), _roles(roles)
    if not roles or not set(administrators) <= set(roles):
        raise BadRoles
    with transaction.atomic():
        if Product.objects.filter(name=name).exists():
            raise ProductExists(name)
        product = Product.objects.create(
            name=name, roles=list(roles), administrator_roles=list(administrators)
        )
        audit.record(None, "product.add", "product", product.pk, name, after={"roles": list(roles)})
    return product


def set_app(product: Product, app: App) -> Product:
    """What the product is in the catalogue from now on: by that app districts of this installation let it read."""
    with transaction.atomic():
        before = {"app": product.app_id}
        product.app = app
        product.save(update_fields=["app"])
        audit.record(
            None, "product.app", "product", product.pk, product.name, before=before, after={"app": app.pk}
        )
    return product


def products() -> QuerySet[Product]:
    """All products, by name."""
    return Product.objects.order_by("name")


def find_product(name_or_number: str) -> Product:
    """Raises NoSuchProduct."""
    found = Product.objects.filter(name=name_or_number).first()
    if found is None and is_number(name_or_number):
        found = Product.objects.filter(pk=int(name_or_number)).first()
    if found is None:
        raise NoSuchProduct(name_or_number)
    return found


def is_number(text: str) -> bool:
    """Whether it can be the number of a row."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def _name(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())[:200]
    if not name:
        raise NameNeeded
    return name


def _roles(given: Iterable[str]) -> tuple[str, ...]:
    roles = tuple(role.strip() for role in given)
    if not all(roles) or len(set(roles)) != len(roles):
        raise BadRoles
    return roles


# --- Organizations ------------------------------------------------------------------------------------------------------------------


def add_organization(product: Product, name: str, **about: Any) -> Organization:
    """A customer of the product. `about` as in `edit_organization`; one of which nothing is said may have rosters synced.

    Raises NameNeeded, OrganizationExists and what `edit_organization` raises.
    """
    name = _name(name)
    with transaction.atomic():
        if Organization.objects.filter(product=product, name=name).exists():
            raise OrganizationExists(name)
        told = _about({"entitlements": ENTITLED} | about)
        organization = Organization.objects.create(product=product, name=name, **told)
        audit.record(None, "organization.add", "organization", organization.pk, name, after=told)
    return organization


def edit_organization(organization: Organization, **about: Any) -> Organization:
    """Changes what is named: plan, entitlements, seats (None: no limit), time_zone, domains, roles (none: the product's).

    Raises BadSeats, UnknownTimeZone, NotADomain, BadRoles. Seats may be fewer than are taken: nobody loses theirs, and nobody gets one.
    """
    told = _about(about)
    with transaction.atomic():
        before = {column: getattr(organization, column) for column in told}
        for column, value in told.items():
            setattr(organization, column, value)
        organization.save(update_fields=list(told))
        audit.record(
            None, "organization.change", "organization", organization.pk, organization.name, before=before, after=told
        )  # fmt: skip
    return organization


def _about(about: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that these settings are."""
    told: dict[str, Any] = {}
    for name, value in about.items():
        column = {"seats": "seats_bought"}.get(name, name)
        told[column] = READ[name](value)
    return told


def _seats(number: int | None) -> int | None:
    if number is not None and not 0 <= number < 2**31:
        raise BadSeats
    return number


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise UnknownTimeZone(name)
    return name


def time_zones() -> list[str]:
    """The names that a time zone may have; those of places, not of tables kept for the sake of others."""
    return sorted(
        name for name in available_timezones() if name.partition("/")[2] and not name.startswith("Etc/")
    )


READ: Mapping[str, Any] = {
    "plan": lambda text: text.strip()[:100],
    "entitlements": lambda given: sorted({one.strip() for one in given if one.strip()}),
    "seats": _seats,
    "time_zone": _time_zone,
    "domains": lambda given: sorted({clean_domain(one) for one in given if one.strip()}),
    "roles": lambda given: list(_roles(given)),
}


def find_organization(number_or_name: str) -> Organization:
    """Raises NoSuchOrganization; two of one name, of different products, count as none."""
    every = Organization.objects.select_related("product")
    found = every.filter(pk=int(number_or_name)).first() if is_number(number_or_name) else None
    if found is None:
        named = every.filter(name=number_or_name)[:2]
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise NoSuchOrganization(number_or_name)
    return found


def organizations(product: Product | None = None) -> QuerySet[Organization]:
    """The organizations, of one product or of all, by number."""
    found = Organization.objects.select_related("product").order_by("pk")
    return found if product is None else found.filter(product=product)


def roles_of(organization: Organization) -> tuple[str, ...]:
    """The local roles, the highest first."""
    return tuple(organization.roles or organization.product.roles)


# --- Sites --------------------------------------------------------------------------------------------------------------------------


def add_site(organization: Organization, name: str, identifier: str = "") -> Site:
    """A site made by hand. Raises NameNeeded."""
    after = {"name": _name(name), "identifier": identifier.strip()}
    with transaction.atomic():
        made = Operation(1, CREATE, SITES, "", "", after=after, changed=tuple(after))
        (outcome,) = DirectoryTarget(organization, BY_HAND).apply([made])
        audit.record(None, "site.add", "site", f"{organization.pk}/{outcome.target}", after["name"])
    return Site.objects.get(organization=organization, id=int(outcome.target))


def sites(organization: Organization, state: str = "active") -> QuerySet[Site]:
    """The sites that are active, or archived, by name."""
    return Site.objects.filter(organization=organization, state=state).order_by("name", "id")


def find_site(organization: Organization, number_or_name: str, state: str = "active") -> Site:
    """Raises NoSuchSite; two of one name count as none."""
    every = sites(organization, state)
    found = every.filter(id=int(number_or_name)).first() if is_number(number_or_name) else None
    if found is None:
        named = every.filter(name=number_or_name)[:2]
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise NoSuchSite(number_or_name)
    return found


# --- Keys ---------------------------------------------------------------------------------------------------------------------------


def make_key(organization: Organization, name: str, by: str) -> tuple[OrganizationKey, str]:
    """A new key, and the secret itself, which is kept nowhere. Raises KeyNameNeeded, EnoughKeys."""
    name = " ".join(name.replace("\0", "").split())[:200]
    if not name:
        raise KeyNameNeeded
    secret = BEGINNING + secrets.token_urlsafe(32)
    with transaction.atomic():
        if keys_of(organization).count() >= MOST_KEYS:
            raise EnoughKeys
        key = OrganizationKey.objects.create(
            organization=organization, name=name, checksum=checksum(secret), made_by=by[:254], beginning=secret[:SHOWN]
        )  # fmt: skip
        _note(organization, "organization_key.make", key)
    return key, secret


def _note(organization: Organization, act: str, key: OrganizationKey) -> None:
    told = {"key": key.pk, "name": key.name}
    audit.record(None, act, "organization", organization.pk, organization.name, after=told)


def keys_of(organization: Organization) -> QuerySet[OrganizationKey]:
    """The keys that are not revoked, the latest first."""
    return OrganizationKey.objects.filter(organization=organization, revoked_at=None).order_by("-pk")


def key_of(secret: str) -> OrganizationKey | None:
    """The key that this secret is, if it still opens anything."""
    found = OrganizationKey.objects.filter(checksum=checksum(secret), revoked_at=None)
    return found.select_related("organization__product").first()


def revoke_key(organization: Organization, number: int, by: str, now: datetime) -> OrganizationKey:
    """From now on the key opens nothing. Raises NoSuchOrganizationKey."""
    with transaction.atomic():
        key = keys_of(organization).filter(pk=number).first()
        if key is None:
            raise NoSuchOrganizationKey(str(number))
        key.revoked_at, key.revoked_by = now, by[:254]
        key.save(update_fields=["revoked_at", "revoked_by"])
        _note(organization, "organization_key.revoke", key)
    return key
