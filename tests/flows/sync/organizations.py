"""An organization whose directory is kept in step with a folder, and that folder with other rosters in it."""

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from rollbook.flows.sync import connections, holds, runs
from rollbook.flows.sync.own import own_process, walk_here
from rollbook.store.models import Organization, Product, SyncConnection, SyncRun
from tests.engine.packages import write_package
from tests.engine.sync.schools import school

NUMBERS = count(1)
ROLES = ["administrator", "teacher", "aide", "proctor", "student"]

NO_LIMIT = {"percent": 0, "site_percent": 0, "group_percent": 0, "weekly_percent": 0, "to_zero": False}
NO_LIMITS: dict[str, Any] = {
    **dict.fromkeys(("sites", "members", "groups", "memberships", "teachers"), NO_LIMIT), "identifying_percent": 0,
}  # fmt: skip
"""Settings under which nothing is held: what is taken for gone goes at once."""


def an_organization(**about: Any) -> Organization:
    """With roles, a plan that includes rostering, and the domain of the school."""
    product, _ = Product.objects.get_or_create(
        name="Reader", defaults={"roles": ROLES, "administrator_roles": ["administrator"]}
    )
    known = {"entitlements": ["rostering"], "domains": ["school.example"]}
    return Organization.objects.create(product=product, name=f"Riverbend {next(NUMBERS)}", **known | about)


def connected(
    organization: Organization, folder: Path, settings: str = "classes-and-licences", **changes: Any
) -> SyncConnection:
    """An active connection to the folder."""
    made = connections.connect(
        organization,
        f"Roster {next(NUMBERS)}",
        "folder",
        {"path": str(folder)},
        settings=settings,
        changes=changes,
    )
    return connections.activate(made)


def deliver(
    folder: Path, tables: Mapping[str, Iterable[Mapping[str, str]]], mode: str = "bulk", version: str = "1.2"
) -> None:
    """The folder has these tables and no others."""
    for file in folder.glob("*.csv"):
        file.unlink()
    write_package(folder, tables, mode, version)


class Synced(NamedTuple):
    """A connection to a folder, and its run that brought in what lies there."""

    connection: SyncConnection
    folder: Path
    run: SyncRun


def connected_school(folder: Path) -> SyncConnection:
    """A connection to a folder with the small school in it, of which nothing is in the directory yet."""
    deliver(folder, school())
    return connected(an_organization(), folder)


def synced_school(folder: Path) -> Synced:
    """The small school, whose first sync was shown and approved."""
    connection = connected_school(folder)
    with own_process() as process:
        shown = walk_here(runs.enqueue(connection, "somebody", process=process), untold)
        done = walk_here(holds.approve(shown, "somebody", "It is right.", process=process), untold)
    assert done.outcome == "success"
    connection.refresh_from_db()
    return Synced(connection, folder, done)


def untold(_: object) -> None:
    """Who asked for the run does not watch it."""
