"""What DuckDB answers, poured into tables of the database. On PostgreSQL through pipes, the next answer begun while the last is being taken in:
so both work at the same time.
"""

import fcntl
import os
import select
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from django.db.backends.utils import CursorWrapper

from rollbook.store.bulk import copy_text, is_postgresql, load
from rollbook.work_folders import work_folder

AT_ONCE = 10_000
BLOCK = 1 << 20
ONE_THREAD = "SET threads = 1; SET async_threads = 0"
"""An answer is one thread's, which waits where the pipe is full. DuckDB's own threads for writing spin there."""

PLAIN_TEXT = (
    "(FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N', USE_TMP_FILE false)"
)
"""As PostgreSQL's COPY reads text: that needs no escape, for what is poured has neither backslashes nor control characters."""


class Pour(NamedTuple):
    """The rows of `query` (SQL of DuckDB), for these columns of a table. No text of theirs has a backslash or a control character."""

    table: str
    columns: Sequence[str]
    query: str


def _unheard(number: int) -> None:
    """Nobody listens."""


def pour(
    cursor: CursorWrapper,
    reader: duckdb.DuckDBPyConnection,
    pours: Sequence[Pour],
    written: Callable[[int], None] = _unheard,
    begun: "Answer | None" = None,
) -> list[int]:
    """Add the rows of each to its table, one after the other; how many each had. `written` hears of them a few at a time.

    `begun` is the answer to the first, if that has been asked for already.
    """
    if not is_postgresql(cursor):
        return [_load(cursor, reader, one, written) for one in pours]
    with work_folder("pour") as folder, ExitStack() as ends:
        first = [begun] if begun else []
        rest = (
            ends.enter_context(Answer(reader, one, folder / str(number)))
            for number, one in enumerate(pours[len(first) :])
        )
        return [answer.take(cursor, written) for answer in _one_ahead(chain(first, rest))]


@contextmanager
def answering(reader: duckdb.DuckDBPyConnection, wanted: Pour) -> Iterator["Answer"]:
    """The rows of `wanted`, being put together from now on, for a `pour` whose first it is. PostgreSQL only."""
    with (
        work_folder("pour") as folder,
        Answer(reader, wanted, folder / "first") as answer,
    ):
        yield answer


def _load(
    cursor: CursorWrapper, reader: duckdb.DuckDBPyConnection, one: Pour, written: Callable[[int], None]
) -> int:
    return load(cursor, one.table, one.columns, fetched(reader.execute(one.query), written))


def _one_ahead(begun: Iterator["Answer"]) -> Iterator["Answer"]:
    """Each with the next one begun already."""
    last = next(begun, None)
    while last is not None:
        following = next(begun, None)
        yield last
        last = following


class Answer:
    """An answer that DuckDB is giving into a pipe."""

    def __init__(self, reader: duckdb.DuckDBPyConnection, wanted: Pour, pipe: Path) -> None:
        self._reader, self._wanted, self._pipe = reader.cursor(), wanted, pipe

    def __enter__(self) -> "Answer":
        os.mkfifo(self._pipe)
        # Opened before there is a writer, so that neither end can wait for the other for ever.
        self._end = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._end, fcntl.F_SETPIPE_SZ, BLOCK)
        self._apart = ThreadPoolExecutor(1)
        self._given: Future[Any] = self._apart.submit(self._give)
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever has not begun to write would wait for a reader for ever: so what still comes is read until the answer has ended.
        os.set_blocking(self._end, False)
        while not self._given.done():
            self._reader.interrupt()
            _drop_what_came(self._end)
            wait([self._given], timeout=0.01)
        os.close(self._end)
        self._apart.shutdown()
        self._reader.close()

    def take(self, cursor: CursorWrapper, written: Callable[[int], None] = _unheard) -> int:
        copy_text(cursor, self._wanted.table, self._wanted.columns, self._heard(written))
        [(count,)] = self._given.result()
        return int(count)

    def _give(self) -> list[Any]:
        return self._reader.execute(f"COPY ({self._wanted.query}) TO '{self._pipe}' {PLAIN_TEXT}").fetchall()

    def _heard(self, written: Callable[[int], None]) -> Iterator[bytes]:
        """The blocks; a row is a line, and nothing in it is another."""
        for block in self._blocks():
            yield block
            written(block.count(b"\n"))

    def _blocks(self) -> Iterator[bytes]:
        """What comes through the pipe, until the writer has closed it, or failed before it opened it."""
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        while not poll.poll(100):
            if self._given.done():
                self._given.result()
                return
        os.set_blocking(self._end, True)
        while block := os.read(self._end, BLOCK):
            yield block


def _drop_what_came(end: int) -> None:
    with suppress(BlockingIOError):  # the pipe is empty
        while os.read(end, BLOCK):
            pass


def fetched(
    rows: duckdb.DuckDBPyConnection, written: Callable[[int], None] = _unheard
) -> Iterator[tuple[Any, ...]]:
    """The rows of an answer, read in pieces. `written` hears how many were taken, each time some were."""
    while batch := rows.fetchmany(AT_ONCE):
        yield from batch
        written(len(batch))
