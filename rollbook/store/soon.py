"""Transactions nobody waits for: what they wrote is seen by all at once, and on the disk a moment later."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from rollbook.store.bulk import is_postgresql


@contextmanager
def soon_kept(alias: str) -> Iterator[None]:
    """A transaction on this database whose end does not wait for the disk, where all that others write would keep it waiting.

    For what may be lost with the machine, half a second of it at most (PostgreSQL's documentation, 30.4). SQLite never waits at the end
    of one here (`synchronous` is NORMAL, its log is WAL).
    """
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            if is_postgresql(cursor):
                cursor.execute("SET LOCAL synchronous_commit = off")
        yield
