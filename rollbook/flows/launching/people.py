"""The people of a district as its launch pad knows them: found, listed by class or name, with what they have to come in by.

`schools` are the record ids of the schools that whoever looks is bound to; None is the whole district.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from rollbook.flows.launching.standing import ACTIVE, STUDENT
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.models import (
    Account,
    Badge,
    Class,
    District,
    Enrollment,
    LaunchSignIn,
    LaunchUse,
    Role,
    User,
)

SHOWN = 50
Schools = frozenset[int] | None


class NobodyOfThisId(Refusal):
    """The roster has nobody with this sourcedId who is active, or not in your schools."""


class NoSuchClass(Refusal):
    """The roster has no active class with this sourcedId, or not in your schools."""


@dataclass(frozen=True)
class Standing:
    """What somebody has to come in by. `locked_at` is since when their badge is locked by wrong PINs."""

    user: User
    has_password: bool = False
    must_change: bool = False
    has_pin: bool = False
    badge_at: datetime | None = None
    locked_at: datetime | None = None
    in_at: datetime | None = None
    in_by: str = ""

    @property
    def name(self) -> str:
        return name_of(self.user)


def name_of(user: User) -> str:
    return f"{user.preferred_given_name or user.given_name} {user.preferred_family_name or user.family_name}"


def find_person(district: District, sourced_id: str, schools: Schools = None) -> User:
    """Raises NobodyOfThisId."""
    found = _people(district, schools).filter(sourced_id=sourced_id).first()
    if found is None:
        raise NobodyOfThisId(sourced_id[:100])
    return found


def search(district: District, text: str, schools: Schools = None) -> list[User]:
    """Active people whose name begins so, or whose username, identifier, e-mail address or sourcedId it is; the first 50."""
    text = text.strip()
    if not text or "\0" in text:
        return []
    known = fold(text)
    exact = Q(sourced_id=text) | Q(identifier=text) | Q(username_folded=known) | Q(email_folded=known)
    named = Q(family_name_folded__startswith=known) | Q(given_name_folded__startswith=known)
    found = _people(district, schools).filter(exact | named)
    return list(found.order_by("family_name_folded", "given_name_folded", "id")[:SHOWN])


def _people(district: District, schools: Schools) -> QuerySet[User]:
    people = User.objects.filter(district=district, status=ACTIVE)
    if schools is None:
        return people
    roles = Role.objects.filter(district=district, status=ACTIVE, org_id__in=schools)
    enrolled = Enrollment.objects.filter(district=district, status=ACTIVE, school_id__in=schools)
    return people.filter(Q(id__in=roles.values("user_id")) | Q(id__in=enrolled.values("user_id")))


def classes(
    district: District, school: int | None, schools: Schools = None, after: tuple[str, int] = ("", 0)
) -> list[Class]:
    """The active classes of a school, or of all, by title; a page of 50 that follow `after`, the (folded title, id) of the one before."""
    found = Class.objects.filter(district=district, status=ACTIVE)
    if school is not None:
        found = found.filter(school_id=school)
    if schools is not None:
        found = found.filter(school_id__in=schools)
    title, number = after
    later = Q(title_folded__gt=title) | Q(title_folded=title, id__gt=number)
    return list(found.filter(later).order_by("title_folded", "id")[:SHOWN])


def find_class(district: District, sourced_id: str, schools: Schools = None) -> Class:
    """Raises NoSuchClass."""
    found = Class.objects.filter(district=district, status=ACTIVE, sourced_id=sourced_id)
    if schools is not None:
        found = found.filter(school_id__in=schools)
    one = found.first()
    if one is None:
        raise NoSuchClass(sourced_id[:100])
    return one


def pupils_of(taught: Class) -> list[User]:
    """Its active students, by name."""
    enrolled = Enrollment.objects.filter(
        district_id=taught.district_id, class_id=taught.id, status=ACTIVE, role=STUDENT
    )
    found = User.objects.filter(
        district_id=taught.district_id, status=ACTIVE, id__in=enrolled.values("user_id")
    )
    return list(found.order_by("family_name_folded", "given_name_folded", "id"))


def standings(district: District, users: Sequence[User]) -> list[Standing]:
    """The same people with what they have; a query a table."""
    numbers = [one.id for one in users]
    signs = {
        one.user_id: one
        for one in LaunchSignIn.objects.filter(district=district, user_id__in=numbers).select_related("account")
    }  # fmt: skip
    badges = dict(_badges(district, numbers).values_list("user_id", "made_at"))
    uses = {
        one.user_id: one for one in LaunchUse.objects.filter(district_id=district.pk, user_id__in=numbers)
    }
    return [_standing(one, signs.get(one.id), badges.get(one.id), uses.get(one.id)) for one in users]


def _badges(district: District, numbers: Iterable[int]) -> QuerySet[Badge]:
    return Badge.objects.filter(district=district, user_id__in=numbers, ended_at=None)


def _standing(
    user: User, sign_in: LaunchSignIn | None, badge_at: datetime | None, use: LaunchUse | None
) -> Standing:
    return Standing(
        user,
        has_password=sign_in is not None and sign_in.account.has_usable_password(),
        must_change=sign_in is not None and sign_in.must_change,
        has_pin=sign_in is not None and bool(sign_in.pin),
        badge_at=badge_at,
        locked_at=use.locked_at if use else None,
        in_at=use.in_at if use else None,
        in_by=use.in_by if use else "",
    )


def locked(district: District, schools: Schools = None) -> list[User]:
    """Whose badge is locked, by name; the first 50."""
    numbers = LaunchUse.objects.filter(district_id=district.pk).exclude(locked_at=None)
    found = _people(district, schools).filter(id__in=list(numbers.values_list("user_id", flat=True)[:1000]))
    return list(found.order_by("family_name_folded", "given_name_folded", "id")[:SHOWN])


def sign_in_of(user: User) -> LaunchSignIn:
    """Their sign-in at the launch pad, made when it is first needed: an account without an address, which opens nothing else."""
    found = LaunchSignIn.objects.filter(district_id=user.district_id, user_id=user.id)
    one = found.select_related("account").first()
    if one is not None:
        return one
    account = Account(email=None)
    account.set_unusable_password()
    account.save()
    made, is_new = LaunchSignIn.objects.get_or_create(
        district_id=user.district_id, user_id=user.id, defaults={"account": account}
    )
    if not is_new:
        account.delete()
    return found.select_related("account").get(pk=made.pk)
