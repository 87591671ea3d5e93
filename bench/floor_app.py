"""The floor of reading: a bare WSGI application that sends the bytes of a page from stored text, and does nothing else.

No framework, no token, no grant, no pinning, no totals: each record's text is stored as it is sent, its date and addresses in it. What it
does is the fastest we know: on PostgreSQL one prepared statement whose rows are joined here, on SQLite rows joined in SQL.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from isal import igzip_lib

DATABASE = os.environ.get("BENCH_FLOOR_DATABASE", "")
"""A PostgreSQL URL, or the path of a SQLite file; either with the table `floor_text`."""

POSTGRESQL = (
    "SELECT text FROM floor_text WHERE collection = %s AND position BETWEEN %s AND %s ORDER BY position"
)
SQLITE = """SELECT group_concat(text, ',') FROM (
    SELECT text FROM floor_text WHERE collection = ? AND position BETWEEN ? AND ? ORDER BY position)"""

_of_thread = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers /<collection>/<limit>/<offset>."""
    _, collection, limit, offset = environ["PATH_INFO"].split("/")
    first = int(offset) + 1
    text = page(collection, first, first + int(limit) - 1)
    body = f'{{"{collection}":[{text}]}}'.encode()
    headers = [("Content-Type", "application/json")]
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        headers.append(("Content-Encoding", "gzip"))
        body = igzip_lib.compress(body, level=1, flag=igzip_lib.COMP_GZIP)
    headers.append(("Content-Length", str(len(body))))
    start_response("200 OK", headers)
    return [body]


def _postgresql(collection: str, first: int, last: int) -> str:
    rows = _of_thread.connection.execute(POSTGRESQL, [collection, first, last], prepare=True).fetchall()
    return ",".join([text for (text,) in rows])


def _sqlite(collection: str, first: int, last: int) -> str:
    return _of_thread.connection.execute(SQLITE, [collection, first, last]).fetchone()[0] or ""


def page(collection: str, first: int, last: int) -> str:
    """The texts of these positions, joined."""
    if not hasattr(_of_thread, "connection"):
        _of_thread.connection = _connected()
    return _read(collection, first, last)


def _connected() -> Any:
    if DATABASE.startswith("postgres"):
        return psycopg.connect(DATABASE, autocommit=True)
    connection = sqlite3.connect(DATABASE)
    connection.execute("PRAGMA mmap_size=1073741824")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


_read = _postgresql if DATABASE.startswith("postgres") else _sqlite
