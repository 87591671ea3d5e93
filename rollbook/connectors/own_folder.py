"""Own folder: what was put into one organization's folder of this server. Nobody names a path: `root` and `name` are told by who asks.

Whoever may put files there may make links too, so none is followed, and what lies there is copied by the handle it was looked at with.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rollbook.connectors.contract import (
    CannotFetch,
    Connector,
    Fetched,
    Filled,
    Progress,
    Secrets,
    Settings,
)

FOLDER = os.O_RDONLY | os.O_DIRECTORY
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """Nothing is filled in, and nothing kept."""
    return {}, {}


def fetch(
    settings: Settings, secrets: Secrets, work_folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """A copy of what lies there: its CSV files, or the newest zip. Raises CannotFetch."""
    into = work_folder / "own-folder"
    into.mkdir()
    with _opened(settings) as folder:
        names = _package(folder, settings)
        for name in names:
            progress(f"reading {name}")
            _copy(folder, name, into / name, settings)
    return Fetched(into / names[0] if _is_zip(names[0]) else into)


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What lies there, in words. Raises CannotFetch."""
    with _opened(settings) as folder:
        found = _package(folder, settings)
    return [f"What lies in {_place(settings)}: {', '.join(found)}."]


@contextmanager
def _opened(settings: Settings) -> Iterator[int]:
    """A handle of the folder, which is no link. Raises CannotFetch."""
    if not settings.get("root"):
        raise CannotFetch("Whoever runs this installation has opened no place for folders.")
    try:
        root = os.open(settings["root"], FOLDER)
        try:
            folder = os.open(settings["name"], FOLDER | os.O_NOFOLLOW, dir_fd=root)
        finally:
            os.close(root)
    except OSError as fault:
        raise CannotFetch(f"The folder {_place(settings)} cannot be opened: {_why(fault)}.") from fault
    try:
        yield folder
    finally:
        os.close(folder)


def _package(folder: int, settings: Settings) -> list[str]:
    """The names of what makes the package: all CSV files, or the newest zip. A link would be a hole in it, so it is refused."""
    with os.scandir(folder) as entries:
        named = [one for one in entries if not one.name.startswith(".")]
        found = [one for one in named if _is_zip(one.name) or one.name.casefold().endswith(".csv")]
        for one in found:
            if not one.is_file(follow_symlinks=False):
                raise CannotFetch(f"{one.name} in {_place(settings)} is not a file: links are not followed.")
        zips = [(one.stat(follow_symlinks=False).st_mtime, one.name) for one in found if _is_zip(one.name)]
    tables = sorted(one.name for one in found if not _is_zip(one.name))
    if zips and tables:
        raise CannotFetch(
            f"{_place(settings)} has CSV files and a zip: take one of them away, so that it is clear which counts."
        )
    if not zips and not tables:
        raise CannotFetch(
            f"There is no CSV file and no zip in {_place(settings)} yet. Put them there, and test again."
        )
    return tables or [max(zips)[1]]


def _copy(folder: int, name: str, target: Path, settings: Settings) -> None:
    """Raises CannotFetch."""
    try:
        with open(os.open(name, FILE, dir_fd=folder), "rb") as source, target.open("wb") as copy:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise CannotFetch(f"{name} in {_place(settings)} is not a file: links are not followed.")
            shutil.copyfileobj(source, copy, 1 << 20)
    except OSError as fault:
        raise CannotFetch(f"{name} in {_place(settings)} cannot be read: {_why(fault)}.") from fault


def _is_zip(name: str) -> bool:
    return name.casefold().endswith(".zip")


def _place(settings: Settings) -> Path:
    return Path(settings["root"]) / settings["name"]


def _why(fault: OSError) -> str:
    return os.strerror(fault.errno or 0)


OWN_FOLDER = Connector(
    "own_folder", "The organization's own folder on this server", (), checked, fetch, tested
)
