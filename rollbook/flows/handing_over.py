"""Handing over: a delivery's package is made of what its app reads, and brought to the app or kept for it.

It can be killed at any line and walked again: what an app sees under a file's own name is always whole, and there once.
"""

import logging
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from rollbook.connectors import sftp_push
from rollbook.connectors.sftp_push import NotNow
from rollbook.engine.packing import fingerprint
from rollbook.engine.tailoring import parse, tailor
from rollbook.flows.deliveries import (
    BLOCKED,
    BULK,
    CUSTOM,
    DELTA,
    FAILED,
    SUCCESS,
    last_received,
    place_of,
)
from rollbook.flows.exports import (
    FILE_NAME,
    PICKUP,
    PUSH,
    export_of,
    secrets_of,
    the_export_of,
    why_only_whole,
)
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.notify import export_address, tell_operators
from rollbook.flows.packages import Edition, Package, held, instant_of, make_folder, make_zip
from rollbook.flows.progress import OUT_OF_REACH, TakenOver
from rollbook.flows.sanity_plans import why_blocked
from rollbook.flows.spans import today_of
from rollbook.flows.uploads import workplace
from rollbook.oneroster.csv_binding import into_zip
from rollbook.refusal import Refusal
from rollbook.store.circumstances import is_begun_and_not_over
from rollbook.store.models import Delivery, Grant
from rollbook.store.visibility import Reader, reader_of_grant

BACK_OFF = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3))
"""How long after each failed attempt the next one is made; after the last the delivery has failed."""

MOST_TAKINGS = 20
OFTEN, STILL_NEEDED = 0.5, 60.0
"""Seconds between two tellings of how far it is, and between two of that its publication is still read."""

DAY_MS = 86_400_000
log = logging.getLogger(__name__)


class Withheld(Refusal):
    """This app gets nothing now."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    @property
    def words(self) -> str:
        return self._words


# --- Walking one ----------------------------------------------------------------------------------------------------------------------


def walk(delivery_id: int) -> Delivery | None:
    """Walks a delivery as far as it goes now: to its end, or to its next attempt. None where there is nothing left to do.

    The database out of reach is a reason to do it again, and rises.
    """
    delivery = _take(delivery_id)
    if delivery is None:
        return None
    try:
        _deliver(delivery)
    except TakenOver:
        log.info("delivery %s: it was cancelled, or another process has taken it over", delivery.pk)
    except OUT_OF_REACH:
        raise
    except Withheld as refusal:
        _end(delivery, BLOCKED, refusal.words)
    except NotNow as refusal:
        _again(delivery, refusal.words)
    except Refusal as refusal:
        _fail(delivery, refusal.words)
    except Exception as fault:
        # Who looks at the delivery is told; the worker goes on with those of other apps.
        log.exception("delivery %s", delivery.pk)
        _fail(delivery, f"{type(fault).__name__} while {delivery.phase}; nothing was handed over.")
    delivery.refresh_from_db()
    return delivery


def _take(delivery_id: int) -> Delivery | None:
    Delivery.objects.filter(pk=delivery_id, outcome="").update(fence=F("fence") + 1, phase="reading", done=0)
    delivery = Delivery.objects.filter(pk=delivery_id, outcome="").first()
    if delivery and delivery.fence > MOST_TAKINGS:
        _end(delivery, FAILED, "It was begun again and again and never came to its end.")
        return None
    return delivery


@dataclass
class _Telling:
    """Tells how far it is, and keeps its publication. Raises TakenOver where somebody else has the delivery, or it was cancelled."""

    delivery: Delivery
    touch: Callable[[], None]
    told: float = 0.0
    touched: float = field(default_factory=time.monotonic)

    def __call__(self, done: int, known: int) -> None:
        now = time.monotonic()
        if now - self.told > OFTEN:
            _change(self.delivery, phase=self.delivery.phase, done=done, known=known)
            self.told = now
        if now - self.touched > STILL_NEEDED:
            self.touch()
            self.touched = now

    def begin(self, phase: str) -> None:
        self.delivery.phase = phase
        _change(self.delivery, phase=phase, done=0, known=0)


def _change(delivery: Delivery, **columns: object) -> None:
    """Raises TakenOver."""
    mine = Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, outcome="")
    if not mine.update(**columns):
        raise TakenOver(str(delivery.pk))


def _deliver(delivery: Delivery) -> None:
    grant = _grant(delivery)
    if delivery.way in (PUSH, PICKUP) and (words := why_blocked(grant)):
        raise Withheld(f"The sanity check keeps it back. {words}")
    reader = reader_of_grant(grant, 0)
    publication = grant.district.publication
    with workplace() as work, held(reader, publication) as touch:
        tell = _Telling(delivery, touch)
        tell.begin("reading")
        package, base, reason = _made(delivery, grant, reader, publication, work, tell)
        name = _name(delivery, grant, publication, BULK if base is None else DELTA)
        known = {
            "grant_version": grant.version, "publication": publication, "counts": package.counts, "bytes": package.size,
            "sha256": package.sha256, "file_name": name, "from_publication": base,
            "mode": CUSTOM if delivery.template else BULK if base is None else DELTA,
        }  # fmt: skip
        _change(delivery, **known)
        _hand_over(delivery, grant, package, name, tell)
    _end(delivery, SUCCESS, reason)


def _grant(delivery: Delivery) -> Grant:
    """The grant, if its app may have anything now. Raises Withheld."""
    grant = (
        Grant.objects.select_related("district", "app").filter(pk=delivery.grant_id, removed_at=None).first()
    )
    if grant is None:
        raise Withheld("The app was removed.")
    if not grant.enabled:
        raise Withheld("The app is disabled: enable it first.")
    if grant.permission == Grant.Permission.NONE:
        raise Withheld("The app's permissions are None: nothing is delivered.")
    if not is_begun_and_not_over(grant.starts_on, grant.ends_on, str(today_of(grant.district))):
        raise Withheld("Today lies outside the dates of the app's permissions.")
    if not grant.district.publication:
        raise Withheld("The district serves no roster yet: import one first.")
    return grant


def _made(
    delivery: Delivery, grant: Grant, reader: Reader, publication: int, work: Path, tell: _Telling
) -> tuple[Package, int | None, str]:
    """The package, from which publication on it tells changes (None: it is whole), and what there is to say about that."""
    spool = work / "spool"
    spool.mkdir()
    target = work / "package.zip"
    if delivery.template:
        return _tailored(delivery, reader, publication, work, tell), None, ""
    base, words = _base(delivery, grant) if delivery.mode == DELTA else (None, "")
    if base is not None:
        since = instant_of(reader.district_id, base.publication)
        package = make_zip(
            reader, Edition(delivery.version, publication, since), target, spool, tell, _had(base)
        )
        if package is not None:
            return package, base.publication, words
        words = "Whole, because a file that was sent before has no rows left."
        for leftover in spool.iterdir():
            leftover.unlink()
    package = make_zip(reader, Edition(delivery.version, publication), target, spool, tell)
    assert package is not None
    return package, None, words


def _tailored(delivery: Delivery, reader: Reader, publication: int, work: Path, tell: _Telling) -> Package:
    folder, target = work / "package", work / "package.zip"
    folder.mkdir()
    make_folder(reader, Edition(delivery.version, publication), folder, work / "spool", tell)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        files = parse(delivery.template, delivery.version)
        counts = tailor(files, folder, delivery.version, into_zip(archive), work / "spool")
    return Package(target, counts, *fingerprint(target))


def _base(delivery: Delivery, grant: Grant) -> tuple[Delivery | None, str]:
    """The delivery since which changes are told; None, with the reason in words, where only a whole package is exact."""
    if words := why_only_whole(grant, delivery.template):
        return None, f"Whole. {words}"
    base = last_received(grant.pk, delivery.version)
    if base is None:
        return None, "Whole, because the app has no package to which changes could be added."
    age = int(timezone.now().timestamp() * 1000) - int(base.started_at.timestamp() * 1000)
    if not instant_of(grant.district_id, base.publication) or age > settings.TOMBSTONE_DAYS * DAY_MS:
        return None, "Whole, because the last delivery is too long ago to know everything that went since."
    return base, ""


def _had(base: Delivery) -> set[str]:
    """The files the app has rows of: those of the last whole package, and of the changes since."""
    files: set[str] = set()
    former = Delivery.objects.filter(
        grant_id=base.grant_id,
        version=base.version,
        outcome=SUCCESS,
        template="",
        pk__lte=base.pk,
        way__in=(PUSH, PICKUP),
    )
    for one in former.order_by("-pk").iterator():
        files |= set(one.counts)
        if one.from_publication is None:
            break
    return files


def _name(delivery: Delivery, grant: Grant, publication: int, mode: str) -> str:
    export = export_of(grant)
    pattern = (export.file_name if export else "") or FILE_NAME
    filled = {
        "tenant": grant.district_id, "publication": publication, "version": delivery.version,
        "mode": CUSTOM if delivery.template else mode, "date": today_of(grant.district, delivery.started_at),
    }  # fmt: skip
    for name, value in filled.items():
        pattern = pattern.replace(f"{{{name}}}", str(value))
    return pattern


def _hand_over(delivery: Delivery, grant: Grant, package: Package, name: str, tell: _Telling) -> None:
    tell.begin("sending")
    if delivery.way == PUSH:
        export = the_export_of(grant)
        if export.way != PUSH:
            raise Withheld("Its export no longer brings packages to a server.")
        place = f"{export.settings['login']}@{export.settings['host']}:{export.settings['path']}"
        _change(delivery, address=place[:260])
        sftp_push.send(export.settings, secrets_of(export), package.path, name, tell)
    else:
        os.replace(package.path, place_of(delivery))
        _change(delivery, kept=True)


# --- How it ends ------------------------------------------------------------------------------------------------------------------------


def _end(delivery: Delivery, outcome: str, words: str) -> None:
    columns = {"outcome": outcome, "reason": words, "phase": "done", "ended_at": timezone.now()}
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, outcome="").update(**columns)


def _again(delivery: Delivery, words: str) -> None:
    """Another attempt later, where a worker will make it and there have not been enough."""
    if delivery.process != ANY_WORKER or delivery.attempts >= len(BACK_OFF):
        _fail(delivery, words)
        return
    at = timezone.now() + BACK_OFF[delivery.attempts]
    columns = {"attempts": F("attempts") + 1, "not_before": at, "phase": "waiting", "reason": words}
    Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, outcome="").update(**columns)


def _fail(delivery: Delivery, words: str) -> None:
    """It has failed; of one that nobody watches, the people of the district are told."""
    _end(delivery, FAILED, words)
    grant = Grant.objects.select_related("app", "district").filter(pk=delivery.grant_id).first()
    if grant and delivery.due:
        tell_operators(
            grant.district,
            "A package could not be delivered",
            f"The package for {grant.title} could not be handed over: {words}\n\n{export_address(grant)}\n",
        )
