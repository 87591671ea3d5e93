"""DuckDBs to work with, opened in one place: each is one reader's alone, with so much memory, so many threads, and a folder for the rest.

To make one takes nine milliseconds, longer than most of what it is asked. So one that is done with is kept, empty, for the next reader.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from rollbook.engine.sql import literal

OWN = "own"
"""The database in memory that a reader has, and that goes with it."""

KEPT = 2
"""So many are kept at most: each has threads that wait."""

SPILLED = "duckdb_temp_*"
"""What one leaves in its folder that had no room in memory; from then on it can have no other folder."""

NOTHING_STRANGE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""What a delivered file says never makes it load what did not come with it."""

_kept: list[duckdb.DuckDBPyConnection] = []
_of_parent: list[duckdb.DuckDBPyConnection] = []


@contextmanager
def reader(
    memory: str, threads: int, spill: Path | None = None, large: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB while the block runs. It holds at most `memory` (as DuckDB writes it, `512MB`) and puts the rest into the folder `spill`.

    A cursor of it finds the tables that are made in it once it is told to `USE own`. What will hold much (`large`) is made for that, and goes
    with it.
    """
    instance = _opened(memory, threads, spill) if large else _taken(memory, threads, spill)
    own = instance.cursor()
    at_fault = False
    try:
        own.execute(f"ATTACH ':memory:' AS {OWN}; USE {OWN}")
        yield own
    except Exception:
        at_fault = True  # whatever it was, it may have broken it
        raise
    finally:
        own.close()
        _let_go(instance, keep=not (large or at_fault), spill=spill)


def _taken(memory: str, threads: int, spill: Path | None) -> duckdb.DuckDBPyConnection:
    folder = f"SET temp_directory = {literal(str(spill))}" if spill else "RESET temp_directory"
    limits = f"SET memory_limit = {literal(memory)}; SET threads = {threads}; {folder}"
    while True:
        try:
            instance = _kept.pop()
        except IndexError:
            return _opened(memory, threads, spill)
        try:
            instance.execute(f"{limits}; RESET async_threads; RESET preserve_insertion_order")
        except duckdb.Error:
            instance.close()
        else:
            return instance


def _opened(memory: str, threads: int, spill: Path | None) -> duckdb.DuckDBPyConnection:
    limits: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory, "threads": threads}
    if spill:
        limits["temp_directory"] = str(spill)
    return duckdb.connect(config=limits | NOTHING_STRANGE)


def _let_go(instance: duckdb.DuckDBPyConnection, keep: bool, spill: Path | None) -> None:
    if not keep or len(_kept) >= KEPT or (spill and any(spill.glob(SPILLED))):
        instance.close()
        return
    try:
        instance.execute(f"DETACH {OWN}")
    except duckdb.Error:  # somebody reads in it still
        instance.close()
    else:
        _kept.append(instance)


def _begin_anew() -> None:
    """In a forked process their threads are missing: they can neither be used nor be closed."""
    _of_parent.extend(_kept)
    _kept.clear()


os.register_at_fork(after_in_child=_begin_anew)
