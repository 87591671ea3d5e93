"""A DuckDB that is handed on to the next reader is as empty as a new one, and keeps to the limits of whoever has it."""

from pathlib import Path

import duckdb
import pytest

from rollbook.engine import reading
from rollbook.engine.reading import reader

LIMITS = (
    "SELECT name, value FROM duckdb_settings() WHERE name IN ('threads', 'memory_limit', 'temp_directory',"
    " 'preserve_insertion_order', 'async_threads') ORDER BY name"
)
MANY = "CREATE TABLE many AS SELECT range AS number, md5(range::VARCHAR) AS text FROM range(1_000_000)"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_kept", [])


def test_what_one_made_and_set_the_next_does_not_find(tmp_path: Path):
    with reader("256MB", 1, tmp_path) as first:
        as_new = first.execute(LIMITS).fetchall()
        first.execute("CREATE TABLE a AS SELECT 1; CREATE TEMP TABLE b AS SELECT 1; CREATE VIEW c AS FROM a")
        first.execute("SET preserve_insertion_order = false; SET threads = 2; SET async_threads = 0")
    [kept] = reading._kept
    with reader("256MB", 1, tmp_path) as second:
        assert not reading._kept, "it is the second one's alone"
        assert second.execute(LIMITS).fetchall() == as_new
        assert second.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []
        assert second.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []
    assert reading._kept == [kept]


def test_two_at_once_do_not_meet(tmp_path: Path):
    with reader("64MB", 1) as one, reader("64MB", 1) as other:
        one.execute("CREATE TABLE a AS SELECT 1")
        other.execute("CREATE TABLE a AS SELECT 2")
        assert one.execute("FROM a").fetchall() == [(1,)]


def test_one_that_has_put_something_aside_takes_it_along(tmp_path: Path):
    with reader("30MB", 1, tmp_path) as full:
        full.execute(MANY)
        assert list(tmp_path.iterdir())
    assert (reading._kept, list(tmp_path.iterdir())) == ([], [])


def test_one_with_which_something_went_wrong_is_not_handed_on():
    with pytest.raises(duckdb.Error, match="nothing"), reader("64MB", 1) as broken:
        broken.execute("FROM nothing")
    assert reading._kept == []


def test_the_memory_is_no_more_than_was_said(tmp_path: Path):
    with reader("512MB", 1, tmp_path):
        pass
    with reader("10MB", 1, tmp_path) as small:
        small.execute("SET temp_directory = ''")
        with pytest.raises(duckdb.OutOfMemoryException):
            small.execute(MANY)
