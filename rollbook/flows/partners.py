"""Partners: companies that register their apps here themselves, the developers who sign in for them, and their keys of the partner API.

An installation operator invites the first developer of a partner; developers invite one another.
"""

import logging
import secrets
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rollbook.engine.web_addresses import web_address
from rollbook.flows import audit
from rollbook.flows.keys import judge_end
from rollbook.flows.names import optional_name
from rollbook.flows.operators import judge_address, way_in
from rollbook.flows.tokens import checksum
from rollbook.refusal import Refusal
from rollbook.store.models import Account, App, Developer, Grant, Partner, PartnerKey

BEGINNING = "rollbook_partner_"
SHOWN = len(BEGINNING) + 6
MOST_KEYS = 10
PARTNER, SUPPORT = Developer.DeveloperRole.PARTNER, Developer.DeveloperRole.SUPPORT

log = logging.getLogger(__name__)


class PartnerNameNeeded(Refusal):
    """A partner needs a name: the company's."""


class PartnerExists(Refusal):
    """There is a partner of this name already."""


class NoSuchPartner(Refusal):
    """There is no partner of this name or number: `rollbook partner list` shows them."""


class AlreadyDeveloper(Refusal):
    """This person is a developer of this partner already."""


class NoSuchDeveloper(Refusal):
    """Nobody works for this partner with this e-mail address."""


class LastDeveloper(Refusal):
    """Somebody has to remain who can register apps and keep keys for the partner: invite another developer first."""


class NotARoleThere(Refusal):
    """Who works for a partner is a developer (partner) or product support."""


class KeyNameNeeded(Refusal):
    """Give the key a name that says which program uses it."""


class EnoughKeys(Refusal):
    """A partner has at most 10 keys at a time: revoke one that is not used any more."""


class NoSuchPartnerKey(Refusal):
    """The partner has no key of this number."""


def add_partner(name: str, website: str = "") -> Partner:
    """A company may register apps here. Raises PartnerNameNeeded, NameTooLong, PartnerExists, BadWebAddress."""
    name = optional_name(name)
    if not name:
        raise PartnerNameNeeded
    with transaction.atomic():
        if Partner.objects.filter(name=name).exists():
            raise PartnerExists(name)
        partner = Partner.objects.create(name=name, website=web_address(website))
        audit.record(None, "partner.add", "partner", partner.pk, name)
    return partner


def find_partner(name_or_number: str) -> Partner:
    """The partner of this name, else of this number. Raises NoSuchPartner."""
    partner = Partner.objects.filter(name=name_or_number).first()
    if partner is None and name_or_number.isdecimal() and len(name_or_number) < 19:
        partner = Partner.objects.filter(pk=int(name_or_number)).first()
    if partner is None:
        raise NoSuchPartner(name_or_number)
    return partner


# --- Developers ---------------------------------------------------------------------------------------------------------------------


def invite(partner: Partner, email: str, name: str = "", role: str = PARTNER) -> tuple[Developer, bool]:
    """A person works for the partner from now on, and is told by e-mail how to sign in; whether the mail server took it.

    Who has no password yet gets a link to set one. Raises NotAnAddress, AlreadyDeveloper, NotARoleThere.
    """
    developer = employ(partner, email, name, role)
    return developer, _tell(developer)


def employ(partner: Partner, email: str, name: str = "", role: str = PARTNER) -> Developer:
    """A person works for the partner from now on, and is not told. Raises NotAnAddress, NameTooLong, AlreadyDeveloper, NotARoleThere."""
    if role not in Developer.DeveloperRole.values:
        raise NotARoleThere(role[:40])
    judge_address(email.strip())
    name = optional_name(name)
    with transaction.atomic():
        account = Account.objects.filter(email=email.strip().lower()).first()
        account = account or Account.objects.create_user(email.strip())
        developer = Developer.objects.filter(account=account, partner=partner).first()
        if developer is not None and developer.left_at is None:
            raise AlreadyDeveloper(account.email or "")
        developer = developer or Developer(account=account, partner=partner)
        developer.left_at, developer.role = None, role
        developer.name = name or developer.name
        developer.save()
        _record(developer, "developer.invite")
    return developer


def _record(developer: Developer, act: str) -> None:
    audit.record(
        None,
        act,
        "partner",
        developer.partner_id,
        developer.partner.name,
        after={"developer": developer.account.email, "role": str(developer.role)},
    )


def _tell(developer: Developer) -> bool:
    """The invitation. A mail server that is down costs only the mail: the link can be made again."""
    message = EmailMessage(
        _subject(developer),
        "\n\n".join(
            (
                f"You now work for {developer.partner.name} at {settings.PUBLIC_URL}, where school districts share rosters with apps.",
                f"{way_in(developer.account)}",
                "If you did not expect this, leave it alone: nothing happens.",
            )
        ),
        to=[developer.account.email or ""],
    )
    try:
        return bool(message.send())
    except (OSError, SMTPException) as fault:
        log.error("the invitation of developer %s could not be sent: %s", developer.pk, type(fault).__name__)
        return False


def _subject(developer: Developer) -> str:
    does = "see the apps of" if developer.role == SUPPORT else "register apps of"
    return f"You can {does} {developer.partner.name}"


def developers_of(partner: Partner) -> QuerySet[Developer]:
    """Who works for the partner now, by when they came."""
    found = Developer.objects.filter(partner=partner, left_at=None, account__is_active=True)
    return found.select_related("account").order_by("created_at", "id")


def find_developer(partner: Partner, email: str) -> Developer:
    """Raises NoSuchDeveloper."""
    found = developers_of(partner).filter(account__email=email.strip().lower()).first()
    if found is None:
        raise NoSuchDeveloper
    return found


def posts_of(account: Account) -> list[Developer]:
    """For which partners this account works."""
    return list(
        Developer.objects.filter(account=account, left_at=None).select_related("partner").order_by("pk")
    )


def let_go(developer: Developer, now: datetime) -> None:
    """The person works for the partner no more; what they registered stays, and who registered it. Raises LastDeveloper."""
    with transaction.atomic():
        others = developers_of(developer.partner).filter(role=PARTNER).exclude(pk=developer.pk)
        if developer.role == PARTNER and not others.exists():
            raise LastDeveloper
        developer.left_at = now
        developer.save(update_fields=["left_at"])
        _record(developer, "developer.leave")


# --- What became of their apps ------------------------------------------------------------------------------------------------------


def apps_of(partner: Partner) -> QuerySet[App]:
    """The partner's apps, by name."""
    found = App.objects.filter(partner=partner).select_related("registered_by__account", "logo")
    return found.defer("logo__content").order_by("name", "id")


def grants_of(partner: Partner) -> QuerySet[Grant]:
    """What districts let the partner's apps see, by number."""
    return Grant.objects.filter(app__partner=partner).select_related("app", "district").order_by("pk")


# --- Keys of the partner API --------------------------------------------------------------------------------------------------------


def make_key(
    partner: Partner, name: str, by: str, expires_at: datetime | None = None
) -> tuple[PartnerKey, str]:
    """A new key, and the secret itself, which is kept nowhere. Raises KeyNameNeeded, NameTooLong, InThePast, EnoughKeys."""
    name = optional_name(name)
    if not name:
        raise KeyNameNeeded
    judge_end(expires_at)
    secret = BEGINNING + secrets.token_urlsafe(32)
    with transaction.atomic():
        if keys_of(partner).count() >= MOST_KEYS:
            raise EnoughKeys
        key = PartnerKey.objects.create(
            partner=partner, name=name, checksum=checksum(secret), made_by=by,
            beginning=secret[:SHOWN], expires_at=expires_at,
        )  # fmt: skip
        _record_key(key, "partner_key.make", after={"name": name, "expiresAt": expires_at})
    return key, secret


def keys_of(partner: Partner) -> QuerySet[PartnerKey]:
    """The keys that are not revoked, the latest first."""
    return PartnerKey.objects.filter(partner=partner, revoked_at=None).order_by("-id")


def key_of(secret: str) -> PartnerKey | None:
    """The key that this secret is, if it still opens anything."""
    live = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    found = PartnerKey.objects.filter(live, checksum=checksum(secret), revoked_at=None)
    return found.select_related("partner").first()


def find_key(partner: Partner, number: int) -> PartnerKey:
    """A key that is not revoked. Raises NoSuchPartnerKey."""
    key = keys_of(partner).select_related("partner").filter(pk=number).first()
    if key is None:
        raise NoSuchPartnerKey(str(number))
    return key


def state_of(key: PartnerKey, now: datetime) -> str:
    """live or expired, of a key that was not revoked."""
    return "live" if key.expires_at is None or key.expires_at > now else "expired"


def set_key_end(partner: Partner, number: int, at: datetime | None) -> PartnerKey:
    """The key opens nothing from that moment on; None: it has no end. Raises NoSuchPartnerKey, InThePast."""
    judge_end(at)
    with transaction.atomic():
        key = find_key(partner, number)
        before, key.expires_at = key.expires_at, at
        key.save(update_fields=["expires_at"])
        _record_key(key, "partner_key.expire", before={"expiresAt": before}, after={"expiresAt": at})
    return key


def revoke_key(partner: Partner, number: int, by: str, now: datetime) -> PartnerKey:
    """From now on the key opens nothing. Raises NoSuchPartnerKey."""
    with transaction.atomic():
        key = find_key(partner, number)
        key.revoked_at, key.revoked_by = now, by
        key.save(update_fields=["revoked_at", "revoked_by"])
        _record_key(key, "partner_key.revoke")
    return key


def _record_key(
    key: PartnerKey,
    act: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    partner, told = key.partner, {"key": key.pk} | (after or {})
    audit.record(None, act, "partner", partner.pk, partner.name, before=before, after=told)
