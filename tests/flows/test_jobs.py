"""Runs that wait for a worker: turns, cancelling, decisions, and what one finds who takes a run again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from rollbook.flows import holds, jobs
from rollbook.flows.ingest import act, basis_of, plan
from rollbook.flows.jobs import steps
from rollbook.flows.jobs.beats import WORKER, a_name, beating
from rollbook.flows.jobs.cancel import HasEnded, TooLate
from rollbook.flows.jobs.turns import ahead_of, give_turns
from rollbook.flows.limits import set_limits
from rollbook.flows.progress import TakenOver, close_to_cancelling, of
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, District, Hold, Publication, Run, User
from tests.delivered import a_district
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def district() -> District:
    return a_district()


def one_enrollment_less(folder: Path) -> Path:
    """Riverbend with one enrollment less."""
    folder.mkdir()
    for file in RIVERBEND.glob("*.csv"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines[:-1] if file.name == "enrollments.csv" else lines
        (folder / file.name).write_text("".join(kept), encoding="utf-8")
    return folder


def a_plan(folder: Path) -> Run:
    """Riverbend's first delivery has its turn, and its plan was made."""
    run = enqueue(a_district())
    give_turns()
    assert steps.plan(run.pk)
    return run


def a_first_load(folder: Path) -> Run:
    run = enqueue(a_district())
    assert jobs.work_off() == 1
    return run


def a_hold(folder: Path) -> Hold:
    """A plan that waits, because the district lets nobody go."""
    first = a_first_load(folder)
    set_limits(first.district, "enrollments", {"delete_number": 1})
    run = enqueue(first.district, one_enrollment_less(folder / "fewer"))
    jobs.work_off()
    assert fresh(run).outcome == "held"
    return holds.find_hold(run.pk)


planned = kept(a_plan)
loaded = kept(a_first_load)
held = kept(a_hold)


@pytest.fixture
def a_worker() -> Iterator[None]:
    """Some worker is alive."""
    with beating(a_name(WORKER)):
        yield


def enqueue(district: District, package: Path = RIVERBEND) -> Run:
    return jobs.enqueue_delivery(Connection.objects.get(district=district), package, "a test")


def fresh(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


# --- Turns ----------------------------------------------------------------------------------------------------------------------------------


def test_a_delivery_waits_until_somebody_works_it_off(district):
    run = enqueue(district)
    assert (run.phase, run.outcome) == ("waiting", "")
    assert jobs.work_off() == 1
    assert (fresh(run).phase, fresh(run).outcome) == ("done", "success")
    assert User.objects.filter(district_id=district.pk).exists()


def test_a_district_has_one_turn_and_the_others_wait_in_the_order_they_came(district):
    first, second, third = (enqueue(district) for _ in range(3))
    assert [run.pk for run in give_turns()] == [first.pk]
    assert give_turns() == []
    assert [ahead_of(run) for run in (second, third)] == [1, 2]
    jobs.walk(first.pk)
    assert [run.pk for run in give_turns()] == [second.pk]


def test_districts_do_not_wait_for_one_another(district):
    busy = [enqueue(district) for _ in range(3)]
    lakeside = enqueue(a_district("Lakeside"))
    assert [run.pk for run in give_turns()] == [busy[0].pk, lakeside.pk]


def test_what_is_held_lets_the_next_go_on(held):
    following = enqueue(held.district)
    assert jobs.work_off() == 1
    assert fresh(following).outcome == "success"
    assert fresh(held.run).outcome == "replaced"


# --- Being taken again ------------------------------------------------------------------------------------------------------------------------


def test_every_step_done_twice_leaves_what_it_left_the_first_time(district):
    run = enqueue(district)
    give_turns()
    assert steps.obtain(run.pk)
    assert steps.plan(run.pk)
    fingerprint = fresh(run).plan.fingerprint
    assert steps.plan(run.pk)
    assert fresh(run).plan.fingerprint == fingerprint
    assert not steps.act(run.pk)
    number = Publication.objects.count()
    assert not steps.act(run.pk)
    assert not steps.plan(run.pk)
    assert Publication.objects.count() == number == 1
    assert fresh(run).outcome == "success"


def test_whoever_was_taken_over_from_changes_nothing_any_more(district):
    enqueue(district)
    give_turns()
    slow = Run.objects.select_related("connection", "snapshot").get()
    plan(slow)
    assert steps.plan(slow.pk)  # another takes it, and plans it too
    with pytest.raises(TakenOver):
        act(slow)
    with pytest.raises(TakenOver):
        plan(slow)
    assert not User.objects.filter(district_id=district.pk).exists()
    assert not steps.act(slow.pk)
    assert fresh(slow).outcome == "success"


def test_a_plan_whose_roster_moved_meanwhile_is_made_again(planned):
    run, district = planned, planned.district
    District.objects.filter(pk=district.pk).update(generation=7)
    assert steps.act(run.pk)  # it goes on: to be planned again
    assert steps.plan(run.pk)
    assert fresh(run).plan.basis == basis_of(District.objects.get(pk=district.pk))
    assert not steps.act(run.pk)
    assert fresh(run).outcome == "success"


def test_a_run_its_processes_die_of_is_given_up(district):
    run = enqueue(district)
    Run.objects.filter(pk=run.pk).update(fence=steps.MOST_TAKINGS)
    jobs.work_off()
    assert fresh(run).outcome == "failed"


def test_what_is_no_package_ends_as_refused_with_words(district, tmp_path):
    (tmp_path / "no.zip").write_bytes(b"this is no zip")
    run = enqueue(district, tmp_path / "no.zip")
    jobs.work_off()
    assert fresh(run).outcome == "refused"
    assert "zip" in fresh(run).message


def test_a_database_that_does_not_answer_is_a_reason_to_do_the_step_again(planned):
    run, district = planned, planned.district

    def refuse(execute, sql, params, many, context):
        if "INSERT INTO" in sql and "store_publication" in sql:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        steps.act(run.pk)
    assert fresh(run).outcome == ""
    assert not User.objects.filter(district_id=district.pk).exists()
    assert not steps.act(run.pk)
    assert fresh(run).outcome == "success"


# --- Cancelling -------------------------------------------------------------------------------------------------------------------------------


def test_what_waits_is_cancelled_at_once(district):
    run = enqueue(district)
    assert jobs.cancel(run, "Helen").outcome == "cancelled"
    assert jobs.work_off() == 0
    assert "Helen" in fresh(run).message


def test_what_is_under_way_is_cancelled_at_its_next_safe_point_and_nothing_is_applied(district, a_worker):
    run = enqueue(district)
    give_turns()
    assert steps.obtain(run.pk)
    assert jobs.cancel(run, "Helen").outcome == ""
    assert not steps.plan(run.pk)
    assert fresh(run).outcome == "cancelled"
    assert not User.objects.filter(district_id=district.pk).exists()


def test_what_a_worker_left_that_is_no_more_is_cancelled_at_once(planned):
    assert jobs.cancel(planned, "Helen").outcome == "cancelled"


def test_what_was_planned_already_can_still_be_cancelled(planned, a_worker):
    run, district = planned, planned.district
    jobs.cancel(run, "Helen")
    assert not steps.act(run.pk)
    assert fresh(run).outcome == "cancelled"
    assert not User.objects.filter(district_id=district.pk).exists()


def test_once_it_changes_the_roster_it_is_too_late(planned):
    run = planned
    close_to_cancelling(run)
    with pytest.raises(TooLate):
        jobs.cancel(run, "Helen")
    assert not steps.act(run.pk)
    assert fresh(run).outcome == "success"


def test_what_has_ended_cannot_be_cancelled(loaded):
    with pytest.raises(HasEnded):
        jobs.cancel(loaded, "Helen")


# --- Decisions --------------------------------------------------------------------------------------------------------------------------------


def test_a_held_plan_is_applied_by_a_worker(held):
    run = jobs.enqueue_decision(held, "apply", "Helen", "the office said so")
    assert (run.outcome, run.phase) == ("", "waiting")
    with pytest.raises(holds.AlreadyDecided):
        jobs.enqueue_decision(held, "apply", "Brandt", "me too")
    jobs.work_off()
    assert fresh(run).outcome == "success"
    assert (Hold.objects.get(run=run).decision, Hold.objects.get(run=run).decided_by) == ("apply", "Helen")


def test_a_decision_that_is_cancelled_leaves_the_plan_held(held):
    run = jobs.enqueue_decision(held, "apply", "Helen", "the office said so")
    assert jobs.cancel(run, "Helen").outcome == "held"
    assert Hold.objects.get(run=run).decision == ""
    assert jobs.work_off() == 0


def test_an_undo_is_planned_when_its_turn_has_come(loaded, tmp_path):
    first, district = loaded, loaded.district
    second = enqueue(district, one_enrollment_less(tmp_path / "fewer"))
    jobs.work_off()
    assert fresh(second).outcome == "success"
    back = jobs.enqueue_return(fresh(first), "Helen")
    jobs.work_off()
    assert (fresh(back).flow, fresh(back).outcome) == ("undo", "success")
    assert fresh(back).plan.counts == {"enrollments": {"restore": 1}}


# --- Progress ---------------------------------------------------------------------------------------------------------------------------------


def test_the_time_each_phase_took_is_kept(loaded):
    row = of(loaded.pk).get()
    assert row.phase == "done"
    assert {"waiting", "reading", "planning", "applying", "publishing"} <= set(row.durations)
    assert all(seconds >= 0 for seconds in row.durations.values())
