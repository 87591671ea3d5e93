"""Deliveries that are kept as they came: which are dropped and which never, what is deleted with them, and who took one out."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.flows import snapshots
from rollbook.flows.ingest import carry_out, decline, prepare
from rollbook.flows.keeping import NotKept, keeping_of, set_keeping
from rollbook.flows.undo import can_return, returnable
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run, Snapshot, SnapshotAct
from tests import cast
from tests.delivered import a_district, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db


def night(district: District, tmp_path: Path, name: str) -> Run:
    """Riverbend comes in, and one student's middle name is this."""
    return deliver(district, cast.riverbend(tmp_path / name, {"users": {cast.AMARA: {"middleName": name}}}))


def first_night(folder: Path) -> Run:
    return night(a_district(), folder, "One")


first = kept(first_night)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Without a record in its roster, unless the test begins with the `first` night."""
    return request.getfixturevalue("first").district if "first" in request.fixturenames else a_district()


def files_of(run: Run) -> bool:
    """Whether anything of the run's delivery is on the shelf."""
    return any(path.exists() for path in shelf.delivery_files(run.snapshot.shelf_name))


def plan_of(run: Run) -> bool:
    return shelf.place(run.plan.shelf_name).exists()


def in_days(days: int):
    return timezone.now() + timedelta(days=days)


def test_more_than_the_number_are_dropped_and_their_files_are_gone(district, tmp_path):
    runs = [night(district, tmp_path, name) for name in ("One", "Two", "Three")]
    set_keeping(district, snapshots=2)
    assert snapshots.prune_shelf(district.pk, timezone.now()) == 1
    assert [files_of(run) for run in runs] == [False, True, True]
    assert [plan_of(run) for run in runs] == [False, True, True], (
        "what leads back to those that are kept stays"
    )
    assert [can_return(run) for run in runs] == [True, True, False], (
        "the way back to the first needs the plans after it"
    )
    assert returnable(runs[0].connection) == {runs[0].pk, runs[1].pk}
    listed = snapshots.snapshots_of(district)
    assert [kept.run.pk for kept in listed] == [runs[2].pk, runs[1].pk]
    assert snapshots.total_size(district) == sum(kept.snapshot.size for kept in listed)
    assert SnapshotAct.objects.get(snapshot=runs[0].snapshot).by == ""


def test_the_last_that_was_applied_is_never_dropped_however_old(first, district, tmp_path):
    run = first
    later = decline(prepare(run.connection, cast.riverbend(tmp_path / "later"), "a test"))
    assert snapshots.prune_shelf(district.pk, in_days(4000)) == 1
    assert (files_of(run), files_of(later)) == (True, False)
    assert plan_of(run)
    assert not plan_of(later)
    with pytest.raises(snapshots.StillNeeded):
        snapshots.remove_snapshot(run.snapshot, "a test")


def test_what_is_held_is_not_dropped(first, district, tmp_path):
    rows = dict.fromkeys([f"student-{number:03}" for number in range(1, 40)])
    short = cast.riverbend(tmp_path / "short", {"demographics": rows})
    held = carry_out(prepare(first.connection, short, "a test"))
    assert held.outcome == "held"
    night_after = first.connection.runs.latest("pk")
    assert snapshots.prune_shelf(district.pk, in_days(1000)) == 0
    assert (files_of(first), files_of(night_after)) == (True, True)
    assert "waits" in {kept.run.pk: kept.needed for kept in snapshots.snapshots_of(district)}[held.pk]


def test_one_is_removed_by_hand_and_its_run_still_tells_what_it_did(first, district, tmp_path):
    night(district, tmp_path, "Two")
    certificate = shelf.place(f"{first.snapshot.shelf_name}.certificate.json")
    certificate.write_text(json.dumps({"complete": True, "collections": {}}), encoding="utf-8")
    snapshots.remove_snapshot(first.snapshot, "Helen")
    assert not files_of(first)
    assert Run.objects.get(pk=first.pk).plan.counts["users"]["create"] > 0
    act = SnapshotAct.objects.get(snapshot=first.snapshot)
    assert (act.kind, act.by) == ("remove", "Helen")
    gone = Snapshot.objects.get(pk=first.snapshot_id)
    with pytest.raises(snapshots.SnapshotGone):
        snapshots.remove_snapshot(gone, "Helen")
    with pytest.raises(snapshots.SnapshotGone), snapshots.taken_out(gone, "Helen"):
        pass


def test_who_takes_one_out_is_kept(first):
    with snapshots.taken_out(first.snapshot, "Helen") as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        assert b"Amara" in archive.read("users.csv")
    assert "manifest.csv" in names
    act = SnapshotAct.objects.get(snapshot=first.snapshot)
    assert (act.kind, act.by) == ("download", "Helen")


def test_what_a_dead_process_left_goes_a_day_later(first, district):
    stray = shelf.place(f"{district.pk}/snapshots/0123456789abcdef.zip")
    stray.write_bytes(b"half a delivery")
    snapshots.prune_shelf(district.pk, timezone.now())
    assert stray.exists()
    snapshots.prune_shelf(district.pk, in_days(2))
    assert not stray.exists()
    assert files_of(first)


def test_a_district_says_how_much_it_keeps(district):
    assert (keeping_of(district).snapshots, keeping_of(district).days, keeping_of(district).hold_days) == (
        30,
        90,
        14,
    )
    set_keeping(district, days=200)
    assert (keeping_of(district).snapshots, keeping_of(district).days) == (30, 200)
    with pytest.raises(NotKept):
        set_keeping(district, snapshots=0)
    assert Connection.objects.filter(district=district).exists()
