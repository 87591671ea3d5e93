"""Steps are kept version by version; a change of them is shown as a plan, and applied as it was shown or with the next import."""

from pathlib import Path

import pytest

from rollbook.engine.preparation.steps import Step, steps_of
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import enqueue_preview, enqueue_steps, work_off
from rollbook.flows.preparation import (
    ChangedMeanwhile,
    draft_of,
    draft_steps,
    mark_of,
    steps_for,
    versions_of,
)
from rollbook.flows.previews import OtherSteps, apply_preview, preview
from rollbook.flows.severities import WhyNeeded
from rollbook.flows.steps_change import (
    HoldFirst,
    NothingToShow,
    NothingToTry,
    ShowFirst,
    drop,
    save_and_apply,
    save_for_next,
    show_change,
    try_on_last,
)
from rollbook.flows.undo import prepare_undo
from rollbook.store.models import Connection, Course, District, Run
from tests.cast import riverbend
from tests.delivered import a_district, deliver
from tests.engine.packages import orgs, write_package
from tests.kept import kept

NUMBER = 16
"""Courses of the small package."""

UPPER = steps_of([{"do": "upper", "file": "courses", "field": "title"}])
LOWER = steps_of([{"do": "lower", "file": "courses", "field": "title"}])
WIPE = steps_of([{"do": "set", "file": "courses", "field": "orgSourcedId", "to": "nowhere"}])


def small(folder: Path, first: str = "Course 0") -> Path:
    """A package of one school and its courses, the first of which is called `first`."""
    titles = [first, *(f"Course {number}" for number in range(1, NUMBER))]
    courses = [
        {"sourcedId": f"c{number}", "title": one, "orgSourcedId": "o1"} for number, one in enumerate(titles)
    ]
    return write_package(folder, {"orgs": orgs("o1"), "courses": courses})


def a_small_delivery(folder: Path) -> Run:
    return deliver(a_district(), small(folder / "first"))


delivered = kept(a_small_delivery)


@pytest.fixture
def district(request: pytest.FixtureRequest, db: None) -> District:
    """With the first delivery in its roster where the test wants it `delivered`."""
    return (
        request.getfixturevalue("delivered").district if "delivered" in request.fixturenames else a_district()
    )


@pytest.fixture
def connection(district: District) -> Connection:
    return Connection.objects.get(district=district)


def draft(connection: Connection, steps: tuple[Step, ...]):
    made = draft_steps(connection, steps, "brandt")
    assert made is not None
    return made


def saved(connection: Connection, steps: tuple[Step, ...]) -> None:
    made = draft(connection, steps)
    show_change(made, "brandt")
    save_for_next(made, "brandt", "a test")


def title(connection: Connection) -> str:
    return Course.objects.get(district=connection.district_id, source_id="c0").title


def test_a_change_of_steps_is_shown_and_then_applied_as_it_was_shown(connection, delivered):
    before = title(connection)
    made = draft(connection, UPPER)
    assert steps_for(connection) == ()
    shown = show_change(made, "brandt")
    assert shown.summary.counts == {"courses": {"update": NUMBER}}
    assert (shown.run.outcome, shown.run.flow, shown.run.snapshot) == (
        "previewed",
        "preparation",
        delivered.snapshot,
    )
    assert title(connection) == before
    run = save_and_apply(made, "brandt", "our apps want capitals")
    assert (run.pk, run.outcome) == (shown.run.pk, "success")
    assert title(connection) == before.upper()
    [version] = versions_of(connection)
    assert (version.number, version.by, version.why) == (1, "brandt", "our apps want capitals")
    assert run.plan.preparation == version
    assert draft_of(connection) is None


def test_the_next_delivery_is_prepared_and_brings_no_change(connection, delivered, district, tmp_path):
    saved(connection, UPPER)
    assert title(connection) != title(connection).upper()
    run = deliver(district, small(tmp_path / "second"))
    assert (run.outcome, run.plan.counts) == ("success", {"courses": {"update": NUMBER}})
    assert run.plan.preparation.number == 1
    assert title(connection) == title(connection).upper()
    assert run.findings["note"] >= 1
    again = deliver(district, small(tmp_path / "third"))
    assert (again.outcome, again.plan.counts) == ("success", {})


def test_without_steps_no_version_is_noted(delivered):
    assert delivered.plan.preparation is None


def test_a_draft_changes_nothing_and_is_dropped_with_its_plan(connection, delivered, district, tmp_path):
    made = draft(connection, UPPER)
    shown = show_change(made, "brandt")
    assert drop(connection)
    assert not drop(connection)
    shown.run.refresh_from_db()
    assert shown.run.outcome == "declined"
    assert deliver(district, small(tmp_path / "again")).plan.counts == {}
    assert not versions_of(connection).exists()


def test_what_is_drafted_again_takes_the_place_of_the_draft_and_of_what_it_showed(connection, delivered):
    shown = show_change(draft(connection, UPPER), "brandt")
    again = draft(connection, LOWER)
    shown.run.refresh_from_db()
    assert (shown.run.outcome, again.preview) == ("declined", None)
    assert draft_of(connection) == again
    assert draft_steps(connection, (), "brandt") is None
    assert draft_of(connection) is None


def test_two_people_do_not_overwrite_one_another(connection):
    seen = mark_of(())
    draft_steps(connection, UPPER, "brandt", seen)
    with pytest.raises(ChangedMeanwhile):
        draft_steps(connection, LOWER, "delgado", seen)
    draft_steps(connection, LOWER, "delgado", mark_of(UPPER))
    assert draft_of(connection).by == "delgado"


def test_steps_are_looked_at_before_they_are_saved(connection, delivered):
    made = draft(connection, UPPER)
    for save in (save_and_apply, save_for_next):
        with pytest.raises(ShowFirst):
            save(made, "brandt", "a test")
    show_change(made, "brandt")
    for save in (save_and_apply, save_for_next):
        with pytest.raises(WhyNeeded):
            save(made, "brandt", " ")
    assert not versions_of(connection).exists()
    assert save_for_next(made, "brandt", "a test").number == 1


def test_before_the_first_delivery_there_is_nothing_to_show_and_steps_are_saved(
    connection, district, tmp_path
):
    made = draft(connection, UPPER)
    with pytest.raises(NothingToShow):
        show_change(made, "brandt")
    with pytest.raises(NothingToTry):
        try_on_last(connection, UPPER)
    save_for_next(made, "brandt", "from the start")
    deliver(district, small(tmp_path / "first"))
    assert title(connection) == title(connection).upper()


def test_what_was_taken_back_is_not_brought_back_by_a_change_of_steps(
    connection, delivered, district, tmp_path
):
    changed = deliver(district, small(tmp_path / "second", "New"))
    carry_out(prepare_undo(changed, "brandt"))
    with pytest.raises(NothingToShow):
        show_change(draft(connection, UPPER), "brandt")


def test_a_plan_shown_with_a_draft_is_not_applied_before_the_draft_is_saved(connection, delivered):
    shown = show_change(draft(connection, UPPER), "brandt")
    with pytest.raises(OtherSteps):
        apply_preview(shown.run, "brandt")
    with pytest.raises(OtherSteps):
        enqueue_preview(shown.run, "brandt")


def test_a_delivery_shown_before_the_steps_changed_is_not_applied_as_it_was(connection, delivered, tmp_path):
    package = small(tmp_path / "second", "New")
    run = preview(prepare(connection, package, "brandt"))
    saved(connection, UPPER)
    with pytest.raises(OtherSteps):
        apply_preview(run, "brandt")


def test_a_dangerous_change_of_steps_is_held_like_any_import(connection, district, tmp_path):
    deliver(district, riverbend(tmp_path / "first"))
    made = draft(
        connection, steps_of([{"do": "set", "file": "users", "field": "username", "from": "sourcedId"}])
    )
    show_change(made, "brandt")
    run = save_and_apply(made, "brandt", "a test")
    assert run.outcome == "held"
    other = draft(connection, UPPER)
    show_change(other, "brandt")
    with pytest.raises(HoldFirst):
        save_and_apply(other, "brandt", "a test")


def test_records_that_steps_break_are_held_back_and_stay_as_stored(connection, delivered):
    shown = show_change(draft(connection, WIPE), "brandt")
    assert shown.findings.failed
    assert shown.summary.counts == {}


@pytest.mark.django_db(transaction=True)
def test_a_worker_shows_and_applies_the_same(tmp_path):
    district = a_district()
    deliver(district, small(tmp_path / "first"))
    connection = Connection.objects.get(district=district)
    made = draft(connection, UPPER)
    run = enqueue_steps(made, "brandt")
    work_off()
    made.refresh_from_db()
    run.refresh_from_db()
    assert (run.outcome, run.plan.counts) == ("previewed", {"courses": {"update": NUMBER}})
    save_and_apply(made, "brandt", "a test", enqueue_preview)
    work_off()
    run.refresh_from_db()
    assert run.outcome == "success"
    assert title(connection) == title(connection).upper()


def test_steps_are_tried_on_the_last_delivery(connection, delivered):
    [tried] = try_on_last(connection, UPPER)
    assert tried.outcome.changed == NUMBER
    assert len(tried.samples) == NUMBER
