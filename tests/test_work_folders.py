"""Folders to work in: whose process was killed leaves nothing of what was in them."""

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollbook.work_folders import remove_forsaken, work_folder

WORKS = """
import time
from rollbook.work_folders import work_folder

with work_folder("test") as folder:
    (folder / "users.csv").write_text("sourcedId")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def another_at_work() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that works in a folder, and the folder."""
    with subprocess.Popen([sys.executable, "-c", WORKS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_is_for_this_user_alone_and_gone_with_all_that_is_in_it(temporary: Path):
    with work_folder("test") as folder:
        assert folder.parent == temporary
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "inner").mkdir()
        (folder / "inner/users.csv").write_text("sourcedId")
    assert not list(temporary.iterdir())


def test_it_is_gone_where_the_work_failed(temporary: Path):
    with pytest.raises(ZeroDivisionError), work_folder("test"):
        _ = 1 / 0
    assert not list(temporary.iterdir())


def work_in_another() -> None:
    with work_folder("another"):
        pass


@pytest.mark.parametrize("tidy", [remove_forsaken, work_in_another])
def test_what_a_killed_process_leaves_is_removed_and_what_a_living_one_has_is_not(temporary: Path, tidy):
    with another_at_work() as (killed, forsaken), another_at_work() as (_, kept), work_folder("own") as own:
        killed.kill()
        killed.wait()
        assert (forsaken / "users.csv").exists()
        tidy()
        assert not forsaken.exists()
        assert (kept / "users.csv").exists()
        assert own.exists()


def test_only_folders_of_ours_are_removed(temporary: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (temporary / "rollbook-work-file").write_text("no folder")
    (temporary / "rollbook-work-link").symlink_to(elsewhere)
    (temporary / "rollbook-installation").mkdir()
    remove_forsaken()
    assert len(list(temporary.iterdir())) == 3
    assert elsewhere.exists()
