"""Raising a limit that holds a part of a sync: a setting, changed to just above what was found. The plan is made anew by it."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.sync.stakes import SITE
from rollbook.flows import audit
from rollbook.flows.sync.connections import edit
from rollbook.flows.sync.holds import NoSuchHold, WhyNeeded
from rollbook.flows.sync.runs import FULL, enqueue, refuse_unless_ready
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.refusal import Refusal
from rollbook.store.models import SyncHold, SyncRun

RAISED = "raised"


class NoLimitToRaise(Refusal):
    """No number is behind this: let it through once, or reject it."""


@dataclass(frozen=True)
class Raise:
    """The setting that a hold has reached, as `limits.members.percent`, what it is now and what it would be; 0 is no limit."""

    setting: str
    now: int | bool
    then: int | bool

    @property
    def changes(self) -> dict[str, Any]:
        found: Any = self.then
        for name in reversed(self.setting.split(".")):
            found = {name: found}
        return dict(found)


def raised(hold: SyncHold) -> Raise | None:
    """None where no limit is behind the hold that could be raised."""
    of_kind = f"limits.{hold.kind}"
    if hold.code == "to-zero":
        return Raise(f"{of_kind}.to_zero", True, False)
    if hold.code == "number":
        return Raise(f"{of_kind}.number", hold.limit, hold.count + 1)
    setting = SETTINGS.get(hold.code, "")
    if hold.code == "weekly":
        setting = "site_percent" if hold.level == SITE else "weekly_percent"
    if not setting or not hold.population:
        return None
    percent = 100 * hold.count // hold.population + 1
    path = f"limits.{setting}" if hold.code in OF_ALL else f"{of_kind}.{setting}"
    return Raise(path, hold.limit, percent if percent <= 100 else 0)


SETTINGS = {
    "percent": "percent",
    "site-percent": "site_percent",
    "group-percent": "group_percent",
    "identifying": "identifying_percent",
    "rekey": "rekey_percent",
    "create-percent": "create_percent",
}
OF_ALL = frozenset({"identifying", "rekey", "create-percent"})


def raise_limit(hold: SyncHold, by: str, why: str) -> SyncRun:
    """The limit is raised for good, and a run plans anew with it. Raises NoLimitToRaise, WhyNeeded, NoSuchHold, NotActive, InBlackout."""
    wanted = raised(hold)
    if wanted is None:
        raise NoLimitToRaise(str(hold.pk))
    if not why.strip():
        raise WhyNeeded(str(hold.run_id))
    refuse_unless_ready(hold.connection)
    refuse_in_blackout(hold.connection)
    with transaction.atomic():
        kept = {"decision": RAISED, "decided_by": by[:200], "decided_at": timezone.now(), "why": why.strip()}
        if not SyncHold.objects.filter(pk=hold.pk, decision="").update(**kept):
            raise NoSuchHold(str(hold.pk))
        edit(hold.connection, {}, wanted.changes)
        told = {
            "hold": hold.pk,
            "setting": wanted.setting,
            "from": wanted.now,
            "to": wanted.then,
            "why": why.strip(),
        }
        audit.record(None, "sync.raise", "sync run", hold.run_id, hold.connection.name, after=told, by=by)
        return enqueue(hold.connection, by, FULL)
