"""Comparing two tables by a key: who is in both, who in one alone, for whom two answer, and what differs. It writes CSV files, and counts.

A blank key never matches. Keys compare byte for byte, but for what nobody tells apart by case (`fold`): e-mail addresses, usernames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rollbook.engine.reading import reader
from rollbook.engine.report import FORMULAS
from rollbook.engine.sql import literal, name

MEMORY = "512MB"
OUTCOMES = ("matched", "different", "only-first", "only-second", "ambiguous", "held")
HIDDEN = "•••"


@dataclass(frozen=True)
class Side:
    """One of two tables: what it is called, SQL of its rows as text, the column that is its key, the columns that are written out.

    `held` is SQL of keys that are held back there: of those nothing can be said. A side of `only_changes` says nothing of what it lacks.
    """

    label: str
    rows: str
    key: str
    shown: tuple[str, ...]
    held: str = "SELECT NULL::VARCHAR AS key WHERE false"
    only_changes: bool = False


@dataclass(frozen=True)
class Compared:
    """What came of one comparison of the sides that are called `first` and `second`.

    `counts` is by outcome, `fields` by field how often it differs; `files` are those that have rows.

    Matched counts all pairs, different ones too; ambiguous counts the rows of both sides that share their key with another.
    """

    title: str
    first: str
    second: str
    counts: dict[str, int]
    files: dict[str, Path]
    fields: dict[str, int] = field(default_factory=dict)
    columns_first: tuple[str, ...] = ()
    columns_second: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not any(self.counts[outcome] for outcome in OUTCOMES[1:])


def compare_sides(
    title: str,
    first: Side,
    second: Side,
    fields: Sequence[tuple[str, str]],
    out: Path,
    *,
    fold: bool = False,
    hide: bool = False,
) -> Compared:
    """Compares two sides and writes `<title>-<outcome>.csv` into the folder `out`; with `hide`, fields that differ without their values.

    `fields` are (column of the first, column of the second).
    """
    out.mkdir(parents=True, exist_ok=True)
    with reader(MEMORY, 2, out) as db:
        _take(db, "f", first, fold)
        _take(db, "s", second, fold)
        db.execute(
            "CREATE TABLE pairs AS SELECT f.n AS f, s.n AS s, key FROM f JOIN s USING (key) WHERE f.many = 1 AND s.many = 1"
        )
        _differ(db, fields, hide)
        queries = _queries(first, second)
        counts = dict.fromkeys(OUTCOMES, 0)
        counts |= {outcome: _number(db, f"SELECT count(*) FROM ({sql})") for outcome, sql in queries.items()}
        counts["different"] = _number(db, "SELECT count(DISTINCT key) FROM differences")
        files = {
            outcome: _written(db, sql, out / f"{title}-{outcome}.csv")
            for outcome, sql in queries.items()
            if counts[outcome]
        }
        differing = db.execute(
            "SELECT field, count(*) FROM differences GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    return Compared(title, first.label, second.label, counts, files, dict(differing))


def _take(db: duckdb.DuckDBPyConnection, table: str, side: Side, fold: bool) -> None:
    """The side's rows as a table, with n (the row), key (NULL where blank) and many (rows with that key); and what it holds back."""
    own = name(side.key)
    key = f"CASE WHEN trim({own}) <> '' THEN {f'lower(nfc_normalize(trim({own})))' if fold else own} END"
    db.execute(
        f"CREATE TABLE {table} AS SELECT row_number() OVER () AS n, count(*) OVER (PARTITION BY key) AS many, * FROM"
        f" (SELECT {key} AS key, COLUMNS(*) AS 'c_\\0' FROM ({side.rows}))"
    )
    db.execute(f"CREATE TABLE held_{table} AS SELECT DISTINCT key FROM ({side.held}) WHERE key IS NOT NULL")


def _differ(db: duckdb.DuckDBPyConnection, fields: Sequence[tuple[str, str]], hide: bool) -> None:
    """`differences` (key, field, first, second) of the pairs, in the order of the first side."""
    db.execute(
        "CREATE TABLE differences (f BIGINT, key VARCHAR, field VARCHAR, first VARCHAR, second VARCHAR)"
    )
    for one, other in fields:
        before, after = f"coalesce(f.{_own(one)}, '')", f"coalesce(s.{_own(other)}, '')"
        told = ", ".join(
            f"CASE WHEN {value} <> '' THEN '{HIDDEN}' ELSE '' END" if hide else value
            for value in (before, after)
        )
        db.execute(
            f"INSERT INTO differences SELECT p.f, p.key, {literal(one)}, {told} FROM pairs p JOIN f ON f.n = p.f JOIN s ON s.n = p.s"
            f" WHERE {before} <> {after}"
        )


def _queries(first: Side, second: Side) -> dict[str, str]:
    """SQL of what is written, by outcome."""
    f, s = _shown("f", first), _shown("s", second)
    shared = "key IN (SELECT key FROM f WHERE many > 1) OR key IN (SELECT key FROM s WHERE many > 1)"
    both = "key IN (SELECT key FROM f) AND key IN (SELECT key FROM s)"
    no_f, no_s = _empty("f", first), _empty("s", second)
    silent = {"only-first": second.only_changes, "only-second": first.only_changes}
    queries = {
        "matched": f"SELECT {_list(f + s)} FROM pairs p JOIN f ON f.n = p.f JOIN s ON s.n = p.s ORDER BY p.f",
        "different": "SELECT key, field, "
        f"first AS {name(first.label)}, second AS {name(second.label)} FROM differences ORDER BY f, field",
        "only-first": _alone("f", "s", f),
        "only-second": _alone("s", "f", s),
        "ambiguous": f"SELECT {literal(first.label)} AS side, key, {_list(f + no_s)} FROM f WHERE ({both}) AND ({shared})"
        f" UNION ALL SELECT {literal(second.label)}, key, {_list(no_f + s)} FROM s WHERE ({both}) AND ({shared}) ORDER BY key, side",
        "held": f"SELECT {literal(first.label)} AS held_back_in, key FROM held_f WHERE key IN (SELECT key FROM s)"
        f" UNION ALL SELECT {literal(second.label)}, key FROM held_s WHERE key IN (SELECT key FROM f) ORDER BY 1, 2",
    }
    return {outcome: sql for outcome, sql in queries.items() if not silent.get(outcome)}


def _alone(table: str, other: str, shown: list[str]) -> str:
    """SQL of the rows of a side whose key the other one does not have, nor holds back; a blank key is always alone."""
    return (
        f"SELECT {_list(shown)} FROM {table} WHERE key IS NULL OR (key NOT IN (SELECT key FROM {other} WHERE key IS NOT NULL)"
        f" AND key NOT IN (SELECT key FROM held_{other})) ORDER BY n"
    )


def _own(column: str) -> str:
    return name(f"c_{column}")


def _shown(table: str, side: Side) -> list[str]:
    return [f"{table}.{_own(column)} AS {name(f'{side.label}: {column}')}" for column in side.shown]


def _empty(table: str, side: Side) -> list[str]:
    return [f"'' AS {name(f'{side.label}: {column}')}" for column in side.shown]


def _list(columns: list[str]) -> str:
    return ", ".join(columns)


def _number(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(db.execute(sql).fetchall()[0][0])


def _written(db: duckdb.DuckDBPyConnection, sql: str, target: Path) -> Path:
    """The rows as CSV, no cell of which is a formula to a spreadsheet, as `report.harmless` has it."""
    signs = ", ".join(f"chr({ord(sign)})" for sign in FORMULAS)
    cell = f"CASE WHEN left(COLUMNS(*)::VARCHAR, 1) IN ({signs}) THEN chr(39) || COLUMNS(*)::VARCHAR ELSE COLUMNS(*)::VARCHAR END AS '\\0'"
    db.execute(f"COPY (SELECT {cell} FROM ({sql})) TO {literal(str(target))} (FORMAT csv, HEADER)")
    return target
