"""What DuckDB puts together of a first publication looks as what is rendered record by record."""

from concurrent.futures import Future
from pathlib import Path
from threading import Event

import duckdb
import pytest
from django.db import connection as database
from django.db.models import Model

from rollbook.flows import ingest
from rollbook.flows.publish import publish
from rollbook.store import beginning as module
from rollbook.store import indexing, target
from rollbook.store.beginning import BEGUN, beginning
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import RECORDS, District, Publication, Served
from rollbook.store.models.publication import NUMBER_OF
from rollbook.store.publishing import Changed
from tests import cast
from tests.conftest import LONG
from tests.delivered import a_district, deliver
from tests.store.rosters import RandomDistrict

pytestmark = pytest.mark.django_db
PREFIX = "north/"
SEEDS = 12 if LONG else 6


@pytest.fixture(params=range(SEEDS))
def begun(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RandomDistrict:
    """A random district with its first publication; every third has a prefix that an address escapes, every third one that it does not.

    Every other is written in pieces.
    """
    monkeypatch.setattr(target, "PIECE", (target.PIECE, 2_000)[request.param % 2])
    monkeypatch.setattr(target, "FEW", 10)
    district = RandomDistrict(request.param)
    district.connection.prefix = ("", "n.", PREFIX)[request.param % 3]
    district.connection.save()
    district._write(tmp_path / "1.parquet", [(row, "create") for row in district._all()])
    accepted = accepted_for(district.connection, 1)
    with (
        database.cursor() as cursor,
        beginning(
            cursor, district.district.pk, district.connection.prefix, accepted, tmp_path, apart=False
        ) as made_of,
    ):
        made = made_of()
        publish(district.district.pk, None, "first", made)
        if district.connection.prefix != PREFIX:
            others = {collection: len(made.others(collection)) for collection in BEGUN}
            seen = {collection: _served(district, collection).count() for collection in BEGUN}
            assert others["enrollments"] < seen["enrollments"]
    return district


def _served(district: RandomDistrict, collection: str):
    return Served.objects.filter(district=district.district, collection=NUMBER_OF[collection])


def test_it_is_as_if_every_record_had_been_looked_at(begun: RandomDistrict, tmp_path: Path):
    _has_dense_positions(begun)
    assert publish(begun.district.pk, None, "everything looked at again") is None
    # A deleted user takes enrollments along that were served so.
    user = begun.ids["users"][3]
    changed: Changed = {"users": {user}}
    begun._write(tmp_path / "2.parquet", [(("users", user, f"USER-{user:02}", {}, {}), "delete")])
    publish(begun.district.pk, changed, "deleted")
    assert publish(begun.district.pk, None, "everything looked at again") is None


def _has_dense_positions(begun: RandomDistrict) -> None:
    [state] = Publication.objects.filter(district=begun.district).values_list("state", flat=True)
    for collection in BEGUN:
        positions = sorted(_served(begun, collection).values_list("position", flat=True))
        assert positions == list(range(1, len(positions) + 1))
        assert state["0"][collection][0] == len(positions)


def test_some_records_of_each_collection_are_put_together_so(tmp_path: Path):
    """Else the test above would prove nothing. Made-up districts, whose people nearly all are, are published in tests/flows."""
    found: dict[str, int] = dict.fromkeys(BEGUN, 0)
    for seed in range(SEEDS):
        district = RandomDistrict(seed)
        district._write(tmp_path / f"{seed}.parquet", [(row, "create") for row in district._all()])
        accepted = accepted_for(district.connection, 1)
        with (
            database.cursor() as cursor,
            beginning(cursor, district.district.pk, "", accepted, tmp_path, apart=False) as made,
        ):
            for collection, pour in made().pours:
                found[collection] += len(made().reader.execute(pour.query).fetchall())
    assert min(found.values()) > 0, found


@pytest.mark.django_db(transaction=True)
def test_what_was_served_over_a_connection_of_its_own_is_what_is_served_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(indexing, "MANY", 0)
    district = RandomDistrict(5)
    district._write(tmp_path / "1.parquet", [(row, "create") for row in district._all()])
    accepted = accepted_for(district.connection, 1)
    with (
        database.cursor() as cursor,
        beginning(cursor, district.district.pk, "", accepted, tmp_path, apart=True) as made_of,
    ):
        made = made_of()
        assert made.poured is not None
        assert _all_served(district) == sum(made.poured) > 0
        publish(district.district.pk, None, "first", made)
    _has_dense_positions(district)
    assert publish(district.district.pk, None, "everything looked at again") is None


@pytest.mark.django_db(transaction=True)
def test_what_was_served_of_a_publication_that_never_came_is_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(indexing, "MANY", 0)
    district = RandomDistrict(6)
    district._write(tmp_path / "1.parquet", [(row, "create") for row in district._all()])
    accepted = accepted_for(district.connection, 1)
    for _ in range(2):  # the second finds what the first has left
        with (
            database.cursor() as cursor,
            beginning(cursor, district.district.pk, "", accepted, tmp_path, apart=True) as made_of,
        ):
            left = made_of().poured
        assert left is not None
        assert _all_served(district) == sum(left) > 0
    publish(district.district.pk, None, "first")
    _has_dense_positions(district)
    assert publish(district.district.pk, None, "everything looked at again") is None


@pytest.mark.django_db(transaction=True)
def test_when_the_import_has_failed_meanwhile_nothing_is_served(tmp_path: Path):
    district = RandomDistrict(7)
    district._write(tmp_path / "1.parquet", [(row, "create") for row in district._all()])
    accepted = accepted_for(district.connection, 1)
    over, begun = Event(), Future()
    over.set()
    with duckdb.connect() as reader:
        begun.set_result(module._begun(reader, district.district.pk, "", accepted, tmp_path))
        with pytest.raises(module.GivenUp):
            module._served_apart(begun, district.district.pk, over)
    assert _all_served(district) == 0


def _all_served(begun: RandomDistrict) -> int:
    return Served.objects.filter(district=begun.district).count()


@pytest.mark.django_db(transaction=True)
def test_a_first_roster_is_the_same_whether_it_has_few_records_or_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = cast.riverbend(tmp_path / "package")
    few = _all_rows(a_district("Few"), package)
    monkeypatch.setattr(ingest, "MANY", 0)
    monkeypatch.setattr(target, "FEW", 0)
    many = _all_rows(a_district("Many"), package)
    assert few["enrollments"]
    assert few["served"]
    assert few == many


def _all_rows(district: District, package: Path) -> dict[str, list[tuple[object, ...]]]:
    """What an import leaves in the district: its records, and what is served of them, without the keys of district and connection.

    Positions are another matter: who is not plain comes behind the others, where they are put together apart.
    """
    assert deliver(district, package).outcome == "success"
    found = {name: _rows(model, district) for name, model in RECORDS.items()}
    return found | {"served": _rows(Served, district)}


def _rows(model: type[Model], district: District) -> list[tuple[object, ...]]:
    columns = [
        field.attname
        for field in model._meta.concrete_fields
        if field.attname not in ("district_id", "connection_id", "position", "pk")
    ]
    return sorted(model._default_manager.filter(district=district).values_list(*columns), key=repr)
