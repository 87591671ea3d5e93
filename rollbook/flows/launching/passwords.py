"""Passwords of a district's people for its launch pad: given by the district, changed by themselves, asked for by a one-time link.

Nobody needs an e-mail address for it. A password that somebody else gave is changed by its owner at first use.
"""

import csv
import hashlib
import io
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from rollbook.flows import audit
from rollbook.flows.launching.badges import end_badge
from rollbook.flows.launching.people import Schools, find_person, sign_in_of
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.models import District, LaunchIdentity, LaunchSignIn, LaunchUse, User

SHORTEST, LONGEST = 8, 200
LINK_HOLDS = timedelta(days=7)
MOST_LINES = 500
"""Of a file that is brought in the console: each password costs the time it takes to make it hard to guess."""


class PasswordTooShort(Refusal):
    """A password has at least 8 characters."""


class PasswordTooCommon(Refusal):
    """This password is one of those that are tried first, or it is the username: choose another."""


class NotACsvOfPasswords(Refusal):
    """A file of first passwords is CSV in UTF-8 with the columns sourcedId (or username) and password."""


class TooManyLines(Refusal):
    """Bring at most 500 lines at a time here; `rollbook launch-pad passwords` takes any number."""


@dataclass(frozen=True)
class Line:
    """What became of a line of a file: `wrong` is empty where the password was given."""

    number: int
    who: str
    wrong: str = ""


def judge(password: str, user: User) -> None:
    """Raises PasswordTooShort, PasswordTooCommon."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordTooShort
    known = {fold(one) for one in (user.username, user.email, user.identifier, user.sourced_id) if one}
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError as fault:
        raise PasswordTooCommon from fault
    if fold(password) in known:
        raise PasswordTooCommon


def give_password(user: User, password: str, now: datetime, *, must_change: bool = True) -> LaunchSignIn:
    """The district gives somebody a password; where they are signed in, they are out. Raises PasswordTooShort, PasswordTooCommon."""
    judge(password, user)
    return _set(user, make_password(password), now, must_change, "launch_pad.give_password")


def change_password(sign_in: LaunchSignIn, user: User, password: str, now: datetime) -> LaunchSignIn:
    """They choose one themselves; elsewhere they are out. Raises PasswordTooShort, PasswordTooCommon."""
    judge(password, user)
    return _set(user, make_password(password), now, False, "launch_pad.change_password")


def _set(user: User, encoded: str, now: datetime, must_change: bool, act: str) -> LaunchSignIn:
    """`encoded` is a hash: made before the transaction, which on SQLite makes all others wait."""
    with transaction.atomic():
        sign_in = sign_in_of(user)
        sign_in.account.password = encoded
        sign_in.account.save(update_fields=["password"])
        sign_in.must_change, sign_in.password_at = must_change, now
        sign_in.link, sign_in.link_until = None, None
        sign_in.stamp += 1
        sign_in.save(update_fields=["must_change", "password_at", "link", "link_until", "stamp"])
        audit.record(user.district_id, act, "person", user.sourced_id, after={"must_change": must_change})
    return sign_in


# --- From a file --------------------------------------------------------------------------------------------------------------------


def give_first_passwords(
    district: District, content: bytes, now: datetime, schools: Schools = None, most: int | None = None
) -> list[Line]:
    """A line a person: what was wrong is said, all others have their first password. Raises NotACsvOfPasswords, TooManyLines."""
    rows = list(_rows(content))
    if most is not None and len(rows) > most:
        raise TooManyLines
    return [_give(district, number, row, now, schools) for number, row in enumerate(rows, start=2)]


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotACsvOfPasswords from None
    reader = csv.DictReader(io.StringIO(text))
    names = set(reader.fieldnames or ())
    if "password" not in names or not names & {"sourcedId", "username"}:
        raise NotACsvOfPasswords
    for row in reader:
        yield {name: value or "" for name, value in row.items() if isinstance(name, str)}


def _give(district: District, number: int, row: dict[str, Any], now: datetime, schools: Schools) -> Line:
    who = row.get("sourcedId", "").strip() or row.get("username", "").strip()
    try:
        user = _person(district, row, schools)
        give_password(user, row["password"], now)
    except Refusal as refusal:
        return Line(number, who[:100], refusal.words)
    return Line(number, user.sourced_id)


def _person(district: District, row: dict[str, str], schools: Schools) -> User:
    if row.get("sourcedId", "").strip():
        return find_person(district, row["sourcedId"].strip(), schools)
    named = User.objects.filter(
        district=district, status="active", username_folded=fold(row.get("username", "").strip())
    )[:2]
    return find_person(district, named[0].sourced_id if len(named) == 1 else "", schools)


# --- By a link ----------------------------------------------------------------------------------------------------------------------


def make_link(user: User, now: datetime) -> str:
    """A secret that lets them choose a password once, within 7 days; it stands behind the # of an address and is kept as a hash alone."""
    secret = secrets.token_urlsafe(24)
    with transaction.atomic():
        sign_in = sign_in_of(user)
        sign_in.link, sign_in.link_until = _hash(secret), now + LINK_HOLDS
        sign_in.save(update_fields=["link", "link_until"])
        audit.record(user.district_id, "launch_pad.make_link", "person", user.sourced_id)
    return secret


def by_link(district_id: int, secret: str, now: datetime) -> LaunchSignIn | None:
    """Whose link it is, while it holds."""
    found = LaunchSignIn.objects.filter(district_id=district_id, link=_hash(secret), link_until__gt=now)
    return found.select_related("account", "district__launch_pad").first()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# --- Everything -----------------------------------------------------------------------------------------------------------------------


def reset(users: Iterable[User], now: datetime) -> int:
    """They have nothing to come in by any more, and where they are signed in they are out; how many."""
    count = 0
    for user in users:
        with transaction.atomic():
            sign_in = sign_in_of(user)
            sign_in.account.set_unusable_password()
            sign_in.account.save(update_fields=["password"])
            LaunchSignIn.objects.filter(pk=sign_in.pk).update(
                pin="", link=None, link_until=None, must_change=False, password_at=None, stamp=F("stamp") + 1
            )
            LaunchIdentity.objects.filter(district_id=user.district_id, user_id=user.id).delete()
            end_badge(user, now)
            audit.record(user.district_id, "launch_pad.reset", "person", user.sourced_id)
        LaunchUse.objects.filter(district_id=user.district_id, user_id=user.id).update(
            wrong=0, locked_at=None
        )
        count += 1
    return count
