"""Fetching by SFTP from OpenSSH's own server, and what is said when it cannot be done."""

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import BadSetting, CannotFetch, ConnectorRefusal, Fetched
from rollbook.connectors.sftp_pull import SFTP_PULL, checked, fetch
from tests.connectors.sshd import Sshd, a_sshd, with_a_password
from tests.installation import free_port
from tests.sftp.dropping import RIVERBEND, zipped

NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = a_sshd(tmp_path / "sshd")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def outgoing(tmp_path: Path) -> Path:
    """The folder the other system puts its exports in."""
    folder = tmp_path / "outgoing"
    folder.mkdir()
    return folder


def filled(sshd: Sshd, path: Path | str, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    given = {
        "host": "127.0.0.1",
        "port": str(sshd.port),
        "login": sshd.login,
        "path": str(path),
        "host_key": sshd.host_key(),
    }
    secrets = {"private_key": sshd.client_key}
    return checked(given | {"timeout_seconds": "5"} | more, secrets)


def by_password(port: int, host_key: str, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    given = {"host": "127.0.0.1", "port": str(port), "login": "roster", "path": "/roster.zip"}
    return checked(given | {"host_key": host_key} | more, {"password": "open sesame"})


def refused(kind: type[ConnectorRefusal], words: str) -> Any:
    """The block is refused with words that this pattern is found in."""
    return pytest.raises(kind, check=lambda refusal: bool(re.search(words, refusal.words)))


def pulled(connection: tuple[dict[str, Any], dict[str, str]], work: Path) -> Fetched:
    return fetch(*connection, work, NOW, lambda words: None)


def test_a_zip_is_fetched_byte_for_byte(sshd, outgoing, tmp_path):
    package = zipped(RIVERBEND, outgoing / "roster.zip")
    connection = filled(sshd, package)
    assert "lets" in SFTP_PULL.tested(*connection)[0]
    assert f"{package.stat().st_size:,} bytes" in SFTP_PULL.tested(*connection)[1]
    fetched = pulled(connection, tmp_path / "work")
    assert fetched.path.read_bytes() == package.read_bytes()


def test_a_folder_gives_its_csv_files_and_nothing_else(sshd, outgoing, tmp_path):
    folder = Path(shutil.copytree(RIVERBEND, outgoing / "csv"))
    (folder / "notes.txt").write_text("not for you")
    (folder / "passwd.csv").symlink_to("/etc/passwd")
    fetched = pulled(filled(sshd, folder), tmp_path / "work")
    assert sorted(file.name for file in fetched.path.iterdir()) == sorted(
        file.name for file in RIVERBEND.iterdir()
    )
    assert all((fetched.path / file.name).read_bytes() == file.read_bytes() for file in RIVERBEND.iterdir())


def test_the_newest_file_that_fits_a_pattern_is_taken(sshd, outgoing, tmp_path):
    for number, name in enumerate(["roster-b.zip", "roster-c.zip", "roster-a.zip", "other.zip"]):
        (outgoing / name).write_bytes(name.encode())
        os.utime(outgoing / name, (1_000_000 + number, 1_000_000 + number))
    fetched = pulled(filled(sshd, outgoing / "roster-*.zip"), tmp_path / "work")
    assert fetched.path.name == "roster-a.zip"


def test_without_an_accepted_key_the_key_is_shown_and_nobody_signs_in(sshd, outgoing, tmp_path):
    connection = filled(sshd, outgoing, host_key="")
    words = SFTP_PULL.tested(*connection)
    assert sshd.host_key() in words[0]
    with refused(CannotFetch, "No host key has been accepted"):
        pulled(connection, tmp_path / "work")
    log = (sshd.folder / "log").read_text()
    assert "Accepted" not in log
    assert "Failed" not in log


def test_another_host_key_is_refused_in_words_and_nothing_is_sent(sshd, outgoing, tmp_path):
    zipped(RIVERBEND, outgoing / "roster.zip")
    connection = filled(sshd, outgoing / "roster.zip")
    sshd.stop()
    sshd.new_host_key()
    sshd.start()
    with refused(CannotFetch, "shows another key than the one accepted"):
        pulled(connection, tmp_path / "work")
    with refused(CannotFetch, "Somebody may stand in between"):
        SFTP_PULL.tested(*connection)
    assert "Accepted" not in (sshd.folder / "log").read_text()


def test_a_server_that_no_longer_has_the_accepted_kind_of_key_is_refused(sshd, outgoing):
    connection = filled(sshd, outgoing)
    sshd.stop()
    sshd.new_host_key("ecdsa")
    sshd.start("ecdsa")
    with refused(CannotFetch, "no longer has one of the accepted kind"):
        SFTP_PULL.tested(*connection)


def test_of_several_host_keys_the_accepted_one_is_asked_for(sshd, outgoing, tmp_path):
    package = zipped(RIVERBEND, outgoing / "roster.zip")
    sshd.stop()
    sshd.new_host_key("rsa")
    sshd.new_host_key("ecdsa")
    sshd.start("ecdsa", "rsa", "ed25519")
    for kind in ("rsa", "ecdsa", "ed25519"):
        fetched = pulled(filled(sshd, package, host_key=sshd.host_key(kind)), tmp_path / kind)
        assert fetched.path.read_bytes() == package.read_bytes()


def test_a_wrong_password_is_said_in_words(sshd, outgoing):
    given, _ = filled(sshd, outgoing)
    connection = checked(given, {"password": "wrong horse"})
    with refused(CannotFetch, "does not let .* in: the password or the key is wrong"):
        SFTP_PULL.tested(*connection)


def test_a_password_opens_too(outgoing, tmp_path):
    package = zipped(RIVERBEND, outgoing / "roster.zip")
    with with_a_password(outgoing) as (port, host_key):
        connection = by_password(port, host_key)
        assert pulled(connection, tmp_path / "work").path.read_bytes() == package.read_bytes()


def test_a_server_that_falls_silent_is_given_up(outgoing, tmp_path):
    zipped(RIVERBEND, outgoing / "roster.zip")
    with with_a_password(outgoing, delay=30) as (port, host_key):
        connection = by_password(port, host_key, timeout_seconds="1")
        with refused(CannotFetch, "did not answer within 1 seconds"):
            pulled(connection, tmp_path / "work")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.zip", "There is no .*missing.zip"),
        ("roster-*.zip", "Nothing on 127.0.0.1 fits"),
        ("nowhere/*.zip", "There is no"),
        ("", "There is no CSV file in"),
    ],
)
def test_what_is_not_there_is_said_in_words(sshd, outgoing, path, words):
    with refused(CannotFetch, words):
        SFTP_PULL.tested(*filled(sshd, outgoing / path))


def test_more_than_the_limit_is_not_fetched(sshd, outgoing, tmp_path):
    (outgoing / "roster.zip").write_bytes(os.urandom((1 << 20) + 1))
    with refused(CannotFetch, "at most 1 are fetched"):
        pulled(filled(sshd, outgoing / "roster.zip", most_megabytes="1"), tmp_path / "work")


def test_nothing_listening_and_nobody_answering_are_said_in_words(sshd, outgoing):
    with refused(CannotFetch, "nothing listens there"):
        SFTP_PULL.tested(*filled(sshd, outgoing, port=str(free_port())))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with refused(CannotFetch, "did not answer|cannot be read"):
            SFTP_PULL.tested(*filled(sshd, outgoing, port=str(silent.getsockname()[1]), timeout_seconds="1"))


def test_a_file_that_grows_while_it_is_fetched_is_refused(outgoing, tmp_path):
    file = outgoing / "roster.zip"
    file.write_bytes(os.urandom(1 << 20))
    with with_a_password(outgoing, delay=0.3) as (port, host_key):
        connection = by_password(port, host_key)
        growing = threading.Timer(0.6, lambda: file.write_bytes(os.urandom(2 << 20)))
        growing.start()
        with refused(CannotFetch, "was written to while it was fetched"):
            pulled(connection, tmp_path / "work")
        growing.join()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "sftp://x.example"}, "without sftp://"),
        ({"port": "70000"}, "Port is '70000'"),
        ({"login": " "}, "Write the login"),
        ({"path": "/out-*/roster.zip"}, "only its last part"),
        ({"host_key": "SHA256:abc"}, "A host key is written as"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_name(given, words):
    right = {"host": "sftp.example.org", "login": "roster", "path": "/out"}
    with refused(BadSetting, words):
        checked(right | given, {"password": "open sesame"})


def test_a_key_that_cannot_be_read_and_no_way_to_sign_in_are_refused(tmp_path):
    right = {"host": "sftp.example.org", "login": "roster", "path": "/out"}
    with refused(BadSetting, "Give a password or a private key"):
        checked(right, {})
    with refused(BadSetting, "without a passphrase"):
        checked(
            right,
            {
                "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n-----END OPENSSH PRIVATE KEY-----"
            },
        )
