"""A worker is killed in the middle of an import, in each of its phases; the next one brings it to its end, once, as if nothing had been."""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.work_folders import PREFIX
from tests.connectors.provider import STATIC, Ask, Provider, Reply, serving
from tests.installation import ON_POSTGRESQL, Installation, free_port, fresh_installation
from tests.warm import Forked

PHASES = ("waiting", "reading", "planning", "planned", "applying", "publishing")
SCHEMA = "rollbook_jobs." if ON_POSTGRESQL else ""
ATTEMPTS = 12
"""A phase of a small import is over in a moment: whoever was too late looks at the next import."""

TELLER = """
import hashlib, json, os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from pathlib import Path
from rollbook.flows.connections import add_connection
from rollbook.flows.districts import add_district
from rollbook.flows.holds import AlreadyDecided, find_hold
from rollbook.flows.jobs import enqueue_decision, enqueue_delivery, enqueue_fetch
from rollbook.flows.operators import DISTRICT, add_operator
from rollbook.store.models import RECORDS, Connection, District, Letter, Publication, Run

def digest(model):
    rows = list(model.objects.filter(district=district, status="active").order_by("id").values_list())
    return [len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()]

def begin(name):
    global district, connection
    district = add_district(name, "America/Chicago")
    connection = Connection.objects.get(district=district)

def enqueue(path):
    return enqueue_delivery(connection, Path(path), "a test").pk

def pull(given):
    global connection
    settings, secrets = json.loads(given)
    Connection.objects.filter(pk=connection.pk).update(kind="oneroster_rest", settings=settings, secrets=json.dumps(secrets))
    connection = Connection.objects.get(pk=connection.pk)
    return enqueue_fetch(connection, "a test").pk

def operator(email):
    add_operator(email, DISTRICT, district)

def decide(run):
    try:
        return enqueue_decision(find_hold(int(run)), "apply", "a test", "it is right").pk
    except AlreadyDecided as refusal:
        return type(refusal).__name__

def count(_):
    return {
        "roster": {name: digest(model) for name, model in RECORDS.items()},
        "publications": Publication.objects.filter(district=district).count(),
        "generation": District.objects.get(pk=district.pk).generation,
        "runs": list(Run.objects.filter(district=district).order_by("pk").values_list("pk", "outcome", "message")),
        "letters": Letter.objects.filter(district=district).count(),
    }

verbs = {one.__name__: one for one in (begin, enqueue, pull, operator, decide, count)}
for line in sys.stdin:
    verb, _, about = line.strip().partition(" ")
    print(json.dumps(verbs[verb](about)), flush=True)
"""


@dataclass
class Watched:
    """An installation whose worker is watched: what its databases say from moment to moment, and a process that enqueues and counts."""

    installation: Installation
    teller: Forked
    worker: Forked | None = None
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
        self.worker = self.installation.worker()

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


@pytest.fixture(scope="module")
def mail_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation's own temporary folder."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def installed(mail_port: int, temporary: Path) -> Iterator[Watched]:
    """Its mail server is not there until a test starts one."""
    address = f"smtp://127.0.0.1:{mail_port}?tls=none"
    with fresh_installation(ROLLBOOK_EMAIL_URL=address, TMPDIR=str(temporary)) as installation:
        teller = installation.spoken_with("-c", TELLER)
        made = Watched(installation, teller)
        try:
            yield made
        finally:
            for connection in made.looking.values():
                connection.close()
            teller.end()


@pytest.fixture
def watched(installed: Watched, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A district of the test's own, and a worker."""
    installed.ask(f"begin {request.node.name[:60]}")
    installed.start()
    yield installed
    with suppress(ProcessLookupError):
        installed.kill()


def test_a_worker_killed_at_any_moment_leaves_nothing_half_done_and_the_next_ends_the_run_once(
    watched: Watched, packages: list[Path]
):
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


# --- While it fetches -----------------------------------------------------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_of_a_collection_reads_it_anew_and_the_run_ends_once(
    watched: Watched, temporary: Path
):
    in_the_middle, go_on = threading.Event(), threading.Event()

    def wait(ask: Ask, reply: Reply) -> Reply:
        if ask.collection == "enrollments" and ask.number == 3:
            in_the_middle.set()
            go_on.wait(60)
        return reply

    with serving(Provider(spoil=wait)) as provider:
        reach = json.dumps([provider.settings, {"token": STATIC}])
        before = watched.ask("count")
        run = watched.ask(f"pull {reach}")
        assert in_the_middle.wait(60)
        assert watched.phase(run) == "fetching"
        watched.kill()
        go_on.set()
        assert watched.ask("count") == before | {"runs": [[run, "", ""]]}
        [half_read] = temporary.glob(f"{PREFIX}fetch-*")
        assert any(half_read.iterdir())
        watched.start()
        assert watched.ended(run) == "success"
        assert not list(temporary.glob(f"{PREFIX}*")), "what was half read lies about"
        after = watched.ask("count")
        assert applied_since(before, after) == (1, 1)
        asked = [ask.offset for ask in provider.asked if ask.collection == "enrollments"]
        # What was half read is never gone on with: the other system may have moved meanwhile.
        assert asked[:4] == [0, 20, 40, 0]
        again = watched.ask(f"pull {reach}")
        assert watched.ended(again) == "success"
        undisturbed = watched.ask("count")
        assert undisturbed["runs"][-1][2].startswith("Nothing changed.")
        assert undisturbed["roster"] == after["roster"]


# --- While it is held -----------------------------------------------------------------------------------------------------------------------


class Box(Message):
    """Keeps the subjects of what is sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] = []

    def handle_message(self, message: Any) -> None:
        self.subjects.append(message["Subject"])


def test_a_worker_killed_once_a_plan_is_held_loses_neither_the_e_mail_nor_the_decision(
    watched: Watched, mail_port: int, tmp_path: Path
):
    watched.ask("operator brandt@riverbend.example")
    assert watched.ended(watched.ask(f"enqueue {RIVERBEND}")) == "success"
    short = shutil.copytree(RIVERBEND, tmp_path / "short")
    lines = (RIVERBEND / "demographics.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (short / "demographics.csv").write_text("".join(lines[:5]), encoding="utf-8")
    before = watched.ask("count")
    held = watched.ask(f"enqueue {short}")
    assert watched.ended(held) == "held"
    watched.kill()
    assert watched.ask("count")["letters"] == 1, "nobody was there to take it"
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=mail_port)
    server.start()
    try:
        watched.start()
        end = time.monotonic() + 60
        while watched.ask("count")["letters"]:
            assert time.monotonic() < end, "the e-mail never left"
            time.sleep(0.1)
    finally:
        server.stop()
    assert len(box.subjects) == 1
    assert watched.ask(f"decide {held}") == held
    assert watched.ended(held) == "success"
    after = watched.ask("count")
    assert applied_since(before, after) == (1, 1)
    assert after["roster"]["demographics"][0] == 4
    assert watched.ask(f"decide {held}") == "AlreadyDecided"
