"""OpenSSH's `sftp` brings files to a running SFTP server, and what comes of it."""

import asyncio
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import pytest

from rollbook.sftp.inbox import OTHERS_WAIT
from tests.sftp.dropping import PASSWORD, RIVERBEND, Dropped, a_copy_of_riverbend, zipped


def test_a_zip_brought_with_a_password_is_imported_and_archived(drops, tmp_path):
    package = zipped(RIVERBEND, tmp_path / "roster.zip")
    before = len(drops[0].runs())
    done = drops[0].sftp(f"put -p {package}", "ls")
    assert done.returncode == 0, done.stderr
    run = drops[0].ended(before + 1)[-1]
    assert (run["outcome"], run["started_by"]) == ("success", "SFTP")
    assert drops[0].archived(run["id"]) == ["roster.zip"]
    assert drops[0].inbox() == []
    assert drops[0].users() > 0


@pytest.mark.parametrize(("options", "to"), [([], ""), (["-p"], ""), ([], "nightly.zip")])
def test_scp_brings_a_zip_too(drops, tmp_path, options, to):
    package = zipped(RIVERBEND, tmp_path / "nightly.zip")
    before = len(drops[0].runs())
    done = drops[0].scp(*options, package, to=to)
    assert done.returncode == 0, done.stderr
    [run] = drops[0].ended(before + 1)[before:]
    assert run["outcome"] == "success"
    assert drops[0].archived(run["id"]) == ["nightly.zip"]


def test_scp_brings_csv_files_that_are_one_delivery(drops):
    before = len(drops[0].runs())
    done = drops[0].scp(*sorted(RIVERBEND.glob("*.csv")))
    assert done.returncode == 0, done.stderr
    [run] = drops[0].ended(before + 1)[before:]
    assert run["outcome"] == "success"


def test_a_size_that_is_not_what_was_written_is_refused_and_the_file_stays_whole(drops):
    # In a thread of its own: a browser test before this one in the same process leaves its event loop running.
    with ThreadPoolExecutor(1) as apart:
        answers = apart.submit(lambda: asyncio.run(resized(drops[1], "sizes.tmp", (10, 4, 11)))).result()
    assert answers == ["taken", "SFTPOpUnsupported", "SFTPOpUnsupported"]
    assert (drops[1].home / "inbox" / "sizes.tmp").read_bytes() == b"0123456789"
    assert drops[1].sftp("rm sizes.tmp").returncode == 0


async def resized(drop: Dropped, name: str, sizes: tuple[int, ...]) -> list[str]:
    """What each of these sizes came to, said of an upload of ten bytes before it ends."""
    answers = []
    async with (
        asyncssh.connect(
            "127.0.0.1", drop.port, username=drop.login, password=PASSWORD, known_hosts=None,
            client_keys=None, agent_path=None, config=None,
        ) as connection,
        connection.start_sftp_client() as sftp,
        sftp.open(name, "wb") as file,
    ):  # fmt: skip
        await file.write(b"0123456789")
        for size in sizes:
            try:
                await file.setstat(asyncssh.SFTPAttrs(size=size, permissions=0o600))
                answers.append("taken")
            except asyncssh.SFTPError as fault:
                answers.append(type(fault).__name__)
    return answers


def test_each_of_several_keys_opens_the_inbox_and_a_strange_one_does_not(drops, keys, tmp_path):
    for key in (keys[0][0], keys[1][0]):
        done = drops[0].sftp("ls", key=key)
        assert done.returncode == 0, done.stderr
    done = drops[0].sftp("ls", key=keys[2][0])
    assert done.returncode != 0
    assert "Permission denied" in done.stderr


def test_a_wrong_password_a_login_that_is_not_and_a_forbidden_address_all_sound_alike(drops):
    refused = [
        drops[0].sftp("ls", password="wrong horse battery"),
        drops[0].sftp("ls", login="nobody"),
        drops[2].sftp("ls"),
    ]
    assert all(done.returncode != 0 for done in refused)
    told = {done.stderr.strip().splitlines()[-2].split("@")[1] for done in refused}
    assert told == {"127.0.0.1: Permission denied (publickey,keyboard-interactive,password)."}


def test_a_zip_under_a_temporary_name_waits_for_its_rename(drops, tmp_path):
    package = zipped(RIVERBEND, tmp_path / "roster.zip")
    before = len(drops[0].runs())
    done = drops[0].sftp(f"put {package} roster.zip.filepart")
    assert done.returncode == 0, done.stderr
    time.sleep(4)
    assert len(drops[0].runs()) == before
    assert drops[0].inbox() == ["roster.zip.filepart"]
    done = drops[0].sftp("rename roster.zip.filepart roster.zip")
    assert done.returncode == 0, done.stderr
    run = drops[0].ended(before + 1)[-1]
    assert drops[0].archived(run["id"]) == ["roster.zip"]


def test_csv_files_are_a_delivery_when_all_the_manifest_names_are_there(drops):
    done = drops[1].sftp(f"put {RIVERBEND}/*.csv")
    assert done.returncode == 0, done.stderr
    run = drops[1].ended(1)[-1]
    assert run["outcome"] == "success"
    assert drops[1].archived(run["id"]) == sorted(file.name for file in RIVERBEND.glob("*.csv"))


def test_csv_files_without_a_manifest_are_a_delivery_after_a_quiet_time(drops, tmp_path):
    folder = a_copy_of_riverbend(tmp_path / "loose")
    (folder / "manifest.csv").unlink()
    before = len(drops[0].runs())
    assert drops[0].sftp(f"put {folder}/*.csv").returncode == 0
    run = drops[0].ended(before + 1)[-1]
    assert len(drops[0].archived(run["id"])) == len(list(folder.iterdir()))


def test_what_is_no_package_ends_as_refused_with_words_and_stays_archived(drops, tmp_path):
    package = tmp_path / "broken.zip"
    package.write_bytes(b"PK\x03\x04 this is no zip")
    before = len(drops[0].runs())
    assert drops[0].sftp(f"put {package}").returncode == 0
    run = drops[0].ended(before + 1)[-1]
    assert run["outcome"] == "refused"
    assert run["message"].startswith("What came is not a zip.")
    assert drops[0].archived(run["id"]) == ["broken.zip"]


def test_a_package_with_errors_ends_in_findings_and_stays_archived(drops, tmp_path):
    folder = a_copy_of_riverbend(tmp_path / "wrong")
    users = folder / "users.csv"
    users.write_text(users.read_text().replace("true", "perhaps", 1))
    before = len(drops[0].runs())
    assert drops[0].sftp(f"put {zipped(folder, tmp_path / 'wrong.zip')}").returncode == 0
    run = drops[0].ended(before + 1)[-1]
    assert json.loads(run["findings"])["error"] > 0
    assert drops[0].archived(run["id"]) == ["wrong.zip"]


def test_nothing_that_was_brought_can_be_read_again(drops, tmp_path):
    (tmp_path / "secret.tmp").write_text("a roster")
    assert drops[1].sftp(f"put {tmp_path}/secret.tmp").returncode == 0
    done = drops[1].sftp(f"get secret.tmp {tmp_path}/back")
    assert done.returncode != 0
    assert not (tmp_path / "back").exists()
    assert drops[1].sftp("rm secret.tmp").returncode == 0


def test_there_is_no_way_out_of_the_inbox(drops, tmp_path):
    (tmp_path / "x.tmp").write_text("x")
    drops[0].sftp(f"put {tmp_path}/x.tmp")
    outside = {path: path.stat().st_mtime for path in Path("/etc").iterdir() if path.exists()}
    refused = [
        "ls /etc",
        f"ls ../../{drops[1].connection}/inbox",
        "cd /etc",
        "get /etc/passwd /dev/null",
        "get ../../../../etc/passwd /dev/null",
        f"put {tmp_path}/x.tmp /etc/x.tmp",
        f"put {tmp_path}/x.tmp sub/x.tmp",
        "rename x.tmp ../arrived/x.tmp",
        "rename x.tmp /tmp/away/x.tmp",
        "ln -s /etc/passwd leads.tmp",
        "ln x.tmp hard.tmp",
        "mkdir sub",
        "rmdir ../archive",
        f"rm ../../{drops[1].connection}/inbox/x.tmp",
    ]
    # One session for all: a leading dash lets the client go on after a command that failed.
    done = drops[0].sftp(*(f"-{command}" for command in refused), "ls ../..")
    assert len(done.stderr.strip().splitlines()) >= len(refused), done.stderr
    lines = [
        line.strip() for line in done.stdout.splitlines() if line.strip() and not line.startswith("sftp>")
    ]
    assert [line for line in lines if line.startswith("../..")] == ["../../x.tmp"]
    assert "root:" not in done.stdout
    # `..` goes no higher than the inbox: what is written there lands inside.
    assert drops[0].sftp(f"put {tmp_path}/x.tmp ../../../y.tmp").returncode == 0
    assert drops[0].inbox() == ["x.tmp", "y.tmp"]
    assert {path: path.stat().st_mtime for path in outside} == outside
    assert not any(path.is_symlink() for path in drops[0].home.rglob("*"))
    drops[0].sftp("rm x.tmp", "rm y.tmp")


def test_one_login_does_not_see_what_another_brought(drops, tmp_path):
    (tmp_path / "mine.tmp").write_text("mine")
    drops[0].sftp(f"put {tmp_path}/mine.tmp")
    done = drops[1].sftp("ls", "ls ..", f"ls /../{drops[0].connection}")
    assert "mine.tmp" not in done.stdout
    assert drops[1].sftp("rm mine.tmp").returncode != 0
    assert drops[0].sftp("rm mine.tmp").returncode == 0


def test_there_is_no_shell_no_command_and_no_forwarding(drops):
    drop = drops[0]
    for words in (["id"], [], ["-W", "127.0.0.1:22"]):
        done = subprocess.run(
            ["ssh", "-F", "none", "-T", "-o", f"UserKnownHostsFile={drop.known_hosts}", "-o",
             "StrictHostKeyChecking=accept-new", "-p", str(drop.port), *(words if words[:1] == ["-W"] else []),
             f"{drop.login}@127.0.0.1", *(words if words[:1] != ["-W"] else [])],
            env=os.environ | {"SSH_ASKPASS": str(drop.known_hosts.with_name("ask")), "SSH_ASKPASS_REQUIRE": "force",
                              "ROLLBOOK_TEST_PASSWORD": "correct horse battery"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.returncode != 0
        assert "uid=" not in done.stdout


def test_more_than_a_connection_may_deliver_is_refused_and_shown(drops, tmp_path):
    big = tmp_path / "big.zip"
    big.write_bytes(os.urandom(2 << 20))
    done = drops[3].sftp(f"put {big}")
    assert done.returncode != 0
    run = drops[3].ended(1)[-1]
    assert (run["phase"], run["outcome"]) == ("receiving", "failed")
    assert "More than 1 MB" in run["message"]
    assert drops[3].inbox() == []


def test_a_refused_zip_keeps_no_csv_files_waiting_and_a_refused_csv_file_says_that_it_does(drops, tmp_path):
    for name in ("big.zip", "users.csv"):
        (tmp_path / name).write_bytes(os.urandom(2 << 20))
    drop, before = drops[3], len(drops[3].runs())
    assert drop.sftp(f"put {tmp_path}/big.zip").returncode != 0
    assert drop.sftp(f"put {RIVERBEND}/*.csv").returncode == 0
    refused, taken = drop.ended(before + 2)[before:]
    assert (refused["outcome"], taken["outcome"]) == ("failed", "success")
    assert "wait" not in refused["message"]
    assert drop.sftp(f"put {tmp_path}/users.csv").returncode != 0
    assert drop.ended(before + 3)[-1]["message"].endswith(OTHERS_WAIT)
    assert drop.sftp("rm users.csv").returncode == 0


def test_an_upload_that_breaks_off_is_shown_and_never_imported(drops, tmp_path):
    big = tmp_path / "roster.zip"
    big.write_bytes(os.urandom(40 << 20))
    before = len(drops[1].runs())
    drop = drops[1]
    process = subprocess.Popen(
        ["sftp", "-F", "none", "-l", "4000", "-o", f"UserKnownHostsFile={drop.known_hosts}", "-o", "BatchMode=no",
         "-P", str(drop.port), "-b", "-", f"{drop.login}@127.0.0.1"],
        env=os.environ | {"SSH_ASKPASS": str(drop.known_hosts.with_name("ask")), "SSH_ASKPASS_REQUIRE": "force",
                          "ROLLBOOK_TEST_PASSWORD": "correct horse battery"},
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(f"put {big}\n")
    process.stdin.flush()
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(
        file.stat().st_size for file in (drop.home / "incoming").glob("* roster.zip")
    ):
        time.sleep(0.05)
    process.kill()
    process.stdin.close()
    process.wait()
    run = drop.ended(before + 1)[-1]
    assert (run["phase"], run["outcome"]) == ("receiving", "failed")
    assert "broke off" in run["message"]
    assert drop.inbox() == []
    assert drop.sftp("rm roster.zip").returncode == 0
