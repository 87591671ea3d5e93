"""Noting for the audit log what somebody did with their own sign-in, beside the roster's file: nobody who signs in waits for an import.

A note is written in the transaction of what it tells of; a worker brings it into the chains (`flows.sign_ins`).
"""

import time
from collections.abc import Mapping
from typing import Any

from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.operators import places_of
from rollbook.store.models import Account, AuditNote


def note(account: Account, act: str, after: Mapping[str, Any] | None = None) -> None:
    """`act` was done to this account, by who acts now. It is told in the logs of all districts the account works in."""
    who = actor()
    write(places_of(account), who.name, who.door, act, account, account.email or "", after)


def write(
    chains: list[int],
    actor_name: str,
    door: str,
    act: str,
    account: Account | None,
    about: str,
    after: Mapping[str, Any] | None,
) -> None:
    """The note itself."""
    AuditNote.objects.create(
        chains=chains,
        at=time.time_ns() // 1_000_000,
        actor=actor_name,
        door=door,
        act=act,
        kind="account",
        object=str(account.pk) if account else "",
        about=about,
        after=audit.canonical(after),
    )
