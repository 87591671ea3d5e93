"""Enrollments that the database serves by itself look as those that are rendered one by one."""

from pathlib import Path

import pytest

from rollbook.flows.publish import publish
from rollbook.store.models import Publication, Served
from rollbook.store.models.publication import NUMBER_OF
from rollbook.store.publishing import Changed
from tests.store.rosters import RandomDistrict

pytestmark = pytest.mark.django_db


@pytest.fixture(params=range(8))
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> RandomDistrict:
    """A random district with its first publication."""
    district = RandomDistrict(request.param)
    district._write(tmp_path / "1.parquet", [(row, "create") for row in district._all()])
    publish(district.district.pk, None, "first")
    return district


def test_looking_at_every_record_again_finds_nothing_to_serve_otherwise(begun: RandomDistrict):
    assert publish(begun.district.pk, None, "everything looked at again") is None


def test_positions_are_dense_and_the_last_is_the_total(begun: RandomDistrict):
    served = Served.objects.filter(district=begun.district, collection=NUMBER_OF["enrollments"])
    positions = sorted(served.values_list("position", flat=True))
    [state] = Publication.objects.filter(district=begun.district).values_list("state", flat=True)
    assert positions == list(range(1, len(positions) + 1))
    assert state["0"]["enrollments"][0] == len(positions)


def test_a_deleted_user_takes_enrollments_along_that_were_served_so(begun: RandomDistrict, tmp_path: Path):
    user = begun.ids["users"][3]
    changed: Changed = {"users": {user}}
    begun._write(tmp_path / "2.parquet", [(("users", user, f"USER-{user:02}", {}, {}), "delete")])
    publish(begun.district.pk, changed, "deleted")
    assert publish(begun.district.pk, None, "everything looked at again") is None
