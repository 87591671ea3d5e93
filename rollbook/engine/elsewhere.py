"""References that lead out of a connection: to records that the district's other connections own, by the id they are served under; and what
others say of its records: who they enroll in its classes, which roles they give its people.

What this connection delivers or has stored itself always comes first; only what it does not know at all is asked for elsewhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.sql import name

ASKED_AT_ONCE = 10_000

Neighbour = tuple[str, int, str]
"""A living record of another connection: the sourcedId it is served under, its record id, and of an org its type."""

Elsewhere = Callable[[str, Sequence[str]], Iterable[Neighbour]]
"""Given a collection and ids, those of them that other connections serve."""

Owner = tuple[str, int, bool, str]
"""A record of another connection: the id this one would deliver it under, its record id, whether it lives, and that connection's name."""

Owners = Callable[[str, Sequence[str] | None], Iterable[Owner]]
"""Given a collection and ids as this connection delivers them: who has those; given None, who has any that it could deliver."""

Belonging = Callable[[str, Sequence[str]], Iterable[tuple[str, str]]]
"""Given classes or users and delivered ids of this connection's: what other connections say of these, (id, role): who is in a class, what a
person is."""


@dataclass
class Neighbours:
    """What was found elsewhere, in tables of `db`, one a collection. `ask`, `belonging` and `owners` are None where there is nobody else."""

    db: duckdb.DuckDBPyConnection
    ask: Elsewhere | None = None
    belonging: Belonging | None = None
    owners: Owners | None = None
    known: set[str] = field(default_factory=set)

    def look(self, collection: str, wanted: str, accepted: Path | None) -> None:
        """Finds those of the ids `wanted` (SQL of one column, value) that other connections serve."""
        if self.ask is None:
            return
        table = _table(collection)
        if collection not in self.known:
            self.db.execute(f"CREATE TABLE {table} (source_id VARCHAR, record_id BIGINT, type VARCHAR)")
            self.known.add(collection)
        unknown = f"SELECT DISTINCT value FROM ({wanted}) WHERE value NOT IN (SELECT source_id FROM {table})"
        if stored := parquet_of(accepted, collection):
            living = f"SELECT source_id FROM {scan(stored)} WHERE status = 'active'"
            unknown += f" AND value NOT IN ({living})"
        ids = [one for (one,) in self.db.execute(f"{unknown} ORDER BY value").fetchall()]
        for first in range(0, len(ids), ASKED_AT_ONCE):
            if found := list(self.ask(collection, ids[first : first + ASKED_AT_ONCE])):
                columns = [list(column) for column in zip(*found, strict=True)]
                self.db.execute(f"INSERT INTO {table} SELECT unnest(?), unnest(?), unnest(?)", columns)

    def roles_in(self, collection: str, wanted: str) -> str:
        """SQL of source_id and role: what others say of the classes or users of `wanted` (SQL of one column, value)."""
        self.db.execute("CREATE OR REPLACE TEMP TABLE belonging (source_id VARCHAR, role VARCHAR)")
        if self.belonging is not None:
            query = f"SELECT DISTINCT value FROM ({wanted}) ORDER BY value"
            ids = [one for (one,) in self.db.execute(query).fetchall()]
            for first in range(0, len(ids), ASKED_AT_ONCE):
                if found := list(self.belonging(collection, ids[first : first + ASKED_AT_ONCE])):
                    columns = [list(column) for column in zip(*found, strict=True)]
                    self.db.execute("INSERT INTO belonging SELECT unnest(?), unnest(?)", columns)
        return "SELECT source_id, role FROM belonging"

    def found(self, collection: str) -> str:
        """SQL: source_id, record_id and type of what was found."""
        if collection in self.known:
            return f"SELECT source_id, record_id, type FROM {_table(collection)}"
        return (
            "SELECT NULL::VARCHAR AS source_id, NULL::BIGINT AS record_id, NULL::VARCHAR AS type WHERE false"
        )


def _table(collection: str) -> str:
    return name(f"e_{collection}")
