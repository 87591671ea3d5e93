"""Sync runs: one is asked for, takes the turn of its organization, is found and looked at. Walking it is `walk`'s."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rollbook.engine.sync.policy import read_policy
from rollbook.flows import audit
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection, SyncRun

WAITING = "waiting"

ACTIVE, PAUSED = SyncConnection.State.ACTIVE, SyncConnection.State.PAUSED
FULL, DELTA, FOCUS, SWITCH, UNDO = "full", "delta", "focus", "switch", "undo"
LOOK, IMPORT = "look", "import"
"""Kinds of tasks: LOOK only reads the source; IMPORT is a focus on people whom somebody chose, planned by what was read last."""

PARTIAL = frozenset({FOCUS, IMPORT, UNDO})
"""Kinds that plan a part only: neither their read nor what they do not find says anything of the rest."""


POLICY = "policy"
"""What the task of a run has that shows a change of settings: the changes, section by section, as a settings file has them."""


class NoSuchSyncRun(Refusal):
    """There is no such sync run: `rollbook sync status` shows the last ones, with their numbers."""


class NotActive(Refusal):
    """This sync connection is not active: nothing runs before somebody activates it, nor while it is paused or disconnected."""


class NotEntitled(Refusal):
    """The organization's plan does not include what this sync needs."""


def enqueue(
    connection: SyncConnection,
    by: str,
    kind: str = FULL,
    preview: bool = False,
    *,
    process: str = ANY_WORKER,
    due: str = "",
    **task: Any,
) -> SyncRun:
    """A run that waits for its turn; one of the same task that any worker may walk and that waits already is that one.

    Raises NotActive, NotEntitled, and InBlackout for what is not only shown.
    """
    refuse_unless_ready(connection, shows_settings=preview and POLICY in task)
    if not preview:
        refuse_in_blackout(connection)
    wanted = {"kind": kind, "preview": preview, **task}
    with transaction.atomic():
        _locked(connection.organization_id)
        if process == ANY_WORKER and (same := _same_that_waits(connection, wanted)):
            return same
        run = SyncRun.objects.create(
            organization_id=connection.organization_id,
            connection=connection,
            task=wanted,
            process=process,
            due=due,
            started_by=by,
        )
        audit.record(
            None, "sync.begin", "sync run", run.pk, connection.name, after={"kind": kind, "preview": preview}
        )
    return run


def refuse_unless_ready(connection: SyncConnection, shows_settings: bool = False) -> None:
    """What other settings would do may be looked at while it is paused too. Raises NotActive, NotEntitled."""
    if connection.state != ACTIVE and not (shows_settings and connection.state == PAUSED):
        raise NotActive(connection.name)
    entitlement = read_policy(connection.policy).access.entitlement
    if entitlement and entitlement not in connection.organization.entitlements:
        raise NotEntitled(entitlement)


def find_run(number: int) -> SyncRun:
    """Raises NoSuchSyncRun."""
    run = SyncRun.objects.filter(pk=number).select_related("connection", "organization__product").first()
    if run is None:
        raise NoSuchSyncRun(str(number))
    return run


def runs_of(connection: SyncConnection) -> QuerySet[SyncRun]:
    """The latest first."""
    return SyncRun.objects.filter(connection=connection).order_by("-pk")


def speaks_for_all(run: SyncRun) -> bool:
    """Whether what it finds, and does not find, says anything of the rest: not where it is about a part, or by settings nobody has approved."""
    return run.task.get("kind") not in PARTIAL and not run.task.get(POLICY)


# --- Turns: one run at a time in an organization, in the order they came -------------------------------------------------------------


def waiting(now: datetime | None = None) -> QuerySet[SyncRun]:
    """What waits for its turn and may have it now, the longest first."""
    here = SyncRun.objects.filter(_may_begin(now or timezone.now()), outcome="", phase=WAITING, turn_at=None)
    return here.exclude(process="").order_by("pk")


def take_turn(run: SyncRun) -> bool:
    """Whether the run has its organization's turn now. It ends with the run."""
    with transaction.atomic():
        _locked(run.organization_id)
        here = SyncRun.objects.filter(organization=run.organization_id, outcome="")
        if here.exclude(turn_at=None).exclude(pk=run.pk).exists():
            return False
        if waiting().filter(organization=run.organization_id, pk__lt=run.pk).exists():
            return False
        now = timezone.now()
        if here.filter(_may_begin(now), pk=run.pk, turn_at=None).update(turn_at=now, message=""):
            run.turn_at = now
            return True
        return False


def _may_begin(now: datetime) -> Q:
    """It waits for no provider."""
    return Q(not_before=None) | Q(not_before__lte=now)


def _same_that_waits(connection: SyncConnection, task: dict[str, Any]) -> SyncRun | None:
    waits = SyncRun.objects.filter(connection=connection, outcome="", phase=WAITING, process=ANY_WORKER)
    return next((run for run in waits.order_by("pk") if run.task == task), None)


def _locked(organization_id: int) -> Organization:
    return Organization.objects.select_for_update().get(pk=organization_id)
