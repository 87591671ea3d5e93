"""What a client may do in its inbox: put files, look at their names, rename and remove them. Nothing else, and nothing outside.

Names are all there is of a path: whatever a client writes is one name in one folder, and none of it reaches the file system as a path.
"""

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from asyncssh import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_EXCL,
    FXF_WRITE,
    SFTPAttrs,
    SFTPFailure,
    SFTPName,
    SFTPNoSuchFile,
    SFTPOpUnsupported,
    SFTPPermissionDenied,
    SSHServerChannel,
)

from rollbook.sftp.flat import FlatSession
from rollbook.sftp.inbox import LONGEST_NAME, Holes, Inbox, InboxFull, Upload, others_wait

FOLDER = SFTPAttrs(permissions=stat.S_IFDIR | 0o300, nlink=2, size=0)
ONE_NAME = "This is an inbox: put files into it, without folders."


class InboxSession(FlatSession):
    """One client's view of an inbox. `came` is told that a file has come whole, `broke` of an upload that has not and why."""

    words = ONE_NAME

    def __init__(
        self,
        channel: SSHServerChannel[bytes],
        inbox: Inbox,
        came: Callable[[], None],
        broke: Callable[[str], None],
    ) -> None:
        super().__init__(channel)
        self._inbox = inbox
        self._came = came
        self._broke = broke
        self._ending: list[Upload] = []
        self._sizes: dict[str, int] = {}

    # --- Putting files ------------------------------------------------------------------------------------------------------

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Upload:
        name = name_of(path)
        if not pflags & FXF_WRITE:
            raise SFTPPermissionDenied("Files can be put into this inbox, not read from it.")
        if pflags & FXF_APPEND:
            raise SFTPOpUnsupported("Uploads cannot be continued. Send the whole file.")
        exists = self._inbox.path(name).exists()
        if exists and pflags & FXF_EXCL:
            raise SFTPFailure(f"There is a {name} already.")
        if not exists and not pflags & FXF_CREAT:
            raise SFTPNoSuchFile(f"There is no {name}.")
        try:
            return self._inbox.begin(name)
        except InboxFull as fault:
            raise SFTPFailure(str(fault)) from fault

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        upload = _upload(file_obj)
        try:
            self._inbox.write(upload, offset, data)
        except InboxFull as fault:
            raise SFTPFailure(str(fault)) from fault
        return len(data)

    def close(self, file_obj: object) -> None:
        """Called for a client that closes its file, and for each file left open when a client is gone.

        The two look alike, but the second is followed by `exit` at once; so the upload ends well only at the loop's next turn.
        """
        upload = _upload(file_obj)
        if upload.file.closed or upload in self._ending:
            return
        if upload.refused or upload.written != upload.size:
            self._finish(upload)
            return
        self._ending.append(upload)
        asyncio.get_running_loop().call_soon(self._end_well, upload)

    def exit(self) -> None:
        for upload in self._ending:
            self._inbox.break_off(upload)
            self._broke(
                f"The upload of {upload.name} broke off after {upload.size:,} bytes. Nothing of it was imported."
                + others_wait(upload.name)
            )
        self._ending.clear()
        super().exit()

    def _end_well(self, upload: Upload) -> None:
        if upload in self._ending:
            self._ending.remove(upload)
            self._finish(upload)

    def _finish(self, upload: Upload) -> None:
        try:
            self._inbox.finish(upload)
        except (InboxFull, Holes) as fault:
            self._broke(
                f"The upload of {upload.name} was refused. {fault} Nothing of it was imported."
                + others_wait(upload.name)
            )
            raise SFTPFailure(str(fault)) from fault
        self._sizes[upload.name] = upload.size
        self._came()

    # --- Looking ------------------------------------------------------------------------------------------------------------

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        if not is_root(path):
            raise SFTPNoSuchFile(ONE_NAME)
        for name in (".", ".."):
            yield SFTPName(name.encode(), attrs=FOLDER)
        for file in self._inbox.files():
            yield SFTPName(
                file.name.encode(), attrs=_attributes(file.stat().st_size, int(file.stat().st_mtime))
            )

    def stat(self, path: bytes) -> SFTPAttrs:
        """Of a file that has just been taken as a delivery too: clients ask whether it came whole."""
        if is_root(path):
            return FOLDER
        name = name_of(path)
        file = self._inbox.path(name)
        if file.exists():
            return _attributes(file.stat().st_size, int(file.stat().st_mtime))
        if name in self._sizes:
            return _attributes(self._sizes[name], 0)
        raise SFTPNoSuchFile(f"There is no {name}.")

    def lstat(self, path: bytes) -> SFTPAttrs:
        return self.stat(path)

    def fstat(self, file_obj: object) -> SFTPAttrs:
        return _attributes(_upload(file_obj).size, 0)

    def realpath(self, path: bytes) -> bytes:
        return b"/" if is_root(path) else b"/" + name_of(path).encode()

    # --- Putting right ------------------------------------------------------------------------------------------------------

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._inbox.path(name_of(newpath)).exists():
            raise SFTPFailure(f"There is a {name_of(newpath)} already.")
        self.posix_rename(oldpath, newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        name, to = name_of(oldpath), name_of(newpath)
        try:
            self._inbox.rename(name, to)
        except FileNotFoundError as fault:
            raise SFTPNoSuchFile(f"There is no {name}.") from fault
        self._sizes[to] = self._sizes.pop(name, 0)
        self._came()

    def remove(self, path: bytes) -> None:
        name = name_of(path)
        try:
            self._inbox.remove(name)
        except FileNotFoundError as fault:
            raise SFTPNoSuchFile(f"There is no {name}.") from fault

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Times and modes that clients set after an upload mean nothing here, and are no error."""
        _refuse_size(attrs, self.stat(path).size or 0)

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        self.setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """The same of an upload under way. OpenSSH's `scp` says at the end how large it is."""
        _refuse_size(attrs, _upload(file_obj).size)

    def fsync(self, file_obj: object) -> None:
        """What has come is on disk well enough: it is sent again if the machine fails."""

    # --- What there is not --------------------------------------------------------------------------------------------------

    def read(self, file_obj: object, offset: int, size: int) -> NoReturn:
        raise SFTPPermissionDenied("Files can be put into this inbox, not read from it.")


def is_root(path: bytes) -> bool:
    return _within(path) == "/"


def name_of(path: bytes) -> str:
    """The one name a path comes to below the inbox. Raises SFTPPermissionDenied for folders and for names no file should have."""
    name = _within(path).removeprefix("/")
    if not name or "/" in name or "\\" in name or not name.isprintable() or len(name.encode()) > LONGEST_NAME:
        raise SFTPPermissionDenied(ONE_NAME)
    return name


def _within(path: bytes) -> str:
    """The path below the inbox's root; `..` goes no higher than that."""
    try:
        return posixpath.normpath("/" + path.decode().lstrip("/"))
    except UnicodeDecodeError as fault:
        raise SFTPPermissionDenied("File names are UTF-8.") from fault


def _upload(file_obj: object) -> Upload:
    assert isinstance(file_obj, Upload)
    return file_obj


def _attributes(size: int, changed: int) -> SFTPAttrs:
    return SFTPAttrs(permissions=stat.S_IFREG | 0o200, size=size, nlink=1, atime=changed, mtime=changed)


def _refuse_size(attrs: SFTPAttrs, size: int) -> None:
    """Raises SFTPOpUnsupported for any size but the one there is."""
    if attrs.size not in (None, size):
        raise SFTPOpUnsupported("Uploads cannot be continued. Send the whole file.")
