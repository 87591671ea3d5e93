"""After any delivery, however odd, nothing is left to publish: what is served is what a look at the whole roster would make of it."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from rollbook.engine.scope import Treatment, full
from rollbook.flows.publish import publish
from rollbook.generator import riverbend
from rollbook.store.models import District
from tests import cast
from tests.delivered import a_grant, a_grant_to, active, deliver, everything, reader_of
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db

MASKED = (("enrollments", "sourcedId", Treatment.PSEUDONYMISE), ("users", "familyName", Treatment.MASK))
SERVED = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments", "demographics")
# Each database has nights of its own: together they see more than either would see twice.
SEEDS = (2, 3) if ON_POSTGRESQL else (0, 1)


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.fixture
def nights(at_size: Callable[[int, int], int]) -> int:
    return at_size(4, 30)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_left_to_publish_after_any_night(
    district: District, tmp_path: Path, seed: int, nights: int
) -> None:
    chance = random.Random(seed)
    a_grant(district)
    for schools in ([cast.RIVERBEND_HIGH], [cast.RIVERBEND_MIDDLE, cast.RIVERBEND_ELEMENTARY]):
        a_grant_to(district, *schools, app=str(schools))
    a_grant(district, full(guardians=True, fields=MASKED), app="masked")
    for night in range(nights):
        deliver(district, cast.riverbend(tmp_path / str(night), some_edits(chance)))
        assert publish(district.pk, None, "everything") is None, f"seed {seed}, night {night}"


def test_a_view_that_lived_through_nights_equals_one_made_today(
    district: District, tmp_path: Path, nights: int
) -> None:
    chance = random.Random(7 + SEEDS[0])
    old = a_grant_to(district, cast.RIVERBEND_HIGH, app="old")
    old.view.shared = False
    old.view.save()
    for night in range(nights):
        deliver(district, cast.riverbend(tmp_path / str(night), some_edits(chance)))
    new = a_grant_to(district, cast.RIVERBEND_HIGH, app="new")
    assert new.view_id != old.view_id
    for collection in SERVED:
        for version in ("1.1", "1.2"):
            lived, fresh = (_undated(district, grant, collection, version) for grant in (old, new))
            assert lived == fresh, collection


def _undated(
    district: District, grant: object, collection: str, version: str
) -> dict[str, dict[str, object]]:
    records = everything(reader_of(grant), f"/{collection}", version=version)  # type: ignore[arg-type]
    alive = active(records)
    return {
        record["sourcedId"]: {name: value for name, value in record.items() if name != "dateLastModified"}
        for record in records
        if record["sourcedId"] in alive
    }


def some_edits(chance: random.Random) -> dict[str, dict[str, dict[str, str] | None]]:
    """Records taken away and changed in every file, references to others of the same kind included; not always what a clean roster has."""
    tables = riverbend.rows("1.2")
    edits: dict[str, dict[str, dict[str, str] | None]] = {}
    for table, rows in tables.items():
        if table not in cast.COUNTS or not rows:
            continue
        some = chance.sample(rows, k=min(chance.choice([0, 0, 1, 2, 6]), len(rows)))
        edits[table] = {row["sourcedId"]: _edit(chance, tables, table, row) for row in some}
    return edits


def _edit(
    chance: random.Random, tables: dict[str, list[dict[str, str]]], table: str, row: dict[str, str]
) -> dict[str, str] | None:
    if chance.random() < 0.4:
        return None
    columns = [name for name in row if name not in ("sourcedId", "status", "dateLastModified")]
    column = chance.choice(columns)
    another = chance.choice(tables[table])[column]
    return {column: another}
