"""SFTP push: brings one file to a folder on an app's server, under another name until it is whole; and says in words whether it can.

It is sent whole or not at all: what lies under its own name has always come to its end. A second sending of the same file leaves it.
"""

from pathlib import Path, PurePosixPath

import asyncssh

from rollbook.connectors.contract import BadSetting, ConnectorRefusal, Filled, Option, Secrets, Settings
from rollbook.connectors.filled import number, text
from rollbook.connectors.ssh import (
    HOST,
    HOST_KEY,
    PATIENCE,
    SIGN_IN,
    Purpose,
    Tell,
    Told,
    accepted_key,
    patiently,
    private_keys,
    run,
    shown_key,
    signed_in,
)

BLOCK = 1 << 17

OPTIONS = (
    *SIGN_IN,
    Option(
        "path",
        "Folder",
        "Where the packages are put, for example /incoming. It has to be there already.",
        ".",
    ),
    HOST_KEY,
    PATIENCE,
)


class CannotSend(ConnectorRefusal):
    """The package could not be brought to the app's server."""


class NotNow(CannotSend):
    """The app's server could not be reached; it is worth another attempt."""


WRITING = Purpose("write to", "written to", CannotSend, NotNow)


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept of the way to a server. Raises BadSetting."""
    host, login, path = (text(settings, name) for name in ("host", "login", "path"))
    if not HOST.fullmatch(host):
        raise BadSetting("Write the server's name or address alone, without sftp:// and without a path.")
    if not login:
        raise BadSetting("Write the login to sign in with.")
    if "\0" in path:
        raise BadSetting("Write the path of the folder the packages are put into.")
    kept = {name: secrets[name] for name in ("password", "private_key") if secrets.get(name)}
    if not kept:
        raise BadSetting("Give a password or a private key to sign in with.")
    private_keys(kept)
    return {
        "host": host,
        "port": number(settings, OPTIONS, "port", 1, 65_535),
        "login": login,
        "path": path or ".",
        "host_key": accepted_key(text(settings, "host_key")),
        "timeout_seconds": number(settings, OPTIONS, "timeout_seconds", 1, 600),
    }, kept


def send(settings: Settings, secrets: Secrets, file: Path, name: str, tell: Tell) -> None:
    """The file lies in the folder under `name`; `tell(bytes sent, bytes of the file)`. Raises NotNow for what may be over at the next attempt,
    CannotSend for all else.
    """
    if not settings["host_key"]:
        raise CannotSend(
            "No host key has been accepted for this server yet. Test the connection, compare the key it shows, and enter it."
        )
    run(settings, WRITING, lambda told: _sent(settings, secrets, file, name, told), tell)


STEPS = ("sign in", "folder", "file", "rename")
"""What a test does, one after the other. Before a host key is accepted it asks for the key, and that is all."""


def tested(settings: Settings, secrets: Secrets, tell: Tell) -> list[str]:
    """What was found, in words; before a host key is accepted, only the key. `tell(steps done, steps)`. Raises CannotSend."""
    return run(settings, WRITING, lambda told: _looked_at(settings, secrets, told), tell)


async def _looked_at(settings: Settings, secrets: Secrets, told: Told) -> list[str]:
    await told(0, len(STEPS) if settings["host_key"] else 1)
    if not settings["host_key"]:
        return [
            f"{settings['host']} answers, and shows the key {await shown_key(settings)}",
            "Compare it with what the people of that server say, and enter it as the accepted host key. Until then nobody signs in.",
        ]
    async with signed_in(settings, secrets, CannotSend) as sftp:
        await told(1, len(STEPS))
        await _refuse_no_folder(sftp, settings)
        await told(2, len(STEPS))
        trial, renamed = _temporary(settings, "trial"), _temporary(settings, "trial-renamed")
        await _put(sftp, settings, b"", trial)
        await told(3, len(STEPS))
        try:
            await _rename(sftp, settings, trial, renamed)
        except BaseException:
            await _forget(sftp, settings, trial)
            raise
        await patiently(sftp.remove(renamed), settings)
    return [
        f"{settings['host']} shows the accepted key and lets {settings['login']} in.",
        f"Files can be put into {settings['path']}, and renamed there.",
    ]


async def _sent(settings: Settings, secrets: Secrets, file: Path, name: str, told: Told) -> None:
    async with signed_in(settings, secrets, CannotSend) as sftp:
        await _refuse_no_folder(sftp, settings)
        target, temporary = _place(settings, name), _temporary(settings, name)
        try:
            await _copy(sftp, settings, file, temporary, told)
            await _rename(sftp, settings, temporary, target)
        except BaseException:
            await _forget(sftp, settings, temporary)
            raise


async def _refuse_no_folder(sftp: asyncssh.SFTPClient, settings: Settings) -> None:
    if not await patiently(sftp.isdir(settings["path"]), settings):
        raise CannotSend(
            f"There is no folder {settings['path']} on {settings['host']}. Ask its people to make it."
        )


async def _copy(sftp: asyncssh.SFTPClient, settings: Settings, file: Path, target: str, told: Told) -> None:
    size, sent = file.stat().st_size, 0
    handle = await patiently(sftp.open(target, "wb"), settings)
    with file.open("rb") as source:
        while block := source.read(BLOCK):
            await patiently(handle.write(block), settings)
            sent += len(block)
            await told(sent, size)
    await patiently(handle.close(), settings)
    arrived = (await patiently(sftp.stat(target), settings)).size
    if arrived != size:
        raise NotNow(
            f"Of {size:,} bytes {arrived:,} came to {settings['host']}: its disk may be full. Nothing is visible there."
        )


async def _put(sftp: asyncssh.SFTPClient, settings: Settings, content: bytes, target: str) -> None:
    handle = await patiently(sftp.open(target, "wb"), settings)
    await patiently(handle.write(content), settings)
    await patiently(handle.close(), settings)


async def _rename(sftp: asyncssh.SFTPClient, settings: Settings, temporary: str, target: str) -> None:
    """In one act where the server can replace a file so; else what had the name goes first."""
    try:
        await patiently(sftp.posix_rename(temporary, target), settings)
    except asyncssh.SFTPOpUnsupported:
        if await patiently(sftp.exists(target), settings):
            await patiently(sftp.remove(target), settings)
        await patiently(sftp.rename(temporary, target), settings)


async def _forget(sftp: asyncssh.SFTPClient, settings: Settings, temporary: str) -> None:
    """What was not sent to its end goes, where the server still listens."""
    try:
        await patiently(sftp.remove(temporary), settings)
    except (asyncssh.Error, OSError, TimeoutError):
        return  # why it was not sent is told already


def _place(settings: Settings, name: str) -> str:
    return str(PurePosixPath(settings["path"]) / name)


def _temporary(settings: Settings, name: str) -> str:
    """The name of what is still being sent; the next attempt takes it again."""
    return _place(settings, f".{name}.part")
