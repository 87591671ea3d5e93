"""Second steps: what proves who signs in beside a password. Authenticator apps, passkeys, recovery codes; who requires them; losing them.

The tables and the cryptography are allauth's. Everything here is written beside the roster's file, with its note for the audit log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, validate_totp_code
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.conf import settings
from django.core.cache import cache
from django.db import router, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from rollbook.flows import audit, open_sessions
from rollbook.flows.notes import note
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Administrator, Authenticator, District, Operator, Organization

APP, PASSKEY, CODES = (
    Authenticator.Type.TOTP.value,
    Authenticator.Type.WEBAUTHN.value,
    Authenticator.Type.RECOVERY_CODES.value,
)
STEPS = (APP, PASSKEY)
"""What counts as a second step. Recovery codes stand in for one that is lost, and are none by themselves."""

CODE_SECONDS = 90
"""For so long the code of an authenticator app could be used, and is therefore taken once."""

MOST_PASSKEYS = 10
INSTALLATION = ""
"""Who requires a second step where no district and no organization is named."""


class NoSuchStep(Refusal):
    """This account has no such sign-in method."""


class StepNeeded(Refusal):
    """Where you work a second step is required: add another before you remove this one."""


class EnoughPasskeys(Refusal):
    """An account has at most 10 passkeys: remove one that is not used any more."""


class NoStepYet(Refusal):
    """Recovery codes stand in for an authenticator app or a passkey: add one of these first."""


class NoSuchAccount(Refusal):
    """Nobody signs in here with this e-mail address."""


@dataclass(frozen=True)
class Step:
    """An authenticator app or a passkey as it is shown. `is_alone` says that it signs in without the password."""

    number: int
    kind: str
    name: str
    added_at: datetime
    used_at: datetime | None
    is_alone: bool = False


def account_of(email: str) -> Account:
    """Whoever signs in with this address. Raises NoSuchAccount."""
    account = Account.objects.filter(email=email.strip().lower()).first()
    if account is None:
        raise NoSuchAccount(email[:180])
    return account


# --- What an account has ------------------------------------------------------------------------------------------------------------


def steps_of(account: Account) -> list[Step]:
    """The authenticator app and the passkeys of this account, in the order they came."""
    found = Authenticator.objects.filter(user_id=account.pk, type__in=STEPS).order_by("pk")
    return [_step(one) for one in found]


def _step(one: Authenticator) -> Step:
    told: Any = one.wrap()
    is_passkey = one.type == PASSKEY
    return Step(
        number=one.pk,
        kind=one.type,
        name=told.name if is_passkey else "",
        added_at=one.created_at,
        used_at=one.last_used_at,
        is_alone=bool(is_passkey and told.is_passwordless),
    )


def has_step(account: Account) -> bool:
    return Authenticator.objects.filter(user_id=account.pk, type__in=STEPS).exists()


def codes_left(account: Account) -> int:
    """How many recovery codes are not used yet."""
    codes = Authenticator.objects.filter(user_id=account.pk, type=CODES).first()
    return len(RecoveryCodes(codes).get_unused_codes()) if codes else 0


def passkeys_work() -> bool:
    """Whether browsers let passkeys be used at this installation's address: one with a name and https, or localhost."""
    public = urlsplit(settings.PUBLIC_URL)
    host = public.hostname or ""
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return public.scheme == "https"
    return False


# --- Who requires one ---------------------------------------------------------------------------------------------------------------


def is_missing(account: Account, shown: Iterable[str] = ()) -> bool:
    """Whether this account may do nothing until it has a second step. `shown` as in `required_by`."""
    return required_by(account, shown) is not None and not has_step(account)


def required_by(account: Account, shown: Iterable[str] = ()) -> str | None:
    """The name of a district or organization that requires a second step of this account; empty: the installation; None: nobody does.

    Whoever has `shown` by a sign-in service of its own who they are (its key, such as district-1) asks for no second step.

    Who works in all districts, or for all organizations of a product, is bound by each of them. A break-glass account is bound by none:
    it is there for when nothing else opens, and its use raises the alarm.
    """
    if settings.REQUIRE_SECOND_STEP:
        return None if _posts(account).filter(is_break_glass=True).exists() else INSTALLATION
    # One statement for both sides: it is asked at each page.
    found = _districts(account, shown).union(_organizations(account, shown), all=True)
    first = found.order_by("side", "pk").first()
    return first[2] if first else None


def _districts(account: Account, shown: Iterable[str]) -> QuerySet[Any, Any]:
    """(side, pk, name) of those that require one of this account."""
    posts = _posts(account).filter(Q(district=OuterRef("pk")) | Q(role=Operator.OperatorRole.INSTALLATION))
    found = District.objects.filter(Exists(posts), requires_second_step=True)
    return _told(found.exclude(pk__in=_numbers(shown, "district")), account, 0)


def _organizations(account: Account, shown: Iterable[str]) -> QuerySet[Any, Any]:
    """The same of organizations: who supports a product is bound by each of its organizations."""
    posts = Administrator.objects.filter(account=account, left_at=None)
    here = Q(organization=OuterRef("pk")) | Q(organization=None, product=OuterRef("product"))
    found = Organization.objects.filter(Exists(posts.filter(here)), requires_second_step=True)
    return _told(found.exclude(pk__in=_numbers(shown, "organization")), account, 1)


def _told(found: QuerySet[Any, Any], account: Account, side: int) -> QuerySet[Any, Any]:
    bound = found.filter(~Exists(_posts(account).filter(is_break_glass=True)))
    return bound.annotate(side=Value(side)).order_by().values_list("side", "pk", "name")


def _posts(account: Account) -> QuerySet[Operator]:
    return Operator.objects.filter(account=account)


def _numbers(keys: Iterable[str], kind: str) -> list[int]:
    return [int(number) for called, _, number in (key.partition("-") for key in keys) if called == kind]


def require_in_district(district: District, is_required: bool) -> None:
    """From now on who works in the district needs a second step, or does not."""
    with transaction.atomic():
        before, district.requires_second_step = district.requires_second_step, is_required
        district.save(update_fields=["requires_second_step"])
        audit.record(
            district.pk, "second_step.require", "district", district.pk, district.name,
            before={"required": before}, after={"required": is_required},
        )  # fmt: skip


def require_in_organization(organization: Organization, is_required: bool) -> None:
    """From now on who administers the organization needs a second step, or does not."""
    with transaction.atomic():
        before, organization.requires_second_step = organization.requires_second_step, is_required
        organization.save(update_fields=["requires_second_step"])
        audit.record(
            None, "second_step.require", "organization", organization.pk, organization.name,
            before={"required": before}, after={"required": is_required},
        )  # fmt: skip


# --- Adding and removing ------------------------------------------------------------------------------------------------------------


def add_app(account: Account, secret: str, address: str) -> bool:
    """The authenticator app that shows codes of this secret is a second step from now on; whether recovery codes were made with it."""
    with transaction.atomic(using=_home()):
        # One an account: another app takes the place of the former.
        Authenticator.objects.filter(user_id=account.pk, type=APP).delete()
        TOTP.activate(account, secret)
        note(account, "second_step.add", {"method": APP, "address": address})
        return _give_codes(account, address)


def add_passkey(account: Account, name: str, credential: dict[str, Any], address: str) -> bool:
    """The passkey signs in from now on; whether recovery codes were made with it. Raises EnoughPasskeys."""
    with transaction.atomic(using=_home()):
        if Authenticator.objects.filter(user_id=account.pk, type=PASSKEY).count() >= MOST_PASSKEYS:
            raise EnoughPasskeys
        WebAuthn.add(account, audit.clean(name)[:100], credential)
        note(account, "second_step.add", {"method": PASSKEY, "name": name[:100], "address": address})
        return _give_codes(account, address)


def remove_step(account: Account, number: int, address: str) -> None:
    """It opens nothing any more; with the last one the recovery codes go too. Raises NoSuchStep, StepNeeded."""
    with transaction.atomic(using=_home()):
        all_steps = Authenticator.objects.filter(user_id=account.pk, type__in=STEPS)
        step = all_steps.filter(pk=number).first()
        if step is None:
            raise NoSuchStep(str(number))
        is_last = not all_steps.exclude(pk=number).exists()
        if is_last and required_by(account) is not None:
            raise StepNeeded
        note(account, "second_step.remove", {"method": step.type, "address": address})
        step.delete()
        if is_last:
            Authenticator.objects.filter(user_id=account.pk).delete()


def make_codes(account: Account, address: str) -> None:
    """New recovery codes; the former ones open nothing any more. Raises NoStepYet."""
    with transaction.atomic(using=_home()):
        if not has_step(account):
            raise NoStepYet
        Authenticator.objects.filter(user_id=account.pk, type=CODES).delete()
        _give_codes(account, address)


def _give_codes(account: Account, address: str) -> bool:
    if Authenticator.objects.filter(user_id=account.pk, type=CODES).exists():
        return False
    RecoveryCodes.activate(account)
    note(account, "second_step.make_codes", {"address": address})
    return True


def reset(account: Account) -> int:
    """For who has lost everything: no second step, no recovery codes, no open session is left; how many second steps it had."""
    with transaction.atomic(using=_home()):
        found = Authenticator.objects.filter(user_id=account.pk)
        had = found.filter(type__in=STEPS).count()
        found.delete()
        note(account, "second_step.reset", {"had": had})
        open_sessions.end_all(account)
    return had


# --- Signing in ---------------------------------------------------------------------------------------------------------------------


def judge_code(account: Account, code: str) -> Authenticator | None:
    """What this code belongs to: the authenticator app, or the recovery codes, of which it is then used up. None: it is wrong."""
    found = {one.type: one for one in Authenticator.objects.filter(user_id=account.pk, type__in=(APP, CODES))}
    app = found.get(APP)
    if app is not None and _is_of_app(app, code):
        return app
    if CODES in found and _use_up(found[CODES].pk, code):
        return found[CODES]
    return None


def _is_of_app(app: Authenticator, code: str) -> bool:
    if not validate_totp_code(decrypt(app.data["secret"]), code):
        return False
    # Whoever looked over a shoulder cannot use it a second time.
    digits = "".join(filter(str.isdecimal, code))
    return bool(cache.add(f"second-step:{app.user_id}:{digits}", True, CODE_SECONDS))


def _use_up(number: int, code: str) -> bool:
    """allauth does this in a transaction of the roster's file, and so would wait for an import."""
    with transaction.atomic(using=_home()):
        kept = Authenticator.objects.select_for_update().get(pk=number)
        codes = RecoveryCodes(kept)
        unused = set(codes.get_unused_codes())
        for place, known in enumerate(codes.generate_codes()):
            if known in unused and compare_user_code(actual=code, expected=known):
                kept.data["used_mask"] |= 1 << place
                kept.save(update_fields=["data"])
                return True
    return False


def _home() -> str:
    return router.db_for_write(Authenticator)
