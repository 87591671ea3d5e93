"""Badges and PINs: for small children, who read little and have no e-mail address. A badge says who, a PIN that it is them.

A badge's QR code holds the pad's address with a random secret behind the #, which browsers send to nobody. The secret is kept as a keyed
hash alone, so a sheet can be printed once: printing again makes new badges, and the old ones open nothing.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F

from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.launching.people import sign_in_of
from rollbook.flows.launching.telling import tell
from rollbook.refusal import Refusal
from rollbook.store.models import Badge, LaunchSignIn, LaunchUse, User

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are mistaken for one another: the code is printed too, for devices that scan nothing."""
CODE_LENGTH = 16
TRIES = 5
"""Wrong PINs, one after another, until the badge is locked."""


class BadPin(Refusal):
    """A PIN has 4 to 6 digits, and is not one that is tried first, such as 1234 or 0000."""


class PinNotRight(Refusal):
    """This is not the right PIN. Try again."""


class BadgeLocked(Refusal):
    """This badge is locked. Ask your teacher to open it."""


class NoPin(Refusal):
    """You have no PIN yet. Ask your teacher for one."""


@dataclass(frozen=True)
class Issued:
    """A badge to be printed, once: `code` is its secret."""

    user: User
    code: str


def issue(users: Iterable[User], now: datetime) -> list[Issued]:
    """New badges for these people; what they had opens nothing any more."""
    made = []
    for user in users:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        with transaction.atomic():
            end_badge(user, now)
            Badge.objects.create(
                district_id=user.district_id, user_id=user.id, checksum=checksum_of(user.district_id, code), made_at=now,
                made_by=actor().name[:254],
            )  # fmt: skip
            audit.record(user.district_id, "badge.issue", "person", user.sourced_id)
        made.append(Issued(user, code))
    return made


def revoke(user: User, now: datetime) -> bool:
    """The badge was lost: it opens nothing, and who came in by it is out. Whether there was one."""
    with transaction.atomic():
        was = end_badge(user, now)
        if was:
            LaunchSignIn.objects.filter(district_id=user.district_id, user_id=user.id).update(
                stamp=F("stamp") + 1
            )
            audit.record(user.district_id, "badge.revoke", "person", user.sourced_id)
    return was


def end_badge(user: User, now: datetime) -> bool:
    """Whether they had one. Called inside the transaction of what is done."""
    used = Badge.objects.filter(district_id=user.district_id, user_id=user.id, ended_at=None)
    return bool(used.update(ended_at=now))


def checksum_of(district_id: int, code: str) -> str:
    """What is kept of a badge's code. Keyed: without the installation's secret nobody makes a badge out of the database."""
    typed = "".join(one for one in code.upper() if one.isalnum())
    key = str(settings.SECRET_KEY).encode()
    return hmac.new(key, f"rollbook.badge {district_id} {typed}".encode(), sha256).hexdigest()


def in_fours(code: str) -> str:
    """The code as it is printed."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def badge_of(district_id: int, code: str) -> Badge | None:
    """The badge that says this, while it holds."""
    if len(code) > 60:
        return None
    return Badge.objects.filter(
        district_id=district_id, checksum=checksum_of(district_id, code), ended_at=None
    ).first()


# --- PINs -----------------------------------------------------------------------------------------------------------------------------


def set_pin(user: User, pin: str) -> None:
    """Their PIN from now on; a locked badge is open again. Raises BadPin."""
    pin = pin.strip()
    if not 4 <= len(pin) <= 6 or not (pin.isascii() and pin.isdecimal()) or _is_tried_first(pin):
        raise BadPin
    encoded = make_password(_peppered(pin))
    with transaction.atomic():
        sign_in = sign_in_of(user)
        sign_in.pin = encoded
        sign_in.save(update_fields=["pin"])
        audit.record(user.district_id, "pin.set", "person", user.sourced_id)
    _forget_wrong(user)


def random_pin() -> str:
    """One of four digits that is not tried first."""
    while _is_tried_first(pin := f"{secrets.randbelow(10_000):04}"):
        continue
    return pin


def _is_tried_first(pin: str) -> bool:
    return len(set(pin)) == 1 or pin in "0123456789" or pin in "9876543210"


def _peppered(pin: str) -> str:
    """So few digits are soon tried out by whoever has the database: not without the installation's secret."""
    key = str(settings.SECRET_KEY).encode()
    return hmac.new(key, f"rollbook.pin {pin}".encode(), sha256).hexdigest()


def prove(user: User, sign_in: LaunchSignIn, pin: str, now: datetime) -> None:
    """The right PIN of the badge's owner. A try is counted before it is looked at, so that many at once are no more tries than one after
    another.

    Raises NoPin, BadgeLocked, PinNotRight.
    """
    if not sign_in.pin:
        raise NoPin
    use, _ = LaunchUse.objects.get_or_create(district_id=user.district_id, user_id=user.id)
    mine = LaunchUse.objects.filter(pk=use.pk)
    if not mine.filter(locked_at=None, wrong__lt=TRIES).update(wrong=F("wrong") + 1):
        _lock(user, now)
        raise BadgeLocked
    if check_password(_peppered(pin.strip()), sign_in.pin):
        mine.update(wrong=0)
        return
    if _lock(user, now):
        raise BadgeLocked
    raise PinNotRight


def _lock(user: User, now: datetime) -> bool:
    """Locks the badge, once, where all tries were wrong; whether it did. The audit log is told beside the roster's file."""
    full = LaunchUse.objects.filter(
        district_id=user.district_id, user_id=user.id, wrong__gte=TRIES, locked_at=None
    )
    if not full.update(locked_at=now):
        return False
    tell(user.district_id, "badge.lock", user.sourced_id)
    return True


def unlock(user: User) -> bool:
    """A person lets a locked badge go; whether it was locked."""
    was = LaunchUse.objects.filter(district_id=user.district_id, user_id=user.id).exclude(locked_at=None)
    if not was.exists():
        return False
    audit.record(user.district_id, "badge.unlock", "person", user.sourced_id)
    _forget_wrong(user)
    return True


def _forget_wrong(user: User) -> None:
    LaunchUse.objects.filter(district_id=user.district_id, user_id=user.id).update(wrong=0, locked_at=None)
