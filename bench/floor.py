"""The floor of reading, laid: the bytes that Rollbook itself answers, record by record, in a table from which `floor_app` sends them."""

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from bench.districts import V1P1, fetch
from tests.installation import Installation, free_port

BATCH = 10_000
PATIENCE = 30
TABLE = "CREATE TABLE floor_text (collection text, position bigint, text text, PRIMARY KEY (collection, position))"


@dataclass(frozen=True)
class Floor:
    """Where the floor's server listens, and its process."""

    port: int
    pid: int


def lay(installation: Installation, url: str, token: str, collection: str) -> None:
    """Fill the floor's table with every record of the collection as `url` answers it now."""
    with _connected(installation) as connection:
        connection.execute(TABLE if _is_postgresql(installation) else f"{TABLE} WITHOUT ROWID")
        offset, total = 0, 1
        while offset < total:
            body, total = fetch(f"{url}{V1P1}/{collection}?limit={BATCH}&offset={offset}", token)
            rows = [(collection, offset + n, text) for n, text in enumerate(texts(body), 1)]
            mark = "%s" if _is_postgresql(installation) else "?"
            connection.cursor().executemany(f"INSERT INTO floor_text VALUES ({mark}, {mark}, {mark})", rows)
            offset += BATCH
        connection.commit()
        connection.execute("ANALYZE")
        connection.commit()


def texts(body: bytes) -> Iterator[str]:
    """The records of a page as they are written there."""
    text, decoder = body.decode(), json.JSONDecoder()
    place = text.index("[") + 1
    while text[place] != "]":
        _, end = decoder.raw_decode(text, place)
        yield text[place:end]
        place = end + (text[end] == ",")


@contextlib.contextmanager
def serving(installation: Installation, workers: int, threads: int) -> Iterator[Floor]:
    """The floor's server while the block runs."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.floor_server", str(port), str(workers), str(threads)],
        env=installation.environ | {"BENCH_FLOOR_DATABASE": _place(installation)},
        stdout=sys.stderr,  # where the rows go, its warnings must not
    )
    try:
        _wait_until_listening(port, process)
        yield Floor(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("The floor's server never listened.")


def _is_postgresql(installation: Installation) -> bool:
    return "ROLLBOOK_DATABASE_URL" in installation.environ


def _place(installation: Installation) -> str:
    return installation.environ.get("ROLLBOOK_DATABASE_URL") or str(installation.data_dir / "floor.db")


def _connected(
    installation: Installation,
) -> contextlib.AbstractContextManager["psycopg.Connection | sqlite3.Connection"]:
    if _is_postgresql(installation):
        return psycopg.connect(_place(installation))
    return contextlib.closing(sqlite3.connect(_place(installation)))
