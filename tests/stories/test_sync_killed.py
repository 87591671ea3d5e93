"""A worker is killed in the middle of a sync, in each of its phases; the next one brings it to its end, once, as if nothing had been."""

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import deliver
from tests.installation import fresh_installation
from tests.stories.test_killed import Watched

PHASES = ("reading", "applying", "verifying")
ATTEMPTS = 12
"""A phase of a small sync is over in a moment: whoever was too late looks at the next one."""

TELLER = """
import json, os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from rollbook.flows import directory
from rollbook.flows.sync import connections, holds, runs
from rollbook.store.models import Link, Member, Membership, SyncBatch, SyncConnection, SyncRun

def begin(folder):
    global organization, connection
    product = directory.add_product("Reader", ["administrator", "teacher", "aide", "proctor", "student"])
    organization = directory.add_organization(product, "Riverbend")
    made = connections.connect(organization, "Roster", "folder", {"path": folder}, settings="classes-and-licences")
    connection = connections.activate(made)

def enqueue(_):
    return runs.enqueue(connections.find_connection(connection.pk), "a test").pk

def approve(run):
    return holds.approve(runs.find_run(int(run)), "a test").pk

def count(_):
    people = dict(Member.objects.filter(organization=organization).values_list("id", "source_id"))
    return {
        "members": sorted(Member.objects.values_list("source_id", "state", "given_name", "email")),
        "memberships": sorted([people[one.member_id], one.role, one.state] for one in Membership.objects.all()),
        "links": sorted(Link.objects.filter(ended_at=None).values_list("kind", "source_id")),
        "read": SyncConnection.objects.get().read_run,
    }

def operations(run):
    batches = SyncBatch.objects.filter(run=int(run))
    done = sum(n for one in batches for name, n in one.counts.items() if name not in ("kind", "left"))
    return {"planned": sum(sum(one.values()) for one in SyncRun.objects.get(pk=int(run)).counts["operations"].values()),
            "done": done, "open": batches.filter(ended_at=None).count()}

verbs = {one.__name__: one for one in (begin, enqueue, approve, count, operations)}
for line in sys.stdin:
    verb, _, about = line.strip().partition(" ")
    print(json.dumps(verbs[verb](about)), flush=True)
"""


class WatchedSyncs(Watched):
    """An installation whose worker is watched at its syncs."""

    def phase(self, run: int) -> str:
        return self.one("SELECT phase FROM store_syncrun WHERE id = {}", run) or ""

    def outcome(self, run: int) -> str:
        return self.one("SELECT outcome FROM store_syncrun WHERE id = {}", run)


@pytest.fixture
def alone() -> Iterator[WatchedSyncs]:
    """Without a worker."""
    with fresh_installation() as installation:
        teller = installation.spoken_with("-c", TELLER)
        made = WatchedSyncs(installation, teller)
        try:
            yield made
        finally:
            for connection in made.looking.values():
                connection.close()
            teller.end()


@pytest.fixture
def watched(alone: WatchedSyncs) -> Iterator[WatchedSyncs]:
    alone.start()
    try:
        yield alone
    finally:
        with suppress(ProcessLookupError):
            alone.kill()


def test_a_worker_killed_at_any_moment_of_a_sync_leaves_nothing_half_done_and_the_next_ends_the_run_once(
    watched: WatchedSyncs, tmp_path: Path
) -> None:
    folder = tmp_path / "roster"
    rosters = [school(), changed(without(school(), "p2"), "users", "p1", givenName="Philippa")]
    deliver(folder, rosters[0])
    watched.ask(f"begin {folder}")
    shown = watched.ask("enqueue")
    assert watched.ended(shown) == "previewed"
    watched.ask(f"approve {shown}")
    assert watched.ended(shown) == "success"
    undisturbed = []
    for roster in (rosters[1], rosters[0], rosters[1]):
        deliver(folder, roster)
        assert watched.ended(watched.ask("enqueue")) == "success"
        undisturbed.append(said(watched))
    assert undisturbed[0] == undisturbed[2] != undisturbed[1]
    turns = itertools.cycle([(rosters[0], undisturbed[1]), (rosters[1], undisturbed[0])])
    for phase in PHASES:
        killed_in(phase, watched, folder, turns)


def killed_in(
    phase: str, watched: WatchedSyncs, folder: Path, turns: Iterator[tuple[Any, dict[str, Any]]]
) -> None:
    for _ in range(ATTEMPTS):
        roster, expected = next(turns)
        deliver(folder, roster)
        run = watched.ask("enqueue")
        caught = watched.stop_in(phase, run)
        if caught:
            watched.kill()
            assert watched.outcome(run) == "", phase
            # Once all is verified, the read is accepted a moment before the run has ended.
            assert watched.ask("count")["read"] < run or phase == "verifying"
            watched.start()
        assert watched.ended(run) == "success", phase
        assert said(watched) == expected, phase
        assert watched.ask("count")["read"] == run
        told = watched.ask(f"operations {run}")
        assert (told["done"], told["open"]) == (told["planned"], 0), json.dumps(told)
        if caught:
            return
    raise AssertionError(f"never saw the worker in {phase}")


def said(watched: WatchedSyncs) -> dict[str, Any]:
    """What the directory and its links say, but for which read is the accepted one."""
    return {name: value for name, value in watched.ask("count").items() if name != "read"}


# --- Killed at every operation -------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from dataclasses import replace
from rollbook.flows.sync.walk import walk
from rollbook.store import directory

run, left = map(int, sys.argv[1:])
directory.CAN = replace(directory.CAN, batch=1)
carry_out = directory.DirectoryTarget.apply

def burn():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def apply(self, operations):
    burn()
    outcomes = carry_out(self, operations)
    burn()
    return outcomes

directory.DirectoryTarget.apply = apply
walk(run)
"""


@pytest.mark.long
def test_a_process_killed_at_any_operation_leaves_nothing_half_done_and_its_successor_ends_the_run_once(
    alone: WatchedSyncs, tmp_path: Path
) -> None:
    """Before each operation, and after each, before it is noted: nobody else works here, so each run waits for the next process."""
    folder = tmp_path / "roster"
    rosters = [school(), changed(without(school(), "p2"), "users", "p1", givenName="Philippa")]
    deliver(folder, rosters[0])
    alone.ask(f"begin {folder}")
    shown = alone.ask("enqueue")
    assert walked(alone, shown) == 0
    alone.ask(f"approve {shown}")
    assert walked(alone, shown) == 0
    expected = []
    for roster in (rosters[1], rosters[0]):
        deliver(folder, roster)
        assert walked(alone, alone.ask("enqueue")) == 0
        expected.append(said(alone))
    for moment in itertools.count(1):
        deaths = 0
        for roster, ends in zip((rosters[1], rosters[0]), expected, strict=True):
            deliver(folder, roster)
            run = alone.ask("enqueue")
            deaths += walked(alone, run, moment) == -signal.SIGKILL
            assert walked(alone, run) == 0
            assert (alone.outcome(run), said(alone)) == ("success", ends), moment
            told = alone.ask(f"operations {run}")
            assert (told["done"], told["open"]) == (told["planned"], 0), json.dumps(told)
        if not deaths:
            break
    assert moment > 4


def walked(alone: WatchedSyncs, run: int, moment: int = 0) -> int:
    """How the process ended that walks the run, and is killed at that moment, if any."""
    command = [sys.executable, "-c", KILLED, str(run), str(moment)]
    return subprocess.run(command, env=alone.installation.environ, timeout=120, check=False).returncode
