"""The organization's own folder: what lies there is read, and nothing leads out of it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollbook.connectors.contract import CannotFetch
from rollbook.connectors.own_folder import OWN_FOLDER, fetch

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of organization 7; beside it a file of somebody else's."""
    (tmp_path / "root" / "7").mkdir(parents=True)
    (tmp_path / "root" / "8").mkdir()
    (tmp_path / "root" / "8" / "users.csv").write_text("somebody else's")
    (tmp_path / "work").mkdir()
    return tmp_path / "root" / "7"


def told(place: Path) -> dict[str, str]:
    return {"root": str(place.parent), "name": place.name}


def fetched(place: Path) -> Path:
    return fetch(told(place), {}, place.parent.parent / "work", NOW, lambda _: None).path


def refused(ask: Callable[[], object]) -> str:
    """Why it cannot be read."""
    with pytest.raises(CannotFetch) as caught:
        ask()
    return caught.value.words


def test_its_csv_files_are_copied_and_nothing_else(place: Path):
    for name in ("users.csv", "Orgs.CSV", "notes.txt", ".users.csv"):
        (place / name).write_text(name)
    (place / "old.csv.d").mkdir()
    found = fetched(place)
    assert {one.name: one.read_text() for one in found.iterdir()} == {
        "Orgs.CSV": "Orgs.CSV",
        "users.csv": "users.csv",
    }
    assert OWN_FOLDER.tested(told(place), {}) == [f"What lies in {place}: Orgs.CSV, users.csv."]


def test_of_several_zips_the_newest_is_read(place: Path):
    for name, moment in (("b.zip", 100), ("a.zip", 200)):
        (place / name).write_text(name)
        os.utime(place / name, (moment, moment))
    assert fetched(place).read_text() == "a.zip"


@pytest.mark.parametrize("name", ["users.csv", "roster.zip"])
def test_a_link_in_it_is_not_followed(place: Path, name: str):
    (place / "orgs.csv").write_text("ours")
    (place / name).symlink_to(place.parent / "8" / "users.csv")
    for ask in (lambda: fetched(place), lambda: OWN_FOLDER.tested(told(place), {})):
        assert f"{name} in {place} is not a file" in refused(ask)


def test_a_folder_that_is_a_link_is_not_opened(place: Path):
    place.rmdir()
    place.symlink_to(place.parent / "8")
    assert "cannot be opened" in refused(lambda: fetched(place))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ((), "no CSV file and no zip"),
        (("users.csv", "roster.zip"), "take one of them away"),
    ],
)
def test_what_cannot_be_a_package_is_said(place: Path, files: tuple[str, ...], words: str):
    for name in files:
        (place / name).write_text("")
    assert words in refused(lambda: OWN_FOLDER.tested(told(place), {}))


def test_without_a_root_nothing_is_read_and_no_path_can_be_filled_in(place: Path):
    assert "opened no place" in refused(lambda: OWN_FOLDER.tested({"root": "", "name": "7"}, {}))
    assert OWN_FOLDER.options == ()
    assert OWN_FOLDER.checked({"root": "/etc", "name": ".."}, {}) == ({}, {})
