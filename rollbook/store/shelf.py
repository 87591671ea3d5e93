"""The shelf: files the memory keeps beside the database. Snapshots as they arrived, plans, findings, accepted snapshots, by district.

Names are relative to the shelf and are what the database stores. Several hosts share one shelf as one folder.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from rollbook.store.copying import copy
from rollbook.store.models import Connection, Run, Snapshot


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
        digest, size = _keep_folder(source, target)
    else:
        taken = hashlib.sha256()
        size = copy(source, target, taken)
        digest = taken.hexdigest()
    return Snapshot.objects.create(
        district_id=connection.district_id, connection=connection, shelf_name=name, sha256=digest, size=size
    )


def delivery_files(shelf_name: str) -> list[Path]:
    """A delivery on the shelf and what lies beside it by its name; some may be gone."""
    path = shelf() / shelf_name
    return [path, *path.parent.glob(f"{path.name}.*")]


def strays(district_id: int, names: Iterable[str], before: float) -> list[Path]:
    """Deliveries that bear none of these names, put there before a moment (seconds since 1970) at the latest."""
    known = tuple(names)
    folder = shelf() / f"{district_id}/snapshots"
    found = [path for path in folder.iterdir() if not path.name.startswith(known)] if folder.exists() else []
    # The time of the last change of the file itself: a copied folder has the dates of the one it was copied from.
    return [path for path in found if path.stat().st_ctime < before]


def delete(path: Path) -> None:
    """Delete a file or a folder; one that is not there is deleted."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def run_folder(run: Run) -> Path:
    """Where a run keeps its plan and its findings."""
    folder = place(f"{run.district_id}/runs/{run.pk}/x").parent
    return folder


def kept_runs(district_id: int) -> list[int]:
    """The runs of a district of which anything is kept."""
    folder = shelf() / f"{district_id}/runs"
    return [int(one.name) for one in folder.iterdir() if one.name.isdecimal()] if folder.exists() else []


def put_plan(run: Run, made: Path) -> None:
    """Move the plan in the folder `made`, and the accepted snapshot that belongs to it, into the run's own folder."""
    for name in ("plan.parquet", "accepted"):
        target = run_folder(run) / name
        delete(target)
        if (made / name).exists():
            os.replace(made / name, target)


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


def carry_accepted_of_others(connection: Connection, generation: int) -> None:
    """What the district's other connections have is the same after a plan of this one: their accepted snapshots serve on, by a second name."""
    for folder in (shelf() / f"{connection.district_id}/accepted").iterdir():
        before = folder / str(generation - 1)
        if folder.name != str(connection.pk) and before.exists():
            after = folder / str(generation)
            shutil.rmtree(after, ignore_errors=True)
            shutil.copytree(before, after, copy_function=_second_name)


def _second_name(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without second names
        shutil.copyfile(source, target)


def drop_older_accepted(district_id: int, generation: int) -> None:
    """Remove the accepted snapshots of earlier generations, half-made ones too, of all connections of a district."""
    for older in (shelf() / f"{district_id}/accepted").glob("*/*"):
        number = older.name.partition(".")[0]
        if number.isdecimal() and int(number) < generation:
            shutil.rmtree(older, ignore_errors=True)


def _keep_folder(source: Path, target: Path) -> tuple[str, int]:
    """Copies a folder; its fingerprint takes up the names as well."""
    found = sorted(
        Path(folder) / name for folder, _, names in os.walk(source, followlinks=True) for name in names
    )
    target.mkdir()
    digest, size = hashlib.sha256(), 0
    for path in found:
        inside = path.relative_to(source)
        kept = target / inside
        kept.parent.mkdir(parents=True, exist_ok=True)
        digest.update(f"{inside}\0".encode())
        size += copy(path, kept, digest)
        shutil.copystat(path, kept)
    return digest.hexdigest(), size
