"""What comes while a plan is held: nothing that a delivery brought is lost without a person's word, and a stale plan can be made anew."""

from pathlib import Path

import pytest

from rollbook.flows import holds, jobs
from rollbook.flows.connections import add_connection
from rollbook.flows.ingest import StaleBasis
from rollbook.flows.jobs.enqueue import NothingAnew
from rollbook.flows.limits import reset_limits, set_limits
from rollbook.flows.timetable import NotInTurn, import_kept, release_kept
from rollbook.store.models import Connection, District, Hold, Run, User
from tests import cast
from tests.command import rollbook
from tests.engine.packages import orgs, write_package

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "the office said so"


@pytest.fixture
def district(riverbend: District) -> District:
    """Riverbend, where nobody is changed unasked."""
    set_limits(riverbend, "users", {"update_number": 1})
    return riverbend


def bring(district: District, package: Path) -> Run:
    run = jobs.enqueue_delivery(Connection.objects.filter(district=district).first(), package, "a test")
    jobs.work_off()
    return fresh(run)


def fresh(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def change(folder: Path, person: str, name: str) -> Path:
    return cast.riverbend_delta(folder, {"users": {person: {"middleName": name}}})


def middle_name(district: District, person: str) -> str:
    return User.objects.get(district=district, source_id=person).middle_name or ""


@pytest.fixture
def held(district: District, tmp_path: Path) -> Run:
    """A delivery of changes: Amara's."""
    run = bring(district, change(tmp_path / "one", cast.AMARA, "Ngozi"))
    assert run.outcome == "held"
    return run


@pytest.fixture
def behind(district: District, held: Run, tmp_path: Path) -> Run:
    """Another, of the night after: Kofi's."""
    return bring(district, change(tmp_path / "two", cast.KOFI, "Yaw"))


def elsewhere(district: District, folder: Path) -> Run:
    """Another connection of the district brings a school of its own."""
    other = add_connection(district, "upload", "Charter schools", {}, prefix="charter-")
    run = jobs.enqueue_delivery(other, write_package(folder, {"orgs": orgs("north")}), "a test")
    jobs.work_off()
    return fresh(run)


def test_changes_wait_behind_changes_that_are_held_and_come_in_after_them(district, held, behind):
    assert behind.outcome == "kept"
    assert f"import {held.pk} is held" in behind.message
    assert release_kept(district.pk) == 0
    with pytest.raises(NotInTurn):
        import_kept(behind, "Helen")
    reset_limits(district, "users")
    holds.apply_once(held.hold, "Helen", WHY)
    assert release_kept(district.pk) == 1
    jobs.work_off()
    assert (middle_name(district, cast.AMARA), middle_name(district, cast.KOFI)) == ("Ngozi", "Yaw")
    assert fresh(behind).outcome == "replaced"


def test_what_a_person_rejects_is_left_out_and_the_next_comes_in(district, held, behind):
    reset_limits(district, "users")
    holds.reject(held.hold, "Helen", WHY)
    assert release_kept(district.pk) == 1
    jobs.work_off()
    assert middle_name(district, cast.AMARA) != "Ngozi"
    assert middle_name(district, cast.KOFI) == "Yaw"


def test_a_complete_delivery_says_all_of_it_anew_and_takes_the_place_of_both(
    district, held, behind, tmp_path
):
    newer = bring(district, cast.riverbend(tmp_path / "all", {"users": {cast.NOAH: {"middleName": "Lee"}}}))
    assert newer.outcome == "held"
    assert (fresh(held).outcome, fresh(behind).outcome) == ("replaced", "replaced")
    assert list(Hold.objects.filter(decision="").values_list("run", flat=True)) == [newer.pk]


def test_a_held_plan_that_another_import_made_stale_stays_held_and_is_planned_anew(
    district, held, behind, tmp_path
):
    elsewhere(district, tmp_path / "other")
    with pytest.raises(StaleBasis):
        jobs.enqueue_decision(held.hold, "apply", "Helen", WHY)
    with pytest.raises(StaleBasis):
        holds.apply_once(held.hold, "Helen", WHY)
    assert (fresh(held).outcome, Hold.objects.get(run=held).decision) == ("held", "")
    anew = jobs.enqueue_anew(held, "Helen")
    jobs.work_off()
    assert (fresh(anew).outcome, fresh(held).outcome, fresh(behind).outcome) == ("held", "replaced", "kept")
    jobs.enqueue_decision(fresh(anew).hold, "apply", "Helen", WHY)
    jobs.work_off()
    assert middle_name(district, cast.AMARA) == "Ngozi"


def test_a_decision_that_another_import_overtakes_leaves_the_plan_held(district, held, tmp_path):
    words = held.message
    jobs.enqueue_decision(held.hold, "apply", "Helen", WHY)
    District.objects.filter(pk=district.pk).update(generation=99)
    jobs.work_off()
    found = fresh(held)
    assert (found.outcome, found.phase, found.hold.decision) == ("held", "held", "")
    assert found.message == words


def test_a_stale_preview_is_shown_anew_by_the_command_that_the_refusal_names(district, tmp_path):
    package = change(tmp_path / "one", cast.AMARA, "Ngozi")
    connection = Connection.objects.get(district=district)
    run = jobs.enqueue_delivery(connection, package, "a test", only_preview=True)
    jobs.work_off()
    elsewhere(district, tmp_path / "other")
    refused = rollbook("apply", str(run.pk), expect=1)
    assert "rollbook run again" in refused.output
    reset_limits(district, "users")
    assert "previewed" in rollbook("run", "again", str(run.pk)).output
    anew = Run.objects.latest("pk")
    assert (anew.outcome, anew.plan.counts, anew.snapshot) == (
        "previewed",
        {"users": {"update": 1}},
        run.snapshot,
    )
    rollbook("apply", str(anew.pk))
    with pytest.raises(NothingAnew):
        jobs.enqueue_anew(fresh(anew), "Helen")
