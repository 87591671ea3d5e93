"""Who may come in by SFTP: a login by its password or key, from the addresses it may come from. A stranger is told nothing."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

import asyncssh

from rollbook.connectors.sftp_drop import LOGIN, Drop, password_fits
from rollbook.flows.drops import find_drop
from rollbook.flows.pickups import find_pickup

CONNECTED_MOST = 200
WRONG_MOST = 20
WRONG_WITHIN = 600.0
WRONG_HERE = 5
PAUSE = 1.0
log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Answer = TypeVar("Answer")


@dataclass
class Callers:
    """Everybody who is connected, and how often each address gave a wrong password lately."""

    connected: int = 0
    wrong: dict[Address, list[float]] = field(default_factory=dict)

    def note_wrong(self, address: Address) -> None:
        self.wrong[address] = [*self._lately(address), time.monotonic()]

    def are_too_many_wrong(self, address: Address) -> bool:
        self.wrong = {one: lately for one in self.wrong if (lately := self._lately(one))}
        return len(self.wrong.get(address, ())) >= WRONG_MOST

    def _lately(self, address: Address) -> list[float]:
        since = time.monotonic() - WRONG_WITHIN
        return [moment for moment in self.wrong.get(address, ()) if moment > since][-WRONG_MOST:]


class Door(asyncssh.SSHServer):
    """One connection's sign-in. Files are all there is: no shell, no commands, no forwarding."""

    def __init__(self, callers: Callers, threads: Executor) -> None:
        self._callers = callers
        self._threads = threads
        self._wrong_here = 0
        self._found: tuple[int, Drop] | None = None
        self._is_app = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._address = ip_address(conn.get_extra_info("peername")[0].split("%")[0])
        self._callers.connected += 1
        if self._callers.are_too_many_wrong(self._address):
            log.warning("%s gave too many wrong passwords and is not let in for now", self._address)
            conn.abort()
        elif self._callers.connected > CONNECTED_MOST:
            log.warning("more than %s are connected; %s is not let in for now", CONNECTED_MOST, self._address)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.connected -= 1

    async def begin_auth(self, username: str) -> bool:
        """Signing in is always asked for, and what can be tried looks the same for every name."""
        found, self._is_app = None, False
        if LOGIN.fullmatch(username):
            found = await self._in_thread(lambda: find_drop(username))
            if found is None:
                found = await self._in_thread(lambda: find_pickup(username))
                self._is_app = found is not None
        self._found = found
        if found and not found[1].lets_in(self._address):
            whose = "grant" if self._is_app else "connection"
            log.warning("%s %s: %s is not among its allowed addresses", whose, found[0], self._address)
            self._found = None
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if await self._in_thread(lambda: password_fits(self._drop(username), password)):
            return True
        self._callers.note_wrong(self._address)
        self._wrong_here += 1
        await asyncio.sleep(PAUSE)
        if self._wrong_here >= WRONG_HERE or self._callers.are_too_many_wrong(self._address):
            raise asyncssh.PermissionDenied("Too many wrong passwords")
        return False

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        drop = self._drop(username)
        return drop is not None and drop.has_key(key)

    def auth_completed(self) -> None:
        """Leaves with the connection whose inbox it is, or whose app fetches its packages."""
        self._conn.set_extra_info(drop=self._found, is_app=self._is_app, address=str(self._address))

    def _drop(self, username: str) -> Drop | None:
        return self._found[1] if self._found and self._found[1].login == username else None

    async def _in_thread(self, act: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)
