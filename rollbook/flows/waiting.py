"""Waiting: what becomes of a held plan that nobody decides about. Its operators are reminded once a day, and after some days it is given up."""

from datetime import datetime, timedelta

from django.db import transaction

from rollbook.flows.keeping import keeping_of
from rollbook.flows.notify import import_address, tell_operators
from rollbook.store.models import District, Hold, Run

DAY = timedelta(days=1)


def look_after_holds(district_id: int, now: datetime) -> int:
    """Give up what waited too long, remind of the rest; how many e-mails had a reason."""
    # One whose decision a worker is about to carry out has a run that is under way again.
    waiting = Hold.objects.filter(district_id=district_id, decision="", run__outcome="held").select_related(
        "run"
    )
    holds = list(waiting.order_by("run_id"))
    if not holds:
        return 0
    district = District.objects.get(pk=district_id)
    patience = timedelta(days=keeping_of(district).hold_days)
    told = 0
    for hold in holds:
        if now >= hold.created_at + patience:
            told += _given_up(hold, district, now, patience)
        elif now >= (hold.reminded_at or hold.created_at) + DAY:
            told += _reminded(hold, district, now, hold.created_at + patience)
    return told


def _given_up(hold: Hold, district: District, now: datetime, patience: timedelta) -> bool:
    """Whoever notes the decision writes the mail: several hosts look at the same time, and a person may decide just now."""
    run, words = hold.run, f"Nobody decided within {patience.days} days."
    with transaction.atomic():
        kept = {"decision": Hold.Decision.EXPIRED, "decided_at": now, "why": words}
        ended = {"outcome": "expired", "message": f"Rejected as expired. {words}", "ended_at": now}
        if not Hold.objects.filter(pk=hold.pk, decision="").update(**kept):
            return False
        if not Run.objects.filter(pk=run.pk, outcome="held").update(**ended):
            transaction.set_rollback(True)
            return False
        tell_operators(
            district,
            "A held import was given up",
            f"Import {run.pk} was held, and {words[0].lower()}{words[1:]} It is rejected as expired.\n\n"
            f"Apps go on reading the roster as it was. The next delivery is judged anew. Look here:\n{import_address(run)}\n",
        )
    return True


def _reminded(hold: Hold, district: District, now: datetime, until: datetime) -> bool:
    unchanged = Hold.objects.filter(pk=hold.pk, decision="", reminded_at=hold.reminded_at)
    with transaction.atomic():
        if not unchanged.update(reminded_at=now):
            return False
        tell_operators(
            district,
            "An import is still held",
            f"Import {hold.run_id} waits since {hold.created_at:%Y-%m-%d %H:%M} UTC, and nothing of it was applied:\n\n"
            f"- {hold.run.message}\n\nIf nobody decides until {until:%Y-%m-%d %H:%M} UTC, it is rejected as expired, and apps go on"
            f" reading the roster as it is. Look at the plan and decide:\n{import_address(hold.run)}\n",
        )
    return True
