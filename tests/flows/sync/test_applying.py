"""Carrying out a plan: killed at any operation and gone on with it comes to the same; nothing is done twice, nothing is noted that was not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.sync.memory import MemoryTarget
from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    GROUPS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    MISS,
    NOTE,
    RELEASE,
    RELINK,
    RETRY,
    SITES,
    UNLINK,
    UPDATE,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.plan_file import PlanWriter
from rollbook.engine.sync.target import Capabilities
from rollbook.flows.progress import TakenOver
from rollbook.flows.sync.applying import carry_out, statistics_of
from rollbook.flows.sync.progress import Teller
from rollbook.flows.sync.targets import target_of
from rollbook.flows.sync.verifying import verify
from rollbook.store import journal
from rollbook.store.linking import links_of
from rollbook.store.models import Member, Membership, Override, Site, SyncConnection, SyncOutcome, SyncRun
from tests.flows.sync.organizations import an_organization, connected

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(tmp_path: Path) -> SyncConnection:
    return connected(an_organization(), tmp_path)


def a_run(connection: SyncConnection) -> SyncRun:
    return SyncRun.objects.create(organization=connection.organization, connection=connection)


def written(folder: Path, planned: Sequence[Operation]) -> Path:
    writer = PlanWriter(folder)
    for operation in planned:
        writer(operation)
    writer.close()
    return writer.path


def person(number: int, source_id: str, email: str = "", role: str = "student") -> Operation:
    email = email or f"{source_id}@school.example"
    about: dict[str, Value] = {"given_name": "G", "family_name": source_id, "email": email, "roles": (role,)}
    about |= {"sites": ("+north",), "state": "inactive"}
    return Operation(number, CREATE, MEMBERS, source_id, f"+{source_id}", after=about, base={"email": email})


def first_plan() -> list[Operation]:
    """A site for two orgs, three people, a group, and who is in it."""
    return [
        Operation(1, CREATE, SITES, "north", "+north", after={"name": "North"}, base={"name": "North"}),
        Operation(2, LINK, SITES, "annex", "+north", reason="decision", base={"name": "Annex"}),
        person(3, "t1", role="teacher"),
        person(4, "p1"),
        person(5, "p2"),
        Operation(6, CREATE, GROUPS, "c1", "+c1", after={"title": "Maths", "form": "class", "site": "+north"}),
        *(
            Operation(
                7 + place, CREATE, MEMBERSHIPS, f"e{place}", f"++c1/+{who}",
                after={"group": "+c1", "member": f"+{who}", "role": "student"},
            )
            for place, who in enumerate(("t1", "p1", "p2"))
        ),
    ]  # fmt: skip


def everything(_: Operation) -> bool:
    return True


def carried(run: SyncRun, plan: Path, allowed: Callable[[Operation], bool] = everything) -> int:
    return carry_out(run, target_of(run.connection), plan, allowed, Teller(run), sleep=lambda _: None)


def picture(connection: SyncConnection) -> tuple[Any, ...]:
    """All that a plan has to come to, whatever ids it was given."""
    own = {"organization": connection.organization_id}
    members = {one.pk[1]: one for one in Member.objects.filter(**own)}
    return (
        sorted(Site.objects.filter(**own).values_list("name", "state")),
        sorted((one.email, one.state, one.roles) for one in members.values()),
        sorted(
            (members[who].email, state)
            for who, state in Membership.objects.filter(**own).values_list("member_id", "state")
        ),
        {kind: sorted(found) for kind, found in links_of(connection).current.items()},
    )


def test_a_plan_is_carried_out_linked_noted_and_as_it_was_told(
    connection: SyncConnection, tmp_path: Path
) -> None:
    run, plan = a_run(connection), written(tmp_path, first_plan())
    assert carried(run, plan) == 0
    assert len(picture(connection)[2]) == 3
    links = links_of(connection)
    assert links.of(SITES)["annex"].target == links.of(SITES)["north"].target
    assert statistics_of(run)[MEMBERS] == {"create": 3}
    assert verify(run, target_of(connection), plan) == []
    assert carried(run, plan) == 0
    assert statistics_of(run)[MEMBERS] == {"create": 3}


def test_a_change_behind_its_back_is_seen_when_it_is_read_back(
    connection: SyncConnection, tmp_path: Path
) -> None:
    run, plan = a_run(connection), written(tmp_path, first_plan())
    carried(run, plan)
    Member.objects.filter(organization=connection.organization_id, email="p1@school.example").update(
        email="other@school.example"
    )
    assert [(one.kind, one.field) for one in verify(run, target_of(connection), plan)] == [(MEMBERS, "email")]


@pytest.mark.parametrize("line", range(1, 5))
def test_killed_at_any_batch_and_gone_on_with_it_comes_to_the_same(
    connection: SyncConnection, tmp_path: Path, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, plan = a_run(connection), written(tmp_path, first_plan())
    ends = journal.end
    calls = 0

    def dies(*given: object) -> None:
        nonlocal calls
        calls += 1
        if calls == line:
            raise KeyboardInterrupt
        ends(*given)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(journal, "end", dies)
    with pytest.raises(KeyboardInterrupt):
        carried(run, plan)
    monkeypatch.setattr(journal, "end", ends)
    carried(run, plan)
    assert len(picture(connection)[1]) == 3
    assert len(picture(connection)[2]) == 3
    assert SyncOutcome.objects.filter(run=run).count() == 0


def test_what_depends_on_what_is_held_waits_with_it(connection: SyncConnection, tmp_path: Path) -> None:
    run, plan = a_run(connection), written(tmp_path, first_plan())
    held = {4}
    assert carried(run, plan, lambda operation: operation.number not in held) == 2
    assert len(picture(connection)[1]) == 2
    assert carried(run, plan) == 0
    assert len(picture(connection)[2]) == 3
    assert len(journal.covered(run)) == 9


def test_what_refers_to_what_was_rejected_says_so_and_the_rest_is_done(
    connection: SyncConnection, tmp_path: Path
) -> None:
    plan = first_plan()
    plan[4] = person(5, "p2", email="p1@school.example")
    run = a_run(connection)
    carried(run, written(tmp_path, plan))
    assert [
        (one.operation, one.code) for one in SyncOutcome.objects.filter(run=run).order_by("operation")
    ] == [
        (5, "value-taken"),
        (9, "unknown-reference"),
    ]
    assert len(picture(connection)[2]) == 2


def test_a_record_that_a_plan_touches_twice_is_not_stale_the_second_time(
    connection: SyncConnection, tmp_path: Path
) -> None:
    carried(a_run(connection), written(tmp_path, first_plan()))
    links = links_of(connection).of(MEMBERS)
    mails = {"p1": "p2@school.example", "p2": "p1@school.example"}
    swap = [
        Operation(1, UPDATE, MEMBERS, "p1", links["p1"].target, after={"email": ""}, changed=("email",), version="1"),
        Operation(2, UPDATE, MEMBERS, "p2", links["p2"].target, after={"email": mails["p2"]}, changed=("email",), version="1"),
        Operation(3, UPDATE, MEMBERS, "p1", links["p1"].target, after={"email": mails["p1"]}, changed=("email",), version="1"),
        Operation(4, ARCHIVE, MEMBERS, "t1", links["t1"].target, version="7"),
    ]  # fmt: skip
    run = a_run(connection)
    carried(run, written(tmp_path, swap))
    assert [(one.operation, one.status) for one in SyncOutcome.objects.filter(run=run)] == [(4, "conflict")]
    assert Member.objects.get(pk=(connection.organization_id, links["p1"].target)).email == mails["p1"]


def test_what_is_only_remembered_goes_the_same_way(connection: SyncConnection, tmp_path: Path) -> None:
    carried(a_run(connection), written(tmp_path, first_plan()))
    target = {one: link.target for one, link in links_of(connection).of(MEMBERS).items()}
    Override.objects.create(
        organization=connection.organization, kind=MEMBERS, target=target["p2"], field="state", value="kept",
        by="somebody", made_at=connection.created_at,
    )  # fmt: skip
    remembered = [
        Operation(
            1, RELINK, MEMBERS, "new-p1", target["p1"], before={"source_id": "p1"}, base={"email": "x"}
        ),
        Operation(2, MISS, MEMBERS, "p2", target["p2"], reason="missing"),
        Operation(3, RELEASE, MEMBERS, "p2", target["p2"], changed=("state",)),
        Operation(4, NOTE, MEMBERS, "t1", target["t1"], base={"email": "noted"}),
        Operation(5, UNLINK, GROUPS, "c1", links_of(connection).of(GROUPS)["c1"].target, reason="reused-id"),
    ]
    run = a_run(connection)
    carried(run, written(tmp_path, remembered))
    links = links_of(connection)
    assert links.of(MEMBERS)["new-p1"].target == target["p1"]
    assert links.formerly(MEMBERS) == {"p1": target["p1"]}
    assert (links.of(MEMBERS)["p2"].missing_reads, links.of(MEMBERS)["p2"].why) == (1, "missing")
    assert links.of(MEMBERS)["t1"].base == {"email": "noted"}
    assert links.of(GROUPS) == {}
    assert links.formerly(GROUPS) == {}
    assert Override.objects.get().ended_by == "sync"
    assert statistics_of(run)[MEMBERS] == {"relink": 1, "miss": 1, "release": 1, "note": 1}


def test_a_process_that_was_overtaken_changes_nothing(connection: SyncConnection, tmp_path: Path) -> None:
    run, plan = a_run(connection), written(tmp_path, first_plan())
    SyncRun.objects.filter(pk=run.pk).update(fence=1)
    with pytest.raises(TakenOver):
        carried(run, plan)
    assert picture(connection) == ([], [], [], {})


def test_a_target_that_asks_to_be_asked_again_is_and_not_for_ever(
    connection: SyncConnection, tmp_path: Path
) -> None:
    target = MemoryTarget(Capabilities(batch=2), str(connection.pk))
    asked: list[str] = []

    def busy(operation: Operation) -> Outcome | None:
        asked.append(operation.id)
        often = asked.count(operation.id)
        patient = operation.source_id == "p1" and often < 3
        never = operation.source_id == "p2"
        return Outcome(operation.id, RETRY, wait=5.0, code="busy") if patient or never else None

    target.faults = busy
    waits: list[float] = []
    run = a_run(connection)
    carry_out(run, target, written(tmp_path, first_plan()), everything, Teller(run), sleep=waits.append)
    assert {one.operation: one.status for one in SyncOutcome.objects.filter(run=run)} == {
        5: "retry",
        9: "reject",
    }
    assert len(list(target.scan(MEMBERSHIPS))) == 2
    assert min(waits) >= 5.0
