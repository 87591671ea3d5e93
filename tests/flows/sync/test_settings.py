"""A change of settings is shown as a plan, and is nothing until that plan is approved: not for holds, cases or the next night."""

import pytest

from rollbook.engine.sync.policy import BadPolicy
from rollbook.flows.sync import connections, holds, runs, settings
from rollbook.store.models import Case, SyncConnection, SyncHold, SyncRun
from tests.engine.sync.schools import school, without
from tests.flows.sync.organizations import Synced, deliver
from tests.flows.sync.test_runs import approve, members, sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection(synced: Synced) -> SyncConnection:
    return synced.connection


def shown(connection: SyncConnection, **wanted: object) -> SyncRun:
    """The run that shows this change, walked."""
    merged = connections.over(connection.policy, wanted)
    assert settings.changes_between(connection.policy, merged)
    return sync(connection, preview=True, policy=wanted)


def test_what_is_only_shown_leaves_holds_cases_and_settings_as_they_are(
    connection: SyncConnection, synced: Synced
) -> None:
    deliver(synced.folder, without(school(), "t1", "t2"))
    held = sync(connection)
    waiting = SyncHold.objects.filter(connection=connection, decision="")
    before = list(waiting.values_list("run", "code"))
    assert before
    assert {run for run, _ in before} == {held.pk}
    run = shown(connection, limits={"teachers": {"percent": 100, "to_zero": False}})
    assert run.outcome == "previewed"
    assert before == [one for one in waiting.values_list("run", "code") if one[0] == held.pk]
    assert not Case.objects.filter(connection=connection, opened_run=run.pk).exists()
    connection.refresh_from_db()
    assert connection.policy["limits"]["teachers"]["percent"] == 5
    assert "archived" not in members(connection).values()


def test_an_approved_change_counts_and_one_that_was_overtaken_does_not(connection: SyncConnection) -> None:
    early = shown(connection, people={"who": "staff"})
    late = shown(connection, people={"starts": "active"})
    approve(late)
    connection.refresh_from_db()
    assert (connection.policy["people"]["starts"], connection.policy["people"]["who"]) == (
        "active",
        "everyone",
    )
    with pytest.raises(holds.OutOfDate):
        holds.approve(early, "somebody")
    assert settings.waiting(connection) is None
    assert sync(connection).outcome == "empty"


def test_other_times_and_another_name_leave_a_shown_plan_good(connection: SyncConnection) -> None:
    run = shown(connection, people={"starts": "active"})
    connections.edit(connection, {}, {"timing": {"every": "week"}}, "Another name")
    assert approve(run).outcome == "empty"
    connection.refresh_from_db()
    assert (connection.policy["timing"]["every"], connection.policy["people"]["starts"]) == ("week", "active")


def test_settings_that_cannot_be_are_refused_before_anything_is_read(connection: SyncConnection) -> None:
    with pytest.raises(BadPolicy):
        settings.change(connection, {"roles": {"ceiling": "headmaster"}}, "somebody")
    with pytest.raises(settings.NothingToChange):
        settings.change(connection, {"people": {"who": "everyone"}}, "somebody")
    connections.disconnect(connection)
    with pytest.raises(runs.NotActive):
        settings.change(connection, {"people": {"who": "staff"}}, "somebody")


def test_a_change_is_shown_while_the_connection_is_paused_and_counts_once_it_goes_on(
    connection: SyncConnection,
) -> None:
    connections.pause(connection)
    run = shown(connection, people={"starts": "active"})
    assert run.outcome == "previewed"
    with pytest.raises(runs.NotActive):
        approve(run)
    with pytest.raises(runs.NotActive):
        runs.enqueue(connection, "somebody", preview=True)
    connections.activate(connection)
    assert approve(runs.find_run(run.pk)).outcome == "empty"
    connection.refresh_from_db()
    assert connection.policy["people"]["starts"] == "active"
