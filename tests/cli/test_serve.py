"""`rollbook serve` and `rollbook migrate`, as processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation, fresh_installation, wait_until_ready


def test_the_server_answers_on_its_port_and_ends_cleanly_on_sigterm(installation: Installation):
    process = _started(installation, workers=2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert not list(installation.data_dir.glob("*.db-wal")), "what was written lies in no log beside the file"


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets a signal be sent to one thread of another process"
)
def test_the_server_ends_whichever_of_its_threads_takes_the_signal(installation: Installation):
    process = _started(installation, workers=1)
    other = max(int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir())
    assert other != process.pid
    os.kill(other, signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


def _started(installation: Installation, workers: int) -> subprocess.Popen[str]:
    """`rollbook serve`, once it answers."""
    command = [
        sys.executable,
        "-m",
        "rollbook",
        "serve",
        "--port",
        str(installation.port),
        "--workers",
        str(workers),
    ]
    process = subprocess.Popen(
        command,
        env=installation.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_until_ready(installation.url, process)
    return process


@pytest.fixture(scope="module")
def served() -> Iterator[Installation]:
    """A server runs, in whose database something was due when it began."""
    with fresh_installation() as installation:
        installation.rows(
            "INSERT INTO store_nonce (credential_id, timestamp, nonce) VALUES (1, 1, 'long ago') RETURNING id",
            "reading.db",
        )
        with installation.serving():
            yield installation


def test_static_files_are_served_under_names_that_carry_their_hash(served: Installation):
    [name] = [path.name for path in (served.data_dir / "static/vendor/tabler").glob("tabler.min.*.css")]
    with urllib.request.urlopen(f"{served.url}/static/vendor/tabler/{name}", timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/css")
        assert int(answer.headers["cache-control"].split("=")[1]) > 86400


def test_a_port_in_use_is_refused_by_name(installation: Installation):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()
        done = installation.rollbook("serve", "--port", str(installation.port), expect=1)
    assert "Choose another with --port" in done.stderr


def test_a_wrong_setting_keeps_the_server_from_starting_and_is_named():
    with fresh_installation(ROLLBOOK_FIELD_KEYS="not-a-key") as installation:
        done = installation.rollbook("serve", "--port", str(installation.port), expect=1)
    assert "rollbook.E003" in done.stderr
    assert "not-a-key" not in done.stderr


def test_migrating_twice_is_migrating_once(installation: Installation):
    """The first time was when the installation was made."""
    assert "No migrations to apply" in installation.rollbook("migrate").stdout


def test_the_server_sees_to_what_is_due(served: Installation):
    until = time.monotonic() + 60
    while served.rows("SELECT id FROM store_nonce", "reading.db"):
        assert time.monotonic() < until, "a nonce whose time is over is still there"
        time.sleep(0.05)
