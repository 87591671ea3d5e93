"""When what lies in an inbox is a delivery, and what never becomes one."""

import os
import time
from pathlib import Path

import pytest

from rollbook.connectors.sftp_drop import Drop
from rollbook.sftp.inbox import OTHERS_WAIT, Holes, Inbox, InboxFull, others_wait

MANIFEST = b"propertyName,value\nmanifest.version,1.0\nfile.orgs,bulk\nfile.users,bulk\nfile.classes,absent\n"


def an_inbox(home: Path, quiet: int = 60, most: int = 1 << 20) -> Inbox:
    return Inbox(home, Drop("riverbend", "", (), (), most, quiet))


def bring(inbox: Inbox, name: str, content: bytes = b"x") -> None:
    upload = inbox.begin(name)
    inbox.write(upload, 0, content)
    inbox.finish(upload)


def now() -> float:
    return time.monotonic()


def later(seconds: float = 61) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return an_inbox(tmp_path / "1")


def test_a_zip_is_due_at_once_and_alone(inbox):
    bring(inbox, "orgs.csv")
    bring(inbox, "roster.ZIP")
    assert inbox.due(now()) == ["roster.ZIP"]
    arrived = inbox.take(["roster.ZIP"])
    assert [file.name for file in arrived.iterdir()] == ["roster.ZIP"]
    assert inbox.due(now()) == []


def test_loose_files_are_due_when_the_manifest_and_all_it_names_are_there(inbox):
    bring(inbox, "manifest.csv", MANIFEST)
    bring(inbox, "orgs.csv")
    assert inbox.due(now()) == []
    bring(inbox, "users.csv")
    assert inbox.due(now()) == ["manifest.csv", "orgs.csv", "users.csv"]


def test_loose_files_are_due_once_nothing_came_for_the_quiet_time(inbox):
    bring(inbox, "orgs.csv")
    assert inbox.due(later(59)) == []
    assert inbox.due(later(61)) == ["orgs.csv"]
    bring(inbox, "users.csv")
    assert inbox.due(later(59)) == []


def test_nothing_loose_is_due_while_a_file_is_on_its_way(inbox):
    bring(inbox, "orgs.csv")
    upload = inbox.begin("users.csv")
    assert inbox.due(later()) == []
    inbox.finish(upload)
    assert inbox.due(later()) == ["orgs.csv", "users.csv"]


@pytest.mark.parametrize(
    "name", ["roster.zip.part", "roster.zip.filepart", "roster.zip.tmp", ".roster.zip", "~roster.zip"]
)
def test_a_temporary_name_is_never_due_until_it_is_renamed(inbox, name):
    bring(inbox, name)
    assert inbox.due(later()) == []
    inbox.rename(name, "roster.zip")
    assert inbox.due(now()) == ["roster.zip"]


def test_loose_files_wait_for_the_one_that_broke_off(inbox):
    bring(inbox, "orgs.csv")
    upload = inbox.begin("users.csv")
    inbox.write(upload, 0, b"half")
    inbox.break_off(upload)
    assert inbox.due(later()) == []
    bring(inbox, "users.csv")
    assert inbox.due(later()) == ["orgs.csv", "users.csv"]


def test_loose_files_do_not_wait_for_a_zip_that_broke_off(inbox):
    inbox.break_off(inbox.begin("roster.zip"))
    bring(inbox, "orgs.csv")
    assert inbox.due(later()) == ["orgs.csv"]


def test_what_waits_is_told(inbox):
    assert others_wait("users.csv") == f" {OTHERS_WAIT}"
    assert others_wait("roster.zip") == others_wait("users.csv.part") == ""


def test_removing_what_broke_off_lets_the_others_go(inbox):
    bring(inbox, "orgs.csv")
    inbox.break_off(inbox.begin("users.csv"))
    inbox.remove("users.csv")
    assert inbox.due(later()) == ["orgs.csv"]
    with pytest.raises(FileNotFoundError):
        inbox.remove("users.csv")


def test_an_upload_with_bytes_missing_is_none(inbox):
    upload = inbox.begin("roster.zip")
    inbox.write(upload, 100, b"the end of it")
    with pytest.raises(Holes):
        inbox.finish(upload)
    assert inbox.files() == []


def test_all_files_together_have_one_limit(tmp_path):
    inbox = an_inbox(tmp_path / "1", most=100)
    bring(inbox, "orgs.csv", b"x" * 60)
    one, other = inbox.begin("users.csv"), inbox.begin("classes.csv")
    inbox.write(one, 0, b"x" * 30)
    with pytest.raises(InboxFull):
        inbox.write(other, 0, b"x" * 11)
    with pytest.raises(InboxFull):
        inbox.finish(other)
    inbox.finish(one)
    bring(inbox, "orgs.csv", b"y" * 70)  # the file it replaces counts no more
    assert sum(file.stat().st_size for file in inbox.files()) == 100


def test_an_inbox_that_was_switched_off_takes_nothing_more(inbox):
    inbox.is_open = False
    with pytest.raises(InboxFull):
        inbox.begin("orgs.csv")


def test_too_many_files_are_refused(inbox):
    for number in range(200):
        bring(inbox, f"{number}.csv")
    with pytest.raises(InboxFull):
        inbox.begin("one-more.csv")


def test_what_a_dead_process_left_is_marked_and_put_back(tmp_path):
    dead = an_inbox(tmp_path / "1")
    bring(dead, "orgs.csv")
    upload = dead.begin("users.csv")
    dead.write(upload, 0, b"half")
    upload.file.close()
    taking = dead.home / "taking" / "1"
    taking.mkdir()
    (dead.home / "inbox" / "orgs.csv").rename(taking / "orgs.csv")
    inbox = an_inbox(tmp_path / "1")
    assert inbox.left_by_the_dead() == ["users.csv"]
    assert [file.name for file in inbox.files()] == ["orgs.csv"]
    assert inbox.due(later()) == []


def test_abandoned_temporary_files_are_swept_away_after_a_day(inbox):
    bring(inbox, "old.tmp")
    bring(inbox, "young.tmp")
    bring(inbox, "old.csv")
    for name in ("old.tmp", "old.csv"):
        os.utime(inbox.path(name), (time.time() - 90_000,) * 2)
    inbox.sweep()
    assert [file.name for file in inbox.files()] == ["old.csv", "young.tmp"]
