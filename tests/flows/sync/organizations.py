"""An organization whose directory is kept in step with a folder, and that folder with other rosters in it."""

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from rollbook.flows.sync import connections
from rollbook.store.models import Organization, Product, SyncConnection
from tests.engine.packages import write_package

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
