"""The indexes of tables that are filled for the first time, built once the rows are there: at a third of what keeping them row by row costs.

Only on PostgreSQL, only for many rows, and only where nobody else has a row in the table: it is locked for its readers meanwhile.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import OperationalError

from rollbook.store.bulk import is_postgresql

MANY = 250_000


@contextmanager
def indexed_afterwards(cursor: CursorWrapper, rows_of: dict[str, int]) -> Iterator[None]:
    """Fill these tables meanwhile, in a transaction of which this is a part: so many rows will be added to each.

    What is unique is kept so all the while: its indexes grow at their end, which costs little.
    """
    definitions: list[str] = []
    if is_postgresql(cursor):
        for table, rows in rows_of.items():
            if rows >= MANY and _is_ours_alone(cursor, table):
                definitions += _dropped(cursor, table)
    yield
    for definition in definitions:
        cursor.execute(definition)


def _is_ours_alone(cursor: CursorWrapper, table: str) -> bool:
    """Whether nobody has a row there or is about to; then nobody comes near it until the end of the transaction."""
    try:
        with transaction.atomic():
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT")
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")
            if cursor.fetchone()[0]:
                raise _Taken
    except (_Taken, OperationalError):  # a lock goes with the savepoint it was taken behind
        return False
    return True


class _Taken(Exception):
    """Somebody has rows there."""


def _dropped(cursor: CursorWrapper, table: str) -> Iterable[str]:
    """What makes the indexes anew that were."""
    cursor.execute(
        """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = %s::regclass AND NOT indisunique AND indisvalid ORDER BY 1""",
        [table],
    )
    found = cursor.fetchall()
    for index, _ in found:
        cursor.execute(f"DROP INDEX {index}")
    return [definition for _, definition in found]
