"""A sync that dies at any operation or in any phase, and is gone on with: it ends as if nothing had been, and nothing is done twice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from rollbook.engine.sync.operations import Operation, Outcome
from rollbook.engine.sync.target import Capabilities
from rollbook.flows.sync import holds, runs
from rollbook.flows.sync.acting import act
from rollbook.flows.sync.progress import Teller
from rollbook.flows.sync.steps import plan, read
from rollbook.flows.sync.targets import TARGETS
from rollbook.flows.sync.walk import walk, walked
from rollbook.store import journal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import (
    Group,
    Link,
    Member,
    Membership,
    SyncBatch,
    SyncConnection,
    SyncOutcome,
    SyncRun,
)
from tests.engine.sync.schools import Tables, changed, school, without
from tests.flows.sync.organizations import NO_LIMITS, an_organization, connected, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


class Died(BaseException):
    """What a process is hit by that is killed: nothing of ours catches it."""


class Fuse:
    """Burns by one at each moment at which a process may be killed; at the last one it is."""

    def __init__(self, length: int) -> None:
        self.left = length

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Died


class OneByOne(DirectoryTarget):
    """The directory, told one operation at a time, by a process that may die before and after each; or as a system beside our database."""

    def __init__(self, connection: SyncConnection, fuse: Fuse, in_transaction: bool) -> None:
        super().__init__(connection.organization, connection.pk)
        self.fuse, self.in_transaction = fuse, in_transaction

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), batch=1, in_transaction=self.in_transaction)

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        self.fuse.burn()
        outcomes = super().apply(operations)
        self.fuse.burn()
        return outcomes


def next_year() -> Tables:
    """The school with one of everything that can happen: joined, left, renamed, addresses swapped, another class, another title."""
    found = changed(without(school(), "p2"), "users", "p1", givenName="Philippa", email="p3@school.example")
    found = changed(found, "users", "p3", email="p1@school.example")
    found = changed(found, "classes", "c2", title="Geometry")
    [user], [role], [place] = (
        [row for row in school()[table] if "p3" in (row["sourcedId"], row.get("userSourcedId"))]
        for table in ("users", "roles", "enrollments")
    )
    found["users"].append({**user, "sourcedId": "p9", "username": "p9", "email": "p9@school.example"})
    found["roles"].append({**role, "sourcedId": "r-p9", "userSourcedId": "p9"})
    found["classes"].append({**found["classes"][0], "sourcedId": "c9", "title": "Chess"})
    found["enrollments"].append(
        {**place, "sourcedId": "e-p9-c9", "userSourcedId": "p9", "classSourcedId": "c9"}
    )
    found["enrollments"] = [row for row in found["enrollments"] if row["sourcedId"] != "e-p1-c1"]
    return found


def before_next_year(folder: Path) -> SyncConnection:
    """Synced once; its folder has the next year."""
    deliver(folder, school())
    made = connected(an_organization(), folder, limits=NO_LIMITS)
    assert walked(holds.approve(walked(runs.enqueue(made, "a test")), "a test")).outcome == "success"
    deliver(folder, next_year())
    made.refresh_from_db()
    return made


connection = kept(before_next_year)


def picture(connection: SyncConnection) -> dict[str, Any]:
    """All that a sync has to come to, whatever ids were given out on the way."""
    own = {"organization": connection.organization_id}
    people = {one.id: one.source_id for one in Member.objects.filter(**own)}
    groups = {one.id: one.source_id for one in Group.objects.filter(**own)}
    links = Link.objects.filter(connection=connection)
    return {
        "members": sorted(
            Member.objects.filter(**own).values_list("source_id", "state", "given_name", "email", "version")
        ),
        "groups": sorted(Group.objects.filter(**own).values_list("source_id", "state", "title", "version")),
        "memberships": sorted(
            (groups[one.group_id], people[one.member_id], one.role, one.state, one.version)
            for one in Membership.objects.filter(**own)
        ),
        "links": sorted(links.values_list("kind", "source_id", "base", "missing_reads", "end_reason")),
    }


def told(run: SyncRun) -> tuple[Any, ...]:
    """What is noted of a run that has ended."""
    run.refresh_from_db()
    batches = SyncBatch.objects.filter(run=run)
    return (
        run.outcome, run.verified, len(journal.covered(run)), batches.filter(ended_at=None).count(),
        SyncOutcome.objects.filter(run=run).count(), run.connection.read_run,
    )  # fmt: skip


def taken(run: SyncRun) -> SyncRun:
    """The run, taken by another process."""
    SyncRun.objects.filter(pk=run.pk).update(fence=F("fence") + 1)
    return runs.find_run(run.pk)


def in_a_world_of_its_own(work: Callable[[], Any]) -> Any:
    """What the work gives; what it wrote is gone afterwards."""
    with transaction.atomic():
        found = work()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("in_transaction", [True, False], ids=["our own directory", "a system beside"])
def test_killed_at_any_operation_the_run_ends_as_without(
    connection: SyncConnection,
    in_transaction: bool,
    monkeypatch: pytest.MonkeyPatch,
    at_size: Callable[[int, int], int],
) -> None:
    run = runs.enqueue(connection, "a test")
    assert read(run.pk)
    assert plan(run.pk)
    run.refresh_from_db()
    planned = sum(sum(of_kind.values()) for of_kind in run.counts["operations"].values())
    assert planned >= 9

    def gone_on_with(length: int) -> tuple[bool, dict[str, Any], tuple[Any, ...]]:
        """Whether it died; and what came of it."""
        fuse = Fuse(length)
        monkeypatch.setitem(TARGETS, "directory", lambda one: OneByOne(one, fuse, in_transaction))
        with suppress(Died):
            act(taken(run))
        died = fuse.left == 0
        if died:
            act(taken(run))
        return died, picture(connection), told(run)

    _, expected, noted = in_a_world_of_its_own(lambda: gone_on_with(0))
    assert noted[:5] == ("success", {"drift": [], "drifted": 0}, planned, 0, 0)
    deaths = 0
    for length in moments(at_size(3, 1)):
        died, found, said = in_a_world_of_its_own(lambda length=length: gone_on_with(length))  # type: ignore[misc]  # called at once
        if not died:
            break
        deaths += 1
        assert found == expected, length
        assert (said[0], *said[2:]) == (noted[0], *noted[2:]), length
    assert deaths >= planned // at_size(3, 1)


def moments(step: int) -> Iterator[int]:
    """1, and then every so manieth."""
    length = 1
    while True:
        yield length
        length += step


PHASES = ("fetching", "reading", "planning", "applying", "verifying")


def test_killed_in_any_phase_the_run_ends_as_without(
    connection: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = Teller.__call__
    for phase, roster in zip(PHASES, cycle([next_year(), school()]), strict=False):
        deliver(Path(connection.source_settings["path"]), roster)
        run = runs.enqueue(connection, "a test")

        def dies(self: Teller, told: str, *numbers: int, phase: str = phase) -> None:
            tell(self, told, *numbers)
            if told == phase:
                raise Died

        monkeypatch.setattr(Teller, "__call__", dies)
        with pytest.raises(Died):
            walk(run.pk)
        monkeypatch.setattr(Teller, "__call__", tell)
        assert walked(run).outcome == "success", phase
        connection.refresh_from_db()
        assert connection.read_run == run.pk
        assert in_step(connection) == said_by(roster), phase


def in_step(connection: SyncConnection) -> tuple[set[tuple[str, str]], set[str]]:
    """Who is there, by which name, and which classes."""
    found = picture(connection)
    people = {(one, given) for one, state, given, *_ in found["members"] if state != "archived"}
    return people, {one for one, state, *_ in found["groups"] if state != "archived"}


def said_by(roster: Tables) -> tuple[set[tuple[str, str]], set[str]]:
    people = {(row["sourcedId"], row["givenName"]) for row in roster["users"]}
    return people, {row["sourcedId"] for row in roster["classes"]}
