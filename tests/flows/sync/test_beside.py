"""Two rosters kept in step with one directory: nobody goes at one source whom the other has."""

from pathlib import Path

import pytest

from rollbook.engine.sync.operations import MEMBERS
from rollbook.engine.sync.plan_file import REMARKS, read_remarks
from rollbook.flows.sync import holds, runs
from rollbook.flows.sync.walk import walked
from rollbook.store.linking import links_of
from rollbook.store.models import Member, SyncConnection, SyncRun
from rollbook.store.sync_shelf import run_folder
from tests.engine.sync.schools import school, without
from tests.flows.sync.organizations import NO_LIMITS, an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def sync(connection: SyncConnection) -> SyncRun:
    """A sync, approved if it is the first."""
    connection.refresh_from_db()
    run = walked(runs.enqueue(connection, "somebody"))
    run = walked(holds.approve(run, "somebody")) if run.outcome == "previewed" else run
    assert run.outcome in ("success", "empty"), run.message
    return run


def codes(run: SyncRun, source_id: str) -> set[str]:
    return {one.code for one in read_remarks(run_folder(run) / REMARKS) if one.source_id == source_id}


def test_who_is_gone_at_one_source_stays_as_long_as_another_has_them(tmp_path: Path) -> None:
    organization = an_organization()
    ones, others = tmp_path / "one", tmp_path / "other"
    deliver(ones, school())
    deliver(others, without(school(), "p2"))
    one, other = (connected(organization, folder, limits=NO_LIMITS) for folder in (ones, others))
    sync(one)
    sync(other)
    assert links_of(one).of(MEMBERS)["p1"].target == links_of(other).of(MEMBERS)["p1"].target

    def state(source_id: str) -> str:
        return str(Member.objects.get(organization=organization, source_id=source_id).state)

    deliver(ones, without(school(), "p1", "p2"))
    run = sync(one)
    assert (state("p1"), state("p2")) == ("inactive", "archived")
    assert codes(run, "p1") == {"rostered-elsewhere"}
    assert (sync(other).outcome, sync(one).outcome) == ("empty", "empty")

    deliver(others, without(school(), "p1", "p2"))
    run = sync(other)
    assert (state("p1"), codes(run, "p1")) == ("inactive", {"not-owned"})
    assert "p1" not in links_of(other).of(MEMBERS)
    sync(one)
    assert state("p1") == "archived"
