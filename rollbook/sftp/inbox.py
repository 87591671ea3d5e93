"""One connection's inbox on disk: what is being uploaded, what has come whole, and when that is a delivery. It knows no network.

A file is in the inbox only once its upload has ended well; until then it has a name of its own in `incoming`.
"""

import csv
import os
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rollbook.connectors.sftp_drop import Drop

TEMPORARY = (".part", ".filepart", ".partial", ".tmp", ".temp", ".uploading", ".crdownload")
TEMPORARY_STAYS = 86_400
LONGEST_NAME = 150
MOST_FILES = 200
MANIFEST = "manifest.csv"
LARGEST_MANIFEST = 1 << 20
OTHERS_WAIT = "CSV files that are sent one by one wait until it has come whole, or is removed."


class InboxFull(Exception):
    """More has come than this connection may deliver at once, or it may deliver nothing any more."""


class Holes(Exception):
    """An upload ended without all of its bytes having been written."""


@dataclass
class Upload:
    """A file on its way in: `written` counts its bytes, to be compared with its size when it ends; `room` is what it may have."""

    name: str
    path: Path
    file: BinaryIO
    room: int
    written: int = 0
    size: int = 0
    refused: str = ""


@dataclass
class Inbox:
    """The inbox below `home` for the connection of `drop`, open unless that is switched off.

    Times are seconds of a clock that only goes forward.
    """

    home: Path
    drop: Drop
    is_open: bool = True
    last_moved: float = field(default_factory=time.monotonic)
    uploads: list[Upload] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("inbox", "incoming", "broken", "taking", "arrived"):
            (self.home / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def left_by_the_dead(self) -> list[str]:
        """The names whose upload ended with an earlier process; marks them broken. What it was about to take is put back."""
        names = []
        for folder in (self.home / "taking").iterdir():
            for path in folder.iterdir():
                os.replace(path, self.path(path.name))
            folder.rmdir()
        for path in (self.home / "incoming").iterdir():
            names.append(path.name.split(" ", 1)[1])
            self._mark(names[-1])
            path.unlink()
        return names

    def files(self) -> list[Path]:
        """What has come whole, and still lies here."""
        return sorted((self.home / "inbox").iterdir())

    def path(self, name: str) -> Path:
        return self.home / "inbox" / name

    def begin(self, name: str) -> Upload:
        """A new upload; what has this name is replaced when it ends. Raises InboxFull."""
        if not self.is_open:
            raise InboxFull("This connection is switched off.")
        if len(self.files()) + len(self.uploads) >= MOST_FILES:
            raise InboxFull(f"There are {MOST_FILES} files here already.")
        path = self.home / "incoming" / f"{uuid.uuid4().hex} {name}"
        here = sum(file.stat().st_size for file in self.files() if file.name != name)
        upload = Upload(name, path, path.open("xb", buffering=0), self.drop.most - here)
        self.uploads.append(upload)
        return upload

    def write(self, upload: Upload, offset: int, data: bytes) -> None:
        """Raises InboxFull beyond what the connection may deliver; such an upload never becomes a file."""
        size = max(upload.size, offset + len(data))
        others = sum(other.size for other in self.uploads if other is not upload)
        if size + others > upload.room:
            upload.refused = f"More than {self.drop.most >> 20:,} MB are not accepted."
            raise InboxFull(upload.refused)
        try:
            upload.file.seek(offset)
            upload.file.write(data)
        except OSError as fault:
            upload.refused = f"It could not be stored: {fault.strerror}."
            raise
        upload.size = size
        upload.written += len(data)
        self.last_moved = time.monotonic()

    def finish(self, upload: Upload) -> None:
        """The upload becomes a file of the inbox. Raises Holes, or InboxFull where it was refused already."""
        if upload.refused:
            self.break_off(upload)
            raise InboxFull(upload.refused)
        if upload.written != upload.size:
            self.break_off(upload)
            raise Holes(f"{upload.name} came with bytes missing. Send all of it, without resuming.")
        self._close(upload)
        os.replace(upload.path, self.path(upload.name))
        (self.home / "broken" / upload.name).unlink(missing_ok=True)

    def break_off(self, upload: Upload) -> None:
        """The upload ends as nothing. CSV files that came one by one wait until this one, if it is one, has come whole, or is removed."""
        self._close(upload)
        upload.path.unlink(missing_ok=True)
        self._mark(upload.name)

    def rename(self, name: str, to: str) -> None:
        """Raises FileNotFoundError. What had the new name is replaced."""
        os.replace(self.path(name), self.path(to))
        (self.home / "broken" / to).unlink(missing_ok=True)
        self.last_moved = time.monotonic()

    def remove(self, name: str) -> None:
        """Takes a file, or the mark of a broken upload, away. Raises FileNotFoundError where there is neither."""
        mark = self.home / "broken" / name
        if mark.exists():
            mark.unlink()
            self.path(name).unlink(missing_ok=True)
        else:
            self.path(name).unlink()
        self.last_moved = time.monotonic()

    def due(self, now: float) -> list[str]:
        """The files that are a delivery now; empty if none is."""
        names = [path.name for path in self.files() if not is_temporary(path.name)]
        for name in names:
            if name.lower().endswith(".zip"):
                return [name]
        broken = any(is_loose(path.name) for path in (self.home / "broken").iterdir())
        if not names or self.uploads or broken:
            return []
        return names if self._is_told_complete(names) or now - self.last_moved >= self.drop.quiet else []

    def take(self, names: list[str]) -> Path:
        """Moves a delivery out of reach of the sender, into a folder of its own among the arrived."""
        stamp = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        taking = self.home / "taking" / stamp
        taking.mkdir(mode=0o700)
        for name in names:
            os.replace(self.path(name), taking / name)
        return taking.rename(self.home / "arrived" / stamp)

    def sweep(self) -> None:
        """Removes files under temporary names that nobody came back for within a day."""
        for path in self.files():
            if is_temporary(path.name) and time.time() - path.stat().st_mtime > TEMPORARY_STAYS:
                path.unlink()

    def _close(self, upload: Upload) -> None:
        upload.file.close()
        self.uploads.remove(upload)
        self.last_moved = time.monotonic()

    def _mark(self, name: str) -> None:
        if not is_temporary(name):
            (self.home / "broken" / name).touch()

    def _is_told_complete(self, names: list[str]) -> bool:
        """Whether there is a manifest, and every file it says is in the package."""
        known = {name.lower() for name in names}
        if MANIFEST not in known:
            return False
        [manifest] = [name for name in names if name.lower() == MANIFEST][:1]
        named = files_named_by(self.path(manifest))
        return bool(named) and named <= known


def is_temporary(name: str) -> bool:
    """Whether senders use such names for what they are still sending."""
    return name.startswith((".", "~")) or name.lower().endswith(TEMPORARY)


def is_loose(name: str) -> bool:
    """Whether a file of this name may be one of several that are a delivery together."""
    return name.lower().endswith(".csv") and not is_temporary(name)


def others_wait(name: str) -> str:
    """The sentence, behind others, that tells what an upload of this name that broke off keeps from being imported; empty if nothing."""
    return f" {OTHERS_WAIT}" if is_loose(name) else ""


def files_named_by(manifest: Path) -> set[str]:
    """The files a manifest says are in its package, in small letters; none where it cannot be read."""
    text = manifest.read_bytes()[:LARGEST_MANIFEST].decode("utf-8-sig", "replace")
    try:
        rows = [row for row in csv.reader(text.splitlines()) if len(row) >= 2]
    except csv.Error:
        return set()  # the import says what is wrong with it
    return {
        f"{row[0].strip().removeprefix('file.').lower()}.csv"
        for row in rows
        if row[0].strip().startswith("file.") and row[1].strip().lower() in ("bulk", "delta")
    }
