"""The conformance kit: the directory in memory keeps all of it, and targets that do wrong are found out."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.sync.conformance import CHECKS, Check, failures
from rollbook.engine.sync.memory import MemoryTarget, Shelves
from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    DONE,
    GROUPS,
    MEMBERS,
    MEMBERSHIPS,
    REJECT,
    RETRY,
    UPDATE,
    Operation,
    Outcome,
)
from rollbook.engine.sync.target import Capabilities
from rollbook.engine.sync.trial import Trial


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_directory_in_memory_keeps(check: Check):
    check.run(MemoryTarget)


def test_a_target_of_people_alone_that_cannot_bring_back_is_asked_only_what_it_says_it_can():
    can = Capabilities(
        kinds=frozenset({MEMBERS}),
        actions=frozenset({CREATE, UPDATE, ARCHIVE}),
        fields={MEMBERS: ("given_name", "family_name")},
        unique=(),
        batch=10,
    )
    assert failures(lambda: MemoryTarget(can)) == {}


class Forgetful(MemoryTarget):
    """Makes what is created once more, each time it is told."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        for one in operations:
            self.shelves.seen.pop(one.id, None)
        return super().apply([replace(one, source_id=f"{self.shelves.last_id}") for one in operations])


class Careless(MemoryTarget):
    """Writes over what others wrote."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        return super().apply([replace(one, version="") for one in operations])


class Thorough(MemoryTarget):
    """Throws out the memberships of whoever is archived."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        for one in operations:
            if one.action == ARCHIVE and one.kind in (MEMBERS, GROUPS):
                for membership in self.shelves.held[MEMBERSHIPS].values():
                    if one.target in (membership.fields["member"], membership.fields["group"]):
                        membership.state = "archived"
        return super().apply(operations)


class Curious(MemoryTarget):
    """Keeps what it is told beside what is mapped."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        outcomes = super().apply(operations)
        for one, outcome in zip(operations, outcomes, strict=True):
            if one.kind == MEMBERS and outcome.target in self.shelves.held[MEMBERS]:
                self.shelves.held[MEMBERS][outcome.target].key = repr(one.base)
        return outcomes


class Brittle(MemoryTarget):
    """Takes nothing of a batch in which one operation is bad."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        outcomes = super().apply(operations)
        if any(one.status == REJECT for one in outcomes):
            return [replace(one, status=REJECT, code="batch") for one in outcomes]
        return outcomes


class Yes(MemoryTarget):
    """Says yes to everything."""

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        return [replace(one, status=DONE) for one in super().apply(operations)]


@pytest.mark.parametrize(
    "target, found",
    [
        (Forgetful, {"twice", "resume"}),
        (Careless, {"stale"}),
        (Thorough, {"comes-back"}),
        (Curious, {"canary"}),
        (Brittle, {"taken", "one-in-many", "unknown-reference"}),
        (Yes, {"twice", "taken", "stale", "unknown-record", "one-in-many"}),
    ],
)
def test_the_kit_finds_out_a_target_that_is(target: type[MemoryTarget], found: set[str]):
    assert found <= set(failures(target))


def test_a_target_that_asks_for_patience_is_told_again():
    tired = MemoryTarget()
    left = [True] * 3

    def once(operation: Operation) -> Outcome | None:
        return Outcome(operation.id, RETRY, wait=1) if left and left.pop() else None

    tired.faults = once
    trial = Trial(tired)
    assert {one.status for one in trial.send(trial.sample())} == {DONE}
    assert tired.calls[RETRY] == 3


def test_a_crash_between_two_operations_leaves_what_was_done_and_the_rest_is_done_after_it():
    shelves = Shelves()
    whole = Trial(MemoryTarget())
    whole.send(whole.sample())
    for cut in range(8):
        dying = MemoryTarget(shelves=shelves)
        count = iter(range(100))

        def crash(operation: Operation, count=count, cut=cut) -> Outcome | None:
            if next(count) == cut:
                raise ConnectionError
            return None

        dying.faults = crash
        with pytest.raises(ConnectionError):
            (trial := Trial(dying)).send(trial.sample())
    trial = Trial(MemoryTarget(shelves=shelves))
    trial.send(trial.sample())
    assert trial.picture() == whole.picture()


def test_another_connection_sees_the_same_directory_and_says_memberships_of_its_own():
    ours = MemoryTarget()
    trial = Trial(ours)
    trial.send(trial.sample())
    theirs = Trial(ours.beside("2"), run=8)
    theirs.ids = dict(trial.ids)
    (made,) = theirs.send([theirs.create(MEMBERSHIPS, "c1/p1", {"role": "student"})])
    assert made.status == DONE
    seen = [one for one in trial.records(MEMBERSHIPS) if one.id == made.target]
    assert [one.managed for one in seen] == [False]
    assert len(trial.records(MEMBERSHIPS)) == 5


HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-target.md"


def test_the_target_that_the_how_to_shows_keeps_the_kit_and_the_kit_is_told_whole():
    text = HOW_TO.read_text(encoding="utf-8")
    shown: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, str(HOW_TO), "exec"), shown)  # the blocks prove themselves: the last one asserts
    assert "OurApp" in shown
    assert re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|$", text, re.MULTILINE) == [
        (one.name, one.says) for one in CHECKS
    ]
