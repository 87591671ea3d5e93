"""Folders to work in, which hold what schools delivered: nothing of them outlives the work, also where its process was killed.

They lie in the system's temporary folder. Who works in one holds a lock on it, which the system takes back with the process; what nobody holds
is removed by whoever makes the next one, and by each worker that starts.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "rollbook-work-"


@contextmanager
def work_folder(purpose: str) -> Iterator[Path]:
    """An empty folder that only this user may enter, with `purpose` in its name; gone with all that is in it when the block ends."""
    remove_forsaken()
    folder, handle = _held(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def remove_forsaken() -> None:
    """Removes the folders that nobody works in any more, as far as they are this user's."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody works in it, it is somebody else's, or another process was as tidy
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


def _held(purpose: str) -> tuple[Path, int]:
    """A new folder, and the handle by which it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
        with suppress(FileNotFoundError):  # taken for forsaken before it was locked
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if folder.exists():
                return folder, handle
            os.close(handle)
