"""System checks: what is wrong with an installation, and what to write instead. The ids are stable; docs list them."""

import os
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections


class Checks(AppConfig):
    """Makes these checks known to Django; holds no model."""

    name = "rollbook"
    label = "rollbook"

    def ready(self) -> None:
        for check in (data_folder, secret_key, field_keys, public_address, debug_pages, source_folders):
            register(check, Tags.security)
        register(database_version, Tags.database)
        register(job_tables, Tags.database)


def data_folder(**_: Any) -> list[CheckMessage]:
    """rollbook.E001: the data folder can be written."""
    folder = settings.DATA_DIR
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return []
    hint = "Set ROLLBOOK_DATA_DIR to a folder this user may write."
    return [Error(f"The data folder {folder} cannot be written.", hint=hint, id="rollbook.E001")]


def secret_key(**_: Any) -> list[CheckMessage]:
    """rollbook.E002: the secret key is long enough."""
    try:
        long_enough = len(str(settings.SECRET_KEY)) >= 32
    except (ImproperlyConfigured, OSError) as fault:
        return [Error(f"There is no secret key: {fault}", id="rollbook.E002")]
    hint = "Write 32 or more random characters into ROLLBOOK_SECRET_KEY, or leave it out: Rollbook makes one."
    return [] if long_enough else [Error("ROLLBOOK_SECRET_KEY is too short.", hint=hint, id="rollbook.E002")]


def field_keys(**_: Any) -> list[CheckMessage]:
    """rollbook.E003: every field key is a Fernet key."""
    hint = "Write 32 random bytes each in URL-safe base64, separated by commas, or leave ROLLBOOK_FIELD_KEYS out."
    try:
        bad = [number for number, key in enumerate(settings.FIELD_KEYS, 1) if not is_fernet_key(key)]
    except (ImproperlyConfigured, OSError) as fault:
        return [Error(f"There are no field keys: {fault}", hint=hint, id="rollbook.E003")]
    return [
        Error(f"Key {n} of ROLLBOOK_FIELD_KEYS is not a Fernet key.", hint=hint, id="rollbook.E003")
        for n in bad
    ]


def is_fernet_key(text: str) -> bool:
    """Whether `text` is 32 bytes in URL-safe base64."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def public_address(**_: Any) -> list[CheckMessage]:
    """rollbook.E004: the public address's host is allowed. rollbook.W001: the public address is encrypted (https)."""
    public = urlsplit(settings.PUBLIC_URL)
    found: list[CheckMessage] = []
    host = public.hostname or ""
    allowed = any(
        host == name or (name.startswith(".") and host.endswith(name)) for name in settings.ALLOWED_HOSTS
    )
    if not allowed and "*" not in settings.ALLOWED_HOSTS and f"[{host}]" not in settings.ALLOWED_HOSTS:
        hint = f"Add {host} to ROLLBOOK_ALLOWED_HOSTS, or leave that out."
        found.append(
            Error("ROLLBOOK_ALLOWED_HOSTS refuses the public address.", hint=hint, id="rollbook.E004")
        )
    if public.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        hint = "Put a proxy that speaks TLS in front and write ROLLBOOK_PUBLIC_URL=https://…"
        found.append(
            Warning("Rosters travel unencrypted: the public address is http.", hint=hint, id="rollbook.W001")
        )
    return found


def debug_pages(**_: Any) -> list[CheckMessage]:
    """rollbook.W002: debug pages are off where others can see them."""
    local = urlsplit(settings.PUBLIC_URL).hostname in ("localhost", "127.0.0.1", "::1")
    if local or not settings.DEBUG:
        return []
    return [Warning("Debug pages show code and data.", hint="Leave ROLLBOOK_DEBUG out.", id="rollbook.W002")]


def source_folders(**_: Any) -> list[CheckMessage]:
    """rollbook.E007: the place for organizations' folders, where one is named, is a folder by its absolute path."""
    root = settings.SOURCE_FOLDERS
    if root is None or (root.is_absolute() and root.is_dir() and os.access(root, os.X_OK)):
        return []
    hint = "Make the folder and write its absolute path, or leave ROLLBOOK_SOURCE_FOLDERS out."
    text = f"ROLLBOOK_SOURCE_FOLDERS names {root}, which is not a folder by its absolute path."
    return [Error(text, hint=hint, id="rollbook.E007")]


def database_version(databases: list[str] | None = None, **_: Any) -> list[CheckMessage]:
    """rollbook.E005: the database is one whose SQL we speak (PostgreSQL 13, SQLite 3.37)."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        least = {"postgresql": (13,), "sqlite": (3, 37)}[connection.vendor]
        version = connection.get_database_version()
        if tuple(version) < least:
            wanted = ".".join(map(str, least))
            hint = f"Use {connection.display_name} {wanted} or newer."
            text = f"{connection.display_name} {'.'.join(map(str, version))} is too old."
            found.append(Error(text, hint=hint, id="rollbook.E005"))
    return found


def job_tables(databases: list[str] | None = None, **_: Any) -> list[CheckMessage]:
    """rollbook.E006: on PostgreSQL the job engine's schema is there, or can be made."""
    if "default" not in (databases or []) or connections["default"].vendor != "postgresql":
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT has_database_privilege(current_database(), 'CREATE')"
            " OR EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'rollbook_jobs')"
        )
        if cursor.fetchone()[0]:
            return []
    hint = "Let the database's owner say: CREATE SCHEMA rollbook_jobs AUTHORIZATION <the user of ROLLBOOK_DATABASE_URL>;"
    return [Error("Workers cannot keep their tables: no schema can be made.", hint=hint, id="rollbook.E006")]
