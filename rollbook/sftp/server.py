"""The SFTP server: listens, keeps an inbox for each login that brings deliveries, and makes a run, for a worker to walk, of what has come
whole. Apps that fetch their packages find them here too.

One process an installation: what lies in the inboxes is its alone.
"""

import asyncio
import fcntl
import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import asyncssh
from django.db import close_old_connections

from rollbook.connectors.sftp_drop import Drop
from rollbook.environment import kept_secret
from rollbook.flows import drops
from rollbook.flows.arrivals import take_in
from rollbook.refusal import Refusal
from rollbook.sftp.door import Callers, Door
from rollbook.sftp.inbox import Inbox, others_wait
from rollbook.sftp.pickup import PickupSession
from rollbook.sftp.session import InboxSession
from rollbook.store.models import Run

LOOK_EVERY = 0.5
SWEEP_EVERY = 60.0
PATIENCE = 60
LAST_WORDS = 5.0
log = logging.getLogger(__name__)


class AlreadyRunning(Refusal):
    """Another SFTP server of this installation is running: it uses the same data folder."""


class NoHostKey(Refusal):
    """The SFTP host key cannot be used: ROLLBOOK_SFTP_HOST_KEY has to name a private key without a passphrase (OpenSSH or PEM)."""


class NoListening(Refusal):
    """The SFTP server cannot listen there: another program has the port, or it may not be used."""


@dataclass
class Post:
    """The inboxes, and the two kinds of threads: one that makes runs of deliveries, and some that look up logins."""

    importing: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "import"))
    looking: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, "look"))
    inboxes: dict[int, Inbox] = field(default_factory=dict)
    under_way: set[Path] = field(default_factory=set)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def inbox(self, connection_id: int, drop: Drop) -> Inbox:
        """The one inbox of a connection, with its login as it is now."""
        if connection_id not in self.inboxes:
            self._open(connection_id, drop)
        inbox = self.inboxes[connection_id]
        inbox.drop, inbox.is_open = drop, True
        return inbox

    def session(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        """What a client that has signed in may do."""
        connection_id, drop = channel.get_extra_info("drop")
        if channel.get_extra_info("is_app"):
            return PickupSession(channel, connection_id, channel.get_extra_info("address"), self.looking)
        inbox = self.inbox(connection_id, drop)
        return InboxSession(channel, inbox, self.stirred.set, partial(self._broke, connection_id))

    async def keep(self) -> None:
        """Hands over what is due, for ever; also what an earlier process, or an earlier attempt, left behind."""
        swept = float("-inf")
        while True:
            if time.monotonic() - swept >= SWEEP_EVERY:
                await self._sweep()
                swept = time.monotonic()
            for connection_id, inbox in list(self.inboxes.items()):
                self._look_into(connection_id, inbox)
            self.stirred.clear()
            with suppress(TimeoutError):  # nothing stirred: that is why one looks now and then
                await asyncio.wait_for(self.stirred.wait(), LOOK_EVERY)

    async def end(self) -> None:
        """Begins nothing more, and gives the delivery that is being kept a moment to come to its end."""
        self.importing.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + LAST_WORDS
        while self.under_way and time.monotonic() < until:
            await asyncio.sleep(0.05)

    def _look_into(self, connection_id: int, inbox: Inbox) -> None:
        """Hands over what is due. A fault costs one inbox this look, and no other anything."""
        try:
            while names := inbox.due(time.monotonic()):
                self._hand_over(connection_id, inbox.take(names))
        except OSError:
            log.exception("connection %s: looking into its inbox", connection_id)

    async def _sweep(self) -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self.looking, _known_drops)
        except Exception:
            # Inboxes that are known go on; the database is asked again at the next sweep.
            log.exception("looking for the connections")
            return
        for inbox in self.inboxes.values():
            inbox.is_open = False
        self.inboxes = {number: inbox for number, inbox in self.inboxes.items() if inbox.home.exists()}
        for connection_id, drop in found:
            inbox = self.inbox(connection_id, drop)
            inbox.sweep()
            for arrived in sorted((inbox.home / "arrived").iterdir()):
                self._hand_over(connection_id, arrived)

    def _open(self, connection_id: int, drop: Drop) -> None:
        inbox = self.inboxes[connection_id] = Inbox(drops.home(connection_id), drop)
        for name in inbox.left_by_the_dead():
            self._broke(
                connection_id,
                f"The upload of {name} broke off: the server stopped. Nothing of it was imported."
                + others_wait(name),
            )

    def _hand_over(self, connection_id: int, arrived: Path) -> None:
        if arrived in self.under_way:
            return
        self.under_way.add(arrived)
        done = self.importing.submit(take_in, connection_id, arrived)
        done.add_done_callback(partial(self._ended, arrived))

    def _ended(self, arrived: Path, done: Future[Run | None]) -> None:
        """What ended in a fault before there was a run to show it stays among the arrived, and is tried again."""
        self.under_way.discard(arrived)
        if not done.cancelled() and (fault := done.exception()):
            log.error("a delivery is tried again", exc_info=fault)

    def _broke(self, connection_id: int, words: str) -> None:
        log.warning("connection %s: an upload did not become a file", connection_id)
        self.looking.submit(drops.broke_off, connection_id, words)


def run(host: str, port: int, key_file: Path, ready: Callable[[str], None]) -> None:
    """Serves until SIGTERM or Ctrl-C. `ready` is told the fingerprint once it listens. Raises AlreadyRunning, NoHostKey, NoListening."""
    key = host_key(key_file)
    with _Alone(drops.home(0).parent):
        asyncio.run(_serve(host, port, key, ready))


def host_key(file: Path) -> asyncssh.SSHKey:
    """The server's key, made the first time. Raises NoHostKey."""
    try:
        text = kept_secret(file, _make_key)
        return asyncssh.import_private_key(text + "\n")
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise NoHostKey(str(file)) from fault


def _make_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519", "rollbook").export_private_key().decode("ascii")


class _Alone:
    """Holds the lock of the one SFTP server of a data folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "server.lock").open("w")

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            self._file.close()
            raise AlreadyRunning from fault

    def __exit__(self, *_: object) -> None:
        self._file.close()


async def _serve(host: str, port: int, key: asyncssh.SSHKey, ready: Callable[[str], None]) -> None:
    post, callers, stop = Post(), Callers(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        listener = await asyncssh.listen(
            host,
            port,
            server_host_keys=[key],
            server_factory=lambda: Door(callers, post.looking),
            sftp_factory=post.session,
            server_version="Rollbook",
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            line_editor=False,
            compression_algs=None,
            login_timeout=PATIENCE,
            keepalive_interval=PATIENCE,
            keepalive_count_max=3,
        )
    except OSError as fault:
        raise NoListening(f"port {port}: {fault.strerror}") from fault
    keeping = asyncio.create_task(post.keep())
    ready(key.get_fingerprint())
    await stop.wait()
    keeping.cancel()
    listener.close()
    await post.end()


def _known_drops() -> list[tuple[int, Drop]]:
    close_old_connections()
    drops.forget_the_removed()
    return list(drops.every_drop())
