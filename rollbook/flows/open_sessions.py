"""Open sessions: where somebody is signed in, with which browser, when they used it last; and the end of one, of all others, of all.

A session lives in Django's table. What is said of it beside that is kept here, and means nothing once the session is gone.
"""

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import router, transaction
from django.utils import timezone

from rollbook.flows.audit import clean
from rollbook.flows.notes import note
from rollbook.refusal import Refusal
from rollbook.store.models import Account, OpenSession


class NoSuchSession(Refusal):
    """This session has ended already."""


def begin(account: Account, key: str, address: str, agent: str, now: datetime) -> None:
    """Somebody has signed in. What is still said of their sessions that have ended goes."""
    with transaction.atomic(using=_home()):
        _forget_ended(account)
        _keep(account, key, address, agent, now, signed_in_at=now)


def use(
    account: Account, key: str, address: str, agent: str, now: datetime, signed_in_at: datetime | None
) -> None:
    """The session was used. One that got another key since (a new password gives it one) is known again by `signed_in_at`."""
    known = OpenSession.objects.filter(key=key, account_id=account.pk)
    told = {"last_used_at": now, "address": address[:64], "agent": clean(agent)[:300]}
    if not known.update(**told) and Session.objects.filter(session_key=key).exists():
        _keep(account, key, address, agent, now, signed_in_at or now)


def _keep(
    account: Account, key: str, address: str, agent: str, now: datetime, signed_in_at: datetime
) -> None:
    OpenSession.objects.update_or_create(
        key=key,
        defaults={
            "account_id": account.pk, "address": address[:64], "agent": clean(agent)[:300],
            "signed_in_at": signed_in_at, "last_used_at": now,
        },
    )  # fmt: skip


def sessions_of(account: Account) -> list[OpenSession]:
    """Where this account is signed in now, the one used last first."""
    found = list(OpenSession.objects.filter(account_id=account.pk).order_by("-last_used_at", "-pk"))
    live = _live([one.key for one in found])
    return [one for one in found if one.key in live]


def end(account: Account, number: int, address: str) -> None:
    """Whoever has this session is asked to sign in again with their next click. Raises NoSuchSession."""
    with transaction.atomic(using=_home()):
        found = OpenSession.objects.filter(account_id=account.pk, pk=number).first()
        if found is None or not _end([found]):
            raise NoSuchSession(str(number))
        note(account, "session.end", {"address": address, "of": found.address})


def end_others(account: Account, key: str, address: str) -> int:
    """All sessions but the one with this key end; how many."""
    with transaction.atomic(using=_home()):
        ended = _end(list(OpenSession.objects.filter(account_id=account.pk).exclude(key=key)))
        if ended:
            note(account, "session.end_others", {"address": address, "number": ended})
    return ended


def end_all(account: Account) -> int:
    """Every session of this account ends; how many."""
    with transaction.atomic(using=_home()):
        ended = _end(list(OpenSession.objects.filter(account_id=account.pk)))
        if ended:
            note(account, "session.end_all", {"number": ended})
    return ended


def _end(sessions: list[OpenSession]) -> int:
    ended, _ = Session.objects.filter(session_key__in=[one.key for one in sessions]).delete()
    OpenSession.objects.filter(pk__in=[one.pk for one in sessions]).delete()
    return ended


def _forget_ended(account: Account) -> None:
    found = dict(OpenSession.objects.filter(account_id=account.pk).values_list("key", "pk"))
    live = _live(list(found))
    OpenSession.objects.filter(pk__in=[number for key, number in found.items() if key not in live]).delete()


def _live(keys: list[str]) -> set[str]:
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(found.values_list("session_key", flat=True))


def _home() -> str:
    return router.db_for_write(OpenSession)
