"""What DuckDB answers gets into a table whole, and an answer that fails ends those that were begun."""

import duckdb
import pytest
from django.db import connection as database

from rollbook.store.bulk import temporary
from rollbook.store.pouring import ONE_THREAD, Pour, pour

pytestmark = pytest.mark.django_db
MANY = "SELECT range FROM range(3_000_000)"


def _poured(*queries: str) -> list[int]:
    with database.cursor() as cursor, duckdb.connect() as reader:
        temporary(cursor, "poured", "number bigint")
        reader.execute(ONE_THREAD)
        made = pour(cursor, reader, [Pour("poured", ["number"], query) for query in queries])
        cursor.execute("SELECT count(*) FROM poured")
        assert cursor.fetchone() == (sum(made),)
        return made


def test_each_answer_is_taken_in_after_the_other():
    assert _poured("SELECT range FROM range(1_000)", "SELECT 1 WHERE false", "SELECT 7") == [1_000, 0, 1]


@pytest.mark.parametrize("place", [0, 1])
def test_an_answer_that_fails_ends_those_that_were_begun(place: int):
    queries = [MANY, MANY] if place else [MANY]
    queries.insert(place, "SELECT error('broken')::BIGINT")
    with pytest.raises(duckdb.Error, match="broken"):
        _poured(*queries[: place + 2])
