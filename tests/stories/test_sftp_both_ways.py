"""Files come in by SFTP, brought and fetched, from adding the connection to the roster in the store; real programs at the other end."""

import json
import shutil
from pathlib import Path

from tests.command import rollbook
from tests.connectors.sshd import a_sshd
from tests.installation import free_port, fresh_installation
from tests.sftp.dropping import PASSWORD, RIVERBEND, Dropped, make_key, until, zipped


def test_a_sis_brings_its_files_to_the_server_that_serve_runs(tmp_path):
    port = free_port()
    with fresh_installation(ROLLBOOK_SFTP_PORT=str(port), ROLLBOOK_SFTP_HOST="127.0.0.1") as installation:
        district = json.loads(installation.rollbook("district", "add", "Riverbend", "--json").stdout)[
            "tenantId"
        ]
        private, public = make_key(tmp_path)
        added = installation.rollbook(
            "connection", "add", str(district), "Nightly", "--kind", "sftp_drop", "--set", "login=riverbend",
            "--set", f"keys={public.strip()}", "--set", "allow=127.0.0.0/8", "--secret", "password=-", "--json",
            stdin=PASSWORD,
        )  # fmt: skip
        number = json.loads(added.stdout)["connection"]
        assert (
            "It may come from 127.0.0.0/8." in installation.rollbook("connection", "test", str(number)).stdout
        )
        other = installation.rollbook(
            "connection", "add", str(district), "Again", "--kind", "sftp_drop", "--set", "login=riverbend",
            "--secret", "password=-", stdin=PASSWORD, expect=1,
        )  # fmt: skip
        assert "has this name already" in other.stderr
        drop = Dropped(installation, number, district, "riverbend", port, tmp_path / "known_hosts")
        with installation.serving(worker=True):
            until(lambda: drop.sftp("ls", key=private).returncode == 0)
            assert drop.sftp(f"put {RIVERBEND}/*.csv", key=private).returncode == 0
            [run] = drop.ended(1)
            assert run["outcome"] == "success"
            assert drop.sftp(f"put {zipped(RIVERBEND, tmp_path / 'roster.zip')}").returncode == 0
            again = drop.ended(2)[-1]
        assert (again["outcome"], again["message"]) == ("success", "Nothing changed.")


def test_rollbook_fetches_what_lies_on_the_districts_own_server(transactional_db, tmp_path):
    outgoing = tmp_path / "outgoing"
    shutil.copytree(RIVERBEND, outgoing)
    sshd = a_sshd(tmp_path / "sshd")
    sshd.start()
    try:
        fetch_and_change_the_key(sshd, outgoing)
    finally:
        sshd.stop()


def fetch_and_change_the_key(sshd, outgoing: Path) -> None:
    district = json.loads(rollbook("district", "add", "Riverbend", "--json").stdout)["tenantId"]
    added = rollbook(
        "connection", "add", str(district), "Export", "--kind", "sftp_pull", "--set", "host=127.0.0.1",
        "--set", f"port={sshd.port}", "--set", f"login={sshd.login}", "--set", f"path={outgoing}",
        "--secret", f"private_key={sshd.folder / 'client'}", "--json",
    )  # fmt: skip
    number = str(json.loads(added.stdout)["connection"])
    assert sshd.host_key() in rollbook("connection", "test", number).stdout
    assert "No host key has been accepted" in rollbook("connection", "run", number, expect=1).stdout
    rollbook("connection", "edit", number, "--set", f"host_key={sshd.host_key()}")
    assert f"{len(list(RIVERBEND.iterdir()))} CSV files" in rollbook("connection", "test", number).stdout
    assert "success" in rollbook("connection", "run", number).stdout
    sshd.stop()
    sshd.new_host_key()
    sshd.start()
    changed = rollbook("connection", "run", number, expect=1).stdout
    assert "failed" in changed
    assert "shows another key than the one accepted" in changed
