"""`rollbook migrate`: brings the databases to the form this version needs."""

from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command

from rollbook.store import first_tables
from rollbook.store.routers import homes


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(migrate)


def migrate(
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when all goes well.")] = False,
) -> None:
    """Create or upgrade the database (on SQLite both files). Safe to run again at any time."""
    migrate_all(verbosity=0 if quiet else 1)


def migrate_all(verbosity: int) -> None:
    """Every database of its own, the roster first; a folder that is missing is made."""
    settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    for alias in homes():
        if first_tables.is_new(alias):
            first_tables.make(alias)
        call_command("migrate", database=alias, interactive=False, verbosity=verbosity)
