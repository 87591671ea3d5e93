"""A Rollbook of a test's own: a data folder, a migrated database on whichever database this run is about, its command, its server."""

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.warm import FROM_NOTHING, Forked, warm

RUN_URL = os.environ.get("ROLLBOOK_DATABASE_URL", "")
ON_POSTGRESQL = RUN_URL.startswith("postgres")


@dataclass
class Installation:
    """`data_dir` is its folder, `environ` what its processes see, `url` where its server answers (port chosen beforehand)."""

    data_dir: Path
    environ: dict[str, str]
    port: int
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rollbook(
        self, *arguments: str, stdin: str = "", expect: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Runs `rollbook …` to its end; fails with its output when the exit code is not `expect` (None takes any)."""
        done = self._done(arguments, stdin)
        if expect is not None and done.returncode != expect:
            raise AssertionError(
                f"rollbook {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def _done(self, arguments: tuple[str, ...], stdin: str) -> subprocess.CompletedProcess[str]:
        if FROM_NOTHING.isdisjoint(arguments):
            return warm().run(self.environ, ("rollbook", *arguments), stdin)
        return subprocess.run(
            [sys.executable, "-m", "rollbook", *arguments],
            env=self.environ, input=stdin, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def python(self, *program: str, stdin: str = "") -> str:
        """What `-c CODE …` or `-m MODULE …` writes, run to its end in a process of this installation's: how tests prepare it."""
        done = warm().run(self.environ, program, stdin)
        if done.returncode:
            raise AssertionError(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def rows(self, statement: str, file: str = "roster.db") -> list[tuple[Any, ...]]:
        """What the statement finds, asked of the database itself: a process that only looks would cost a start of Django.

        `file` is the one of SQLite's two that the tables lie in.
        """
        if ON_POSTGRESQL:
            with psycopg.connect(self.environ["ROLLBOOK_DATABASE_URL"], autocommit=True) as server:
                return server.execute(statement).fetchall()  # type: ignore[arg-type]  # written out in the tests, every one
        with contextlib.closing(
            sqlite3.connect(self.data_dir / file, timeout=30, isolation_level=None)
        ) as own:
            return own.execute(statement).fetchall()

    @contextlib.contextmanager
    def serving(
        self, *arguments: str, workers: int = 1, worker: bool = False, **variables: str
    ) -> Iterator[str]:
        """`rollbook serve` while the block runs, with a worker beside it only where that is asked for; gives its address."""
        beside = "--worker" if worker else "--no-worker"
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "serve", "--port", str(self.port), "--workers", str(workers), beside, *arguments],
            env=self.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.servers.append(process)
        try:
            wait_until_ready(self.url, process)
            yield self.url
        finally:
            process.terminate()
            process.communicate(timeout=20)
            self.servers.remove(process)

    def spoken_with(self, *program: str) -> Forked:
        """The same under way, to be spoken with in lines."""
        return warm().spoken_with(self.environ, program)

    def worker(self) -> Forked:
        """What the command `rollbook worker` becomes."""
        return warm().beside(self.environ, ("-m", "rollbook.worker"))

    @contextlib.contextmanager
    def working(self) -> Iterator[Forked]:
        """A worker while the block runs."""
        worker = self.worker()
        try:
            yield worker
        finally:
            worker.end()

    @contextlib.contextmanager
    def working_from_nothing(self) -> Iterator[None]:
        """A worker by its command."""
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "worker"],
            env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.communicate(timeout=20)


def wait_until_ready(url: str, process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Returns once /readyz says so; raises with the server's output when it ended or never did.

    The server leads a group of its own: its workers go with it, or they would hold its output open for ever.
    """
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{url}/readyz", timeout=2),
        ):
            return
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError(f"The server never became ready:\n{process.communicate()[0]}")


def free_port() -> int:
    """A port nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def fresh_installation(migrated: bool = True, **variables: str) -> Iterator[Installation]:
    """A new, empty, migrated installation; gone when the block ends. `variables` are more ROLLBOOK_… settings."""
    folder = Path(tempfile.mkdtemp(prefix="rollbook-installation-"))
    database = f"rollbook_{uuid.uuid4().hex}"
    port = free_port()
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ROLLBOOK_")}
    environ |= {
        "ROLLBOOK_DATA_DIR": str(folder),
        "ROLLBOOK_RATE_LIMIT": "0",
        "ROLLBOOK_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    if ON_POSTGRESQL:
        environ["ROLLBOOK_DATABASE_URL"] = _with_name(database)
        copy_database(database, template() if migrated else "template1")
    elif migrated:
        for file in Path(template()).glob("*.db"):
            shutil.copy(file, folder)
    made = Installation(folder, environ | variables, port)
    try:
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if ON_POSTGRESQL:
            run_sql("DROP DATABASE {} WITH (FORCE)", database)


@functools.cache
def template() -> str:
    """A migrated database, made once a run by the process first to want it: on PostgreSQL its name, on SQLite the folder of its files."""
    run = Path(os.environ["ROLLBOOK_TEST_DATA"])
    folder, made = run / "template", run / "template-made"
    name = f"rollbook_template_{run.name.rpartition('-')[2]}"
    environ = os.environ | {"ROLLBOOK_DATA_DIR": str(folder)}
    environ.pop("ROLLBOOK_DATABASE_URL", None)
    if ON_POSTGRESQL:
        environ["ROLLBOOK_DATABASE_URL"] = _with_name(name)
    with (run / "template-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            if ON_POSTGRESQL:
                run_sql("CREATE DATABASE {}", name)
            subprocess.run([sys.executable, "-m", "rollbook", "migrate", "--quiet"], env=environ, check=True)
            made.touch()
    return name if ON_POSTGRESQL else str(folder)


def _with_name(database: str) -> str:
    parts = urlsplit(RUN_URL)
    return urlunsplit(parts._replace(path=f"/{database}"))


def copy_database(name: str, template: str) -> None:
    """File by file where the server can (PostgreSQL 15): else every page goes through its log, and is written out when a copy is dropped."""
    with psycopg.connect(RUN_URL, autocommit=True) as connection:
        strategy = " STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
    run_sql("CREATE DATABASE {} TEMPLATE {}" + strategy, name, template)


def run_sql(statement: str, *names: str) -> None:
    """A statement of the server the run is about, with these names in its braces."""
    with psycopg.connect(RUN_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
