"""Statements that every request runs: on PostgreSQL parsed and planned once a connection, on SQLite asked of the driver itself.

Django's cursor would do as well, and take longer than the answer to a small question does.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper


def fetch(
    connection: BaseDatabaseWrapper, statement: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """All rows of `statement`. Values are bound by the server, so it has to know the type of each parameter by its place."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor != "postgresql":
            found: list[tuple[Any, ...]] = connection.connection.execute(
                _with_marks(statement), parameters
            ).fetchall()
            return found
        with psycopg.Cursor(connection.connection) as cursor:
            return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


@lru_cache(maxsize=512)
def _with_marks(statement: str) -> str:
    """The statement with SQLite's own marks for its parameters."""
    return statement.replace("%s", "?").replace("%%", "%")
