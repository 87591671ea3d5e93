"""Waiting: what becomes of the held parts of a sync that nobody decides about. The organization's administrators are told once by e-mail,
reminded once, and after some days a hold is given up; a later sync that finds its cause anew asks anew. No letter names a person.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from rollbook.flows.notify import sync_holds_address, tell_administrators
from rollbook.flows.sync.holds import hazard_of
from rollbook.store.models import SyncHold, SyncRun

REMINDED_AFTER = timedelta(days=2)
GIVEN_UP_AFTER = timedelta(days=14)
EXPIRED = "expired"

MOST_REASONS = 20
"""So many are told in a letter."""

CARRIED_OUT = ("held", "partly", "incomplete", "drifted")
"""Outcomes of runs whose held parts wait for somebody who is not looking; what a preview would hold is on the screen of who asked for it."""


def look_after_sync_holds(now: datetime) -> int:
    """Give up what waited too long, tell of what is new, remind of the rest; how many runs there was a reason to write of."""
    waiting = SyncHold.objects.filter(decision="", run__outcome__in=CARRIED_OUT).select_related(
        "run__connection__organization"
    )
    runs: dict[int, list[SyncHold]] = {}
    for hold in waiting.order_by("run_id", "pk"):
        runs.setdefault(hold.run_id, []).append(hold)
    return sum(_looked_after(holds, now) for holds in runs.values())


def _looked_after(holds: Sequence[SyncHold], now: datetime) -> bool:
    run = holds[0].run
    old = [hold for hold in holds if now >= hold.created_at + GIVEN_UP_AFTER]
    if old:
        return _given_up(run, old, now)
    if any(hold.told_at is None for hold in holds):
        return _told(run, holds, now)
    late = [hold for hold in holds if hold.reminded_at is None and now >= hold.created_at + REMINDED_AFTER]
    return bool(late) and _reminded(run, late, now)


def _told(run: SyncRun, holds: Sequence[SyncHold], now: datetime) -> bool:
    """Whoever notes it writes the mail: several servers look at the same time."""
    with transaction.atomic():
        if (
            not _still_open(holds)
            .filter(told_at=None)
            .update(told_at=now, expires_at=F("created_at") + GIVEN_UP_AFTER)
        ):
            return False
        tell_administrators(
            run.organization,
            "A part of a sync waits for you",
            f"Sync {run.pk} of “{run.connection.name}” did not carry out a part of its plan, because it reached a limit:\n\n"
            f"{_reasons(holds)}\n\nEverything else was carried out. Look at who would be affected and decide; without a decision the part is"
            f" given up after {GIVEN_UP_AFTER.days} days, and the directory stays as it is:\n{sync_holds_address(run.connection)}\n",
        )
    return True


def _reminded(run: SyncRun, holds: Sequence[SyncHold], now: datetime) -> bool:
    with transaction.atomic():
        if not _still_open(holds).filter(reminded_at=None).update(reminded_at=now):
            return False
        until = min(hold.created_at for hold in holds) + GIVEN_UP_AFTER
        tell_administrators(
            run.organization,
            "A part of a sync still waits for you",
            f"Of “{run.connection.name}” this waits since {min(hold.created_at for hold in holds):%Y-%m-%d %H:%M} UTC:\n\n{_reasons(holds)}\n\n"
            f"If nobody decides until {until:%Y-%m-%d %H:%M} UTC, it is given up. Look and decide:\n{sync_holds_address(run.connection)}\n",
        )
    return True


def _given_up(run: SyncRun, holds: Sequence[SyncHold], now: datetime) -> bool:
    words = f"Nobody decided within {GIVEN_UP_AFTER.days} days."
    with transaction.atomic():
        if not _still_open(holds).update(decision=EXPIRED, decided_at=now, why=words):
            return False
        tell_administrators(
            run.organization,
            "A held part of a sync was given up",
            f"Of “{run.connection.name}” this was held, and {words[0].lower()}{words[1:]}\n\n{_reasons(holds)}\n\nThe directory stays as it is."
            f" If the next sync finds the same again, it asks again:\n{sync_holds_address(run.connection)}\n",
        )
    return True


def _still_open(holds: Iterable[SyncHold]) -> QuerySet[SyncHold]:
    """A person may decide just now."""
    return SyncHold.objects.filter(pk__in=[hold.pk for hold in holds], decision="")


def _reasons(holds: Sequence[SyncHold]) -> str:
    """What the limits say: numbers, and nobody's name."""
    told = [f"- {hazard_of(hold).words}" for hold in holds[:MOST_REASONS]]
    if more := len(holds) - MOST_REASONS:
        told += [f"- and {more:,} more."] if more > 0 else []
    return "\n".join(told)
