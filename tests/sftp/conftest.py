"""One Rollbook with its SFTP server for a whole module, and its drop connections."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation, free_port, fresh_installation
from tests.sftp.dropping import PASSWORD, Dropped, make_drops, make_key


@pytest.fixture(scope="module")
def sftp_installation() -> Iterator[tuple[Installation, int]]:
    """A Rollbook whose SFTP server and worker run, and the server's port."""
    port = free_port()
    with fresh_installation(ROLLBOOK_SFTP_PORT=str(port), ROLLBOOK_SFTP_HOST="127.0.0.1") as installation:
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "sftpd"],
            env=installation.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        line = process.stderr.readline()
        assert line.startswith(f"SFTP on port {port}, host key SHA256:"), line
        with installation.working():
            yield installation, port
        process.terminate()
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in complaints, complaints


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """Three key pairs: the first two are Riverbend's, the third is a stranger's."""
    folder = tmp_path_factory.mktemp("keys")
    return [make_key(folder, name) for name in ("first", "second", "strange")]


@pytest.fixture(scope="module")
def drops(sftp_installation: tuple[Installation, int], keys: list[tuple[Path, str]]) -> list[Dropped]:
    """Riverbend's by password and keys, another by password, one that may come from elsewhere only, one with little room."""
    secret = {"password": PASSWORD}
    riverbend = {"login": "riverbend", "keys": keys[0][1] + keys[1][1], "quiet_seconds": "2"}
    made = make_drops(
        *sftp_installation,
        (riverbend, secret),
        ({"login": "lakeside", "quiet_seconds": "3600"}, secret),
        ({"login": "elsewhere", "allow": "192.0.2.0/24\n198.51.100.7"}, secret),
        ({"login": "narrow", "most_megabytes": "1"}, secret),
    )
    time.sleep(0.1)
    return made
