"""Notices: clients that want to hear that somebody's sign-in is over are told by the worker, again and again until they have heard.

Source: OpenID Connect Back-Channel Logout 1.0 §2.4. Several processes may look at once: whoever counts the try is the one who tells.
"""

import logging
import secrets
from datetime import datetime, timedelta
from threading import Event

from django.db import close_old_connections
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.connectors.openid_connect.logout import tell
from rollbook.flows.broker import keys, visits
from rollbook.flows.broker.addresses import issuer
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.store.models import LogoutNotice, SignInClient

EVERY = 2.0
LOOK_EVERY = timedelta(seconds=20)
FORGET_EVERY = timedelta(hours=1)
HOLDS = timedelta(minutes=2)
WAITS = tuple(timedelta(seconds=one) for one in (5, 15, 60, 300, 1800))
PATIENCE = timedelta(days=1)
KEPT_FOR = timedelta(days=7)
TAKEN_FOR = timedelta(seconds=60)
AT_ONCE = 50
EVENT = "http://schemas.openid.net/event/backchannel-logout"
log = logging.getLogger(__name__)


def tell_due(now: datetime | None = None) -> int:
    """Tells what is due; how many clients heard."""
    heard = 0
    for notice in list(_due(now or timezone.now())[:AT_ONCE]):
        moment = now or timezone.now()
        if not _taken(notice, moment):
            continue
        fault = _told(notice, moment)
        if fault:
            _put_back(notice, fault, moment)
        else:
            notice.delete()
            heard += 1
    return heard


def waiting() -> QuerySet[LogoutNotice]:
    """What no client has heard yet, the oldest first."""
    return LogoutNotice.objects.select_related("visit").order_by("pk")


def logout_token(notice: LogoutNotice, client: SignInClient, now: datetime) -> str:
    """What a client is told. It has no nonce, so that nobody takes it for an ID token."""
    begun = int(now.timestamp())
    claims = {
        "iss": issuer(), "aud": client.client_id, "iat": begun, "exp": begun + int(HOLDS.total_seconds()), "jti": secrets.token_urlsafe(16),
        "sub": notice.visit.subject, "sid": str(notice.visit_id), "events": {EVENT: {}},
    }  # fmt: skip
    return keys.signed(claims, now, "logout+jwt")


def _due(now: datetime) -> QuerySet[LogoutNotice]:
    return waiting().filter(given_up_at=None, next_at__lte=now)


def _taken(notice: LogoutNotice, now: datetime) -> bool:
    still = LogoutNotice.objects.filter(pk=notice.pk, tries=notice.tries, given_up_at=None)
    notice.tries += 1
    return bool(still.update(tries=notice.tries, next_at=now + TAKEN_FOR))


def _told(notice: LogoutNotice, now: datetime) -> str:
    client = SignInClient.objects.filter(pk=notice.visit.client_id).exclude(logout_uri="").first()
    return tell(client.logout_uri, logout_token(notice, client, now)) if client else ""


def _put_back(notice: LogoutNotice, fault: str, now: datetime) -> None:
    wait = WAITS[min(notice.tries, len(WAITS)) - 1]
    given_up = now if now - notice.made_at > PATIENCE else None
    log.warning("sign-in client %s was not told of an end: %s", notice.visit.client_id, fault)
    mine = LogoutNotice.objects.filter(pk=notice.pk, tries=notice.tries)
    mine.update(fault=fault[:100], next_at=now + wait, given_up_at=given_up)


def look(now: datetime) -> None:
    """One look of a worker."""
    visits.end_what_is_over(now)
    tell_due()


def forget_old(now: datetime) -> None:
    """What is of no use to anybody any more."""
    visits.forget_old(now)
    keys.forget_old(now)
    LogoutNotice.objects.filter(given_up_at__lt=now - KEPT_FOR).delete()


def keep_telling(stop: Event) -> None:
    """Ends what is over and tells of it until `stop` is set."""
    looked = forgot = timezone.now() - FORGET_EVERY
    while not stop.is_set():
        close_old_connections()
        now = timezone.now()
        try:
            tell_due()
            if now - looked >= LOOK_EVERY:
                looked = now
                look(now)
            if now - forgot >= FORGET_EVERY:
                forgot = now
                forget_old(now)
        except OUT_OF_REACH:
            # The roster may be closed while an import is applied: who is out is told a little later.
            log.info("the database does not answer; ends of sign-ins are told a little later")
        except Exception:
            # What ends later has to be told too.
            log.exception("telling of ends of sign-ins")
        close_old_connections()
        stop.wait(EVERY)
