"""A Rollbook of a test's own: a data folder, a migrated database on whichever database this run is about, its command, its server."""

import contextlib
import functools
import os
import shutil
import socket
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
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

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
        done = subprocess.run(
            [sys.executable, "-m", "rollbook", *arguments],
            env=self.environ, input=stdin, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        if expect is not None and done.returncode != expect:
            raise AssertionError(
                f"rollbook {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    @contextlib.contextmanager
    def serving(
        self, *arguments: str, workers: int = 1, worker: bool = False, **variables: str
    ) -> Iterator[str]:
        """`rollbook serve` while the block runs, with a worker beside it only where that is asked for; gives its address."""
        beside = "--worker" if worker else "--no-worker"
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "serve", "--port", str(self.port), "--workers", str(workers), beside, *arguments],
            env=self.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.servers.append(process)
        try:
            wait_until_ready(self.url, process)
            yield self.url
        finally:
            process.terminate()
            process.communicate(timeout=20)
            self.servers.remove(process)

    @contextlib.contextmanager
    def working(self) -> Iterator[subprocess.Popen[str]]:
        """`rollbook worker` while the block runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "worker"],
            env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


def wait_until_ready(url: str, process: subprocess.Popen[str], seconds: float = 60) -> None:
    """Returns once /readyz says so; raises with the server's output when it ended or never did."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{url}/readyz", timeout=2),
        ):
            return
        time.sleep(0.05)
    process.terminate()  # and not killed: its own processes would go on, and hold what we read from
    raise AssertionError(f"The server never became ready:\n{process.communicate(timeout=60)[0]}")


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
        _run_sql("CREATE DATABASE {} TEMPLATE {}", database, _template() if migrated else "template1")
    elif migrated:
        for file in Path(_template()).glob("*.db"):
            shutil.copy(file, folder)
    try:
        yield Installation(folder, environ | variables, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if ON_POSTGRESQL:
            _run_sql("DROP DATABASE {} WITH (FORCE)", database)


@functools.cache
def _template() -> str:
    """A migrated database made once a process: on PostgreSQL its name, on SQLite the folder of its files."""
    folder = Path(os.environ["ROLLBOOK_TEST_DATA"]) / f"template-{os.getpid()}"
    name = f"rollbook_template_{os.getpid()}"
    environ = os.environ | {"ROLLBOOK_DATA_DIR": str(folder)}
    environ.pop("ROLLBOOK_DATABASE_URL", None)
    if ON_POSTGRESQL:
        _run_sql("CREATE DATABASE {}", name)
        environ["ROLLBOOK_DATABASE_URL"] = _with_name(name)
    subprocess.run([sys.executable, "-m", "rollbook", "migrate", "--quiet"], env=environ, check=True)
    return name if ON_POSTGRESQL else str(folder)


def _with_name(database: str) -> str:
    parts = urlsplit(RUN_URL)
    return urlunsplit(parts._replace(path=f"/{database}"))


def _run_sql(statement: str, *names: str) -> None:
    with psycopg.connect(RUN_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
