"""Syncs that wait for a worker: turns, cancelling, days on which nothing changes, the schedule, and providers who want to be left alone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from rollbook.connectors.contract import AskedToWait
from rollbook.connectors.oneroster_rest.pull import fetch
from rollbook.engine.calendar import local_day
from rollbook.flows.jobs.beats import WORKER, a_name, beating
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync import cancel, connections, holds, own, pauses, runs, schedule, spans, turns
from rollbook.flows.sync.own import own_process, walk_here
from rollbook.flows.sync.standing import standing
from rollbook.flows.sync.walk import walk
from rollbook.store.models import Link, Member, Membership, ProviderPause, SyncConnection, SyncRun
from tests.connectors.provider import NOW, STATIC, Ask, Provider, Reply, serving
from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import Synced, an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "roster"
    deliver(place, school())
    return place


@pytest.fixture
def connection(folder: Path) -> SyncConnection:
    return connected(an_organization(), folder)


def work_off() -> list[SyncRun]:
    """As a worker does: all that may begin, in turns."""
    walked: list[SyncRun] = []
    while given := turns.give_turns():
        for run in given:
            walk(run.pk)
        walked += given
    return walked


def fresh(run: SyncRun) -> SyncRun:
    return SyncRun.objects.get(pk=run.pk)


def first(connection: SyncConnection) -> SyncRun:
    """The first sync, approved."""
    shown = runs.enqueue(connection, "a test")
    work_off()
    holds.approve(fresh(shown), "a test")
    work_off()
    assert fresh(shown).outcome == "success"
    connection.refresh_from_db()
    return fresh(shown)


def members(connection: SyncConnection) -> dict[str, str]:
    return dict(
        Member.objects.filter(organization=connection.organization_id).values_list("source_id", "state")
    )


# --- Turns ------------------------------------------------------------------------------------------------------------------------------


def test_organizations_go_round_however_much_one_of_them_asks_for(
    folder: Path, connection: SyncConnection
) -> None:
    other = connected(an_organization(), folder)
    many = [runs.enqueue(connection, "a", preview=True, note=number) for number in range(3)]
    one = runs.enqueue(other, "b", preview=True)
    assert [run.pk for run in turns.give_turns()] == [many[0].pk, one.pk]
    assert turns.give_turns() == []
    walk(one.pk)
    walk(many[0].pk)
    assert [run.pk for run in turns.give_turns()] == [many[1].pk]


def test_a_run_of_a_command_is_walked_by_no_worker_and_one_whose_command_died_has_ended(
    connection: SyncConnection,
) -> None:
    with own_process() as process:
        run = runs.enqueue(connection, "a", process=process)
        assert turns.give_turns() == []
        turns.end_those_of_the_dead([process])
        assert fresh(run).outcome == ""
        turns.end_those_of_the_dead([])
    assert (fresh(run).outcome, fresh(run).fence) == ("failed", 1)


def test_what_the_engine_gave_up_gets_another_turn(connection: SyncConnection) -> None:
    run = runs.enqueue(connection, "a")
    [given] = turns.give_turns()
    assert turns.begin_again(given)
    assert not turns.begin_again(given)
    assert [one.pk for one in turns.with_turn()] == [run.pk]


# --- Cancelling ----------------------------------------------------------------------------------------------------------------------------


def test_a_sync_that_waits_is_cancelled_at_once_and_one_that_has_ended_cannot_be(
    connection: SyncConnection,
) -> None:
    run = cancel.cancel(runs.enqueue(connection, "a"), "Ada")
    assert (run.outcome, run.message) == ("cancelled", "Cancelled by Ada. Nothing of it was applied.")
    with pytest.raises(cancel.SyncHasEnded):
        cancel.cancel(run, "Ada")
    assert standing(run).percent == 100


def test_a_sync_under_way_is_cancelled_between_two_batches_and_the_next_one_finds_the_rest(
    connection: SyncConnection,
) -> None:
    shown = runs.enqueue(connection, "a")
    work_off()
    run = holds.approve(fresh(shown), "a test")
    with beating(a_name(WORKER)):
        turns.give_turns()
        with stopping_at("UPDATE", "store_syncbatch", lambda: cancel.cancel(fresh(run), "Ada")):
            walk(run.pk)
    cancelled = fresh(run)
    assert (cancelled.outcome, cancelled.cancelled_by) == ("cancelled", "Ada")
    assert "What was done until then stays" in cancelled.message
    connection.refresh_from_db()
    assert connection.first_applied_at is None
    again = runs.enqueue(connection, "a")
    work_off()
    holds.approve(fresh(again), "a test")
    work_off()
    assert fresh(again).outcome in ("success", "empty")
    assert set(members(connection)) == {"p1", "p2", "p3", "t1", "t2"}


def stopping_at(verb: str, table: str, act: Callable[[], object]) -> Any:
    """Does something once, after the first statement of this kind."""
    done: list[bool] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if not done and sql.startswith(verb) and f'"{table}"' in sql:
            done.append(True)
            act()
        return answer

    return database.execute_wrapper(watch)


# --- Killed at any statement -----------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing in Rollbook catches it: the process is gone."""


def picture(connection: SyncConnection) -> tuple[Any, ...]:
    """What the directory says, without the numbers its rows have."""
    organization = connection.organization_id
    people = Member.objects.filter(organization=organization).order_by("source_id")
    names = dict(people.values_list("id", "source_id"))
    taught = Membership.objects.filter(organization=organization)
    links = Link.objects.filter(connection=connection, ended_at=None).order_by("kind", "source_id")
    return (
        list(people.values_list("source_id", "state", "given_name", "email", "version")),
        sorted((names[one.member_id], one.role, one.state, one.version) for one in taught),
        list(links.values_list("kind", "source_id", "base")),
    )


SHARES = (0.4, 0.6, 0.75, 0.88, 0.96)
"""Of the statements of an undisturbed run, after how many the process dies; most are those of planning, applying and verifying."""


def test_a_process_that_dies_at_any_statement_leaves_nothing_half_done_and_its_successor_comes_to_the_same_end(
    folder: Path,
) -> None:
    undisturbed, killed = (connected(an_organization(), folder) for _ in range(2))
    first(undisturbed)
    first(killed)
    nights = cycle([changed(without(school(), "p2"), "users", "p1", givenName="Philippa"), school()])
    for share in SHARES:
        deliver(folder, next(nights))
        calm, disturbed = runs.enqueue(undisturbed, "a"), runs.enqueue(killed, "a")
        turns.give_turns()
        statements = counted(lambda run=calm: walk(run.pk))  # type: ignore[misc]  # the run of this round
        with pytest.raises(Killed), dying_after(int(statements * share)):
            walk(disturbed.pk)
        assert fresh(disturbed).outcome == ""
        walk(disturbed.pk)
        ended = fresh(disturbed)
        assert (ended.outcome, ended.statistics) == (fresh(calm).outcome, fresh(calm).statistics)
        assert picture(killed) == picture(undisturbed)
        killed.refresh_from_db()
        assert killed.read_run == disturbed.pk


def counted(act: Callable[[], object]) -> int:
    seen: list[int] = []

    def count(execute: Any, *told: Any) -> Any:
        seen.append(1)
        return execute(*told)

    with database.execute_wrapper(count):
        act()
    return len(seen)


def dying_after(statements: int) -> Any:
    left = [statements]

    def die(execute: Any, *told: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return execute(*told)

    return database.execute_wrapper(die)


# --- Days ------------------------------------------------------------------------------------------------------------------------------------


def today(connection: SyncConnection) -> date:
    return local_day(timezone.now(), schedule.zone_of(connection))


def test_in_a_blackout_nothing_changes_and_a_preview_may_still_be_looked_at(synced: Synced) -> None:
    connection, folder, _ = synced
    waiting = runs.enqueue(connection, "a")
    span = spans.add_span(connection, "blackout", today(connection), today(connection), "Ada", "exams")
    with pytest.raises(spans.InBlackout, match="until"):
        runs.enqueue(connection, "a")
    deliver(folder, changed(school(), "users", "p1", givenName="Philippa"))
    work_off()
    assert fresh(waiting).outcome == "refused"
    assert "changes nothing" in fresh(waiting).message
    shown = runs.enqueue(connection, "a", preview=True)
    work_off()
    with pytest.raises(spans.InBlackout):
        holds.approve(fresh(shown), "a test")
    spans.remove_span(connection, span.pk, "Ada")
    holds.approve(fresh(shown), "a test")
    work_off()
    assert fresh(shown).outcome == "success"


def test_on_days_of_additions_only_nobody_is_removed_and_afterwards_they_are(synced: Synced) -> None:
    connection, folder, _ = synced
    span = spans.add_span(connection, "additions-only", today(connection), today(connection), "Ada")
    deliver(folder, changed(without(school(), "p2"), "users", "p1", givenName="Philippa"))
    run = runs.enqueue(connection, "a")
    work_off()
    assert fresh(run).counts["leftOut"]
    assert members(connection)["p2"] == "inactive"
    assert Member.objects.get(source_id="p1").given_name == "Philippa"
    spans.remove_span(connection, span.pk, "Ada")
    run = runs.enqueue(connection, "a")
    work_off()
    assert fresh(run).counts["operations"]["members"]["archive"] == 1


@pytest.mark.parametrize(("begins", "ends"), [(3, 1), (-5, -2), (0, 400)])
def test_days_that_cannot_be_are_refused(connection: SyncConnection, begins: int, ends: int) -> None:
    day = today(connection)
    with pytest.raises(spans.BadSyncDays):
        spans.add_span(connection, "blackout", day + timedelta(begins), day + timedelta(ends), "Ada")
    with pytest.raises(spans.BadSyncDays):
        spans.add_span(connection, "holiday", day, day, "Ada")


# --- The schedule ----------------------------------------------------------------------------------------------------------------------------


def test_a_night_begins_once_by_the_clock_of_each_organization(folder: Path) -> None:
    west, east = (
        connected(an_organization(time_zone=zone), folder, timing={"every": "night", "at": "02:00"})
        for zone in ("America/Los_Angeles", "Europe/Berlin")
    )
    now = in_two_days(7)  # 07:00 UTC: after two in Berlin, and before two in Los Angeles that day
    for one in (west, east):
        SyncConnection.objects.filter(pk=one.pk).update(
            state_at=now - timedelta(hours=8), created_at=now - timedelta(hours=9)
        )
    assert schedule.start_due_syncs(now) == 1
    assert schedule.start_due_syncs(now + timedelta(minutes=1)) == 0
    assert [run.connection_id for run in SyncRun.objects.all()] == [east.pk]
    assert schedule.start_due_syncs(now + timedelta(hours=4)) == 1
    assert {run.started_by for run in SyncRun.objects.all()} == {"schedule"}


def test_what_was_missed_in_a_blackout_is_made_up_for_once_and_what_was_due_before_the_times_were_said_is_not(
    synced: Synced,
) -> None:
    connection, _, last = synced
    now = in_two_days(12)
    SyncConnection.objects.filter(pk=connection.pk).update(
        state_at=now - timedelta(days=9), created_at=now - timedelta(days=9)
    )
    span = spans.add_span(
        connection,
        "blackout",
        local_day(now, schedule.zone_of(connection)),
        local_day(now, schedule.zone_of(connection)),
        "Ada",
    )
    assert schedule.start_due_syncs(now) == 0
    spans.remove_span(connection, span.pk, "Ada")
    assert schedule.start_due_syncs(now) == 1
    run = SyncRun.objects.get(pk__gt=last.pk)
    assert (run.process, run.task["kind"]) == (ANY_WORKER, "full")
    connections.edit(connections.find_connection(connection.pk), {}, {"timing": {"at": "01:00"}})
    SyncConnection.objects.filter(pk=connection.pk).update(timed_at=now)
    assert schedule.start_due_syncs(now + timedelta(minutes=5)) == 0


def test_the_first_sync_is_shown_by_the_schedule_once_and_waits_for_somebody_then(
    connection: SyncConnection,
) -> None:
    now = in_two_days(12)
    SyncConnection.objects.filter(pk=connection.pk).update(
        state_at=now - timedelta(days=1), created_at=now - timedelta(days=1)
    )
    assert schedule.start_due_syncs(now) == 1
    work_off()
    assert schedule.start_due_syncs(now + timedelta(days=1)) == 0


def test_a_paused_connection_begins_nothing_and_says_no_next_time(connection: SyncConnection) -> None:
    assert schedule.next_start(connection, timezone.now())
    connections.pause(connection)
    assert schedule.next_start(connection, timezone.now()) is None
    assert schedule.start_due_syncs(timezone.now() + timedelta(days=3)) == 0


def test_a_start_that_finds_the_same_run_waiting_is_that_one(connection: SyncConnection) -> None:
    now = in_two_days(12)
    SyncConnection.objects.filter(pk=connection.pk).update(
        state_at=now - timedelta(days=1), created_at=now - timedelta(days=1)
    )
    by_hand = runs.enqueue(connection, "Ada")
    assert schedule.start_due_syncs(now) == 1
    assert [(run.pk, bool(run.due)) for run in SyncRun.objects.all()] == [(by_hand.pk, True)]
    assert schedule.start_due_syncs(now) == 0


def in_two_days(hour: int) -> datetime:
    return (timezone.now() + timedelta(days=2)).astimezone(UTC).replace(hour=hour, minute=0, second=0)


# --- Providers who want to be left alone -----------------------------------------------------------------------------------------------------


def reading_from(provider: Provider) -> SyncConnection:
    settings = provider.settings | {"demographics": ""}
    made = connections.connect(
        an_organization(),
        "Roster",
        "oneroster_rest",
        {"url": settings["url"], "sign_in": "bearer", "token": STATIC, "insecure": "yes", "page_size": "20"},
        settings="classes-and-licences",
    )
    SyncConnection.objects.filter(pk=made.pk).update(
        source_settings=made.source_settings | {"first_wait": 0.001, "longest_wait": 0.05}
    )
    return connections.activate(connections.find_connection(made.pk))


def test_a_provider_that_asks_for_time_gets_it_from_all_customers_and_no_run_fails_for_it() -> None:
    busy = [True]

    def spoil(ask: Ask, reply: Reply) -> Reply:
        return Reply(429, {}, {"Retry-After": "300"}) if busy[0] and ask.collection == "users" else reply

    with serving(Provider(spoil=spoil)) as provider:
        one, two = reading_from(provider), reading_from(provider)
        asked_first = runs.enqueue(one, "a", preview=True)
        turns.give_turns()
        walk(asked_first.pk)
        run = fresh(asked_first)
        assert (run.outcome, run.phase, run.turn_at) == ("", "waiting", None)
        assert run.not_before
        assert timedelta(minutes=4) < run.not_before - timezone.now() <= timedelta(minutes=5)
        questions = len(provider.seen)
        other = runs.enqueue(two, "a", preview=True)
        work_off()
        assert fresh(other).not_before == run.not_before
        assert len(provider.seen) == questions
        assert standing(fresh(other)).not_before == run.not_before
        busy[0] = False
        ProviderPause.objects.update(until=timezone.now())
        SyncRun.objects.update(not_before=timezone.now())
        work_off()
        assert {fresh(asked_first).outcome, fresh(other).outcome} == {"previewed"}


def test_a_pull_of_a_district_takes_a_429_as_before_and_one_that_gives_way_stops_at_once(
    tmp_path: Path,
) -> None:
    def spoil(ask: Ask, reply: Reply) -> Reply:
        return Reply(429, {}, {"Retry-After": "0.01"}) if ask.collection == "users" else reply

    with serving(Provider(spoil=spoil)) as provider:
        assert provider.pulled(tmp_path / "district").certificate["complete"] is False  # type: ignore[index]  # it has one
        (tmp_path / "sync").mkdir()
        settings = provider.settings | {"gives_way": True}
        with pytest.raises(AskedToWait) as found:
            fetch(settings, {"token": STATIC}, tmp_path / "sync", NOW, lambda _: None)
        assert found.value.host == f"127.0.0.1:{provider.port}"
        assert provider.asked[-1].collection == "users"


def test_of_two_pauses_the_later_counts_and_none_is_longer_than_six_hours(connection: SyncConnection) -> None:
    connection.source_settings = {"url": "https://Roster.example:8443/ims"}
    now = timezone.now()
    assert pauses.leave_alone(connection, "", 900, now).until == now + timedelta(minutes=15)
    assert pauses.leave_alone(connection, "", None, now).until == now + timedelta(minutes=15)
    assert pauses.leave_alone(connection, "", 1e12, now).until == now + timedelta(hours=6)
    with pytest.raises(pauses.LeftAlone) as found:
        pauses.refuse_while_paused(connection, now)
    assert found.value.host == "roster.example:8443"
    with pytest.raises(pauses.LeftAlone):
        connections.test(connection)
    pauses.refuse_while_paused(connection, now + timedelta(hours=6))


def test_a_command_whose_run_waits_for_a_provider_goes_on_afterwards() -> None:
    replies = iter([Reply(429, {}, {"Retry-After": "1"})])

    def spoil(ask: Ask, reply: Reply) -> Reply:
        return next(replies, reply) if ask.collection == "users" else reply

    with serving(Provider(spoil=spoil)) as provider, own_process() as process:
        connection = reading_from(provider)
        said: list[str] = []

        def hear(words: str) -> None:
            said.append(words)
            ProviderPause.objects.update(until=timezone.now())
            SyncRun.objects.update(not_before=timezone.now())

        run = walk_here(runs.enqueue(connection, "a", preview=True, process=process), hear)
    assert run.outcome == "previewed"
    assert "asked to be left alone" in said[0]
    assert own.LOOK < 1
