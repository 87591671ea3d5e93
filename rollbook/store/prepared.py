"""Statements that every request runs: on PostgreSQL parsed and planned once a connection, on SQLite asked of the driver itself.

Django's cursor would do as well, and take longer than the answer to a small question does. psycopg's wakes with each piece of an answer that
comes, some fifty of a page, and wants Python's one lock each time: beside other requests it waits as often for their threads. libpq takes the
whole answer in without that lock.
"""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import Buffer, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGresult

_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()
"""The names of a connection's statements. They are few: the program's own, whose values are parameters."""

_numbers = itertools.count()

UNKNOWN_NAME = b"26000"
"""PostgreSQL, "PostgreSQL Error Codes": invalid_sql_statement_name."""


def fetch(
    connection: BaseDatabaseWrapper, statement: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """All rows of `statement`, a query. Values are bound by the server, so it has to know the type of each parameter by its place."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor != "postgresql":
            found: list[tuple[Any, ...]] = connection.connection.execute(
                _with_marks(statement), parameters
            ).fetchall()
            return found
        if connection.connection.autocommit:
            return _rows(connection.connection, statement, parameters)
        # Within a transaction it is the cursor that begins it.
        with psycopg.Cursor(connection.connection) as cursor:
            return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


def _rows(
    connection: psycopg.Connection[Any], statement: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """The same of libpq itself (PostgreSQL, "Command Execution Functions": PQprepare, PQexecPrepared). Raises psycopg.Error."""
    adapting = Transformer(connection)
    values = adapting.dump_sequence(parameters, [PyFormat.TEXT] * len(parameters))
    result = _answer(connection, statement, values)
    if result.error_field(DiagnosticField.SQLSTATE) == UNKNOWN_NAME:
        # Behind a transaction that was taken back psycopg makes the server forget all it has prepared.
        _prepared.pop(connection, None)
        result = _answer(connection, statement, values)
    _expect(ExecStatus.TUPLES_OK, connection, result)
    adapting.set_pgresult(result)
    return adapting.load_rows(0, result.ntuples, tuple)


def _answer(connection: psycopg.Connection[Any], statement: str, values: Sequence[Buffer | None]) -> PGresult:
    """What the server said, good or bad; a statement new to it is prepared under a name that no other has or had."""
    names = _prepared.setdefault(connection, {})
    name = names.get(statement)
    if name is None:
        name = b"rollbook_%d" % next(_numbers)
        prepared = connection.pgconn.prepare(name, _with_numbers(statement).encode())
        _expect(ExecStatus.COMMAND_OK, connection, prepared)
        names[statement] = name
    # A value may be NULL, whatever psycopg's type says.
    return connection.pgconn.exec_prepared(name, cast(Sequence[Buffer], values), result_format=Format.BINARY)


def _expect(status: ExecStatus, connection: psycopg.Connection[Any], result: PGresult) -> None:
    if result.status == status:
        return
    if connection.closed:
        raise psycopg.OperationalError(result.get_error_message(connection.info.encoding))
    raise error_from_result(result, connection.info.encoding)


@lru_cache(maxsize=512)
def _with_numbers(statement: str) -> str:
    """The statement with PostgreSQL's own marks for its parameters."""
    first, *others = statement.split("%s")
    return "".join([first, *(f"${number}{part}" for number, part in enumerate(others, 1))]).replace("%%", "%")


@lru_cache(maxsize=512)
def _with_marks(statement: str) -> str:
    """The statement with SQLite's own marks for its parameters."""
    return statement.replace("%s", "?").replace("%%", "%")
