"""Post: the e-mails that `notify` wrote leave, once their transaction is through. One that no mail server takes is tried again, ever later.

Several processes may look at the same time: whoever counts the try is the one who sends. A process that dies between sending and
noting it sends twice, under one Message-ID, so that a mailbox can tell.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPException
from threading import Event, Thread

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import close_old_connections, connections
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.flows.progress import OUT_OF_REACH
from rollbook.store.models import District, Letter

EVERY = 2.0
"""Seconds between two looks of a worker."""

TAKEN_FOR = timedelta(seconds=90)
"""For so long nobody else tries a letter that a process is just sending: longer than a mail server is waited for."""

WAITS = tuple(timedelta(seconds=one) for one in (5, 30, 120, 600, 3600))
"""After the first failure, the second, and so on; the last holds for all that follow."""

PATIENCE = timedelta(days=3)
KEPT_FOR = timedelta(days=14)
"""How long one that was given up is told of."""

AT_ONCE = 50
log = logging.getLogger(__name__)


def send_due(now: datetime | None = None) -> int:
    """Send what is due; how many left. A mail server that cannot be reached is left in peace until the next look."""
    sent = 0
    for letter in list(_waiting(now or timezone.now())[:AT_ONCE]):
        if not _taken(letter, now or timezone.now()):
            continue
        fault = _sent(letter)
        if fault:
            _put_back(letter, fault, now or timezone.now())
            break
        letter.delete()
        sent += 1
    return sent


def send_again(district: District | None = None) -> int:
    """Have everything tried now that waits or was given up; how many left."""
    letters = Letter.objects.filter(district=district) if district else Letter.objects.all()
    letters.update(next_at=timezone.now(), given_up_at=None)
    return send_due()


def unsent(district: District | None = None) -> QuerySet[Letter]:
    """What has been tried and could not leave, the oldest first."""
    letters = Letter.objects.exclude(fault="").order_by("pk")
    return letters.filter(district=district) if district else letters


def forget_given_up(now: datetime) -> None:
    """What was given up long ago is told of no more."""
    Letter.objects.filter(given_up_at__lt=now - KEPT_FOR).delete()


@contextmanager
def posting(every: float = EVERY) -> Iterator[None]:
    """Letters leave while the block runs, from a thread of their own: a mail server that is slow keeps nobody waiting."""
    stop = Event()
    thread = Thread(target=_keep_posting, args=(stop, every), name="post", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(every)


def _keep_posting(stop: Event, every: float) -> None:
    while not stop.is_set():
        close_old_connections()
        try:
            send_due()
        except OUT_OF_REACH:
            # The roster may be closed while an import is applied: letters are rows, and wait there.
            log.info("the database does not answer; letters leave a little later")
        except Exception:
            # Whatever one look met, letters that come later have to leave.
            log.exception("sending letters")
        stop.wait(every)
    connections.close_all()


def _waiting(now: datetime) -> QuerySet[Letter]:
    due = Letter.objects.filter(given_up_at__isnull=True, next_at__lte=now)
    return due.order_by("next_at", "pk")


def _taken(letter: Letter, now: datetime) -> bool:
    """Whether it is ours to send."""
    still = Letter.objects.filter(pk=letter.pk, tries=letter.tries, given_up_at__isnull=True)
    letter.tries += 1
    return bool(still.update(tries=letter.tries, next_at=now + TAKEN_FOR))


def _sent(letter: Letter) -> str:
    """Empty where a mail server took it, else the kind of fault."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    name = f"<rollbook-{letter.pk}-{int(letter.written_at.timestamp())}@{domain}>"
    message = EmailMessage(
        letter.subject, letter.words, to=[letter.address], headers={"Message-ID": name}, connection=get_connection()
    )  # fmt: skip
    try:
        message.send()
    except (OSError, SMTPException) as fault:
        log.error("no e-mail could be sent about %s: %s", _place(letter), type(fault).__name__)
        return type(fault).__name__
    return ""


def _put_back(letter: Letter, fault: str, now: datetime) -> None:
    wait = WAITS[min(letter.tries, len(WAITS)) - 1]
    given_up = now if now - letter.written_at > PATIENCE else None
    if given_up:
        log.error("an e-mail about %s is given up", _place(letter))
    Letter.objects.filter(pk=letter.pk, tries=letter.tries).update(
        fault=fault[:100], next_at=now + wait, given_up_at=given_up
    )


def _place(letter: Letter) -> str:
    """What a letter is about, by number."""
    return (
        f"district {letter.district_id}" if letter.district_id else f"organization {letter.organization_id}"
    )
