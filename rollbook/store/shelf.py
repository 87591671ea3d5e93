"""The shelf: files the memory keeps beside the database. Snapshots as they arrived, plans, findings, accepted snapshots, by district.

Names are relative to the shelf and are what the database stores. Several hosts share one shelf as one folder.
"""

import hashlib
import os
import shutil
import uuid
from pathlib import Path

from django.conf import settings

from rollbook.store.models import Connection, Run, Snapshot

BLOCK = 1 << 20


def shelf() -> Path:
    return Path(settings.DATA_DIR) / "shelf"


def place(name: str) -> Path:
    """The absolute path of something on the shelf; its folder exists afterwards."""
    path = shelf() / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def keep_delivery(connection: Connection, source: Path) -> Snapshot:
    """Put a delivery, a file or a folder, on the shelf exactly as it arrived."""
    name = f"{connection.district_id}/snapshots/{uuid.uuid4().hex}{source.suffix if source.is_file() else ''}"
    target = place(name)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    digest, size = _fingerprint(target)
    return Snapshot.objects.create(
        district_id=connection.district_id, connection=connection, shelf_name=name, sha256=digest, size=size
    )


def run_folder(run: Run) -> Path:
    """Where a run keeps its plan and its findings."""
    folder = place(f"{run.district_id}/runs/{run.pk}/x").parent
    return folder


def accepted_folder(connection: Connection, generation: int) -> Path:
    """Where the accepted snapshot of a connection lies that belongs to the roster of this generation. It may not exist."""
    return shelf() / f"{connection.district_id}/accepted/{connection.pk}/{generation}"


def put_accepted(connection: Connection, generation: int, folder: Path) -> None:
    """Move what a plan says the roster will be into its place, before the transaction that makes it so.

    A plan that left no such folder (an undo) leaves none here: it is made from the rows when the next delivery needs it.
    """
    target = place(f"{connection.district_id}/accepted/{connection.pk}/{generation}")
    shutil.rmtree(target, ignore_errors=True)
    if folder.exists():
        os.replace(folder, target)


def drop_older_accepted(connection: Connection, generation: int) -> None:
    """Remove accepted snapshots of earlier generations."""
    folder = accepted_folder(connection, generation).parent
    for older in folder.iterdir() if folder.exists() else ():
        if older.name.isdigit() and int(older.name) < generation:
            shutil.rmtree(older, ignore_errors=True)


def _fingerprint(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    files = [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())
    for file in files:
        if path.is_dir():
            digest.update(f"{file.relative_to(path)}\0".encode())
        with file.open("rb") as source:
            while block := source.read(BLOCK):
                digest.update(block)
                size += len(block)
    return digest.hexdigest(), size
