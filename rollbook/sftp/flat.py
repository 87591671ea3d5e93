"""An SFTP session without folders, which inboxes and packages waiting for pickup share: what neither has is refused here, in one place."""

from contextlib import suppress
from typing import Any, ClassVar, NoReturn

from asyncssh import SFTPAttrs, SFTPOpUnsupported, SFTPPermissionDenied, SFTPServer


class FlatSession(SFTPServer):
    """Names are all there is of a path. `words` is said to whoever asks for more."""

    words: ClassVar[str]

    def exit(self) -> None:
        """OpenSSH's `scp` asks how the server's program ended (RFC 4254 §6.10), and takes no word for a failure."""
        with suppress(OSError):  # the client has gone
            self.channel.exit(0)

    def map_path(self, path: bytes) -> NoReturn:
        """Whatever neither this class nor the session writes out would ask for a path of the machine, and gets none."""
        raise SFTPPermissionDenied(self.words)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> NoReturn:
        raise SFTPOpUnsupported("This server speaks version 3 of SFTP.")

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        raise SFTPPermissionDenied(self.words)

    def rmdir(self, path: bytes) -> NoReturn:
        raise SFTPPermissionDenied(self.words)

    def readlink(self, path: bytes) -> NoReturn:
        raise SFTPPermissionDenied(self.words)

    def symlink(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        raise SFTPPermissionDenied(self.words)

    def link(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        raise SFTPPermissionDenied(self.words)

    def lock(self, *_: Any) -> NoReturn:
        raise SFTPOpUnsupported(self.words)

    def unlock(self, *_: Any) -> NoReturn:
        raise SFTPOpUnsupported(self.words)

    def statvfs(self, path: bytes) -> NoReturn:
        raise SFTPOpUnsupported(self.words)

    def fstatvfs(self, file_obj: object) -> NoReturn:
        raise SFTPOpUnsupported(self.words)
