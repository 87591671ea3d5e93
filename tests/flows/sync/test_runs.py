"""A connection's runs: shown first, carried out as shown, and nothing without need. Previews, holds, approvals, and what each remembers."""

from pathlib import Path

import pytest

from rollbook.engine.sync.operations import CREATE, MEMBERS, Operation, Value
from rollbook.flows.sync import acting, connections, holds, own, planning, reading, report, runs
from rollbook.flows.sync.walk import walk
from rollbook.store import journal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import Group, Member, Membership, Site, SyncConnection, SyncRun
from rollbook.store.sync_shelf import accepted_read
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


def sync(connection: SyncConnection, **task: object) -> SyncRun:
    with own.own_process() as process:
        return own.walk_here(runs.enqueue(connection, "somebody", process=process, **task), lambda _: None)  # type: ignore[arg-type]  # a task is what it is


def approve(run: SyncRun, *ticked: str, why: str = "It is right.") -> SyncRun:
    with own.own_process() as process:
        waiting = holds.approve(run, "somebody", why, ticked=ticked, process=process)
        return own.walk_here(waiting, lambda _: None)


def members(connection: SyncConnection) -> dict[str, str]:
    own_members = Member.objects.filter(organization=connection.organization_id)
    return dict(own_members.values_list("source_id", "state"))


def test_the_first_sync_is_only_shown_and_then_carried_out_as_shown(connection: SyncConnection) -> None:
    shown = sync(connection)
    assert (shown.outcome, shown.counts["operations"]["members"]) == ("previewed", {"create": 5})
    assert members(connection) == {}
    assert accepted_read(connection) is None
    done = approve(shown)
    assert (done.pk, done.outcome, done.fingerprint) == (shown.pk, "success", shown.fingerprint)
    assert set(members(connection).values()) == {"inactive"}
    assert Site.objects.filter(organization=connection.organization_id).count() == 2
    assert Group.objects.filter(organization=connection.organization_id).count() == 2
    assert Membership.objects.filter(organization=connection.organization_id).count() == 5
    connection.refresh_from_db()
    assert connection.read_run == done.pk
    assert connection.first_applied_at is not None


def test_a_night_without_a_change_writes_nothing(synced: Synced) -> None:
    connection = synced.connection
    before = list(Member.objects.filter(organization=connection.organization_id).values_list("id", "version"))
    run = sync(connection)
    assert (run.outcome, run.counts["operations"], run.statistics) == ("empty", {}, {})
    assert (
        list(Member.objects.filter(organization=connection.organization_id).values_list("id", "version"))
        == before
    )


def test_joiners_and_changes_come_in_and_leavers_go_at_once_where_there_is_no_grace(synced: Synced) -> None:
    connection, folder, _ = synced
    deliver(folder, changed(without(school(), "p2"), "users", "p1", givenName="Philippa"))
    run = sync(connection)
    assert run.outcome in ("success", "partly")
    assert (
        Member.objects.get(organization=connection.organization_id, source_id="p1").given_name == "Philippa"
    )
    deliver(folder, school())
    sync(connection)
    assert members(connection)["p2"] == "inactive"


def test_what_is_not_proved_to_be_whole_removes_nothing(synced: Synced) -> None:
    connection, folder, _ = synced
    tables = without(school(), "p2")
    stamped = {
        name: [{**row, "status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"} for row in rows]
        for name, rows in tables.items()
    }
    deliver(folder, stamped, "delta")
    assert sync(connection).outcome == "empty"
    deliver(folder, tables)
    assert sync(connection, kind=runs.DELTA).outcome == "empty"
    assert members(connection)["p2"] == "inactive"
    assert sync(connection).statistics == {"members": {"archive": 1}}


def test_a_source_that_cannot_be_read_fails_the_run_and_leaves_everything(synced: Synced) -> None:
    connection, folder, _ = synced
    for file in folder.iterdir():
        file.unlink()
    run = sync(connection)
    assert run.outcome in ("failed", "refused")
    assert run.message
    assert "archived" not in members(connection).values()
    connection.refresh_from_db()
    assert connection.read_run < run.pk


def test_nothing_runs_before_somebody_activates_it(folder: Path) -> None:
    made = connections.connect(an_organization(), "Roster", "folder", {"path": str(folder)})
    with pytest.raises(runs.NotActive):
        runs.enqueue(made, "somebody")
    assert connections.test(made)
    assert made.state == "waiting"
    runs.enqueue(connections.activate(made), "somebody")
    connections.pause(made)
    with pytest.raises(runs.NotActive):
        runs.enqueue(made, "somebody")


def test_an_organization_without_the_entitlement_cannot_sync(folder: Path) -> None:
    made = connected(an_organization(entitlements=[]), folder)
    with pytest.raises(runs.NotEntitled):
        runs.enqueue(made, "somebody")


def test_settings_that_changed_since_make_a_preview_out_of_date(connection: SyncConnection) -> None:
    shown = sync(connection)
    connections.edit(connection, {}, {"people": {"grades": ["05"]}})
    with pytest.raises(holds.OutOfDate):
        holds.approve(shown, "somebody")


def test_the_same_run_asked_for_twice_waits_once(connection: SyncConnection) -> None:
    assert runs.enqueue(connection, "a").pk == runs.enqueue(connection, "b").pk
    assert runs.enqueue(connection, "a", preview=True).pk != runs.enqueue(connection, "b").pk


def test_two_connections_of_an_organization_take_turns(connection: SyncConnection, folder: Path) -> None:
    other = connected(connection.organization, folder)
    one, two = runs.enqueue(connection, "a"), runs.enqueue(other, "a")
    assert not runs.take_turn(two)
    assert runs.take_turn(one)
    assert not runs.take_turn(two)


def test_a_report_tells_every_record_what_became_of_it_and_why(synced: Synced) -> None:
    connection, folder, begun = synced
    ids = {
        str(one)
        for one in Member.objects.filter(organization=connection.organization_id).values_list("id", flat=True)
    }
    assert {one.target for one in report.lines(begun, kind="members", outcome="done")} == ids
    deliver(folder, changed(school(), "users", "p1", email="pia@school.example"))
    run = sync(connection)
    [line] = report.lines(run, kind="members", outcome="done")
    assert (line.what, line.source_id) == ("updated", "p1")
    assert line.changes["email"] == ("p1@school.example", "pia@school.example")
    told = report.summary(run)
    assert told["statistics"]["members"] == {"update": 1}
    deliver(folder, changed(school(), "users", "p2", email="p3@school.example"))
    taken = report.summary(sync(connection))
    assert taken["cases"] == 1
    assert [(one["code"], bool(one["remedy"])) for one in taken["codes"]] == [
        (code, True) for code in taken["remarks"]
    ]


def by_hand(connection: SyncConnection, name: str, *roles: str) -> None:
    """A member whom a person made."""
    fields: dict[str, Value] = {
        "given_name": name,
        "family_name": "Hand",
        "email": f"{name}@school.example",
        "roles": roles,
    }
    made = Operation(1, CREATE, MEMBERS, name, "", after=fields | {"state": "active"}, id=f"hand-{name}")
    DirectoryTarget(connection.organization, 0).apply([made])


def states(connection: SyncConnection) -> dict[str, str]:
    return dict(
        Member.objects.filter(organization=connection.organization_id).values_list("given_name", "state")
    )


@pytest.mark.parametrize("ticked", [(), ("unowned",)])
def test_whom_the_source_never_had_goes_in_a_first_run_only_if_ticked(
    folder: Path, ticked: tuple[str, ...]
) -> None:
    connection = connected(
        an_organization(), folder, "teachers-and-schools", limits={"unowned": {"to_zero": False}}
    )
    by_hand(connection, "tess", "teacher")
    by_hand(connection, "olga", "teacher")
    by_hand(connection, "anna", "administrator", "teacher")
    Member.objects.filter(organization=connection.organization_id, given_name="tess").update(
        email="t1@school.example", email_folded="t1@school.example"
    )
    shown = sync(connection)
    assert shown.counts["operations"]["members"] == {"link": 1, "create": 1, "archive": 1}
    done = approve(shown, *ticked)
    assert states(connection)["olga"] == ("archived" if ticked else "active")
    assert (states(connection)["anna"], done.outcome) == ("active", "success")
    told = [one.outcome for one in report.lines(done, kind="members") if one.number]
    assert sorted(told) == ["done", "done", "done" if ticked else "left-out"]
    again = sync(connection)
    assert again.outcome == ("empty" if ticked else "success")
    assert states(connection)["olga"] == "archived"


@pytest.mark.parametrize("step", ["fetching", "planning", "applying", "verifying"])
def test_a_run_that_died_in_any_phase_is_gone_on_with_and_comes_to_the_same(
    connection: SyncConnection, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = sync(connection) if step in ("applying", "verifying") else None
    dies = {
        "fetching": (reading, "make_read"),
        "planning": (planning, "write_remarks"),
        "applying": (journal, "end"),
        "verifying": (acting, "verify"),
    }

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = (
        holds.approve(shown, "somebody", process="me")
        if shown
        else runs.enqueue(connection, "a", process="me")
    )
    assert runs.take_turn(run)
    with monkeypatch.context() as patch:
        patch.setattr(*dies[step], stop)
        with pytest.raises(KeyboardInterrupt):
            walk(run.pk)
    walk(run.pk)
    run.refresh_from_db()
    done = run if shown else approve(run)
    assert done.outcome == "success"
    assert Membership.objects.filter(organization=connection.organization_id).count() == 5
    assert len(members(connection)) == 5
    assert sync(connection).outcome == "empty"
