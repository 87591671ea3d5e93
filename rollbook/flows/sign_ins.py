"""Signing in as the audit log tells it: who came in and out, who did not, when and from which address. Never a password.

It is noted beside the roster's file first, so that nobody who signs in waits for an import; a worker brings the notes into the chains.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from threading import Event

from django.db import close_old_connections
from django.db.models import QuerySet

from rollbook.engine.report import shape
from rollbook.flows import audit
from rollbook.flows.acting import CONSOLE
from rollbook.flows.break_glass import tell_due
from rollbook.flows.notes import write
from rollbook.flows.operators import places_of
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.store.models import Account, AuditNote
from rollbook.store.models.auditing import INSTALLATION

NOT_SIGNED_IN = "(not signed in)"
"""Who acts where nobody has shown who they are."""

EVERY = 2.0
AT_ONCE = 500
log = logging.getLogger(__name__)


def came_in(account: Account, address: str, by: Sequence[str] = ()) -> None:
    """`by` are the methods they proved themselves with (password, totp, webauthn, recovery_codes)."""
    _note("sign_in.succeed", account, address, is_proved=True, more={"by": list(by)} if by else {})


def failed_second_step(account: Account, address: str) -> None:
    """The right password, and a code that is not theirs."""
    _note("sign_in.fail_second_step", account, address)


def went_out(account: Account, address: str) -> None:
    _note("sign_in.end", account, address, is_proved=True)


def failed(tried: str, address: str) -> None:
    """A name and a password that do not belong together, or a name that nobody has."""
    _note("sign_in.fail", tried, address)


def refused(account: Account, address: str) -> None:
    """The right password of an account that was deactivated."""
    _note("sign_in.refuse", account, address, is_proved=True)


def throttled(tried: str, address: str) -> None:
    """Too many tries: for a while not even the right password opens."""
    _note("sign_in.throttle", tried, address)


def asked_for_password(tried: str, address: str) -> None:
    """A link to set another password was asked for; it is sent where there is such an account."""
    _note("sign_in.ask_password", tried, address)


def kept_out(organization_id: int, provider: str, code: str, reference: str, address: str) -> None:
    """Somebody whom another's sign-in service sent, and who did not come in: nothing is said of who they are."""
    AuditNote.objects.create(
        chains=[INSTALLATION],
        at=time.time_ns() // 1_000_000,
        actor=NOT_SIGNED_IN,
        door=CONSOLE,
        act="sign_in.keep_out",
        kind="organization",
        object=str(organization_id),
        about=provider,
        after=audit.canonical({"address": address, "outcome": code, "reference": reference}),
    )


def _note(
    act: str,
    who: Account | str,
    address: str,
    *,
    is_proved: bool = False,
    more: Mapping[str, object] | None = None,
) -> None:
    """Of an account, for every district it works in; of a name that nobody has, by its shape alone, for the installation: it may be
    anything, also somebody's password.
    """
    account = _account(who) if isinstance(who, str) else who
    name = (account.email or "") if account else audit.clean(shape(str(who)))[:200]
    actor = name if is_proved else NOT_SIGNED_IN
    chains = places_of(account) if account else [INSTALLATION]
    write(chains, actor, CONSOLE, act, account, name, {"address": address, **(more or {})})


def _account(tried: str) -> Account | None:
    return Account.objects.filter(email=audit.clean(tried).strip().lower()).first()


def waiting() -> QuerySet[AuditNote]:
    """What was noted and is in no chain yet, the oldest first."""
    return AuditNote.objects.order_by("pk")


def pour() -> int:
    """Bring into the chains what waits; how many notes. Killed between the two, a note is found to be there already, and goes."""
    notes = list(waiting()[:AT_ONCE])
    for note in notes:
        audit.pour(note)
        note.delete()
    return len(notes)


def keep_pouring(stop: Event) -> None:
    """Pours until `stop` is set, and tells of break-glass accounts that were used."""
    while not stop.is_set():
        close_old_connections()
        try:
            pour()
            tell_due()
        except OUT_OF_REACH:
            # The roster may be closed while an import is applied: what waits, waits a little longer.
            log.info("the database does not answer; sign-ins are written down a little later")
        except Exception:
            # What comes later has to be written down too.
            log.exception("writing down who signed in")
        close_old_connections()
        stop.wait(EVERY)
