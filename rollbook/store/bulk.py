"""Many rows at once, on PostgreSQL by COPY and on SQLite by executemany, and the few words in which their SQL differs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL

BATCH = 2_000
Row = Sequence[Any]


def is_postgresql(cursor: CursorWrapper) -> bool:
    return bool(cursor.db.vendor == "postgresql")


def load(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Add `rows` to `table`; how many there were. Values are None, bool, int or str."""
    if is_postgresql(cursor):
        return _copy(cursor, table, columns, rows)
    return _insert(cursor, table, columns, rows)


def copy_text(cursor: CursorWrapper, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Add the rows of text as COPY has it. PostgreSQL only."""
    with cursor.cursor.copy(f"COPY {table} ({_names(columns)}) FROM STDIN") as copy:
        for block in blocks:
            copy.write(block)


def among(cursor: CursorWrapper, column: str) -> str:
    """A condition with one parameter, made by `many`: `column`, a bigint, is one of these integers."""
    if is_postgresql(cursor):
        # Said, or the driver sends the smallest integers that will do; and those of another type PostgreSQL compares one after another.
        return f"{column} = ANY(%s::bigint[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def many(cursor: CursorWrapper, numbers: Iterable[int]) -> Any:
    """Integers as the one parameter of `among`."""
    return list(numbers) if is_postgresql(cursor) else json.dumps(list(numbers))


def listed(numbers: Iterable[int]) -> RawSQL:
    """Integers for `id__in` of a queryset, as one parameter: however many they are, no database finds them too many."""
    text = json.dumps(list(numbers))
    if connection.vendor == "postgresql":
        return RawSQL("SELECT value::bigint FROM json_array_elements_text(%s::json)", [text])
    return RawSQL("SELECT value FROM json_each(%s)", [text])


def elements(cursor: CursorWrapper, column: str) -> str:
    """A FROM item that yields the integers of a JSON array column as `element.value`."""
    if is_postgresql(cursor):
        return f"LATERAL (SELECT value::bigint FROM jsonb_array_elements_text({column}::jsonb) AS e(value)) AS element"
    return f"json_each({column}) AS element"


def temporary(cursor: CursorWrapper, table: str, definition: str) -> None:
    """An empty temporary table; it goes with the transaction on PostgreSQL, and is replaced at the next use on SQLite."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TEMPORARY TABLE {table} ({definition}){_tail(cursor, definition)}")


def emptied(cursor: CursorWrapper, table: str, definition: str) -> None:
    """The same, for a table that one transaction needs many times and always with this definition: PostgreSQL holds a lock for every table a
    transaction has made, to its end, and has room for some thousands.
    """
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({definition}){_tail(cursor, definition)}")
    cursor.execute(f"TRUNCATE {table}" if is_postgresql(cursor) else f"DELETE FROM {table}")


def _tail(cursor: CursorWrapper, definition: str) -> str:
    if is_postgresql(cursor):
        return " ON COMMIT DROP"
    # The key is the table: else SQLite would write and read each row twice.
    return " WITHOUT ROWID" if "PRIMARY KEY" in definition else ""


def batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch


def _copy(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    count = 0
    with cursor.cursor.copy(f"COPY {table} ({_names(columns)}) FROM STDIN") as copy:
        for batch in batches(rows, BATCH):
            copy.write("".join([_line(row) for row in batch]))
            count += len(batch)
    return count


def _line(row: Row) -> str:
    texts = [value if type(value) is str else _word(value) for value in row]
    line = "\t".join(texts)
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") >= len(texts):
        line = "\t".join([_escaped(value) if type(value) is str else _word(value) for value in row])
    return line + "\n"


def _word(value: Any) -> str:
    """What is no text: None, bool or int; or a text of a type of its own."""
    if value is None:
        return "\\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    return str(value) if isinstance(value, int) else _escaped(value)


def _escaped(value: str) -> str:
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\t" in value or "\n" in value or "\r" in value:
        value = value.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


def _insert(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    marks = ", ".join(["?"] * len(columns))
    statement = f"INSERT INTO {table} ({_names(columns)}) VALUES ({marks})"
    count = 0
    for batch in batches(rows, BATCH):
        # The driver's own cursor: Django's would rewrite %s and log every row.
        cursor.connection.executemany(statement, batch)
        count += len(batch)
    return count


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
