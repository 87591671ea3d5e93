"""The sign-in service of a district's or an organization's own: what it is, whether it lets anybody in, and whether it is required."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from rollbook.connectors.openid_connect.server import server_of
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.email_domains import domains_of
from rollbook.flows.signing_in.providers import (
    READ,
    ClientIdNeeded,
    TenantNeeded,
    lines_about,
    needs_tenant,
    preset_of,
)
from rollbook.refusal import Refusal
from rollbook.store.models import District, DistrictSignIn, Organization, OrganizationSignIn

Own = DistrictSignIn | OrganizationSignIn
Owner = District | Organization

MEANT = ("issuer", "client_id", "tenants", "domains", "names")
"""What decides who comes by it: once one of these is another, nobody has tried it yet."""

COLUMNS = ("preset", *MEANT, "leads_back")


class NoOwnSignIn(Refusal):
    """No sign-in service of its own is set up here."""


class NotTriedYet(Refusal):
    """Nobody has come in by this service yet: sign in by it once yourself, then require it."""


class IsRequired(Refusal):
    """The service is required, and without it nobody could work here: stop requiring it first."""


class DomainNeeded(Refusal):
    """Name at least one e-mail domain: who works here is recognised by an address of it."""


def keep(owner: Owner, preset: str, **about: Any) -> Own:
    """The owner's service is this, switched off until it is switched on; what stood is changed where it is of the same kind.

    `about`: issuer, client_id, client_secret, tenants, domains, names, leads_back; what is not said stays, or is the preset's.

    Raises NoSuchPreset, IssuerNeeded, BadSetting, TenantNeeded, DomainNeeded, NotADomain, NoSuchClaimName, ClientIdNeeded, IsRequired.
    """
    kind = preset_of(preset)
    with transaction.atomic():
        own = own_of(owner)
        before = _told(own) if own is not None else {}
        if own is None or own.preset != preset:
            about = {"issuer": kind.issuer, "domains": domains_at_first(owner)} | about
            own = _another(own, owner, preset)
        _fill(own, about)
        _judge(own, before)
        own.save()
        changed = _told(own) | ({"client_secret": "changed"} if about.get("client_secret") else {})
        _note(own, "own_sign_in.set", changed, before)
    return own


def switch(own: Own, is_active: bool) -> Own:
    """From now on people come in by it, or nobody does, and who did is out at their next step. Raises ClientIdNeeded, IsRequired."""
    if is_active and not own.client_id:
        raise ClientIdNeeded
    if not is_active and own.owner.requires_own_sign_in:
        raise IsRequired
    with transaction.atomic():
        own.is_active = is_active
        own.save(update_fields=["is_active"])
        _note(own, "own_sign_in.switch_on" if is_active else "own_sign_in.switch_off", {})
    return own


def require(owner: Owner, is_required: bool) -> None:
    """From now on no password opens the owner's pages, but only this service; or passwords do again. Break-glass accounts are excepted.

    Raises NoOwnSignIn, NotTriedYet.
    """
    own = own_of(owner)
    if is_required and (own is None or not own.is_active):
        raise NoOwnSignIn
    if is_required and own is not None and own.tried_at is None:
        raise NotTriedYet
    with transaction.atomic():
        before, owner.requires_own_sign_in = owner.requires_own_sign_in, is_required
        owner.save(update_fields=["requires_own_sign_in"])
        kind, chain = ("district", owner.pk) if isinstance(owner, District) else ("organization", None)
        audit.record(
            chain, "own_sign_in.require", kind, owner.pk, owner.name,
            before={"required": before}, after={"required": is_required},
        )  # fmt: skip


def remove(own: Own) -> None:
    """Nobody comes in by it any more, and its secret is forgotten. Raises IsRequired."""
    if own.owner.requires_own_sign_in:
        raise IsRequired
    with transaction.atomic():
        _note(own, "own_sign_in.remove", {})
        own.delete()


def learn(own: Own, now: int) -> list[str]:
    """Asks the service what it is; what was found, a line each. Raises BadSetting, ProviderTrouble."""
    return lines_about(server_of(own.issuer, now), now)


# --- Finding one --------------------------------------------------------------------------------------------------------------------


def own_of(owner: Owner) -> Own | None:
    """The owner's service, if it has one."""
    if isinstance(owner, District):
        return DistrictSignIn.objects.select_related("district").filter(district=owner).first()
    return OrganizationSignIn.objects.select_related("organization").filter(organization=owner).first()


def the_own_of(owner: Owner) -> Own:
    """The owner's service. Raises NoOwnSignIn."""
    own = own_of(owner)
    if own is None:
        raise NoOwnSignIn
    return own


def back_address(own: Own) -> str:
    """Where the service sends people back to, as it is registered there."""
    return settings.PUBLIC_URL + reverse("own-door-back", args=[own.key])


def door_address(own: Own) -> str:
    """The link that its owner gives to those who work there."""
    return settings.PUBLIC_URL + reverse("own-door-go", args=[own.key])


def by_key(key: str) -> Own | None:
    """The service whose owner is called so."""
    kind, _, number = key.partition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        return None
    if kind == "district":
        return DistrictSignIn.objects.select_related("district").filter(district_id=int(number)).first()
    if kind == "organization":
        found = OrganizationSignIn.objects.select_related("organization")
        return found.filter(organization_id=int(number)).first()
    return None


def of_address(email: str) -> list[Own]:
    """The services that are switched on and say that this address's domain is theirs; whether it is anybody's is not asked."""
    domain = email.strip().lower().rpartition("@")[2]
    if not domain:
        return []
    districts = DistrictSignIn.objects.filter(is_active=True).select_related("district")
    organizations = OrganizationSignIn.objects.filter(is_active=True).select_related("organization")
    every: list[Own] = [*districts, *organizations]
    found = [own for own in every if domain in own.domains]
    return sorted(found, key=lambda own: (own.owner.name, own.key))


# --- What is filled in --------------------------------------------------------------------------------------------------------------


def domains_at_first(owner: Owner) -> list[str]:
    """The domains that are the owner's as far as is known here."""
    return list(domains_of(owner)) if isinstance(owner, District) else list(owner.domains)


def _another(former: Own | None, owner: Owner, preset: str) -> Own:
    """One of this kind in the place of the former."""
    if former is not None:
        if owner.requires_own_sign_in:
            raise IsRequired
        former.delete()
    made_by = actor().name[:254]
    if isinstance(owner, District):
        return DistrictSignIn(district=owner, preset=preset, made_by=made_by)
    return OrganizationSignIn(organization=owner, preset=preset, made_by=made_by)


def _fill(own: Own, about: Mapping[str, Any]) -> None:
    for name, value in about.items():
        if name != "client_secret" or value:  # left empty: as it was
            setattr(own, name, READ[name](value) if name in READ else bool(value))


def _judge(own: Own, before: Mapping[str, Any]) -> None:
    if own.is_active and not own.client_id:
        raise ClientIdNeeded
    if needs_tenant(own) and not own.tenants:
        raise TenantNeeded
    if not own.domains:
        raise DomainNeeded
    if any(before.get(name) != getattr(own, name) for name in MEANT):
        if before and own.owner.requires_own_sign_in:
            raise IsRequired
        own.tried_at = None


def note_tried(own: Own, now: datetime) -> None:
    """Somebody came by it: it works."""
    if own.tried_at is None:
        own.tried_at = now
        own.save(update_fields=["tried_at"])


def _told(own: Own) -> dict[str, Any]:
    return {name: getattr(own, name) for name in COLUMNS}


def _note(own: Own, act: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    owner = own.owner
    chain = owner.pk if isinstance(owner, District) else None
    audit.record(chain, act, "own sign-in", own.key, owner.name, before=before or None, after=after)
