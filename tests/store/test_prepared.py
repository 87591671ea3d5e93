"""Statements asked of the driver itself answer as Django's would, fail as Django's do, and leave the connection as it was."""

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from rollbook.store.models import District
from rollbook.store.prepared import fetch

pytestmark = pytest.mark.django_db(transaction=True)

ALL = "SELECT name, publication FROM store_district WHERE publication >= %s ORDER BY publication"
NAMED = "SELECT publication FROM store_district WHERE name = %s AND name LIKE '100 %%'"
SIZES = (1, 70_000, 5_000_000_000)
"""Numbers of two, four and eight bytes: one statement takes them all."""


@pytest.fixture(autouse=True)
def districts():
    District.objects.bulk_create(
        District(name=f"100 % öffentlich, 'Schule' {size}", publication=size) for size in SIZES
    )


@pytest.mark.parametrize("known", range(len(SIZES) + 1))
def test_the_rows_are_those_of_djangos_cursor(known):
    least = [0, *SIZES][known] + 1
    with connection.cursor() as cursor:
        cursor.execute(ALL, [least])
        expected = cursor.fetchall()
    assert fetch(connection, ALL, [least]) == expected
    assert len(expected) == len(SIZES) - known


def test_values_are_not_read_as_part_of_the_statement():
    assert [fetch(connection, NAMED, [f"100 % öffentlich, 'Schule' {size}"]) for size in SIZES] == [
        [(size,)] for size in SIZES
    ]
    assert fetch(connection, NAMED, ["' OR 1 = 1 --"]) == []


def test_nothing_is_a_value_too():
    assert fetch(connection, ALL, [None]) == []


def test_within_a_transaction_it_sees_what_that_wrote_and_forgets_it_with_it():
    with transaction.atomic():
        # The first statement of all: the transaction begins with it.
        assert len(fetch(connection, ALL, [1])) == len(SIZES)
        District.objects.all().delete()
        assert fetch(connection, ALL, [1]) == []
        transaction.set_rollback(True)
    assert len(fetch(connection, ALL, [1])) == len(SIZES)


def test_a_statement_that_fails_says_so_and_the_next_is_answered():
    for _ in range(2):
        with pytest.raises(DatabaseError, match="store_nowhere"):
            fetch(connection, "SELECT id FROM store_nowhere WHERE id = %s", [1])
        assert len(fetch(connection, ALL, [1])) == len(SIZES)


def test_behind_a_connection_that_ended_the_next_one_answers():
    if connection.vendor == "postgresql":
        _end(fetch(connection, "SELECT pg_backend_pid()", [])[0][0])
        with pytest.raises(OperationalError):
            fetch(connection, ALL, [1])
        connection.close_if_unusable_or_obsolete()
    else:
        connection.close()
    assert len(fetch(connection, ALL, [1])) == len(SIZES)


def _end(process: int) -> None:
    """As PostgreSQL's administrator would; waits until it has."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    finally:
        other.close()
