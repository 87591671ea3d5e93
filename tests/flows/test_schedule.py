"""What falls due by the clock: old tombstones go and positions stay dense; replaced rows go when no walk needs them."""

from pathlib import Path

import pytest
import time_machine

from rollbook.flows import publish, schedule
from rollbook.flows.prune import prune
from rollbook.flows.publish import publish_due, publish_without_tombstones
from rollbook.store.models import District, PageList, Pin, Publication, Served, ViewRow
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from tests import cast
from tests.delivered import (
    a_district,
    a_grant,
    a_grant_to,
    active,
    by_id,
    deliver,
    everything,
    ids,
    page,
    reader_of,
)

pytestmark = pytest.mark.django_db

STUDENTS = [f"student-{number:03}" for number in range(1, 46)]
SOME = STUDENTS[9:20]


@pytest.fixture
def district(riverbend: District) -> District:
    """Riverbend, from whose roster the birth dates of some students are withdrawn a night later."""
    return riverbend


def test_nobody_is_waited_for_where_nothing_is_due(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(district_id: int) -> District:
        raise AssertionError(f"District {district_id} is waited for.")

    monkeypatch.setattr(publish, "locked", locked)
    last = Publication.objects.get(district=district, number=district.publication)
    assert publish_due(district.pk) is None
    assert publish_without_tombstones(district.pk, last.instant) is None
    with pytest.raises(AssertionError, match="waited for"):
        publish_without_tombstones(district.pk, last.instant + 1)


def test_tombstones_are_served_for_their_time_and_then_go(district: District, tmp_path: Path) -> None:
    readers = [
        reader_of(a_grant(district)),
        reader_of(a_grant_to(district, cast.RIVERBEND_HIGH, cast.RIVERBEND_MIDDLE)),
    ]
    before = [by_id(everything(reader, "/demographics")) for reader in readers]
    run = deliver(district, cast.riverbend(tmp_path / "next", {"demographics": dict.fromkeys(SOME)}))
    deleted = Publication.objects.get(district=district, number=run.publication).instant
    told = [everything(reader, "/demographics") for reader in readers]
    assert [len(records) for records in told] == [len(records) for records in before]
    assert publish_without_tombstones(district.pk, deleted) is None, "not yet"
    publication = publish_without_tombstones(district.pk, deleted + 1)
    assert publication is not None
    for reader, records, known in zip(readers, told, before, strict=True):
        left = everything(reader, "/demographics", limit=4)
        assert ids(left) == active(records)
        assert all(known[record["sourcedId"]] == record for record in left), "who moved keeps text and date"
    assert publish_without_tombstones(district.pk, deleted + 1) is None
    _positions_are_dense(district)
    deliver(district, cast.riverbend(tmp_path / "back"))
    assert [active(everything(reader, "/demographics")) for reader in readers] == [
        set(known) for known in before
    ]
    _positions_are_dense(district)


def _positions_are_dense(district: District) -> None:
    for rows in (
        Served.objects.all(),
        *(ViewRow.objects.filter(view_id=view.pk) for view in district.views.all()),
    ):
        for number in NUMBER_OF.values():
            current = rows.filter(district=district, collection=number, to_publication=FOREVER)
            positions = sorted(current.values_list("position", flat=True))
            assert positions == list(range(1, len(positions) + 1))


def test_a_walk_goes_on_while_tombstones_go(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    run = deliver(district, cast.riverbend(tmp_path / "next", {"demographics": dict.fromkeys(SOME)}))
    whole = everything(reader, "/demographics")
    walked, _, _ = page(reader, "/demographics", limit="20")
    publish_without_tombstones(
        district.pk, Publication.objects.get(district=district, number=run.publication).instant + 1
    )
    while len(walked) < len(whole):
        walked += page(reader, "/demographics", limit="20", offset=str(len(walked)))[0]
    assert walked == whole


def test_replaced_rows_stay_while_a_walk_needs_them(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    first = everything(reader, "/users", limit=10)
    with time_machine.travel(_minutes_after(district, 40), tick=False):
        page(reader, "/users", limit="10")
        page(reader, "/users", limit="10", filter="role='student'")
        deliver(district, cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}}))
        assert prune(district.pk) == 0, "just replaced"
        assert Pin.objects.count() == 2
    with time_machine.travel(_minutes_after(district, 20), tick=False):
        page(reader, "/users", limit="10", offset="10")
    with time_machine.travel(_minutes_after(district, 40), tick=False):
        assert prune(district.pk) == 0, "a walk is pinned to it"
        records, _, _ = page(reader, "/users", limit="10", offset="20")
        assert records == first[20:30]
        Pin.objects.all().delete()
        assert prune(district.pk) > 0
        assert not PageList.objects.filter(publication__lt=district_publication(district)).exists()


def _minutes_after(district: District, minutes: int) -> float:
    """So many minutes after the district's latest publication."""
    return Publication.objects.filter(district=district).latest("number").instant / 1000 + minutes * 60


def district_publication(district: District) -> int:
    return Publication.objects.filter(district=district).latest("number").number


def test_a_fault_in_one_district_keeps_no_other_waiting(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = a_district("Second")
    deliver(second, cast.riverbend(tmp_path / "second"))
    looked: list[int] = []

    def faulty(district_id: int) -> None:
        looked.append(district_id)
        if district_id == district.pk:
            raise ZeroDivisionError

    monkeypatch.setattr(schedule, "publish_due", faulty)
    schedule.look_after_all()
    assert looked == [district.pk, second.pk]
