"""The keys and indexes of tables that are filled for the first time, built once the rows are there: at a quarter of what keeping them row
by row costs.

Only on PostgreSQL, only for many rows, and only where nobody else has a row in the table: it is locked for its readers meanwhile.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from rollbook.store.bulk import is_postgresql

MANY = 2_000_000
"""Rows from which it is worth the lock: a quarter of a million students."""


@contextmanager
def indexed_afterwards(cursor: CursorWrapper, rows_of: dict[str, int]) -> Iterator[None]:
    """Fill these tables meanwhile, in a transaction of which this is a part: so many rows will be added to each.

    What must be unique is found not to be when its key is made anew, and then all of it fails.
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
            cursor.execute(
                f"""SELECT NOT EXISTS (SELECT 1 FROM {table})
                    AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = %s::regclass), 'USAGE')""",
                [table],
            )
            if not cursor.fetchone()[0]:
                raise _Taken  # the lock goes with what is taken back here
    except _Taken:
        return False
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        return False
    return True


class _Taken(Exception):
    """Somebody has rows there, or the table is not ours to change."""


def _dropped(cursor: CursorWrapper, table: str) -> Iterable[str]:
    """What makes the keys and indexes anew that were."""
    cursor.execute(
        """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY contype, 1""",
        [table],
    )
    keys = cursor.fetchall()
    cursor.execute(
        """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass
            AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE conrelid = indrelid) ORDER BY 1""",
        [table],
    )
    indexes = cursor.fetchall()
    for name, _ in keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    return [
        *(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}' for name, definition in keys),
        *(definition for _, definition in indexes),
    ]
