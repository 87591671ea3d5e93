"""Coming in at the launch pad: by a password, by a badge and a PIN, by a one-time link. Who is not active in the roster never does.

What is refused says the same of a wrong password and of a name that nobody has.
"""

from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from rollbook.engine.launching import BADGE, PASSWORD
from rollbook.flows.launching import badges, passwords
from rollbook.flows.launching.people import sign_in_of
from rollbook.flows.launching.standing import ACTIVE, rostered, ways_for
from rollbook.flows.launching.telling import tell
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Badge, District, LaunchPad, LaunchSignIn, LaunchUse, User

TRIES, AGAIN_AFTER = 5, timedelta(minutes=5)
"""Wrong passwords for one name, and for how long not even the right one opens then."""

CODES, CODES_IN = 300, timedelta(minutes=1)
"""Codes of badges and links that are none, from one address: a whole school stands behind one."""


class NotTogether(Refusal):
    """This name and this password do not belong together. Try again, or ask your school."""


class TooManyTries(Refusal):
    """Too many tries. Wait five minutes, then try again."""


class NotThisWay(Refusal):
    """You come in another way at your school. Ask your teacher."""


class NotInTheRoster(Refusal):
    """Your school does not let you in any more. Ask the office of your school."""


class NoSuchBadge(Refusal):
    """This badge is not in use any more. Ask your teacher for another one."""


class LinkOver(Refusal):
    """This link was used, or is too old. Ask your school for another one."""


def by_password(pad: LaunchPad, username: str, password: str, now: datetime) -> LaunchSignIn:
    """Whose name and password these are. Raises NotTogether, TooManyTries, NotThisWay."""
    counter = _counter(pad, "password", fold(username.strip()))
    if not _counts(counter, TRIES, AGAIN_AFTER):
        tell(pad.district_id, "launch_pad.throttle", "")
        raise TooManyTries
    user = _named(pad.district, username)
    sign_in = sign_in_of_known(user)
    account = sign_in.account if sign_in else Account(password="!")
    if not account.has_usable_password():
        Account().set_password(password[: passwords.LONGEST])  # as long as looking at a real one
        raise NotTogether
    if user is None or sign_in is None or not account.check_password(password):
        raise NotTogether
    _let(pad, user, PASSWORD)
    cache.delete(counter)
    return _came(sign_in, PASSWORD, now)


def _named(district: District, username: str) -> User | None:
    """The only active person of this username, or else of this e-mail address."""
    typed = fold(username.strip())
    if not typed or "\0" in typed:
        return None
    active = User.objects.filter(district=district, status=ACTIVE)
    for column in ("username_folded", "email_folded"):
        found = list(active.filter(**{column: typed})[:2])
        if found:
            return found[0] if len(found) == 1 else None
    return None


def sign_in_of_known(user: User | None) -> LaunchSignIn | None:
    if user is None:
        return None
    found = LaunchSignIn.objects.filter(district_id=user.district_id, user_id=user.id)
    return found.select_related("account").first()


def show_badge(pad: LaunchPad, code: str, address: str) -> Badge:
    """The badge whose code this is; its owner is asked for their PIN next. Raises NoSuchBadge, TooManyTries, NotThisWay, NotInTheRoster."""
    counter = _counter(pad, "code", address)
    if cache.get(counter, 0) >= CODES:
        raise TooManyTries
    badge = badges.badge_of(pad.district_id, code)
    if badge is None:
        _counts(counter, CODES, CODES_IN)
        raise NoSuchBadge
    owner_of(pad, badge.pk)
    return badge


def owner_of(pad: LaunchPad, badge_id: int) -> User:
    """Whose badge it is. Raises NoSuchBadge, NotInTheRoster, NotThisWay."""
    badge = Badge.objects.filter(pk=badge_id, district=pad.district, ended_at=None).first()
    if badge is None:
        raise NoSuchBadge
    user = rostered(pad.district_id, badge.user_id)
    if user is None:
        raise NotInTheRoster
    _let(pad, user, BADGE)
    return user


def by_pin(pad: LaunchPad, badge_id: int, pin: str, now: datetime) -> LaunchSignIn:
    """The badge's owner, who has typed their PIN. Raises what `owner_of` does, and NoPin, BadgeLocked, PinNotRight."""
    user = owner_of(pad, badge_id)
    sign_in = sign_in_of(user)
    badges.prove(user, sign_in, pin, now)
    return _came(sign_in, BADGE, now)


def by_link(pad: LaunchPad, secret: str, now: datetime, address: str) -> tuple[LaunchSignIn, User]:
    """Whose one-time link it is: they choose a password, and are in. Raises LinkOver, TooManyTries, NotThisWay, NotInTheRoster."""
    counter = _counter(pad, "code", address)
    if cache.get(counter, 0) >= CODES:
        raise TooManyTries
    sign_in = passwords.by_link(pad.district_id, secret, now)
    if sign_in is None:
        _counts(counter, CODES, CODES_IN)
        raise LinkOver
    user = rostered(pad.district_id, sign_in.user_id)
    if user is None:
        raise NotInTheRoster
    _let(pad, user, PASSWORD)
    return sign_in, user


def choose_password(pad: LaunchPad, sign_in: LaunchSignIn, password: str, now: datetime) -> LaunchSignIn:
    """Who came by a link, or by a password that somebody else gave, chooses their own, and is in. Raises NotInTheRoster, PasswordTooShort,
    PasswordTooCommon.
    """
    user = rostered(pad.district_id, sign_in.user_id)
    if user is None:
        raise NotInTheRoster
    return _came(passwords.change_password(sign_in, user, password, now), PASSWORD, now)


def _let(pad: LaunchPad, user: User, way: str) -> None:
    if not user.enabled_user or user.status != ACTIVE:
        raise NotInTheRoster
    if way not in ways_for(pad, user):
        raise NotThisWay


def _came(sign_in: LaunchSignIn, way: str, now: datetime) -> LaunchSignIn:
    note_coming(sign_in, way, now)
    return sign_in


def note_coming(sign_in: LaunchSignIn, way: str, now: datetime) -> None:
    """Keeps when they last came, and how."""
    LaunchUse.objects.update_or_create(
        district_id=sign_in.district_id, user_id=sign_in.user_id, defaults={"in_at": now, "in_by": way}
    )


def _counter(pad: LaunchPad, kind: str, said: str) -> str:
    """The name of a throttle; what was typed stands in it as a keyed hash alone."""
    mark = salted_hmac("rollbook.launch", f"{pad.district_id} {said}", algorithm="sha256").hexdigest()[:32]
    return f"launch:{kind}:{mark}"


def _counts(counter: str, most: int, within: timedelta) -> bool:
    """Whether this is one of the tries that are given; it is counted before it is looked at."""
    cache.add(counter, 0, within.total_seconds())
    try:
        return cache.incr(counter) <= most
    except ValueError:
        return True  # it has just run out
