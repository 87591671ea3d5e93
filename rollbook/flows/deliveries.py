"""Deliveries: a package is asked for, waits until a worker, or the command that asked for it, hands it over (`flows.handing_over`), and
stays known, with what it came to and why.
"""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from rollbook.engine.holdings import holdings
from rollbook.engine.scope import Rule
from rollbook.engine.tailoring import parse
from rollbook.flows.exports import (
    PICKUP,
    PUSH,
    export_of,
    the_export_of,
)
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Delivery, District, Grant

DOWNLOAD, COMMAND = "download", "command"
BULK, DELTA, CUSTOM = "bulk", "delta", "custom"
SUCCESS, FAILED, BLOCKED, CANCELLED = "success", "failed", "blocked", "cancelled"
log = logging.getLogger(__name__)


class NoSuchDelivery(Refusal):
    """There is no such delivery: `rollbook delivery list` shows them."""


class NotKept(Refusal):
    """The package of this delivery is not kept any more. Make another."""


class NotUnderWay(Refusal):
    """This delivery has ended already."""


# --- Asking for one ---------------------------------------------------------------------------------------------------------------


def ask(
    grant: Grant,
    way: str,
    by: str,
    *,
    version: str = "",
    mode: str = "",
    template: str | None = None,
    due: str = "",
    process: str = ANY_WORKER,
) -> Delivery:
    """A delivery that waits. What is not said is as the export of the app has it. Raises NoExport for push and pickup without one.

    Raises BadTemplate.
    """
    export = the_export_of(grant) if way in (PUSH, PICKUP) else export_of(grant)
    chosen = version or (export.version if export else "1.2")
    text = template if template is not None else (export.template if export else "")
    if text:
        # What its export says was looked at when it was set; what is said here may name nothing that the app does not see.
        parse(text, chosen, holdings(Rule.parse(grant.rule), chosen) if template else None)
    wished = mode or (export.mode if export else BULK)
    return Delivery.objects.create(
        district_id=grant.district_id, grant_id=grant.pk, grant_version=grant.version, way=way, version=chosen,
        mode=CUSTOM if text else wished, template=text, due=due, process=process, started_by=by,
    )  # fmt: skip


def hand_over(grant: Grant, by: str, *, mode: str = "", process: str = ANY_WORKER) -> Delivery:
    """Give the app a package the way its export says. Raises NoExport."""
    return ask(grant, the_export_of(grant).way, by, mode=mode, process=process)


def hand_over_due(grant: Grant, by: str, due: str) -> Delivery:
    """As the export says, for this time of its schedule; an IntegrityError where that was asked for before."""
    return ask(grant, the_export_of(grant).way, by, due=due)


def deliveries_of(district: District) -> QuerySet[Delivery]:
    """The latest first."""
    return Delivery.objects.filter(district_id=district.pk).order_by("-pk")


def find_delivery(number: int, district: District | None = None) -> Delivery:
    """Raises NoSuchDelivery; where a district is given, for one of another district too."""
    found = Delivery.objects.filter(pk=number).first()
    if found is None or (district is not None and found.district_id != district.pk):
        raise NoSuchDelivery(str(number))
    return found


def cancel(delivery: Delivery, by: str) -> None:
    """It ends at its next safe point; what is on its way is not seen under its name. Raises NotUnderWay."""
    words = {
        "outcome": CANCELLED,
        "reason": f"Cancelled by {by}.",
        "phase": "done",
        "ended_at": timezone.now(),
    }
    if not Delivery.objects.filter(pk=delivery.pk, outcome="").update(**words):
        raise NotUnderWay(str(delivery.pk))


def kept_package(delivery: Delivery) -> Path:
    """The package's file on the shelf. Raises NotKept."""
    path = place_of(delivery)
    if not delivery.kept or not path.exists():
        raise NotKept(str(delivery.pk))
    return path


def let_go(delivery: Delivery) -> None:
    """Its package is kept no longer; what was delivered stays known."""
    shelf.delete(place_of(delivery))
    Delivery.objects.filter(pk=delivery.pk).update(kept=False)


def told(delivery: Delivery, app: str) -> dict[str, Any]:
    """A delivery as programs are told it, `app` being what its app is called."""
    return {
        "delivery": delivery.pk,
        "grant": delivery.grant_id,
        "app": app,
        "way": delivery.way,
        "version": delivery.version,
        "mode": delivery.mode,
        "phase": delivery.phase,
        "outcome": delivery.outcome,
        "reason": delivery.reason,
        "fromPublication": delivery.from_publication,
        "publication": delivery.publication,
        "rows": delivery.counts,
        "bytes": delivery.bytes,
        "sha256": delivery.sha256,
        "file": delivery.file_name,
        "startedBy": delivery.started_by,
        "startedAt": delivery.started_at.isoformat(),
        "endedAt": delivery.ended_at.isoformat() if delivery.ended_at else None,
        "fetchedAt": delivery.picked_up_at.isoformat() if delivery.picked_up_at else None,
        "nextAttemptAt": delivery.not_before.isoformat()
        if delivery.not_before and not delivery.outcome
        else None,
    }


def place_of(delivery: Delivery) -> Path:
    """Where the package of a delivery lies, if it is kept."""
    return shelf.place(f"{delivery.district_id}/deliveries/{delivery.pk}.zip")


# --- What is to be done ------------------------------------------------------------------------------------------------------------


def waiting(now: datetime) -> list[Delivery]:
    """What a worker has to walk now: of each app the one under way, else the one that waits longest."""
    open_ones = Delivery.objects.filter(outcome="", process=ANY_WORKER).order_by("pk")
    found: dict[int, Delivery] = {}
    for one in open_ones:
        is_due = one.not_before is None or one.not_before <= now
        if one.phase != "waiting" or (is_due and one.grant_id not in found):
            found[one.grant_id] = one
    return list(found.values())


def last_received(grant_id: int, version: str) -> Delivery | None:
    """The last package that the app certainly has: brought to its server, or fetched by it from ours."""
    got = Delivery.objects.filter(
        grant_id=grant_id, version=version, outcome=SUCCESS, template="", publication__isnull=False
    )
    pushed, fetched = got.filter(way=PUSH), got.filter(way=PICKUP, picked_up_at__isnull=False)
    return (pushed | fetched).order_by("-pk").first()


def begin_again(delivery: Delivery) -> None:
    """The engine gave up a delivery that has not ended: it gets another turn."""
    same = Delivery.objects.filter(
        pk=delivery.pk, outcome="", fence=delivery.fence, attempts=delivery.attempts
    )
    if same.update(attempts=F("attempts") + 1, phase="waiting"):
        log.warning("delivery %s is begun again", delivery.pk)


def end_those_of_the_dead(living: list[str]) -> None:
    """A command that was stopped in the middle handed nothing over; its delivery says so."""
    theirs = Delivery.objects.filter(outcome="").exclude(process__in=[ANY_WORKER, *living])
    words = "The command was stopped in the middle. Give it again."
    theirs.update(outcome=FAILED, reason=words, phase="done", ended_at=timezone.now(), fence=F("fence") + 1)
