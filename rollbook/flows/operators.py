"""Operators: how a person comes to work in the console, gets a password, and stops working there."""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from rollbook.flows import audit
from rollbook.flows.names import optional_name
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Administrator, Developer, District, LastSignIn, Operator, Org
from rollbook.store.models.roster import ACTIVE

INSTALLATION = Operator.OperatorRole.INSTALLATION
DISTRICT = Operator.OperatorRole.DISTRICT
SCHOOL = Operator.OperatorRole.SCHOOL
PRIVACY = Operator.OperatorRole.PRIVACY
HELP_DESK = Operator.OperatorRole.HELP_DESK

MOST_ADDRESS = 180
"""Characters of the address somebody signs in with: as who acts it is kept in many places, and a word stands beside it there."""

log = logging.getLogger(__name__)


class AlreadyOperator(Refusal):
    """This person is already an operator there."""


class RoleNeedsDistrict(Refusal):
    """An installation operator works in no district, everybody else in one: name the district, or leave it out."""


class SchoolsForSchools(Refusal):
    """A school administrator works in schools: name at least one by its sourcedId. For every other role leave the schools out."""


class NoSuchSchool(Refusal):
    """This district has no org with this sourcedId: the console lists them under Roster, Organizations."""


class NotYours(Refusal):
    """This person also works where you do not: only someone who is responsible for all their places may do this."""


class NotAnAddress(Refusal):
    """This is not an e-mail address, or it has more than 180 characters."""


class WeakPassword(Refusal):
    """This password is too easy to guess."""


class NoSuchOperator(Refusal):
    """Nobody works here with this e-mail address: `rollbook operator list` shows who does."""


class NotYourself(Refusal):
    """You cannot deactivate yourself, or give yourself another role: ask another administrator."""


def add_operator(
    email: str,
    role: str,
    district: District | None,
    name: str = "",
    password: str | None = None,
    schools: Iterable[str] = (),
) -> Operator:
    """A person with this sign-in begins to work in the district (or, without one, for the installation).

    `schools` are the sourcedIds of a school administrator's schools. An account that exists is kept with its password, unless one is
    given. Raises NotAnAddress, NameTooLong, RoleNeedsDistrict, SchoolsForSchools, NoSuchSchool, AlreadyOperator, WeakPassword.
    """
    if (role == INSTALLATION) != (district is None):
        raise RoleNeedsDistrict(role)
    judge_address(email.strip())
    name = optional_name(name)
    its_schools = _schools(district, role, schools)
    with transaction.atomic():
        account = Account.objects.filter(email=email.strip().lower()).first()
        account = account or Account.objects.create_user(email.strip())
        operator, is_new = Operator.objects.get_or_create(
            account=account,
            district=district,
            role=role,
            defaults={"name": name, "schools": its_schools},
        )
        if not is_new:
            raise AlreadyOperator
        if password is not None:
            set_password(account, password)
        _record(operator, "operator.add", after=_told(operator))
    return operator


def change_role(
    operator: Operator, role: str, schools: Iterable[str] = (), by: Account | None = None
) -> Operator:
    """The operator of a district does other things there from now on. Raises NotYourself, RoleNeedsDistrict, SchoolsForSchools,
    NoSuchSchool, AlreadyOperator.
    """
    if by is not None and by == operator.account:
        raise NotYourself
    if role == INSTALLATION or operator.district is None:
        raise RoleNeedsDistrict(role)
    its_schools = _schools(operator.district, role, schools)
    with transaction.atomic():
        others = Operator.objects.filter(
            account=operator.account_id, district=operator.district_id, role=role
        )
        if others.exclude(pk=operator.pk).exists():
            raise AlreadyOperator
        before = _told(operator)
        operator.role, operator.schools = role, its_schools
        operator.save(update_fields=["role", "schools"])
        _record(operator, "operator.change", before=before, after=_told(operator))
    return operator


def _schools(district: District | None, role: str, sourced_ids: Iterable[str]) -> list[int]:
    """The record ids of these schools."""
    wanted = sorted({text.strip() for text in sourced_ids if text.strip()})
    if (role == SCHOOL) != bool(wanted):
        raise SchoolsForSchools(role)
    found = dict(
        Org.objects.filter(district=district, sourced_id__in=wanted, status=ACTIVE).values_list(
            "sourced_id", "id"
        )
    )
    missing = [sourced_id for sourced_id in wanted if sourced_id not in found]
    if missing:
        raise NoSuchSchool(", ".join(missing))
    return sorted(found.values())


def school_ids(operator: Operator) -> list[str]:
    """The sourcedIds of a school administrator's schools."""
    orgs = Org.objects.filter(district_id=operator.district_id, id__in=operator.schools)
    return list(orgs.order_by("sourced_id").values_list("sourced_id", flat=True))


def _told(operator: Operator) -> dict[str, object]:
    return {"role": operator.role, "schools": school_ids(operator) if operator.schools else []}


def _record(
    operator: Operator,
    act: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        operator.district_id, act, "operator", operator.account_id, operator.account.email or "",
        before=before, after=after,
    )  # fmt: skip


def judge_address(email: str) -> None:
    """Raises NotAnAddress."""
    try:
        validate_email(email)
    except ValidationError as fault:
        raise NotAnAddress from fault
    if len(email) > MOST_ADDRESS:
        raise NotAnAddress(f"{email[:40]}…")


def find_account(email: str) -> Account:
    """The account of an operator. Raises NoSuchOperator."""
    operator = Operator.objects.filter(account__email=email.strip().lower()).select_related("account").first()
    if operator is None:
        raise NoSuchOperator
    return operator.account


def find_operator(email: str, district: District) -> Operator:
    """The post of a person in a district; where they have several there, the first. Raises NoSuchOperator."""
    posts = Operator.objects.filter(account__email=email.strip().lower(), district=district)
    operator = posts.select_related("account", "district").order_by("pk").first()
    if operator is None:
        raise NoSuchOperator(email)
    return operator


def password_link(account: Account) -> str:
    """An absolute address where whoever holds it sets this account's password: once, and for PASSWORD_RESET_TIMEOUT seconds."""
    key = default_token_generator.make_token(account)
    _record_everywhere(account, "operator.password_link")
    return settings.PUBLIC_URL + reverse(
        "account_reset_password_from_key", kwargs={"uidb36": account.id.hex, "key": key}
    )


def way_in(account: Account, link: str = "") -> str:
    """How this account gets in, in a sentence: by its password, or by a link that sets one, which is made where none is given."""
    if account.has_usable_password():
        return f"Sign in with the password you have: {settings.PUBLIC_URL}{reverse('account_login')}"
    return f"Set your password here, once, within three days:\n{link or password_link(account)}"


def tell(operator: Operator, link: str = "") -> bool:
    """The invitation by e-mail; whether the mail server took it. One that is down costs only the mail: the link can be made again."""
    district = operator.district
    where = f"in {district.name}" if district else "for all districts"
    message = EmailMessage(
        f"You work {where} as {operator.role}",
        "\n\n".join(
            (
                f"You now work {where} at {settings.PUBLIC_URL}, where school districts share rosters with apps.",
                way_in(operator.account, link),
                "If you did not expect this, leave it alone: nothing happens.",
            )
        ),
        to=[operator.account.email or ""],
    )
    try:
        return bool(message.send())
    except (OSError, SMTPException) as fault:
        log.error("the invitation of operator %s could not be sent: %s", operator.pk, type(fault).__name__)
        return False


def set_password(account: Account, password: str) -> None:
    """Gives the account this password, judged as one typed in the console is. Raises WeakPassword."""
    try:
        validate_password(password, account)
    except ValidationError as fault:
        raise WeakPassword(" ".join(fault.messages)) from fault
    with transaction.atomic():
        account.set_password(password)
        account.save(update_fields=["password"])
        _record_everywhere(account, "operator.set_password")


def judge_reach(account: Account, districts: Collection[int] | None) -> None:
    """Raises NotYours unless the account works in these districts only, and for no partner and no product; None stands for the whole
    installation.

    Without this, an administrator of one district could take over an account that is responsible for more than that district.
    """
    if districts is not None and account.pk in working_elsewhere([account.pk], districts):
        raise NotYours


def working_elsewhere(accounts: Collection[Any], districts: Collection[int]) -> set[Any]:
    """The ids of those of these accounts that also work in another district, for the installation, a partner, or a product."""
    posts = Operator.objects.filter(account__in=accounts).values_list("account_id", "district_id")
    partners = Developer.objects.filter(account__in=accounts, left_at=None).values_list(
        "account_id", flat=True
    )
    products = Administrator.objects.filter(account__in=accounts, left_at=None).values_list(
        "account_id", flat=True
    )
    return {account for account, place in posts if place not in districts} | set(partners) | set(products)


def deactivate(account: Account, by: Account | None) -> None:
    """The account signs in no more and its sessions end. Raises NotYourself."""
    if by == account:
        raise NotYourself
    _set_active(account, False)


def reactivate(account: Account) -> None:
    """The account signs in again, with the password it had."""
    _set_active(account, True)


def _set_active(account: Account, is_active: bool) -> None:
    """Every district the account works in can read of it in its own log."""
    with transaction.atomic():
        account.is_active = is_active
        account.save(update_fields=["is_active"])
        _record_everywhere(account, "operator.reactivate" if is_active else "operator.deactivate")


def _record_everywhere(account: Account, act: str, after: dict[str, object] | None = None) -> None:
    for place in places_of(account):
        audit.record(place or None, act, "operator", account.pk, account.email or "", after=after)


def places_of(account: Account) -> list[int]:
    """In whose logs it stands what an account does as such: those of its districts. 0 is the installation's, and also that of accounts
    which work in no district, such as a partner's developers.
    """
    return sorted({post.district_id or 0 for post in Operator.objects.filter(account=account)}) or [0]


def note_password(account: Account, address: str) -> None:
    """Keeps in the audit log that somebody has set their own password, and from which address."""
    _record_everywhere(account, "operator.set_password", {"address": address})


def note_sign_in(account: Account, now: datetime) -> None:
    """Keeps when the account last signed in."""
    LastSignIn.objects.update_or_create(account_id=account.id, defaults={"at": now})
