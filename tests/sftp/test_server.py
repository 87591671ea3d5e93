"""The SFTP server as a process: how it starts, beside the web server and alone, and that being killed loses nothing."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from tests.installation import Installation, free_port, fresh_installation
from tests.sftp.dropping import PASSWORD, RIVERBEND, make_drops, until, zipped


@contextmanager
def serving_sftp(installation: Installation) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process, and the line it said it was ready with."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "sftpd"],
        env=installation.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        yield process, process.stderr.readline()
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def sftp_only() -> Iterator[tuple[Installation, int]]:
    port = free_port()
    with fresh_installation(ROLLBOOK_SFTP_PORT=str(port), ROLLBOOK_SFTP_HOST="127.0.0.1") as installation:
        yield installation, port


def test_the_host_key_is_made_once_and_only_its_owner_may_read_it(sftp_only):
    installation, port = sftp_only
    with serving_sftp(installation) as (_, first):
        pass
    with serving_sftp(installation) as (_, second):
        pass
    assert re.fullmatch(rf"SFTP on port {port}, host key SHA256:\S{{43}}\n", first)
    assert second == first
    assert (installation.data_dir / "sftp/host.key").stat().st_mode & 0o777 == 0o600


def test_a_second_server_of_the_same_data_folder_is_refused(sftp_only):
    installation, _ = sftp_only
    with serving_sftp(installation):
        done = installation.rollbook("sftpd", expect=1)
    assert "Another SFTP server of this installation is running" in done.stderr


def test_without_a_port_or_with_a_key_that_is_none_it_says_what_to_write(installation, tmp_path):
    assert "Set ROLLBOOK_SFTP_PORT" in installation.rollbook("sftpd", expect=1).stderr
    (tmp_path / "key").write_text("not a key")
    installation.environ |= {
        "ROLLBOOK_SFTP_PORT": str(free_port()),
        "ROLLBOOK_SFTP_HOST_KEY": str(tmp_path / "key"),
    }
    done = installation.rollbook("sftpd", expect=1)
    assert "ROLLBOOK_SFTP_HOST_KEY has to name a private key" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_runs_it_beside_the_web_server_starts_it_again_and_takes_it_away(sftp_only, tmp_path):
    installation, port = sftp_only
    [drop] = make_drops(installation, port, ({"login": "riverbend"}, {"password": PASSWORD}))
    with installation.serving(worker=True):
        until_it_answers(drop)
        [child] = sftp_processes(port)
        os.kill(child, signal.SIGKILL)
        until_it_answers(drop, not_by=child)
        assert drop.sftp(f"put {zipped(RIVERBEND, tmp_path / 'roster.zip')}").returncode == 0
        assert drop.ended(1)[0]["outcome"] == "success"
    assert sftp_processes(port) == []


def test_it_ends_when_the_web_server_is_killed(sftp_only):
    installation, port = sftp_only
    command = [sys.executable, "-m", "rollbook", "serve", "--port", str(installation.port), "--workers", "1"]
    process = subprocess.Popen(
        command, env=installation.environ, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until(lambda: sftp_processes(port))
        process.kill()
        process.wait()
        until(lambda: not sftp_processes(port))
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def test_a_delivery_that_was_taken_when_the_server_was_killed_is_imported_by_the_next(sftp_only, tmp_path):
    installation, port = sftp_only
    [drop] = make_drops(installation, port, ({"login": "riverbend"}, {"password": PASSWORD}))
    package = zipped(RIVERBEND, tmp_path / "roster.zip")
    with serving_sftp(installation) as (process, _):
        assert drop.sftp(f"put {package}").returncode == 0
        until(lambda: any((drop.home / "arrived").iterdir()) or any(drop.home.glob("archive/run-*")))
        process.kill()
    with serving_sftp(installation), installation.working():
        until(lambda: list((drop.home / "archive").glob("run-*")))
        runs = drop.ended(1)
    assert [run["outcome"] for run in runs] == ["success"]
    assert drop.archived(runs[-1]["id"]) == ["roster.zip"]
    assert list((drop.home / "arrived").iterdir()) == []


def test_a_connection_that_is_switched_off_lets_nobody_in_and_a_removed_one_leaves_nothing(
    sftp_only, tmp_path
):
    installation, port = sftp_only
    [drop] = make_drops(installation, port, ({"login": "riverbend"}, {"password": PASSWORD}))
    (tmp_path / "x.tmp").write_text("x")
    with serving_sftp(installation):
        assert drop.sftp(f"put {tmp_path}/x.tmp").returncode == 0
        installation.rollbook("connection", "edit", str(drop.connection), "--disabled")
        assert "Permission denied" in drop.sftp("ls").stderr
    installation.rollbook("connection", "remove", str(drop.connection))
    with serving_sftp(installation):
        until(lambda: not drop.home.exists())


def test_an_address_that_guesses_passwords_is_shut_out_for_a_while(sftp_only):
    installation, port = sftp_only
    [drop] = make_drops(installation, port, ({"login": "riverbend"}, {"password": PASSWORD}))
    with serving_sftp(installation):
        assert drop.sftp("ls").returncode == 0
        answers = guess(port, [f"guess number {number}" for number in range(20)])
        assert answers == {"PermissionDenied"}
        assert guess(port, [PASSWORD]) <= {"ConnectionLost", "ConnectionResetError"}
        assert drop.sftp("ls").returncode != 0


def guess(port: int, passwords: list[str]) -> set[str]:
    """What signing in with each of these came to."""
    # In a thread of its own: a browser test before this one in the same process leaves its event loop running.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(lambda: asyncio.run(guessed(port, passwords))).result()


async def guessed(port: int, passwords: list[str]) -> set[str]:
    ended = await asyncio.gather(
        *(
            asyncssh.connect(
                "127.0.0.1", port, username="riverbend", password=password, known_hosts=None,
                client_keys=None, agent_path=None, config=None,
            )
            for password in passwords
        ),
        return_exceptions=True,
    )  # fmt: skip
    return {type(one).__name__ for one in ended}


def until_it_answers(drop, not_by: int = 0) -> None:
    until(lambda: drop.sftp("ls").returncode == 0 and sftp_processes(drop.port) != [not_by])


def sftp_processes(port: int) -> list[int]:
    """The processes of this port's SFTP server, by their environment."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                command = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                environ = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"rollbook.sftp" in command and f"ROLLBOOK_SFTP_PORT={port}".encode() in environ:
                found.append(int(name))
    return found
