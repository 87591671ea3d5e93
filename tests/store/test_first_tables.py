"""A database made at once is the one that all migrations come to."""

import re
import subprocess
import sys

import pytest
from django.core.management import call_command

from rollbook.store.routers import homes
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, collation_name, is_identity
    FROM information_schema.columns
    WHERE table_schema = 'public' AND (table_name, column_name) <> ('auth_group_permissions', 'id')
"""
"""But for the key of a table of Django's own that stays empty: its migration gives it the type of this project's keys, its model another."""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
MIGRATIONS = "SELECT app, name FROM django_migrations"
STEP_BY_STEP = """
import django; django.setup()
from django.core.management import call_command
from rollbook.store.routers import homes
for alias in homes(): call_command("migrate", database=alias, verbosity=0)
"""


@pytest.mark.django_db
def test_the_models_are_what_the_migrations_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=3)


@pytest.mark.long
def test_a_database_made_at_once_is_the_one_that_was_migrated_step_by_step():
    with fresh_installation() as made, fresh_installation(migrated=False) as migrated:
        environ = migrated.environ | {"DJANGO_SETTINGS_MODULE": "rollbook.settings"}
        subprocess.run([sys.executable, "-c", STEP_BY_STEP], env=environ, check=True)
        found, expected = schema_of(made), schema_of(migrated)
    assert len(expected) > 1_000
    assert found - expected == set()
    assert expected - found == set()


def schema_of(installation: Installation) -> set[tuple[object, ...]]:
    """Every column, constraint and index, by name and what it is; the order of columns is of no account."""
    if ON_POSTGRESQL:
        asked = (COLUMNS, CONSTRAINTS, INDEXES, MIGRATIONS)
        return {(number, *row) for number, one in enumerate(asked) for row in installation.rows(one)}
    found: set[tuple[object, ...]] = set()
    for alias in homes():
        file = {"default": "roster.db", "reading": "reading.db"}[alias]
        found |= {(file, *row) for row in installation.rows(MIGRATIONS, file)}
        for table, name, statement in installation.rows(
            "SELECT tbl_name, name, sql FROM sqlite_master", file
        ):
            parts = parts_of(statement or "")
            found |= {(file, table, name, part) for part in parts}
    return found


def parts_of(statement: str) -> list[str]:
    """What stands between the commas of a statement, outside of its inner brackets."""
    _, _, inner = statement.partition("(")
    parts, depth = [""], 0
    for sign in inner:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0 or (sign == "," and not depth):
            parts.append("")
            depth = max(depth, 0)
        else:
            parts[-1] += sign
    return [re.sub(r"\s+", " ", part).strip() for part in parts]
