"""Rows of a directory's tables found by keys, each by the index: a batch looks up as many as it has, however large the table is.

Left to itself PostgreSQL reads all rows of the organization instead, as long as it has not counted a table that was filled a moment ago.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.store.bulk import is_postgresql

Key = Sequence[Any]
NUMBER, TEXT = "bigint", "text"


def looked_up(
    cursor: CursorWrapper,
    table: str,
    columns: Sequence[str],
    by: dict[str, str],
    keys: Iterable[Key],
    besides: str,
    parameters: Sequence[Any],
) -> list[Any]:
    """The rows of `table` whose columns `by` ({name: NUMBER or TEXT}) are one of `keys`; the index leads by `besides` and these columns.

    `besides` is a condition on the row `m`, with its parameters.
    """
    wanted = [list(key) for key in keys]
    if not wanted:
        return []
    is_it = " AND ".join(f'm."{name}" = wanted.k{place}' for place, name in enumerate(by))
    shown = ", ".join(f'm."{name}"' for name in columns)
    if is_postgresql(cursor):
        items = ", ".join(f"(e->>{place})::{kind} AS k{place}" for place, kind in enumerate(by.values()))
        source = f"(SELECT {items} FROM json_array_elements(%s::json) AS e) AS wanted"
        # OFFSET 0 keeps the inner query whole: it is asked once a key.
        inner = f"SELECT {shown} FROM {table} m WHERE {besides} AND {is_it} OFFSET 0"
        statement = f"SELECT found.* FROM {source} CROSS JOIN LATERAL ({inner}) AS found"
    else:
        items = ", ".join(f"json_extract(value, '$[{place}]') AS k{place}" for place in range(len(by)))
        source = f"(SELECT {items} FROM json_each(%s)) AS wanted"
        statement = f"SELECT {shown} FROM {source} CROSS JOIN {table} m WHERE {besides} AND {is_it}"
    cursor.execute(statement, [json.dumps(wanted), *parameters])
    return list(cursor.fetchall())
