"""A worker is killed in the middle of an import, in each of its phases; the next one brings it to its end, once, as if nothing had been."""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

PHASES = ("waiting", "reading", "planning", "planned", "applying", "publishing")
SCHEMA = "rollbook_jobs." if ON_POSTGRESQL else ""
ATTEMPTS = 12
"""A phase of a small import is over in a moment: whoever was too late looks at the next import."""

TELLER = """
import hashlib, json, os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from pathlib import Path
from rollbook.flows.districts import add_district
from rollbook.flows.jobs import enqueue_delivery
from rollbook.store.models import RECORDS, Connection, District, Publication, Run

def digest(model):
    rows = list(model.objects.filter(status="active").order_by("id").values_list())
    return [len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()]

district = add_district("Riverbend", "America/Chicago")
connection = Connection.objects.get(district=district)
for line in sys.stdin:
    verb, _, path = line.strip().partition(" ")
    if verb == "enqueue":
        answer = enqueue_delivery(connection, Path(path), "a test").pk
    else:
        answer = {
            "roster": {name: digest(model) for name, model in RECORDS.items()},
            "publications": Publication.objects.count(),
            "generation": District.objects.get().generation,
            "runs": list(Run.objects.order_by("pk").values_list("pk", "outcome", "message")),
        }
    print(json.dumps(answer), flush=True)
"""


@dataclass
class Watched:
    """An installation whose worker is watched: what its databases say from moment to moment, and a process that enqueues and counts."""

    installation: Installation
    teller: subprocess.Popen[str]
    worker: subprocess.Popen[bytes] | None = None
    looking: dict[str, Any] = field(default_factory=dict)

    def ask(self, line: str) -> Any:
        assert self.teller.stdin
        assert self.teller.stdout
        self.teller.stdin.write(line + "\n")
        self.teller.stdin.flush()
        return json.loads(self.teller.stdout.readline())

    def one(self, sql: str, number: int, file: str = "roster.db") -> Any:
        """The one value a statement gives, None where there is none."""
        place = "" if ON_POSTGRESQL else file
        if place not in self.looking:
            self.looking[place] = self.connected(file)
        row = self.looking[place].execute(sql.format(number)).fetchone()
        return row and row[0]

    def connected(self, file: str) -> Any:
        if ON_POSTGRESQL:
            return psycopg.connect(self.installation.environ["ROLLBOOK_DATABASE_URL"], autocommit=True)
        return sqlite3.connect(self.installation.data_dir / file, isolation_level=None, timeout=30)

    def phase(self, run: int) -> str:
        return self.one("SELECT phase FROM store_progress WHERE run_id = {}", run, "reading.db") or ""

    def outcome(self, run: int) -> str:
        return self.one("SELECT outcome FROM store_run WHERE id = {}", run)

    def start(self) -> None:
        command = [sys.executable, "-m", "rollbook", "worker"]
        self.worker = subprocess.Popen(command, env=self.installation.environ)

    def kill(self) -> None:
        assert self.worker
        self.worker.kill()
        self.worker.wait()

    def stop_in(self, phase: str, run: int) -> bool:
        """Whether the worker stands still with the run in this phase; else it was too fast, and goes on."""
        assert self.worker
        end = time.monotonic() + 60
        while self.phase(run) != phase and not self.outcome(run):
            assert time.monotonic() < end, "it came to nothing"
            time.sleep(0.002)
        os.kill(self.worker.pid, signal.SIGSTOP)
        if self.phase(run) == phase and not self.outcome(run):
            return True
        os.kill(self.worker.pid, signal.SIGCONT)
        return False

    def ended(self, run: int, seconds: float = 90) -> str:
        end = time.monotonic() + seconds
        while not (outcome := self.outcome(run)):
            assert time.monotonic() < end, f"run {run} never ended; it is in {self.phase(run)}"
            time.sleep(0.05)
        return outcome


@pytest.fixture
def packages(tmp_path: Path) -> list[Path]:
    """Riverbend, and Riverbend the night after: an enrollment is gone, and every class has another title."""
    after = tmp_path / "after"
    shutil.copytree(RIVERBEND, after)
    for name, change in (("enrollments.csv", lambda lines: lines[:-1]), ("classes.csv", retitled)):
        lines = (after / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (after / name).write_text("".join(change(lines)), encoding="utf-8")
    return [RIVERBEND, after]


def retitled(lines: list[str]) -> list[str]:
    place = lines[0].strip().split(",").index("title")
    changed = [line.split(",") for line in lines[1:]]
    for fields in changed:
        fields[place] += " again"
    return [lines[0], *(",".join(fields) for fields in changed)]


@pytest.fixture
def watched() -> Iterator[Watched]:
    with fresh_installation() as installation:
        teller = subprocess.Popen(
            [sys.executable, "-c", TELLER],
            env=installation.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        made = Watched(installation, teller)
        try:
            yield made
        finally:
            for connection in made.looking.values():
                connection.close()
            teller.terminate()
            teller.communicate()
            if made.worker:
                with suppress(ProcessLookupError):
                    made.kill()


def test_a_worker_killed_at_any_moment_leaves_nothing_half_done_and_the_next_ends_the_run_once(
    watched: Watched, packages: list[Path]
):
    watched.start()
    undisturbed = {}
    for package in packages:
        assert watched.ended(watched.ask(f"enqueue {package}")) == "success"
        undisturbed[package] = watched.ask("count")["roster"]
    assert undisturbed[packages[0]] != undisturbed[packages[1]]
    turns = itertools.cycle(packages)
    for phase in PHASES:
        killed_in(phase, watched, turns, undisturbed)
    killed_before_the_engine_has_noted_the_end(watched, turns)
    assert {outcome for _, outcome, _ in watched.ask("count")["runs"]} == {"success"}


def killed_in(
    phase: str, watched: Watched, turns: Iterator[Path], undisturbed: dict[Path, dict[str, Any]]
) -> None:
    for _ in range(ATTEMPTS):
        before, package = watched.ask("count"), next(turns)
        run = watched.ask(f"enqueue {package}")
        caught = watched.stop_in(phase, run)
        if caught:
            watched.kill()
            assert watched.outcome(run) == "", phase
            assert watched.ask("count")["roster"] == before["roster"], phase
            watched.start()
        assert watched.ended(run) == "success", phase
        after = watched.ask("count")
        assert after["roster"] == undisturbed[package], phase
        assert applied_since(before, after) == (1, 1), phase
        if caught:
            return
    raise AssertionError(f"never saw the worker in {phase}")


def killed_before_the_engine_has_noted_the_end(watched: Watched, turns: Iterator[Path]) -> None:
    """The roster is changed and the run has ended; the engine, to which we stop its ears, does the step again."""
    for _ in range(ATTEMPTS):
        before = watched.ask("count")
        run = watched.ask(f"enqueue {next(turns)}")
        while watched.phase(run) not in ("applying", "publishing", "done"):
            time.sleep(0.002)
        with closing(watched.connected("jobs.db")) as engine:
            engine.execute("BEGIN" if ON_POSTGRESQL else "BEGIN IMMEDIATE")
            if ON_POSTGRESQL:
                engine.execute(f"LOCK TABLE {SCHEMA}operation_outputs IN EXCLUSIVE MODE")
            assert watched.ended(run) == "success"
            noted = engine.execute(
                f"SELECT count(*) FROM {SCHEMA}operation_outputs"
                f" WHERE workflow_uuid LIKE 'run-{run}-%' AND function_name = 'act'"
            ).fetchone()[0]
            if not noted:
                watched.kill()
            engine.execute("ROLLBACK")
        if not noted:
            break
    else:
        raise AssertionError("the engine was always faster")
    ended = watched.ask("count")["runs"][-1]
    watched.start()
    end = time.monotonic() + 60
    query = f"SELECT status FROM {SCHEMA}workflow_status WHERE workflow_uuid LIKE 'run-{{}}-%'"
    while watched.one(query, run, "jobs.db") != "SUCCESS":
        assert time.monotonic() < end, "the engine never came to the end of it"
        time.sleep(0.05)
    after = watched.ask("count")
    assert applied_since(before, after) == (1, 1)
    assert after["runs"][-1] == ended


def applied_since(before: dict[str, Any], after: dict[str, Any]) -> tuple[int, int]:
    return after["publications"] - before["publications"], after["generation"] - before["generation"]
