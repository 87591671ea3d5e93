"""Snapshots: the deliveries that are kept as they came: listed with their sizes, taken out, removed by hand, dropped when their time is over.

What goes is deleted from the shelf; a row stays that says what it was. A plan stays as long as it may be needed to go back to a snapshot.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.districts import MANUAL
from rollbook.flows.keeping import keeping_of
from rollbook.flows.limits import APPLIED
from rollbook.flows.preparation import PREPARATION
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run, Snapshot, SnapshotAct
from rollbook.work_folders import work_folder

UNFINISHED = ("", "held", "kept")
"""Outcomes of runs that may still need their delivery."""

LAST_GOOD = "the last one that was applied"
STILL_WAITING = "its import waits for a decision or is under way"


class NoSuchSnapshot(Refusal):
    """There is no such snapshot: `rollbook snapshot list` shows those that are kept."""


class SnapshotGone(Refusal):
    """This snapshot is no longer kept."""


class StillNeeded(Refusal):
    """This snapshot is still needed."""


@dataclass(frozen=True)
class Kept:
    """A snapshot and the run it came in by. `needed` says why it is kept whatever its age; empty where it may go."""

    snapshot: Snapshot
    run: Run | None
    needed: str


def snapshots_of(district: District) -> list[Kept]:
    """The snapshots of a district that are kept, the latest first."""
    found = Snapshot.objects.filter(district=district, removed_at__isnull=True).select_related("connection")
    runs: dict[int, Run] = {}
    for run in Run.objects.filter(district=district, snapshot__isnull=False).order_by("pk"):
        # The run it came in by, unless a later one applied it.
        if run.snapshot_id not in runs or run.outcome in APPLIED:
            runs[run.snapshot_id or 0] = run
    needed = _needed(district)
    return [
        Kept(one, runs.get(one.pk), needed.get(one.pk, "")) for one in found.order_by("-received_at", "-pk")
    ]


def total_size(district: District) -> int:
    """Bytes of all that are kept."""
    kept = Snapshot.objects.filter(district=district, removed_at__isnull=True)
    return sum(kept.values_list("size", flat=True))


def find_snapshot(number: int, district: District | None = None) -> Snapshot:
    """Raises NoSuchSnapshot; where a district is given, for one of another district too. It may be removed already."""
    found = Snapshot.objects.filter(pk=number).select_related("connection", "district").first()
    if found is None or (district is not None and found.district_id != district.pk):
        raise NoSuchSnapshot(str(number))
    return found


@contextmanager
def taken_out(snapshot: Snapshot, by: str) -> Iterator[Path]:
    """A file with the delivery as it came, a folder as a zip, while the block runs. Who took it, and when, is kept. Raises SnapshotGone."""
    path = shelf.place(snapshot.shelf_name)
    if snapshot.removed_at or not path.exists():
        raise SnapshotGone(str(snapshot.pk))
    with transaction.atomic():
        SnapshotAct.objects.create(snapshot=snapshot, kind=SnapshotAct.Kind.DOWNLOAD, by=by)
        audit.record(snapshot.district_id, "snapshot.download", "snapshot", snapshot.pk, by=by)
    if path.is_file():
        yield path
        return
    with work_folder("snapshot") as work:
        packed = work / f"snapshot-{snapshot.pk}.zip"
        _pack(path, packed)
        yield packed


def remove_snapshot(snapshot: Snapshot, by: str) -> None:
    """Delete a delivery from the shelf. Its runs stay, with their counts and plans. Raises SnapshotGone, StillNeeded."""
    if snapshot.removed_at:
        raise SnapshotGone(str(snapshot.pk))
    needed = _needed(snapshot.district)
    if snapshot.pk in needed:
        raise StillNeeded(needed[snapshot.pk])
    _remove(snapshot, by, timezone.now())


def prune_shelf(district_id: int, now: datetime) -> int:
    """Delete what a district keeps no longer: snapshots beyond its numbers, then plans and findings nobody can need; how many snapshots."""
    district = District.objects.get(pk=district_id)
    needed = _needed(district)
    removed = 0
    for connection in Connection.objects.filter(district=district):
        for snapshot in _over(connection, needed, now):
            _remove(snapshot, "", now)
            removed += 1
        _drop_runs(connection, now)
    _drop_strays(district, now)
    return removed


# --- What is needed -----------------------------------------------------------------------------------------------------------------------


def _needed(district: District) -> dict[int, str]:
    """Why snapshots are kept whatever their age, by their number."""
    runs = Run.objects.filter(
        district=district, flow__in=("ingest", PREPARATION), snapshot__removed_at__isnull=True
    )
    runs = runs.filter(snapshot__isnull=False)
    waiting = runs.filter(outcome__in=UNFINISHED)
    needed = dict.fromkeys(waiting.values_list("snapshot_id", flat=True), STILL_WAITING)
    for connection in Connection.objects.filter(district=district):
        last = runs.filter(connection=connection, outcome__in=APPLIED).order_by("-ended_at", "-pk").first()
        if last and last.snapshot_id:
            needed[last.snapshot_id] = LAST_GOOD
    return needed


def _over(connection: Connection, needed: dict[int, str], now: datetime) -> list[Snapshot]:
    """The snapshots of a connection that are too many or too old, and not needed."""
    keeping = keeping_of(connection.district)
    kept = connection.snapshots.filter(removed_at__isnull=True).order_by("-received_at", "-pk")
    oldest = now - timedelta(days=keeping.days)
    return [
        one
        for place, one in enumerate(kept)
        if one.pk not in needed and (place >= keeping.snapshots or one.received_at < oldest)
    ]


# --- Deleting -----------------------------------------------------------------------------------------------------------------------------


def _remove(snapshot: Snapshot, by: str, now: datetime) -> None:
    """First the row, then the files: if this dies in between, they are strays, and go a day later."""
    with transaction.atomic():
        if not Snapshot.objects.filter(pk=snapshot.pk, removed_at__isnull=True).update(removed_at=now):
            return
        SnapshotAct.objects.create(snapshot=snapshot, kind=SnapshotAct.Kind.REMOVE, by=by)
        audit.record(snapshot.district_id, "snapshot.remove", "snapshot", snapshot.pk, by=by)
    for path in shelf.delivery_files(snapshot.shelf_name):
        shelf.delete(path)


def _drop_runs(connection: Connection, now: datetime) -> None:
    """Deletes the plans and findings of runs whose snapshot is gone, but for plans that lead back to one that is kept.

    What was done by hand is small, and its plans are the history of manual records: they stay.
    """
    if connection.kind == MANUAL:
        return
    ended_runs = Run.objects.filter(connection=connection).exclude(outcome__in=UNFINISHED)
    runs = ended_runs.filter(pk__in=shelf.kept_runs(connection.district_id)).select_related("snapshot")
    points = [
        run.ended_at
        for run in runs
        if run.outcome in APPLIED and run.snapshot and not run.snapshot.removed_at
    ]
    back_to = min(filter(None, points), default=now)
    old = now - timedelta(days=keeping_of(connection.district).days)
    for run in runs:
        ended = run.ended_at or now
        over = run.snapshot.removed_at is not None if run.snapshot else ended < old
        if over and not (run.outcome in APPLIED and ended >= back_to):
            shelf.delete(shelf.shelf() / f"{run.district_id}/runs/{run.pk}")


def _drop_strays(district: District, now: datetime) -> None:
    """Deletes what a process that died left among the deliveries."""
    kept = Snapshot.objects.filter(district=district, removed_at__isnull=True)
    names = [name.rpartition("/")[2] for name in kept.values_list("shelf_name", flat=True)]
    yesterday = (now - timedelta(days=1)).timestamp()
    for path in shelf.strays(district.pk, names, yesterday):
        shelf.delete(path)


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(found for found in folder.rglob("*") if found.is_file()):
            archive.write(file, file.relative_to(folder))
