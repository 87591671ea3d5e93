"""Tokens: with one, an operator's own program brings packages to a district and looks at its runs, and does nothing else.

A token is shown once, when it is made. It is worth what its operator is: when the operator stops working in the district, it ends.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from rollbook.flows import audit
from rollbook.flows.names import optional_name
from rollbook.refusal import Refusal
from rollbook.store.models import Account, District, Operator, OperatorToken, OperatorTokenUse

BEGINNING = "rollbook_"
"""What every token begins with, so that programs that look for leaked secrets know one."""

SHOWN = len(BEGINNING) + 6
DAYS = 365
MOST_DAYS = 730
OFTEN = timedelta(minutes=1)
"""A use is not noted again so soon."""


class NameNeeded(Refusal):
    """Give the token a name that says what it is for."""


class BadLifetime(Refusal):
    """A token holds for 1 to 730 days."""


class NotAnOperatorThere(Refusal):
    """This person does not work in this district: a token can do no more than who it belongs to."""


class NoSuchToken(Refusal):
    """There is no such token: `rollbook operator token list` shows them, with their numbers."""


def make_token(
    account: Account, district: District, name: str, now: datetime, days: int = DAYS
) -> tuple[OperatorToken, str]:
    """A new token, and the secret itself, which is kept nowhere. Raises NameNeeded, NameTooLong, BadLifetime, NotAnOperatorThere."""
    name = optional_name(name)
    if not name:
        raise NameNeeded
    if not 1 <= days <= MOST_DAYS:
        raise BadLifetime(str(days))
    if not works_in(account, district.pk):
        raise NotAnOperatorThere(account.email or "")
    secret = BEGINNING + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = OperatorToken.objects.create(
            account=account, district=district, name=name, checksum=checksum(secret),
            beginning=secret[:SHOWN], expires_at=now + timedelta(days=days),
        )  # fmt: skip
        told = {"whose": account.email, "expiresAt": token.expires_at}
        audit.record(district.pk, "token.add", "token", token.pk, token.name, after=told)
    return token, secret


def checksum(secret: str) -> str:
    """The SHA-256 of a token in hex. Of 256 random bits: nobody can try them out, so it needs no salt and no slowness."""
    return hashlib.sha256(secret.encode()).hexdigest()


def works_in(account: Account, district_id: int) -> bool:
    """Whether this account may sign in and is an operator of this district, or of all."""
    there = Q(district_id=district_id) | Q(role=Operator.OperatorRole.INSTALLATION)
    return account.is_active and Operator.objects.filter(there, account=account).exists()


def token_of(secret: str, now: datetime) -> OperatorToken | None:
    """The token that this secret is, if it still holds."""
    found = (
        OperatorToken.objects.filter(checksum=checksum(secret), revoked_at=None, expires_at__gt=now)
        .select_related("account", "district")
        .first()
    )
    return found if found and works_in(found.account, found.district_id) else None


def note_use(token: OperatorToken, now: datetime) -> None:
    """Keeps when the token was last used, to the minute."""
    used = OperatorTokenUse.objects.filter(pk=token.pk).first()
    if used is None or now - used.at >= OFTEN:
        OperatorTokenUse.objects.update_or_create(token_id=token.pk, defaults={"at": now})


def tokens_of(district: District) -> list[tuple[OperatorToken, datetime | None]]:
    """The tokens of a district that are not revoked, the latest first, and when each was last used."""
    tokens = list(
        OperatorToken.objects.filter(district=district, revoked_at=None)
        .select_related("account")
        .order_by("-id")
    )
    used = dict(
        OperatorTokenUse.objects.filter(pk__in=[token.pk for token in tokens]).values_list("token_id", "at")
    )
    return [(token, used.get(token.pk)) for token in tokens]


def find_token(number: int, district: District | None = None) -> OperatorToken:
    """Raises NoSuchToken; where a district is given, for one of another district too."""
    found = (
        OperatorToken.objects.filter(pk=number, revoked_at=None).select_related("account", "district").first()
    )
    if found is None or (district is not None and found.district_id != district.pk):
        raise NoSuchToken(str(number))
    return found


def revoke_token(token: OperatorToken, by: str, now: datetime) -> None:
    """From now on the token opens nothing."""
    with transaction.atomic():
        token.revoked_at, token.revoked_by = now, by
        token.save(update_fields=["revoked_at", "revoked_by"])
        audit.record(token.district_id, "token.revoke", "token", token.pk, token.name)
