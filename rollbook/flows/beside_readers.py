"""Beside readers: what an import does, and leaves undone, for the sake of those who read while it writes."""

from collections.abc import Iterable

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from rollbook.flows.progress import Tell
from rollbook.flows.publish import served_of
from rollbook.store.bulk import is_postgresql
from rollbook.store.giving_way import GivingWay
from rollbook.store.models import District

LOOK_FROM, PART = 10_000, 10
"""So many changes, and a tenth of what is served of a district, are worth a look at the tables."""


def giving_way(tell: Tell) -> Tell:
    """Tells, and then lets go first who wants the processors.

    Not on SQLite: there nobody else can write before the import ends, and all of the work is the worker's own, which is nice already.
    """
    if connection.vendor != "postgresql":
        return tell
    give_way = GivingWay()

    def told(phase: str, done: int = 0, known: int = 0) -> None:
        tell(phase, done, known)
        give_way()

    return told


def leave_processors(cursor: CursorWrapper) -> None:
    """Of the database an import takes one process: with several for one question it would keep readers waiting for as long as that takes."""
    if is_postgresql(cursor):
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")


def changes_much(district: District, changes: int) -> bool:
    """Whether so many changes make another district of it, of which the database knows too little to answer questions well."""
    return changes >= LOOK_FROM and PART * changes >= served_of(district)


def look_anew(cursor: CursorWrapper, tables: Iterable[type[Model]]) -> None:
    """PostgreSQL plans by what it knows of its tables; of what came since its last look it would know nothing for a minute.

    A rough look is enough until it takes a closer one by itself. Each makes every process think all its questions over: a usual night, which
    changes one record in a hundred, can do without.
    """
    if is_postgresql(cursor):
        cursor.execute("SET LOCAL default_statistics_target = 20")
        for model in tables:
            cursor.execute(f"ANALYZE {model._meta.db_table}")
