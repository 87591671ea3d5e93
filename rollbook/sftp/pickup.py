"""What an app may do that fetches its packages: look at their names and read them. Nothing else, and nothing of anybody else.

Names are all there is of a path, as in an inbox: they are looked up among the app's packages, and never reach the file system.
"""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, TypeVar

from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_TRUNC,
    FXF_WRITE,
    SFTPAttrs,
    SFTPName,
    SFTPNoSuchFile,
    SFTPPermissionDenied,
    SSHServerChannel,
)
from django.db import close_old_connections

from rollbook.flows.pickups import Waiting, note_fetched, packages_for
from rollbook.sftp.flat import FlatSession
from rollbook.sftp.session import is_root, name_of

FOLDER = SFTPAttrs(permissions=stat.S_IFDIR | 0o500, nlink=2, size=0)
READ_ONLY = "Packages can be read here, and nothing else."
WRITES = FXF_WRITE | FXF_APPEND | FXF_CREAT | FXF_TRUNC
Answer = TypeVar("Answer")


@dataclass
class Fetching:
    """A package being read; `read_to` is how far, in bytes."""

    package: Waiting
    file: BinaryIO
    read_to: int = 0


class PickupSession(FlatSession):
    """One app's view of its packages. They are looked up at each call, so that what ends in between is gone at once."""

    words = READ_ONLY

    def __init__(
        self, channel: SSHServerChannel[bytes], grant_id: int, address: str, threads: Executor
    ) -> None:
        super().__init__(channel)
        self._grant_id = grant_id
        self._address = address
        self._threads = threads

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        if not is_root(path):
            raise SFTPNoSuchFile(READ_ONLY)
        for name in (".", ".."):
            yield SFTPName(name.encode(), attrs=FOLDER)
        for package in await self._packages():
            yield SFTPName(package.name.encode(), attrs=_attributes(package))

    async def stat(self, path: bytes) -> SFTPAttrs:
        return FOLDER if is_root(path) else _attributes(await self._package(path))

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)

    def fstat(self, file_obj: object) -> SFTPAttrs:
        return _attributes(_fetching(file_obj).package)

    def realpath(self, path: bytes) -> bytes:
        return b"/" if is_root(path) else b"/" + name_of(path).encode()

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Fetching:
        if pflags & WRITES:
            raise SFTPPermissionDenied(READ_ONLY)
        package = await self._package(path)
        try:
            return Fetching(package, package.path.open("rb"))
        except OSError as fault:
            raise SFTPNoSuchFile(f"There is no {package.name} any more.") from fault

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        fetching = _fetching(file_obj)
        fetching.file.seek(offset)
        data = fetching.file.read(size)
        fetching.read_to = max(fetching.read_to, offset + len(data))
        return data

    def close(self, file_obj: object) -> None:
        fetching = _fetching(file_obj)
        fetching.file.close()
        if fetching.read_to >= fetching.package.size:
            self._threads.submit(_afresh, lambda: note_fetched(fetching.package.delivery_id, self._address))

    async def _packages(self) -> list[Waiting]:
        return await self._in_thread(lambda: packages_for(self._grant_id))

    async def _package(self, path: bytes) -> Waiting:
        name = name_of(path)
        for package in await self._packages():
            if package.name == name:
                return package
        raise SFTPNoSuchFile(f"There is no {name}.")

    async def _in_thread(self, act: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _afresh, act)

    # --- What there is not --------------------------------------------------------------------------------------------------

    def write(self, file_obj: object, offset: int, data: bytes) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def remove(self, path: bytes) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> NoReturn:
        raise SFTPPermissionDenied(READ_ONLY)


def _afresh(act: Callable[[], Answer]) -> Answer:
    """The act, with connections to the database that still hold."""
    close_old_connections()
    try:
        return act()
    finally:
        close_old_connections()


def _fetching(file_obj: object) -> Fetching:
    assert isinstance(file_obj, Fetching)
    return file_obj


def _attributes(package: Waiting) -> SFTPAttrs:
    return SFTPAttrs(
        permissions=stat.S_IFREG | 0o400, size=package.size, nlink=1, atime=package.made, mtime=package.made
    )
