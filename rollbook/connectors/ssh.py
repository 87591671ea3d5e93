"""SSH as a client, for connections that fetch by SFTP and exports that send by it: signing in to a server whose key was accepted.

Nothing is said to a server, no password and no login, before it has shown the key that was accepted for it. Settings are those of the
connectors that use this: host, port, login, path, host_key, timeout_seconds; secrets password or private_key.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

import asyncssh

from rollbook.connectors.contract import BadSetting, ConnectorRefusal, Option, Secrets, Settings

KEY = re.compile(r"([a-z0-9@.-]+) (SHA256:[A-Za-z0-9+/]{43})")
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
Answer = TypeVar("Answer")
Tell = Callable[[int, int], None]
"""`tell(bytes done, bytes known)`."""

Told = Callable[[int, int], Awaitable[None]]
"""The same, as who talks to the server calls it."""

SIGN_IN = (
    Option("host", "Server", "Its name or address, for example sftp.example.org.", required=True),
    Option("port", "Port", "Where it listens.", "22"),
    Option("login", "Login", "The name to sign in with.", required=True),
    Option("password", "Password", "Leave it out where a private key is given.", secret=True),
    Option(
        "private_key",
        "Private key",
        "The whole text of an OpenSSH or PEM private key that has no passphrase.",
        secret=True,
        lines=True,
    ),
)
"""What is said of every server we sign in to."""

HOST_KEY = Option(
    "host_key",
    "Accepted host key",
    "The key the server has to show. Leave it out at first: the test of the connection shows the key, to compare"
    " with what the server's people say and to write here.",
)
PATIENCE = Option("timeout_seconds", "Patience in seconds", "How long the server may say nothing.", "30")


@dataclass(frozen=True)
class Purpose:
    """What a conversation is for, so that what stops it is said fittingly: `act` is *read* or *write to*, `acted` *read* or *written to*.

    `refusal` is raised for what a person has to put right, `passing` for what may be over at the next attempt.
    """

    act: str
    acted: str
    refusal: type[ConnectorRefusal]
    passing: type[ConnectorRefusal]


def accepted_key(written: str) -> str:
    """The host key as it is kept, `algorithm SHA256:…`, or empty."""
    words = " ".join(written.split()[:2])
    if words and not KEY.fullmatch(words):
        raise BadSetting("A host key is written as the test shows it: ssh-ed25519 SHA256:… (43 characters).")
    return words


def private_keys(secrets: Secrets) -> list[asyncssh.SSHKey]:
    if not secrets.get("private_key"):
        return []
    try:
        return [asyncssh.import_private_key(secrets["private_key"].strip() + "\n")]
    except ValueError as fault:
        raise BadSetting(
            "This is not a private key that can be read: it has to be OpenSSH or PEM, without a passphrase."
        ) from fault


@dataclass(frozen=True)
class _Saying:
    """Something the act tells, and waits until it was heard."""

    figures: tuple[int, int]
    heard: Future[None] = field(default_factory=Future)


def _untold(done: int, known: int) -> None:
    """Tells nobody."""


def run(
    settings: Settings,
    purpose: Purpose,
    act: Callable[[Told], Coroutine[Any, Any, Answer]],
    tell: Tell = _untold,
) -> Answer:
    """The act to its end, in an event loop and a thread of its own; whatever stops it is said in words.

    What it tells is told by `tell` in the caller's thread: that one has the connection to the database, and the transaction.
    """
    place = f"{settings['host']}, port {settings['port']}"
    try:
        return _run(act, tell)
    except TimeoutError as fault:
        raise purpose.passing(
            f"{place} did not answer within {settings['timeout_seconds']} seconds."
        ) from fault
    except asyncssh.PermissionDenied as fault:
        raise purpose.refusal(
            f"{settings['host']} does not let {settings['login']} in: the password or the key is wrong, or this address is"
            " not allowed there."
        ) from fault
    except asyncssh.SFTPNoSuchFile as fault:
        raise purpose.refusal(f"There is no {settings['path']} on {settings['host']}.") from fault
    except asyncssh.SFTPPermissionDenied as fault:
        raise purpose.refusal(
            f"{settings['login']} may not {purpose.act} {settings['path']} on {settings['host']}."
        ) from fault
    except (asyncssh.Error, OSError) as fault:
        raise purpose.passing(f"{place} cannot be {purpose.acted}: {_reason(fault)}") from fault


def _run(act: Callable[[Told], Coroutine[Any, Any, Answer]], tell: Tell) -> Answer:
    said: SimpleQueue[_Saying | None] = SimpleQueue()

    async def told(done: int, known: int) -> None:
        saying = _Saying((done, known))
        said.put(saying)
        await asyncio.wrap_future(saying.heard)

    # The caller's thread may have a loop running, which would refuse another.
    with ThreadPoolExecutor(1) as apart:
        ended = apart.submit(lambda: asyncio.run(act(told)))
        ended.add_done_callback(lambda _: said.put(None))
        saying: _Saying | None = _Saying((0, 0))
        try:
            while saying := said.get():
                tell(*saying.figures)
                saying.heard.set_result(None)
        except BaseException:
            # The act is stopped where it waits to be heard.
            while saying:
                saying.heard.cancel()
                saying = said.get()
            raise
        return ended.result()


def _reason(fault: Exception) -> str:
    if isinstance(fault, ConnectionRefusedError):
        return "nothing listens there."
    if isinstance(fault, OSError) and not isinstance(fault, asyncssh.Error):
        return f"{fault.strerror or fault}."
    return f"{fault}".rstrip(".") + "."


class _Pinned(asyncssh.SSHClient):
    """Accepts the one key it was told of, and remembers the one it saw."""

    def __init__(self, accepted: str) -> None:
        self._accepted = accepted
        self.seen = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.seen = f"{key.get_algorithm()} {key.get_fingerprint()}"
        return self.seen == self._accepted


@asynccontextmanager
async def signed_in(
    settings: Settings, secrets: Secrets, refusal: type[ConnectorRefusal]
) -> AsyncIterator[asyncssh.SFTPClient]:
    pinned = _Pinned(settings["host_key"])
    try:
        connection = await _connection(settings, pinned, secrets)
    except (asyncssh.DisconnectError, ConnectionResetError) as fault:
        if pinned.seen == settings["host_key"]:
            raise
        raise refusal(_not_the_accepted(settings, pinned.seen)) from fault
    try:
        yield await patiently(connection.start_sftp_client(), settings)
    finally:
        # Nothing more is awaited of the server, which may be the one that fell silent; what was still asked of it ends unheard.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        connection.abort()
        await connection.wait_closed()


def _not_the_accepted(settings: Settings, seen: str) -> str:
    if seen:
        return (
            f"{settings['host']} shows another key than the one accepted for it ({seen} instead of {settings['host_key']})."
            " Somebody may stand in between, or the server got a new key: ask its people before you accept it. Nothing was sent."
        )
    return (
        f"{settings['host']} ended the conversation before it showed a key: it no longer has one of the accepted kind"
        f" ({settings['host_key']}), knows no cipher that is still safe, or does not talk to this address. Nothing was sent."
    )


async def shown_key(settings: Settings) -> str:
    pinned = _Pinned("")
    try:
        connection = await _connection(settings, pinned, {})
        connection.abort()
    except asyncssh.HostKeyNotVerifiable:
        pass  # of course: only the key was asked for
    return pinned.seen


async def _connection(settings: Settings, pinned: _Pinned, secrets: Secrets) -> asyncssh.SSHClientConnection:
    """A connection that uses nothing of this machine's user: no keys, agent, configuration or list of known hosts."""
    algorithm = settings["host_key"].split(" ")[0]
    offered = ["rsa-sha2-512", "rsa-sha2-256"] if algorithm == "ssh-rsa" else [algorithm]
    patience = settings["timeout_seconds"]
    connecting = asyncssh.connect(
        settings["host"],
        settings["port"],
        username=settings["login"],
        password=secrets.get("password"),
        client_keys=private_keys(secrets) or None,
        client_factory=lambda: pinned,
        known_hosts=([], [], []),
        server_host_key_algs=offered if algorithm else "default",
        agent_path=None,
        config=None,
        gss_host=None,
        connect_timeout=patience,
        login_timeout=patience,
        keepalive_interval=patience,
        keepalive_count_max=2,
    )
    return await asyncio.wait_for(connecting, 2 * patience)


async def patiently(act: Awaitable[Answer], settings: Settings) -> Answer:
    return await asyncio.wait_for(act, settings["timeout_seconds"])
