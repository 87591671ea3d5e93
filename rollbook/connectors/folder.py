"""Folder: packages that lie in a place on this server, put there by whoever runs it. For sources of syncs; who may say the place may read it."""

from datetime import datetime
from pathlib import Path

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
from rollbook.connectors.filled import text

OPTIONS = (
    Option(
        "path",
        "Path",
        "A zip, or a folder with CSV files, by its absolute path on this server.",
        required=True,
    ),
)


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept. Raises BadSetting."""
    path = text(settings, "path")
    if not path or not Path(path).is_absolute():
        raise BadSetting("Write the absolute path of a zip or a folder on this server.")
    return {"path": path}, {}


def fetch(
    settings: Settings, secrets: Secrets, work_folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """What lies there, as it is. Raises CannotFetch."""
    path = Path(settings["path"])
    if not path.exists():
        raise CannotFetch(f"There is nothing at {path}.")
    progress(f"reading {path}")
    return Fetched(path)


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What lies there, in words. Raises CannotFetch."""
    path = Path(settings["path"])
    if path.is_dir():
        found = sorted(one.name for one in path.glob("*.csv"))
        if not found:
            raise CannotFetch(f"There is no CSV file in {path}.")
        return [f"{path} has {', '.join(found)}."]
    if not path.is_file():
        raise CannotFetch(f"There is nothing at {path}.")
    return [f"{path} is a file of {path.stat().st_size:,} bytes."]


FOLDER = Connector("folder", "A folder or zip on this server", OPTIONS, checked, fetch, tested)
