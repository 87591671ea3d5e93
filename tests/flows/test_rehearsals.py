"""Rehearsals: what a delivery would do on a day to come, and that nothing is stored but the report."""

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.package import NotAPackage
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.rehearsals import BadDay, NothingToRehearse, rehearsals_of, rehearse, verdict_words
from rollbook.flows.spans import ADDITIONS, BLACKOUT, add_span
from rollbook.store.models import Connection, District, Plan, Rehearsal, Run, Snapshot
from rollbook.store.shelf import shelf
from tests import cast
from tests.delivered import a_district, deliver
from tests.flows.test_spans import CHICAGO, at, without
from tests.kept import kept

pytestmark = pytest.mark.django_db

TODAY, SUMMER, AUTUMN = date(2026, 11, 2), date(2027, 7, 20), date(2027, 9, 15)
MOST = [f"student-{number:03}" for number in range(1, 40)]
assert CHICAGO


def delivered_today(folder: Path) -> District:
    district = a_district()
    with at(TODAY):
        deliver(district, cast.riverbend(folder / "loaded"))
    return district


loaded = kept(delivered_today)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Without a record in its roster, unless the test wants it `loaded`."""
    return request.getfixturevalue("loaded") if "loaded" in request.fixturenames else a_district()


def way_in(district: District) -> Connection:
    return Connection.objects.get(district=district)


def report(district: District, package: Path | None, on: date) -> dict[str, Any]:
    with at(TODAY):
        return rehearse(way_in(district), package, on, "Helen").report


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder of the test's own: tests beside it rehearse too, in the one they share."""
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))


def stored(district: District) -> tuple[Any, ...]:
    district.refresh_from_db()
    files = sorted(path.relative_to(shelf()) for path in shelf().rglob("*"))
    temporary = sorted(Path(tempfile.gettempdir()).iterdir())
    return (
        Run.objects.count(),
        Plan.objects.count(),
        Snapshot.objects.count(),
        district.generation,
        files,
        temporary,
    )


def test_nothing_is_stored_but_the_report(district, loaded, tmp_path):
    package = without(tmp_path / "next", cast.NOAH)
    before = stored(district)
    found = report(district, package, AUTUMN)
    assert stored(district) == before
    [kept] = Rehearsal.objects.all()
    assert (kept.on_day, kept.delivery, kept.asked_by) == (AUTUMN, "next", "Helen")
    assert found["counts"]["users"] == {"delete": 1}
    assert "Noah" not in str(found)


def test_it_is_the_plan_that_an_import_then_makes(district, loaded, tmp_path):
    package = cast.riverbend(
        tmp_path / "next", {"users": {cast.KOFI: {"givenName": "Kwame"}, cast.NOAH: None}}
    )
    told = report(district, package, TODAY)
    with at(TODAY):
        run = prepare(way_in(district), package, "a test").run
    assert (told["counts"], told["modes"], told["findings"]) == (
        run.plan.counts,
        run.plan.modes,
        run.findings,
    )


def test_the_outlook_says_what_ends_and_who_is_left_without_a_class(district, loaded, tmp_path):
    found = report(district, None, AUTUMN)["outlook"]
    assert found["turns"]["academicSessions"]["end"] > 0
    assert found["turns"]["classes"]["after"] == 0
    lost = found["without_class"]["student"]
    assert lost["after"] == 45
    assert 0 < lost["lost"] < 45, "Noah had no class before"


def test_days_decide_what_would_become_of_it(district, loaded, tmp_path):
    package = without(tmp_path / "next", *MOST)
    with at(TODAY):
        add_span(district, BLACKOUT, SUMMER, SUMMER + timedelta(3), "Helen")
        add_span(district, ADDITIONS, AUTUMN, AUTUMN + timedelta(3), "Helen")
    today, summer, autumn = (report(district, package, day) for day in (TODAY, SUMMER, AUTUMN))
    assert (today["verdict"], summer["verdict"], autumn["verdict"]) == ("held", "kept", "nothing")
    assert "delete-percent" in {hazard["code"] for hazard in today["hazards"]}
    assert verdict_words(summer) == (
        "There is a blackout until 2027-07-23: it would be kept, not applied."
        " Without the blackout it would be held, and wait for a person."
    )
    assert autumn["additionsUntil"] == "2027-09-18"
    assert autumn["leftOut"]["users"] == len(MOST)


def test_removals_of_this_week_count_this_week(district, loaded, tmp_path):
    nights = [
        cast.riverbend(tmp_path / str(gone), {"demographics": dict.fromkeys(MOST[:gone])}) for gone in (4, 8)
    ]
    with at(TODAY):
        assert carry_out(prepare(way_in(district), nights[0], "a test")).outcome == "success"
    days = (TODAY, TODAY + timedelta(9))
    codes = [{hazard["code"] for hazard in report(district, nights[1], day)["hazards"]} for day in days]
    assert codes == [{"weekly-percent"}, set()]


def test_what_cannot_be_read_as_a_whole_says_so(district, tmp_path):
    package = cast.riverbend(tmp_path / "bad")
    (package / "manifest.csv").write_text("name,value\n", encoding="utf-8")
    found = report(district, package, TODAY)
    assert (found["verdict"], found["outlook"], found["counts"]) == ("refused", None, {})
    assert found["findings"]["fatal"]
    (tmp_path / "note.txt").write_text("no package")
    with pytest.raises(NotAPackage):
        report(district, tmp_path / "note.txt", TODAY)


def test_without_a_package_it_is_the_newest_kept_delivery(district, loaded):
    found = report(district, None, TODAY)
    assert found["verdict"] == "nothing"
    assert rehearsals_of(district).get().delivery.startswith("snapshot ")
    empty = Connection.objects.create(district=district, kind="upload", name="Another")
    with at(TODAY), pytest.raises(NothingToRehearse):
        rehearse(empty, None, TODAY, "Helen")


@pytest.mark.parametrize("day", [TODAY - timedelta(1), TODAY + timedelta(900)])
def test_only_days_to_come_are_rehearsed(district, day):
    with pytest.raises(BadDay):
        report(district, None, day)
