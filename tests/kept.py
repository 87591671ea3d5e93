"""What several tests begin with: made for the first that wants it, kept as the rows and files it came to, put back for every other.

To put rows back costs a small part of an import or a sync. What a test does then, and whether it commits, is its own affair.
Where a test has other rows already, it is made anew: ids might meet.
"""

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rollbook.store.models import Progress
from rollbook.store.routers import homes

FILLED_BY_MIGRATING = ("django_content_type", "auth_permission", "django_site")

PROGRESS = Progress._meta.db_table
"""How far runs are is told beside every transaction: on PostgreSQL what a test left there is not taken back with it."""

T = TypeVar("T")


class Tables(Protocol):
    """The rows of one database, as they were."""

    def put_back(self) -> None: ...


@dataclass
class Beginning:
    """`value` is what was made; `place` holds what then lay on the shelf and in the maker's own folder."""

    value: Any
    place: Path
    tables: list[Tables]


def kept(make: Callable[[Path], T]) -> Callable[..., T]:
    """A fixture that gives what `make(folder)` returns, with all the rows and files it left.

    Every test finds in the folder what `make` had put there, and may change it.
    """
    made: list[Beginning] = []

    def begun(db: None, a_shelf_of_its_own: None, tmp_path_factory: pytest.TempPathFactory) -> T:
        if {table for alias in homes() for table in full_tables(connections[alias])} - {PROGRESS}:
            return make(tmp_path_factory.mktemp("made"))
        if not made:
            place = tmp_path_factory.mktemp("kept")
            (place / "folder").mkdir()
            value = make(place / "folder")
            made.append(Beginning(value, place, [tables_of(alias) for alias in homes()]))
            shutil.copytree(settings.DATA_DIR, place / "shelf")
            shutil.copytree(place / "folder", place / "folder-as-made")
        else:
            _put_back(made[0])
        return copy.deepcopy(made[0].value)

    return pytest.fixture(begun)


def _put_back(beginning: Beginning) -> None:
    for tables in beginning.tables:
        tables.put_back()
    shutil.copytree(beginning.place / "shelf", settings.DATA_DIR, dirs_exist_ok=True)
    shutil.rmtree(beginning.place / "folder")
    shutil.copytree(beginning.place / "folder-as-made", beginning.place / "folder")


def full_tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables with rows, but for those that migrating fills."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [name for name in names if name not in FILLED_BY_MIGRATING]
    with connection.cursor() as cursor:
        exist = (f"EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})" for name in tables)
        cursor.execute("SELECT " + ", ".join(exist))
        return [name for name, full in zip(tables, cursor.fetchone(), strict=True) if full]


def tables_of(alias: str) -> Tables:
    return (OnPostgresql if connections[alias].vendor == "postgresql" else OnSqlite)(alias)


class OnSqlite:
    def __init__(self, alias: str) -> None:
        # The alias and not its connection: a thread or a test may have another one by then.
        self.alias, connection = alias, connections[alias]
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        for table in full_tables(connection):
            with connection.cursor() as cursor:
                columns = [
                    connection.ops.quote_name(one.name)
                    for one in connection.introspection.get_table_description(cursor, table)
                ]
                name = connection.ops.quote_name(table)
                # The sign keeps SQLite's own value: a bare column would come as what its type stands for in Python.
                cursor.execute(f"SELECT {', '.join(f'+{one}' for one in columns)} FROM {name}")
                self.rows[f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(columns))})"] = (
                    cursor.fetchall()
                )

    def put_back(self) -> None:
        """References are looked at when all rows are there."""
        with transaction.atomic(using=self.alias), connections[self.alias].cursor() as cursor:
            for insert, rows in self.rows.items():
                cursor.executemany(insert, rows)


class OnPostgresql:
    def __init__(self, alias: str) -> None:
        # The alias and not its connection: a thread or a test may have another one by then.
        self.alias, connection = alias, connections[alias]
        self.rows: dict[str, bytes] = {}
        self.sequences: dict[str, int] = {}
        for table in full_tables(connection):
            name = connection.ops.quote_name(table)
            with connection.cursor() as cursor:
                with cursor.copy(f"COPY {name} TO STDOUT (FORMAT binary)") as rows:
                    self.rows[name] = b"".join(rows)
                for one in connection.introspection.get_sequences(cursor, table):
                    sequence = connection.ops.quote_name(one["name"])
                    cursor.execute(f"SELECT last_value FROM {sequence}")
                    self.sequences[sequence] = cursor.fetchone()[0]

    def put_back(self) -> None:
        """References are looked at when all rows are there. No sequence gives an id again that one of them has."""
        with transaction.atomic(using=self.alias), connections[self.alias].cursor() as cursor:
            ahead = (
                f"setval('{name}', greatest({value}, (SELECT last_value FROM {name})))"
                for name, value in self.sequences.items()
            )
            cursor.execute(f"SELECT {', '.join(ahead)}")
            for name, rows in self.rows.items():
                if name == connections[self.alias].ops.quote_name(PROGRESS) and Progress.objects.exists():
                    continue
                with cursor.copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copying:
                    copying.write(rows)
