"""What was read so far, on disk: records of each collection in the order they came, each id once. Lives as long as the pull."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

CHUNK = 500
Row = dict[str, Any]


class Spool:
    """A file of SQLite's, with one table a collection."""

    def __init__(self, path: Path, collections: Iterable[str]) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        for collection in collections:
            self._database.execute(
                f'CREATE TABLE "{collection}" (place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, modified TEXT NOT NULL,'
                f" active INTEGER NOT NULL, row TEXT NOT NULL)"
            )

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def clear(self, collection: str) -> None:
        self._database.execute(f'DELETE FROM "{collection}"')

    def known(self, collection: str, ids: list[str]) -> set[str]:
        """Which of these ids were read before."""
        found: set[str] = set()
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            marks = ", ".join("?" * len(some))
            rows = self._database.execute(f'SELECT id FROM "{collection}" WHERE id IN ({marks})', some)
            found.update(row[0] for row in rows)
        return found

    def put(self, collection: str, rows: Iterable[Row]) -> None:
        """Keeps these rows; of two with one sourcedId the one changed last, and of two changed at once the later one."""
        self._database.executemany(
            f'INSERT INTO "{collection}" (id, modified, active, row) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET'
            f" modified = excluded.modified, active = excluded.active, row = excluded.row WHERE excluded.modified >= modified",
            (
                (
                    row["sourcedId"],
                    row.get("dateLastModified") or "",
                    row.get("status") != "tobedeleted",
                    json.dumps(row, ensure_ascii=False),
                )
                for row in rows
            ),
        )

    def counts(self, collection: str) -> tuple[int, int]:
        """How many ids there are, and how many of them are not deleted."""
        number, active = self._database.execute(
            f'SELECT count(*), coalesce(sum(active), 0) FROM "{collection}"'
        ).fetchone()
        return number, active

    def rows(self, collection: str) -> Iterator[Row]:
        for (text,) in self._database.execute(f'SELECT row FROM "{collection}" ORDER BY place'):
            yield json.loads(text)
