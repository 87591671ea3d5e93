"""What an import leaves undone for those who read meanwhile: it makes nobody think all questions over for one changed record in a hundred."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.flows import beside_readers
from rollbook.flows.beside_readers import changes_much, giving_way
from rollbook.flows.publish import served_of
from rollbook.store.models import District
from tests import cast
from tests.delivered import a_district, deliver

pytestmark = pytest.mark.django_db
STUDENTS = [f"student-{number:03}" for number in range(1, 46)]


def test_a_tenth_of_a_district_is_much_and_less_is_not(
    riverbend: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside_readers, "LOOK_FROM", 5)
    tenth = -(-served_of(riverbend) // 10)
    assert tenth > 5
    assert changes_much(riverbend, tenth)
    assert not changes_much(riverbend, tenth - 1)
    new = a_district("New")
    assert changes_much(new, 5)
    assert not changes_much(new, 4)


def test_the_database_looks_at_its_tables_anew_behind_much_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside_readers, "LOOK_FROM", 5)
    district = a_district("Riverbend")
    first = _looked_at(district, cast.riverbend(tmp_path / "first"))
    a_night = {"users": {one: {"middleName": "New"} for one in STUDENTS[:9]}}
    night = _looked_at(district, cast.riverbend(tmp_path / "night", a_night))
    assert not night
    assert first == (
        {"store_user", "store_enrollment", "store_served", "store_viewrow"}
        if connection.vendor == "postgresql"
        else set()
    )


def test_an_import_gives_way_where_that_keeps_nobody_else_from_writing() -> None:
    told: list[tuple[str, int, int]] = []

    def tell(phase: str, done: int, known: int) -> None:
        told.append((phase, done, known))

    gives_way = giving_way(tell)
    gives_way("applying", 1, 2)
    assert told == [("applying", 1, 2)]
    assert (gives_way is tell) == (connection.vendor == "sqlite")


def _looked_at(district: District, package: Path) -> set[str]:
    """Which of four tables were looked at anew while the package came in."""
    with CaptureQueriesContext(connection) as asked:
        assert deliver(district, package).outcome == "success"
    told = {one["sql"].partition("ANALYZE ")[2] for one in asked.captured_queries}
    return told & {"store_user", "store_enrollment", "store_served", "store_viewrow"}
