"""Uploads: a package that comes over the web is written to disk as it comes, and becomes a run of its connection.

It lies in a folder of its own until it is on the shelf; what a broken upload or a dead process leaves there goes after a day.
"""

import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from rollbook.flows.districts import MANUAL
from rollbook.flows.jobs import enqueue_delivery
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, Run
from rollbook.store.shelf import delete

BLOCK = 1 << 18
LEFT_FOR = 24 * 3600
AROUND = 65_536
"""Bytes of a form around the file in it."""


class TooLarge(Refusal):
    """This package is larger than this installation takes."""


class NothingSent(Refusal):
    """No package was sent. Choose a zip file of OneRoster CSV files."""


class LengthNeeded(Refusal):
    """Say how long this is: a form needs a Content-Length. The zip itself, as the body, may come in chunks without one."""


class BrokenOff(Refusal):
    """The upload broke off before its end. Nothing was imported; send it again."""


class NotAZip(Refusal):
    """This is not a zip file. Zip the CSV files themselves, at the root of the zip, and send that."""


class NotForUploads(Refusal):
    """Packages are not brought to this connection: its records are made by hand. Choose another connection."""


def refuse_too_large(length: int, limit: int) -> None:
    """Raises TooLarge for a request of so many bytes, before any of it is read."""
    if length > limit + AROUND:
        raise _too_large(limit)


@contextmanager
def received(read: Callable[[int], bytes], length: int | None, limit: int) -> Iterator[Path]:
    """The file with the `length` bytes that `read` gives, a block at a time; gone when the block ends.

    Where nobody said a length (None), all that comes; a zip that broke off has no end, and is told by that later.
    Raises TooLarge, NothingSent, BrokenOff.
    """
    if length is not None and length > limit:
        raise _too_large(limit)
    path = _fresh()
    try:
        with path.open("wb") as file:
            size = _written(read, file, limit + 1 if length is None else length)
        if size > limit:
            raise _too_large(limit)
        if not size and not length:
            raise NothingSent
        if length is not None and size < length:
            raise BrokenOff
        yield path
    finally:
        path.unlink(missing_ok=True)


def _written(read: Callable[[int], bytes], file: BinaryIO, most: int) -> int:
    """How many bytes came, of so many at most."""
    left = most
    while left and (block := _block(read, min(BLOCK, left))):
        file.write(block)
        left -= len(block)
    return most - left


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"at most {limit // 1_000_000:,} MB")


def start_upload(
    connection: Connection,
    package: Path,
    by: str,
    *,
    only_preview: bool = False,
    despite_blackout: bool = False,
) -> Run:
    """The run that imports an uploaded package, or only shows what that would do. Raises NotAZip, NotForUploads, SwitchedOff."""
    if not takes_uploads(connection):
        raise NotForUploads(connection.name)
    refuse_no_zip(package)
    return enqueue_delivery(
        connection, package, by, only_preview=only_preview, despite_blackout=despite_blackout
    )


def refuse_no_zip(package: Path) -> None:
    """Raises NotAZip."""
    if not zipfile.is_zipfile(package):
        raise NotAZip


def takes_uploads(connection: Connection) -> bool:
    """Whether a package may be brought to this connection: not where its records are made by hand, and a package would replace them."""
    return connection.kind != MANUAL


class ToDisk(FileUploadHandler):
    """Writes a file of a form to our folder while it comes in, however small it is."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = OnDisk(self.file_name, self.content_type)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.size = file_size
        self.file.flush()
        return self.file

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


class OnDisk(UploadedFile):
    """A file of a form at `path`; gone when it is closed, which Django does when the request ends."""

    def __init__(self, name: str | None, content_type: str | None) -> None:
        self.path = _fresh()
        super().__init__(self.path.open("wb"), name, content_type)

    def close(self) -> None:
        super().close()
        self.path.unlink(missing_ok=True)


def _block(read: Callable[[int], bytes], size: int) -> bytes:
    try:
        return read(size)
    except OSError as fault:  # Django's UnreadablePostError among them: the sender has gone
        raise BrokenOff from fault


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder to work on an uploaded package in; gone with all that is in it when the block ends, however it ends."""
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        yield Path(folder)


def _fresh() -> Path:
    descriptor, name = tempfile.mkstemp(suffix=".zip", dir=_folder())
    os.close(descriptor)
    return Path(name)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = time.time() - LEFT_FOR
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process may be as tidy
            if path.lstat().st_mtime < before:
                delete(path)
    return folder
