"""Drop connections of a test's own Rollbook, and OpenSSH's `sftp` as those who bring files use it."""

import json
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.installation import Installation

PASSWORD = "correct horse battery"
RIVERBEND = Path(__file__).parent.parent.parent / "rollbook" / "riverbend"

MAKE = """
import json, sys, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from rollbook.connectors.sftp_drop import checked
from rollbook.flows.districts import add_district
from rollbook.store.models import Connection
made = []
for settings, secrets in json.load(sys.stdin):
    kept, hidden = checked(settings, secrets)
    connection = Connection.objects.create(
        district=add_district("Riverbend"), kind="sftp_drop", name="SIS", settings=kept, secrets=json.dumps(hidden)
    )
    made.append([connection.pk, connection.district_id])
print(json.dumps(made))
"""

RUNS = "SELECT id, phase, outcome, message, CAST(findings AS text), started_by FROM store_run WHERE connection_id = {} ORDER BY id"
FIELDS = ("id", "phase", "outcome", "message", "findings", "started_by")


@dataclass(frozen=True)
class Dropped:
    """One drop connection of an installation whose SFTP server listens on `port`."""

    installation: Installation
    connection: int
    district: int
    login: str
    port: int
    known_hosts: Path

    @property
    def home(self) -> Path:
        return self.installation.data_dir / "sftp" / str(self.connection)

    def sftp(self, *commands: str, key: Path | None = None, password: str = PASSWORD, login: str = "") -> Any:
        """OpenSSH's client carries out the commands; it stops at the first that fails. Gives the ended process."""
        to = f"{login or self.login}@127.0.0.1"
        return self._ended(
            ["sftp", *self._options(key), "-b", "-", to],
            "".join(f"{command}\n" for command in commands),
            password,
        )

    def scp(self, *words: Path | str, to: str = "") -> Any:
        """OpenSSH's `scp` brings files, with the options among `words`, to the inbox itself or the path `to`. Gives the ended process."""
        target = f"{self.login}@127.0.0.1:{to}"
        return self._ended(["scp", *self._options(None), *map(str, words), target], "", PASSWORD)

    def _options(self, key: Path | None) -> list[str]:
        options = ["-F", "none", "-P", str(self.port), "-o", f"UserKnownHostsFile={self.known_hosts}",
                   "-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes", "-o", "NumberOfPasswordPrompts=1",
                   "-o", "BatchMode=no"]  # fmt: skip
        if key:
            return [*options, "-i", str(key), "-o", "PreferredAuthentications=publickey"]
        return [*options, "-o", "PreferredAuthentications=password"]

    def _ended(self, command: list[str], said: str, password: str) -> Any:
        ask = self.known_hosts.with_name("ask")
        ask.write_text('#!/bin/sh\nprintf "%s\\n" "$ROLLBOOK_TEST_PASSWORD"\n')
        ask.chmod(0o700)
        asked = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "ROLLBOOK_TEST_PASSWORD": password}
        return subprocess.run(
            command, input=said, capture_output=True, text=True, timeout=120, env=os.environ | asked
        )

    def runs(self) -> list[dict[str, Any]]:
        """Its runs, oldest first."""
        found = self.installation.rows(RUNS.format(self.connection))
        return [dict(zip(FIELDS, row, strict=True)) for row in found]

    def ended(self, count: int, seconds: float = 120) -> list[dict[str, Any]]:
        """Its runs, once there are `count` and all have ended."""
        until = time.monotonic() + seconds
        while len(runs := self.runs()) < count or not all(run["outcome"] for run in runs):
            assert time.monotonic() < until, f"it never came to {count} ended runs: {runs}"
            time.sleep(0.1)
        return runs

    def users(self) -> int:
        """How many users it owns."""
        [[count]] = self.installation.rows(
            f"SELECT count(*) FROM store_user WHERE connection_id = {self.connection}"
        )
        return int(count)

    def archived(self, run: int) -> list[str]:
        """What lies in the archive of a run, once it is there."""
        folder = self.home / "archive" / f"run-{run}"
        until = time.monotonic() + 60
        while not folder.exists() and time.monotonic() < until:
            time.sleep(0.05)
        return sorted(file.name for file in folder.iterdir())

    def inbox(self) -> list[str]:
        return sorted(file.name for file in (self.home / "inbox").iterdir())


def until(wanted: Callable[[], Any], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def make_drops(
    installation: Installation, port: int, *filled: tuple[dict[str, Any], dict[str, str]]
) -> list[Dropped]:
    """A district with a drop connection each, filled in as given."""
    made = json.loads(installation.python("-c", MAKE, stdin=json.dumps(filled)))
    known_hosts = installation.data_dir / "known_hosts"
    return [
        Dropped(installation, connection, district, settings["login"], port, known_hosts)
        for (settings, _), (connection, district) in zip(filled, made, strict=True)
    ]


def make_key(folder: Path, name: str = "id") -> tuple[Path, str]:
    """A new ed25519 key by ssh-keygen: the private file, the public line."""
    file = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "the SIS", "-f", str(file)], check=True
    )
    return file, file.with_suffix(".pub").read_text()


def zipped(folder: Path, target: Path) -> Path:
    """The folder's files as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return target


def a_copy_of_riverbend(folder: Path) -> Path:
    return Path(shutil.copytree(RIVERBEND, folder))
