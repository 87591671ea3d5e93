"""Values that very many records say alike are kept once. While a plan is made the same people are in memory three times: as the source has
them, as they were linked, and as they are in the directory.
"""

from functools import lru_cache
from sys import intern
from typing import Any

from rollbook.engine.sync.operations import Value


@lru_cache(50_000)
def shared_tuple(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same tuple for the same values."""
    return values


def shared_fields(fields: dict[str, Value]) -> dict[str, Value]:
    """The same fields, with values that are shared."""
    return {
        name: intern(value)
        if isinstance(value, str)
        else shared_tuple(value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
