"""Where a sync goes: the target of a connection, by its kind."""

from collections.abc import Callable

from rollbook.engine.sync.target import Target
from rollbook.refusal import Refusal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import SyncConnection

DIRECTORY = "directory"


class NoSuchTarget(Refusal):
    """There is no target of this kind."""


def _directory(connection: SyncConnection) -> Target:
    return DirectoryTarget(connection.organization, connection.pk)


TARGETS: dict[str, Callable[[SyncConnection], Target]] = {DIRECTORY: _directory}


def target_of(connection: SyncConnection) -> Target:
    """Raises NoSuchTarget."""
    if connection.target_kind not in TARGETS:
        raise NoSuchTarget(connection.target_kind)
    return TARGETS[connection.target_kind](connection)
