"""A table that is filled for the first time has the keys and indexes afterwards that it had, and nobody stands behind its lock."""

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database

from rollbook.store import indexing
from rollbook.store.indexing import indexed_afterwards
from rollbook.store.models import Enrollment
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db
TABLE = "store_enrollment"
ON_THE_SERVER = """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass ORDER BY 1, 2"""
IN_THE_FILE = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN (%s, %s) ORDER BY 1"


def _indexes() -> list[tuple[str, str]]:
    """Keys among them."""
    with database.cursor() as cursor:
        cursor.execute(ON_THE_SERVER if ON_POSTGRESQL else IN_THE_FILE, [TABLE, TABLE])
        return list(cursor.fetchall())


def _meanwhile(rows: int) -> list[tuple[str, str]]:
    """What there is of them while so many rows are added."""
    with transaction.atomic(), database.cursor() as cursor, indexed_afterwards(cursor, {TABLE: rows}):
        return _indexes()


def _add(number: int) -> None:
    about = {"source_id": "e", "sourced_id": "e", "class_id": 1, "user_id": 1, "school_id": 1}
    Enrollment.objects.create(district_id=1, id=number, connection_id=1, role="student", **about)


def test_an_empty_table_that_will_be_large_has_its_indexes_afterwards():
    before = _indexes()
    assert _meanwhile(indexing.MANY) == ([] if ON_POSTGRESQL else before)
    assert _indexes() == before


def test_few_rows_are_not_worth_a_lock():
    assert _meanwhile(indexing.MANY - 1) == _indexes()


def test_where_anybody_has_a_row_nothing_is_locked():
    _add(1)
    assert _meanwhile(indexing.MANY) == _indexes()


@pytest.mark.django_db(transaction=True)
def test_nobody_who_reads_is_waited_for():
    reader, before = database.copy(), _indexes()
    try:
        reader.set_autocommit(False)
        reader.cursor().execute(f"SELECT count(*) FROM {TABLE}")
        assert _meanwhile(indexing.MANY) == before
    finally:
        reader.rollback()
        reader.close()


@pytest.mark.django_db(transaction=True)
def test_what_must_be_unique_is_so_afterwards_or_nothing_has_happened():
    before = _indexes()
    with pytest.raises(IntegrityError):
        _add_the_same_twice()
    assert _indexes() == before
    assert not Enrollment.objects.exists()


def _add_the_same_twice() -> None:
    with (
        transaction.atomic(),
        database.cursor() as cursor,
        indexed_afterwards(cursor, {TABLE: indexing.MANY}),
    ):
        _add(1)
        _add(2)
