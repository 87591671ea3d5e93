"""Plans that are shown and not applied: later they can be, while nothing else has moved."""

from pathlib import Path

import pytest

from rollbook.flows.ingest import StaleBasis, carry_out, prepare
from rollbook.flows.previews import NotAPreview, PlanGone, apply_preview, preview, stale_words
from rollbook.flows.undo import NothingSince, prepare_return, prepare_undo
from rollbook.store import shelf
from rollbook.store.models import Connection, District, User
from rollbook.store.plans import Narrow, find_changes
from tests import cast
from tests.delivered import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def shown(district: District, folder: Path, name: str):
    """A preview of a delivery in which one student has another middle name."""
    package = cast.riverbend(folder / name, {"users": {cast.AMARA: {"middleName": name}}})
    return preview(prepare(Connection.objects.get(district=district), package, "a test"))


def middle_name(district: District) -> str:
    return User.objects.get(district=district, source_id=cast.AMARA).middle_name


def test_a_preview_changes_nothing_until_it_is_applied(district, tmp_path):
    before = middle_name(district)
    run = shown(district, tmp_path, "Ngozi")
    assert (run.outcome, run.plan.counts) == ("previewed", {"users": {"update": 1}})
    assert stale_words(run) == ""
    assert middle_name(district) == before
    applied = apply_preview(run, "Helen")
    assert (applied.pk, applied.outcome) == (run.pk, "success")
    assert "applied by Helen" in applied.started_by
    assert middle_name(district) == "Ngozi"
    with pytest.raises(NotAPreview):
        apply_preview(applied, "Helen")


def test_a_stale_preview_says_what_came_in_between(district, tmp_path):
    run = shown(district, tmp_path, "Ngozi")
    between = deliver(district, cast.riverbend(tmp_path / "x", {"users": {cast.KOFI: {"middleName": "Yaw"}}}))
    assert f"run {between.pk} was applied after it was made" in stale_words(run)
    with pytest.raises(StaleBasis):
        apply_preview(run, "Helen")
    assert middle_name(district) != "Ngozi"


def test_a_hazardous_preview_is_held_when_it_is_applied(district, tmp_path):
    rows = dict.fromkeys([f"student-{number:03}" for number in range(1, 40)])
    short = cast.riverbend(tmp_path / "short", {"demographics": rows})
    run = preview(prepare(Connection.objects.get(district=district), short, "a test"))
    assert run.outcome == "previewed"
    assert apply_preview(run, "Helen").outcome == "held"


def test_a_preview_whose_plan_is_gone_is_refused(district, tmp_path):
    run = shown(district, tmp_path, "Ngozi")
    shelf.delete(shelf.place(run.plan.shelf_name))
    with pytest.raises(PlanGone):
        apply_preview(run, "Helen")


def test_a_wrong_mass_deletion_is_taken_back_without_being_asked_and_the_records_are_shown(
    district, tmp_path
):
    users = {f"student-{number:03}": None for number in range(1, 30)}
    short = cast.riverbend(tmp_path / "short", {"demographics": users})
    wrong = deliver(district, short)
    assert wrong.plan.counts == {"demographics": {"delete": 29}}
    back = carry_out(prepare_undo(wrong, "Helen"))
    assert (back.outcome, back.plan.counts) == ("success", {"demographics": {"restore": 29}})
    [first, *_] = find_changes(shelf.place(back.plan.shelf_name), Narrow(action="restore"))
    assert {one.field for one in first.differences} >= {"birthDate", "sex"}
    assert {one.before for one in first.differences} == {""}


def test_going_back_can_be_looked_at_first(district, tmp_path):
    first = Connection.objects.get(district=district).runs.get()
    with pytest.raises(NothingSince):
        prepare_return(first, "a test")
    before = middle_name(district)
    apply_preview(shown(district, tmp_path, "Ngozi"), "Helen")
    back = preview(prepare_return(first, "Helen"))
    assert (back.flow, back.outcome, back.plan.counts) == ("undo", "previewed", {"users": {"update": 1}})
    assert apply_preview(back, "Helen").outcome == "success"
    assert middle_name(district) == before
