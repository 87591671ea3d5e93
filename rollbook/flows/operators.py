"""Operators: how a person comes to work in the console, gets a password, and stops working there."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from rollbook.refusal import Refusal
from rollbook.store.models import Account, District, LastSignIn, Operator

INSTALLATION = Operator.OperatorRole.INSTALLATION
DISTRICT = Operator.OperatorRole.DISTRICT


class AlreadyOperator(Refusal):
    """This person is already an operator there."""


class RoleNeedsDistrict(Refusal):
    """A district administrator works in a district, an installation operator in none: name the district, or leave it out."""


class NotYours(Refusal):
    """This person also works where you do not: only someone who is responsible for all their places may do this."""


class NotAnAddress(Refusal):
    """This is not an e-mail address."""


class WeakPassword(Refusal):
    """This password is too easy to guess."""


class NoSuchOperator(Refusal):
    """Nobody works here with this e-mail address: `rollbook operator list` shows who does."""


class NotYourself(Refusal):
    """You cannot deactivate yourself: ask another administrator."""


def add_operator(
    email: str, role: str, district: District | None, name: str = "", password: str | None = None
) -> Operator:
    """A person with this sign-in begins to work in the district (or, without one, for the installation).

    An account that exists is kept with its password, unless one is given. Raises NotAnAddress, RoleNeedsDistrict, AlreadyOperator,
    WeakPassword.
    """
    if (role == DISTRICT) != (district is not None):
        raise RoleNeedsDistrict(role)
    judge_address(email.strip())
    with transaction.atomic():
        account = Account.objects.filter(email=email.strip().lower()).first()
        account = account or Account.objects.create_user(email.strip())
        operator, is_new = Operator.objects.get_or_create(
            account=account, district=district, role=role, defaults={"name": name.strip()}
        )
        if not is_new:
            raise AlreadyOperator
        if password is not None:
            set_password(account, password)
    return operator


def judge_address(email: str) -> None:
    """Raises NotAnAddress."""
    try:
        validate_email(email)
    except ValidationError as fault:
        raise NotAnAddress from fault


def find_account(email: str) -> Account:
    """The account of an operator. Raises NoSuchOperator."""
    operator = Operator.objects.filter(account__email=email.strip().lower()).select_related("account").first()
    if operator is None:
        raise NoSuchOperator
    return operator.account


def password_link(account: Account) -> str:
    """An absolute address where whoever holds it sets this account's password: once, and for PASSWORD_RESET_TIMEOUT seconds."""
    key = default_token_generator.make_token(account)
    return settings.PUBLIC_URL + reverse(
        "account_reset_password_from_key", kwargs={"uidb36": account.id.hex, "key": key}
    )


def set_password(account: Account, password: str) -> None:
    """Gives the account this password, judged as one typed in the console is. Raises WeakPassword."""
    try:
        validate_password(password, account)
    except ValidationError as fault:
        raise WeakPassword(" ".join(fault.messages)) from fault
    account.set_password(password)
    account.save(update_fields=["password"])


def judge_reach(account: Account, districts: Collection[int] | None) -> None:
    """Raises NotYours unless the account works in these districts only; None stands for the whole installation.

    Without this, an administrator of one district could take over an account that is responsible for more than that district.
    """
    if districts is None:
        return
    places = Operator.objects.filter(account=account).values_list("district_id", flat=True)
    if not all(place in districts for place in places):
        raise NotYours


def deactivate(account: Account, by: Account | None) -> None:
    """The account signs in no more and its sessions end. Raises NotYourself."""
    if by == account:
        raise NotYourself
    _set_active(account, False)


def reactivate(account: Account) -> None:
    """The account signs in again, with the password it had."""
    _set_active(account, True)


def _set_active(account: Account, is_active: bool) -> None:
    account.is_active = is_active
    account.save(update_fields=["is_active"])


def note_sign_in(account: Account, now: datetime) -> None:
    """Keeps when the account last signed in."""
    LastSignIn.objects.update_or_create(account_id=account.id, defaults={"at": now})
