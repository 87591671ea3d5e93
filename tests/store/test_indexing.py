"""A table that is filled for the first time has the indexes afterwards that it had, and nobody else's rows stand behind its lock."""

import pytest
from django.db import connection as database
from django.db import transaction

from rollbook.store import indexing
from rollbook.store.indexing import indexed_afterwards
from rollbook.store.models import Enrollment
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db
TABLE = "store_enrollment"


def _indexes() -> list[tuple[str, str]]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1"
            if ON_POSTGRESQL
            else "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s ORDER BY 1",
            [TABLE],
        )
        return list(cursor.fetchall())


def _meanwhile(rows: int) -> list[tuple[str, str]]:
    """The indexes there are while so many rows are added."""
    with transaction.atomic(), database.cursor() as cursor, indexed_afterwards(cursor, {TABLE: rows}):
        return _indexes()


def test_an_empty_table_that_will_be_large_has_its_indexes_afterwards():
    before = _indexes()
    gone = {name for name, _ in before} - {name for name, _ in _meanwhile(indexing.MANY)}
    # SQLite is left as it is.
    assert len(gone) == (2 if ON_POSTGRESQL else 0)
    assert _indexes() == before


def test_few_rows_are_not_worth_a_lock():
    assert _meanwhile(indexing.MANY - 1) == _indexes()


def test_where_anybody_has_a_row_nothing_is_locked():
    about = {
        "source_id": "e",
        "sourced_id": "e",
        "class_id": 1,
        "user_id": 1,
        "school_id": 1,
        "role": "student",
    }
    Enrollment.objects.create(district_id=1, id=1, connection_id=1, **about)
    assert _meanwhile(indexing.MANY) == _indexes()


@pytest.mark.django_db(transaction=True)
def test_nobody_who_reads_is_waited_for():
    if not ON_POSTGRESQL:
        return  # there is nothing that could be waited for
    reader = database.copy()
    try:
        with transaction.atomic(), database.cursor() as cursor:
            reader.set_autocommit(False)
            reader.cursor().execute(f"SELECT count(*) FROM {TABLE}")
            with indexed_afterwards(cursor, {TABLE: indexing.MANY}):
                assert len(_indexes()) == 5
    finally:
        reader.rollback()
        reader.close()


@pytest.mark.django_db(transaction=True)
def test_whoever_fails_leaves_the_indexes_as_they_were():
    before = _indexes()
    with (
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
        database.cursor() as cursor,
        indexed_afterwards(cursor, {TABLE: indexing.MANY}),
    ):
        _ = 1 / 0
    assert _indexes() == before
