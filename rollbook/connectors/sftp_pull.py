"""SFTP pull: fetches a zip or a folder of CSV files from a server that is the district's own or its student information system's."""

import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import cast

import asyncssh

from rollbook.connectors.contract import (
    BadSetting,
    CannotFetch,
    Connector,
    Fetched,
    Filled,
    Option,
    Progress,
    Secrets,
    Settings,
)
from rollbook.connectors.filled import number, text
from rollbook.connectors.ssh import (
    HOST,
    HOST_KEY,
    PATIENCE,
    SIGN_IN,
    Purpose,
    accepted_key,
    patiently,
    private_keys,
    run,
    shown_key,
    signed_in,
)

BLOCK = 1 << 18
MOST_FILES = 1_000
GLOB = frozenset("*?[")
READING = Purpose("read", "read", CannotFetch, CannotFetch)

OPTIONS = (
    *SIGN_IN,
    Option(
        "path",
        "Path",
        "A zip, or a folder with CSV files. The last part may be a pattern (/out/roster-*.zip): then the newest"
        " that fits is taken.",
        required=True,
    ),
    HOST_KEY,
    Option("most_megabytes", "Largest delivery in MB", "What all files together may have.", "2048"),
    PATIENCE,
)


@dataclass(frozen=True)
class Found:
    """One file on the server: where it is, its size in bytes and when it was changed, in seconds since 1970."""

    path: str
    size: int
    changed: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Delivery:
    """What is to be fetched: one zip, or the CSV files of one folder."""

    path: str
    files: tuple[Found, ...]
    is_folder: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept of a pull connection. Raises BadSetting."""
    host, login, path = (text(settings, name) for name in ("host", "login", "path"))
    if not HOST.fullmatch(host):
        raise BadSetting("Write the server's name or address alone, without sftp:// and without a path.")
    if not login:
        raise BadSetting("Write the login to sign in with.")
    if not path or "\0" in path or GLOB & set(str(PurePosixPath(path).parent)):
        raise BadSetting("Write the path of a zip or a folder; only its last part may be a pattern (*, ?).")
    kept = {name: secrets[name] for name in ("password", "private_key") if secrets.get(name)}
    if not {"password", "private_key"} & set(kept):
        raise BadSetting("Give a password or a private key to sign in with.")
    private_keys(kept)
    return {
        "host": host,
        "port": number(settings, OPTIONS, "port", 1, 65_535),
        "login": login,
        "path": path,
        "host_key": accepted_key(text(settings, "host_key")),
        "most_megabytes": number(settings, OPTIONS, "most_megabytes", 1, 32_768),
        "timeout_seconds": number(settings, OPTIONS, "timeout_seconds", 1, 600),
    }, kept


def fetch(
    settings: Settings, secrets: Secrets, work_folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """The delivery, in the work folder. Raises CannotFetch."""
    if not settings["host_key"]:
        raise CannotFetch(
            "No host key has been accepted for this server yet. Test the connection, compare the key it shows, and enter it."
        )
    progress(f"fetching {settings['path']} from {settings['host']}")
    return run(settings, READING, lambda told: _fetched(settings, secrets, work_folder))


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What was found, in words; before a host key is accepted, only the key. Raises CannotFetch."""
    return run(settings, READING, lambda told: _looked_at(settings, secrets))


async def _fetched(settings: Settings, secrets: Secrets, work_folder: Path) -> Fetched:
    async with signed_in(settings, secrets, CannotFetch) as sftp:
        delivery = await _find(sftp, settings)
        folder = work_folder / "fetched"
        folder.mkdir(parents=True, exist_ok=True)
        for file in delivery.files:
            await _copy(sftp, file, folder / file.name, settings)
    path = folder if delivery.is_folder else folder / delivery.files[0].name
    return Fetched(path, notes=(f"Fetched {_told(delivery)}",))


async def _looked_at(settings: Settings, secrets: Secrets) -> list[str]:
    if not settings["host_key"]:
        return [
            f"{settings['host']} answers, and shows the key {await shown_key(settings)}",
            "Compare it with what the people of that server say, and enter it as the accepted host key. Until then nobody signs in.",
        ]
    async with signed_in(settings, secrets, CannotFetch) as sftp:
        delivery = await _find(sftp, settings)
    return [
        f"{settings['host']} shows the accepted key and lets {settings['login']} in.",
        f"Found {_told(delivery)}",
    ]


async def _find(sftp: asyncssh.SFTPClient, settings: Settings) -> Delivery:
    """What the path means on the server now. Raises CannotFetch where that is nothing, or too much."""
    path = settings["path"]
    if GLOB & set(PurePosixPath(path).name):
        path = await _newest(sftp, path, settings)
    attributes = await patiently(sftp.stat(path), settings)
    if stat.S_ISDIR(attributes.permissions or 0):
        files = tuple(
            file for file in await _listed(sftp, path, settings) if file.name.lower().endswith(".csv")
        )
        delivery = Delivery(path, files, is_folder=True)
    else:
        delivery = Delivery(path, (_found(path, attributes),), is_folder=False)
    if not delivery.files:
        raise CannotFetch(f"There is no CSV file in {path} on {settings['host']}.")
    if delivery.size > settings["most_megabytes"] << 20:
        raise CannotFetch(
            f"{path} has {delivery.size >> 20:,} MB; at most {settings['most_megabytes']:,} are fetched."
        )
    return delivery


async def _newest(sftp: asyncssh.SFTPClient, pattern: str, settings: Settings) -> str:
    folder, name = str(PurePosixPath(pattern).parent), PurePosixPath(pattern).name
    fitting = [
        one
        for one in await _listed(sftp, folder, settings, folders=True)
        if fnmatchcase(one.name, name) and not one.name.startswith(".")
    ]
    if not fitting:
        raise CannotFetch(f"Nothing on {settings['host']} fits {pattern}.")
    return max(fitting, key=lambda one: (one.changed, one.name)).path


async def _listed(
    sftp: asyncssh.SFTPClient, folder: str, settings: Settings, folders: bool = False
) -> list[Found]:
    """The files of a folder, and with `folders` the folders in it; links are neither."""
    listed = []
    names = await patiently(sftp.readdir(folder), settings)
    for entry in sorted(names, key=lambda entry: str(entry.filename)):
        name, mode = str(entry.filename), entry.attrs.permissions or 0
        if (
            name not in (".", "..")
            and "/" not in name
            and (stat.S_ISREG(mode) or (folders and stat.S_ISDIR(mode)))
        ):
            listed.append(_found(f"{folder.rstrip('/')}/{name}", entry.attrs))
    if len(listed) > MOST_FILES:
        raise CannotFetch(
            f"{folder} holds more than {MOST_FILES:,} files. Name a folder for the package alone."
        )
    return listed


def _found(path: str, attributes: asyncssh.SFTPAttrs) -> Found:
    return Found(path, attributes.size or 0, attributes.mtime or 0)


async def _copy(sftp: asyncssh.SFTPClient, file: Found, target: Path, settings: Settings) -> None:
    """The file as it was found. Raises CannotFetch if it was written to meanwhile."""
    source = await patiently(sftp.open(file.path, "rb"), settings)
    with target.open("wb") as copy:
        left = file.size
        while left and (block := await patiently(source.read(min(BLOCK, left)), settings)):
            copy.write(cast(bytes, block))
            left -= len(block)
    await patiently(source.close(), settings)
    if left or _found(file.path, await patiently(sftp.stat(file.path), settings)) != file:
        raise CannotFetch(
            f"{file.name} was written to while it was fetched. Fetch after its export has ended."
        )


def _told(delivery: Delivery) -> str:
    newest = datetime.fromtimestamp(max(file.changed for file in delivery.files), UTC)
    count = f"{len(delivery.files)} CSV files in " if delivery.is_folder else ""
    return f"{count}{delivery.path}: {delivery.size:,} bytes, changed {newest:%Y-%m-%d %H:%M} UTC."


SFTP_PULL = Connector("sftp_pull", "SFTP: we fetch it", OPTIONS, checked, fetch, tested)
