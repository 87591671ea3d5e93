"""Who works in the console on a product's side: administrators of an organization or of some of its sites, and the product's support."""

import logging
from collections.abc import Collection
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet

from rollbook.flows import audit
from rollbook.flows.directory import sites as sites_of
from rollbook.flows.names import optional_name
from rollbook.flows.operators import judge_address, set_password, way_in
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Administrator, Organization, Product

Kind = Administrator.AdministratorRole
ORGANIZATION, SITE, SUPPORT = Kind.ORGANIZATION, Kind.SITE, Kind.SUPPORT

log = logging.getLogger(__name__)


class AlreadyAdministrator(Refusal):
    """This person works there already."""


class NoSuchAdministrator(Refusal):
    """Nobody works there with this e-mail address: `rollbook organization administrator list` shows who does."""


class NotARoleOfAProduct(Refusal):
    """An administrator of an organization or of its sites works in one organization, product support in none: it sees all of its product."""


class SitesForSites(Refusal):
    """A site administrator works in sites: name at least one of the organization's. For every other role leave the sites out."""


class LastAdministrator(Refusal):
    """Somebody has to remain who administers the organization: invite another organization administrator first."""


def employ(
    product: Product,
    organization: Organization | None,
    email: str,
    role: str = ORGANIZATION,
    name: str = "",
    sites: Collection[int] = (),
    password: str | None = None,
) -> Administrator:
    """A person works in the organization from now on (without one, for the product), and is not told.

    Raises NotAnAddress, NameTooLong, NotARoleOfAProduct, SitesForSites, AlreadyAdministrator, WeakPassword.
    """
    if role not in Kind.values or (role == SUPPORT) != (organization is None):
        raise NotARoleOfAProduct(role[:40])
    judge_address(email.strip())
    name = optional_name(name)
    kept = _sites(organization, role, sites)
    with transaction.atomic():
        account = Account.objects.filter(email=email.strip().lower()).first()
        account = account or Account.objects.create_user(email.strip())
        known = Administrator.objects.filter(account=account, product=product, organization=organization)
        made = known.first() or Administrator(account=account, product=product, organization=organization)
        if made.pk and made.left_at is None:
            raise AlreadyAdministrator(account.email or "")
        made.left_at, made.role, made.sites = None, role, kept
        made.name = name or made.name
        made.save()
        if password is not None:
            set_password(account, password)
        _record(made, "administrator.add")
    return made


def invite(
    organization: Organization,
    email: str,
    role: str = ORGANIZATION,
    name: str = "",
    sites: Collection[int] = (),
) -> tuple[Administrator, bool]:
    """As `employ`, and the person is told by e-mail how to sign in; whether the mail server took it."""
    made = employ(organization.product, organization, email, role, name, sites)
    return made, _tell(made)


def change(administrator: Administrator, role: str, sites: Collection[int] = ()) -> None:
    """The person is something else in the organization. Raises NotARoleOfAProduct, SitesForSites, LastAdministrator."""
    if role not in (ORGANIZATION, SITE) or administrator.organization is None:
        raise NotARoleOfAProduct(role[:40])
    with transaction.atomic():
        if role != ORGANIZATION:
            _refuse_last(administrator)
        administrator.sites = _sites(administrator.organization, role, sites)
        administrator.role = role
        administrator.save(update_fields=["role", "sites"])
        _record(administrator, "administrator.change")


def let_go(administrator: Administrator, now: datetime) -> None:
    """The person works there no more; what they did stays, and who did it. Raises LastAdministrator."""
    with transaction.atomic():
        _refuse_last(administrator)
        administrator.left_at = now
        administrator.save(update_fields=["left_at"])
        _record(administrator, "administrator.leave")


def _refuse_last(administrator: Administrator) -> None:
    """Where nobody else would administer the organization. The organization's row is locked: two who go at once do not both go."""
    if administrator.role != ORGANIZATION or administrator.organization is None:
        return
    Organization.objects.select_for_update().get(pk=administrator.organization.pk)
    others = administrators_of(administrator.organization).filter(role=ORGANIZATION)
    if not others.exclude(pk=administrator.pk).exists():
        raise LastAdministrator


def administrators_of(organization: Organization | None) -> QuerySet[Administrator]:
    """Who works in the organization now, by when they came; for None, whoever supports a product."""
    found = Administrator.objects.filter(organization=organization, left_at=None, account__is_active=True)
    return found.select_related("account", "product", "organization").order_by("created_at", "pk")


def support_of(product: Product) -> QuerySet[Administrator]:
    """Who supports the product's customers now, by when they came."""
    return administrators_of(None).filter(product=product)


def find_administrator(found: QuerySet[Administrator], email: str) -> Administrator:
    """Of those found, the one who signs in with this address. Raises NoSuchAdministrator."""
    administrator = found.filter(account__email=email.strip().lower()).first()
    if administrator is None:
        raise NoSuchAdministrator(email[:180])
    return administrator


def _sites(organization: Organization | None, role: str, wanted: Collection[int]) -> list[int]:
    if (role == SITE) != bool(wanted):
        raise SitesForSites(role)
    if organization is None or not wanted:
        return []
    known = set(sites_of(organization).filter(id__in=list(wanted)).values_list("id", flat=True))
    if known != set(wanted):
        raise SitesForSites(role)
    return sorted(known)


def _record(administrator: Administrator, act: str) -> None:
    told = {
        "administrator": administrator.account.email,
        "role": str(administrator.role),
        "sites": administrator.sites,
    }
    organization = administrator.organization
    if organization is None:
        audit.record(None, act, "product", administrator.product_id, administrator.product.name, after=told)
    else:
        audit.record(None, act, "organization", organization.pk, organization.name, after=told)


def _tell(administrator: Administrator) -> bool:
    """The invitation. A mail server that is down costs only the mail: the link can be made again."""
    where = administrator.organization or administrator.product
    words = (
        f"You now administer {where.name} at {settings.PUBLIC_URL}, where its rosters are kept in step with its schools.",
        way_in(administrator.account),
        "If you did not expect this, leave it alone: nothing happens.",
    )
    message = EmailMessage(
        f"You administer {where.name}", "\n\n".join(words), to=[administrator.account.email or ""]
    )
    try:
        return bool(message.send())
    except (OSError, SMTPException) as fault:
        log.error(
            "the invitation of administrator %s could not be sent: %s", administrator.pk, type(fault).__name__
        )
        return False
