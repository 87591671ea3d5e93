"""OpenSSH's own server on a free port, for the user who runs the tests; and asyncssh's, where somebody has to have a password."""

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import asyncssh

from tests.installation import free_port

PROGRAM = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@dataclass
class Sshd:
    """A running `sshd`: it lets `login` in with `client_key`, and shows `host_key` (a fingerprint)."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def login(self) -> str:
        return getpass.getuser()

    @property
    def client_key(self) -> str:
        return (self.folder / "client").read_text()

    def host_key(self, kind: str = "ed25519") -> str:
        words = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.folder / f"host_{kind}.pub")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        return f"{'ssh-' if kind != 'ecdsa' else 'ecdsa-sha2-'}{kind if kind != 'ecdsa' else 'nistp256'} {words[1]}"

    def new_host_key(self, kind: str = "ed25519") -> None:
        for name in (f"host_{kind}", f"host_{kind}.pub"):
            (self.folder / name).unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(self.folder / f"host_{kind}")], check=True
        )

    def start(self, *kinds: str) -> None:
        """Listens, showing host keys of these kinds."""
        assert PROGRAM, "there is no sshd; script/setup installs openssh-server"
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        lines = [f"HostKey {self.folder}/host_{kind}" for kind in kinds or ("ed25519",)]
        lines += [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"AuthorizedKeysFile {self.folder}/client.pub",
            f"PidFile {self.folder}/pid",
            "PermitRootLogin yes",
            "PasswordAuthentication yes",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "Subsystem sftp internal-sftp",
        ]
        (self.folder / "log").write_text("")
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [PROGRAM, "-D", "-E", str(self.folder / "log"), "-f", str(self.folder / "config")]
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


def a_sshd(folder: Path) -> Sshd:
    """Not yet listening; with an ed25519 host key and a key of its one client."""
    folder.mkdir(exist_ok=True)
    server = Sshd(folder, free_port())
    server.new_host_key()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "client")], check=True)
    return server


class _Passwords(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("roster", "open sesame")


@contextlib.contextmanager
def with_a_password(root: Path, delay: float = 0) -> Iterator[tuple[int, str]]:
    """(port, host key) of a server that lets `roster` in by the password `open sesame`; it waits `delay` seconds before each reading."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    port, ready, loop = free_port(), threading.Event(), asyncio.new_event_loop()

    opened: list[IO[bytes]] = []

    class Slow(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            opened.append(super().open(path, pflags, attrs))  # type: ignore[arg-type]  # asyncssh's own is a file
            return opened[-1]

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            await asyncio.sleep(delay)
            return super().read(file_obj, offset, size)  # type: ignore[return-value]  # asyncssh's own is not a coroutine

    async def serve() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", port, server_host_keys=[key], server_factory=_Passwords,
            sftp_factory=lambda channel: Slow(channel, chroot=str(root).encode()),
        )  # fmt: skip

    def run() -> None:
        asyncio.set_event_loop(loop)
        listener = loop.run_until_complete(serve())
        ready.set()
        loop.run_forever()
        listener.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.run_until_complete(listener.wait_closed())
        loop.close()
        for file in opened:
            file.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield port, f"{key.get_algorithm()} {key.get_fingerprint()}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
