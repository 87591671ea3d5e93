"""Who could be imported, as a run that looked at the source found them: one Parquet file, in the order of their names, paged and searched."""

import json
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.accepted import PARQUET
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal
from rollbook.oneroster.folding import fold

CANDIDATES = "importable.parquet"
COLUMNS = ("source_id", "given_name", "family_name", "email", "roster_roles", "roles", "sites", "classes")
LISTS = frozenset({"roster_roles", "roles", "sites", "classes"})
MEMORY = "128MB"

Row = dict[str, Any]
"""The columns of one; LISTS are lists of texts. `place` is where it stands in the order, from 1."""


def write_candidates(folder: Path, rows: Iterable[Row]) -> int:
    """Leaves the file in the folder; how many there are."""
    kept = [
        {
            name: json.dumps(list(row[name]), ensure_ascii=False) if name in LISTS else str(row[name])
            for name in COLUMNS
        }
        | {"place": place, "folded": _folded(row)}
        for place, row in enumerate(rows, 1)
    ]
    shape = ", ".join([*(f"{name} VARCHAR" for name in COLUMNS), "place BIGINT", "folded VARCHAR"])
    with _reader(folder) as db:
        db.execute(f"CREATE TABLE kept ({shape})")
        if kept:
            db.execute(
                f"INSERT INTO kept SELECT one.* FROM (SELECT unnest(?::STRUCT({shape})[]) AS one)", [kept]
            )
        db.execute(f"COPY (FROM kept ORDER BY place) TO {literal(str(folder / CANDIDATES))} {PARQUET}")
    return len(kept)


def candidate_page(
    path: Path, search: str = "", after: int = 0, limit: int = 50, without: Collection[str] = ()
) -> list[Row]:
    """Those behind the place `after` whose name or address has all words of `search`, without some sourcedIds."""
    words = fold(search).split()
    condition = " AND ".join(
        ["place > ?", "NOT list_contains(?::VARCHAR[], source_id)", *["contains(folded, ?)"] * len(words)]
    )
    selected = ", ".join([*COLUMNS, "place"])
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT {selected} FROM {_scan(path)} WHERE {condition} ORDER BY place LIMIT {int(limit)}",
            [after, sorted(without), *words],
        ).fetchall()
    return [_row(one) for one in found]


def candidate_of(path: Path, source_id: str) -> Row | None:
    """The one with this sourcedId."""
    selected = ", ".join([*COLUMNS, "place"])
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT {selected} FROM {_scan(path)} WHERE source_id = ?", [source_id]
        ).fetchone()
    return _row(found) if found else None


def candidates_among(path: Path, source_ids: Collection[str]) -> list[Row]:
    """Those with these sourcedIds."""
    selected = ", ".join([*COLUMNS, "place"])
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT {selected} FROM {_scan(path)} WHERE list_contains(?::VARCHAR[], source_id) ORDER BY place",
            [sorted(source_ids)],
        ).fetchall()
    return [_row(one) for one in found]


def candidate_ids(path: Path, search: str = "") -> list[str]:
    """The sourcedIds of all, or of those who have all words of `search`; in order."""
    words = fold(search).split()
    condition = " AND ".join(["true", *["contains(folded, ?)"] * len(words)])
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT source_id FROM {_scan(path)} WHERE {condition} ORDER BY place", words
        ).fetchall()
    return [str(one[0]) for one in found]


def _folded(row: Row) -> str:
    return fold(f"{row['given_name']} {row['family_name']} {row['email']} {row['source_id']}")


def _row(found: tuple[Any, ...]) -> Row:
    row = dict(zip((*COLUMNS, "place"), found, strict=True))
    return row | {name: tuple(json.loads(row[name])) for name in LISTS}


def _scan(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _reader(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 1, folder)
