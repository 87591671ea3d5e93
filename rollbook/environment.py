"""Every setting Rollbook knows, as one table, and the readers that take them from the environment or fail by name.

Nothing else reads `ROLLBOOK_…` variables; docs/reference/settings.md is written from this table.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Setting:
    """One variable: its name, its value when unset, what it means, an example; a secret may come from `<name>_FILE`."""

    name: str
    default: str
    meaning: str
    example: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "ROLLBOOK_DATA_DIR",
        "~/.local/share/rollbook",
        "The folder for everything Rollbook keeps outside PostgreSQL: SQLite files, packages as they arrived,"
        " accepted snapshots, plans, and the keys it made itself. Made with mode 0700 when it is missing.",
        "/var/lib/rollbook",
    ),
    Setting(
        "ROLLBOOK_DATABASE_URL",
        "sqlite:///<data dir>/roster.db",
        "Where the rosters are. `sqlite:///` and a path, or `postgresql://user:password@host:port/name`;"
        " a socket's folder goes into `?host=`. On SQLite a second file, `reading.db`, stands beside the first for what"
        " reading writes. A secret, because it can hold a password.",
        "postgresql://rollbook:secret@db.example.org/rollbook",
        secret=True,
    ),
    Setting(
        "ROLLBOOK_DATABASE_POOL",
        "10",
        "PostgreSQL only: the most connections one server process keeps.",
        "20",
    ),
    Setting(
        "ROLLBOOK_PUBLIC_URL",
        "http://127.0.0.1:8000",
        "The address the world uses, without a path. Every absolute address in an answer, an OAuth 1 signature or an"
        " e-mail is made from it and never from the request, so it is right behind any proxy. `https://` also makes"
        " cookies secure.",
        "https://roster.example.org",
    ),
    Setting(
        "ROLLBOOK_ALLOWED_HOSTS",
        "the public address's host, localhost, 127.0.0.1, ::1",
        "Host names a request may name, separated by commas; any other is answered 400. A leading dot allows subdomains.",
        "roster.example.org,.example.net",
    ),
    Setting(
        "ROLLBOOK_TRUSTED_PROXIES",
        "none",
        "Addresses or networks of the proxies in front, separated by commas: of these alone an `X-Forwarded-For` is believed"
        " when the access history notes where a call came from.",
        "127.0.0.1,10.0.0.0/8",
    ),
    Setting(
        "ROLLBOOK_SECRET_KEY",
        "made once, kept in <data dir>/secret.key",
        "Signs sessions and password resets: at least 32 random characters. Needed when several hosts serve one"
        " installation; then it must be the same on all.",
        "(32 or more random characters)",
        secret=True,
    ),
    Setting(
        "ROLLBOOK_FIELD_KEYS",
        "made once, kept in <data dir>/field.keys",
        "Fernet keys for secrets that must stay readable (an OAuth 1 secret), separated by commas. The first encrypts, all"
        " decrypt: to rotate, put a new one in front. Losing them loses those secrets.",
        "(one or more keys of 44 characters)",
        secret=True,
    ),
    Setting(
        "ROLLBOOK_EMAIL_URL",
        "file:<data dir>/mail",
        "How e-mail leaves: `smtp://user:password@host:port` (`?tls=starttls`, the default for port 587, or `?tls=ssl`,"
        " the default for 465, or `?tls=none`), or `file:` and a folder to keep the messages in.",
        "smtp://rollbook:secret@mail.example.org:587",
        secret=True,
    ),
    Setting(
        "ROLLBOOK_EMAIL_FROM", "rollbook@localhost", "The sender of those e-mails.", "roster@example.org"
    ),
    Setting(
        "ROLLBOOK_REQUIRE_SECOND_STEP",
        "no",
        "Whether everybody who works in the console needs a second step beside the password (an authenticator app or a passkey). Without"
        " it a district or an organization can still require one of who works there.",
        "yes",
    ),
    Setting(
        "ROLLBOOK_RATE_LIMIT",
        "6000",
        "Requests per minute one credential may make, of all server processes together; beyond it the answer is 429. 0 means no limit.",
        "600",
    ),
    Setting(
        "ROLLBOOK_STREAMS",
        "2",
        "How many pages that watch a sync one server process keeps up to date by a stream at a time; each takes one of its threads, and never"
        " more than half of them are given. Pages for which there is no room ask again every two seconds. 0 means no streams.",
        "4",
    ),
    Setting(
        "ROLLBOOK_SFTP_PORT",
        "0",
        "The port of the SFTP server to which student information systems bring their files; `rollbook serve` runs it beside"
        " the web server. 0 means no SFTP server.",
        "2222",
    ),
    Setting(
        "ROLLBOOK_SFTP_HOST",
        "all addresses of the machine",
        "The address the SFTP server listens on.",
        "203.0.113.7",
    ),
    Setting(
        "ROLLBOOK_SFTP_HOST_KEY",
        "<data dir>/sftp/host.key",
        "The file of the SFTP server's private host key (OpenSSH or PEM, without a passphrase); made when it is missing."
        " Keep it: with another key, every sender believes somebody stands in between.",
        "/etc/rollbook/sftp_host_ed25519",
    ),
    Setting(
        "ROLLBOOK_UPLOAD_MEGABYTES",
        "1024",
        "The largest package, in millions of bytes, that the console and the API take by upload. It is written to the data folder"
        " while it comes in, never held in memory. A proxy in front may have a limit of its own.",
        "4096",
    ),
    Setting(
        "ROLLBOOK_SOURCE_FOLDERS",
        "none",
        "A folder of this server under which each organization may have one of its own, named by its number, as the source of a sync:"
        " whoever may write there puts CSV files or a zip into it. An absolute path, the same for the web server and the workers. Without it"
        " organizations cannot choose a folder.",
        "/srv/rosters",
    ),
    Setting(
        "ROLLBOOK_VALIDATE",
        "yes",
        "Whether anybody may check a package at `/validate` without signing in. Nothing of what they send is kept.",
        "no",
    ),
    Setting(
        "ROLLBOOK_VALIDATE_MEGABYTES",
        "50",
        "The largest package, in millions of bytes, that `/validate` takes.",
        "20",
    ),
    Setting(
        "ROLLBOOK_VALIDATE_PER_HOUR",
        "30",
        "How many packages an hour `/validate` takes from one address, in each server process. 0 means no limit.",
        "10",
    ),
    Setting(
        "ROLLBOOK_WORKER_RUNS",
        "2",
        "PostgreSQL only: how many imports one worker walks at once, each of another district. On SQLite it is one.",
        "4",
    ),
    Setting(
        "ROLLBOOK_TOMBSTONE_DAYS",
        "400",
        "For how many days a deleted record is still served as `tobedeleted`, so that a consumer that was away learns of it.",
        "730",
    ),
    Setting(
        "ROLLBOOK_LOG_LEVEL",
        "INFO",
        "The least important kind of line that is logged: DEBUG, INFO, WARNING or ERROR.",
        "WARNING",
    ),
    Setting(
        "ROLLBOOK_DEBUG",
        "no",
        "Django's debug pages. They show code and data to whoever causes an error: only on a developer's machine.",
        "yes",
    ),
)

BY_NAME = {setting.name: setting for setting in SETTINGS}

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


def envtext(name: str, default: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The variable's text, or its default in the table (or `default`, where the table's is a description)."""
    setting = BY_NAME[name]
    value = environ.get(name, "").strip()
    return value or (setting.default if default is None else default)


def envbool(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Yes or no. Raises ImproperlyConfigured on any other word."""
    word = envtext(name, environ=environ).lower()
    if word not in YES | NO:
        raise ImproperlyConfigured(f"{name} is '{word}', which is neither yes nor no. Write yes or no.")
    return word in YES


def envint(name: str, least: int = 0, environ: Mapping[str, str] = os.environ) -> int:
    """A whole number, not below `least`. Raises ImproperlyConfigured otherwise."""
    text = envtext(name, environ=environ)
    if not text.isdecimal() or int(text) < least:
        example = BY_NAME[name].example
        raise ImproperlyConfigured(
            f"{name} is '{text}'. Write a whole number, {least} or more, for example {example}."
        )
    return int(text)


def envnetworks(name: str, environ: Mapping[str, str] = os.environ) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks, separated by commas. Raises ImproperlyConfigured on what is neither."""
    texts = [text.strip() for text in envtext(name, default="", environ=environ).split(",") if text.strip()]
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as fault:
        raise ImproperlyConfigured(
            f"{name}: {fault}. Write, for example, {BY_NAME[name].example}."
        ) from fault


def envsecret(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """A secret from the variable or from the file that `<name>_FILE` names; empty when neither is set.

    Raises ImproperlyConfigured when both are set or the file cannot be read; the message never holds the secret.
    """
    if not BY_NAME[name].secret:
        raise KeyError(f"{name} is not a secret")
    value, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if value and file:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    if not file:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ImproperlyConfigured(
            f"{name}_FILE names '{file}', which cannot be read ({type(fault).__name__})."
            " Write the path of a readable text file that holds the secret."
        ) from fault


def kept_secret(file: Path, make: Callable[[], str]) -> str:
    """The secret kept in `file`, made and written there (mode 0600) the first time; processes that race agree on one."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=file.name, dir=file.parent)  # its mode is 0600
        draft = Path(name)
        with open(descriptor, "w", encoding="ascii") as draft_file:
            draft_file.write(make() + "\n")
        # A link, unlike a rename, never replaces what another process has put there first.
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first: its text is read below
        finally:
            draft.unlink()
    return file.read_text(encoding="ascii").strip()
