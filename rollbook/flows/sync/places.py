"""Places: the folder of this server into which one organization's files are put, under the root that whoever runs the installation opened.

Its name is the organization's number and nothing else: no path is typed, so none can lead elsewhere.
"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings

from rollbook.connectors.own_folder import OWN_FOLDER
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection

MODE = 0o750


class NoPlace(Refusal):
    """Whoever runs this installation has opened no place for folders: the setting ROLLBOOK_SOURCE_FOLDERS names one."""


class NotAFolder(Refusal):
    """The organization's place is not a folder of its own, or cannot be made: whoever runs this installation looks at it."""


def is_open() -> bool:
    """Whether there is a place for folders now."""
    root = _root()
    return root is not None and root.is_dir()


def place_of(organization: Organization) -> Path:
    """Where this organization's files are put; it may not be there yet. Raises NoPlace."""
    root = _root()
    if root is None:
        raise NoPlace
    return root / str(organization.pk)


def make(organization: Organization) -> Path:
    """The organization's folder, there afterwards, and no link. Raises NoPlace, NotAFolder."""
    place = place_of(organization)
    if not is_open():
        raise NoPlace
    try:
        place.mkdir(mode=MODE, exist_ok=True)
        is_own = place.is_dir() and not place.is_symlink() and os.path.realpath(place) == _real(place)
    except OSError as fault:
        raise NotAFolder(str(place)) from fault
    if not is_own:
        raise NotAFolder(str(place))
    return place


def asked_of(connection: SyncConnection) -> dict[str, Any]:
    """What the connection's source is asked with: what is kept of it, and of its own folder where that is today."""
    if connection.source_kind != OWN_FOLDER.kind:
        return dict(connection.source_settings)
    return {"root": str(_root() or ""), "name": str(connection.organization_id)}


def _root() -> Path | None:
    root: Path | None = settings.SOURCE_FOLDERS
    return root if root is not None and root.is_absolute() else None


def _real(place: Path) -> str:
    """Where it is if it is no link itself; the root above it may be one."""
    return os.path.join(os.path.realpath(place.parent), place.name)
