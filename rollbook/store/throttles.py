"""Tries that are counted for all processes together: signing in, showing one's password again, asking for a link to a new one.

A cache of Django's, because allauth counts in one. In the memory of a process it would give as many more tries as there are processes.
Values are JSON. What is only quick to have again is kept in the cache `memory`.
"""

import json
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connections, router

from rollbook.store.models import Throttle

FOR_EVER = 2**62

ADD = """
    INSERT INTO store_throttle (name, value, ends_at) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at WHERE store_throttle.ends_at <= %s
"""
SET = """
    INSERT INTO store_throttle (name, value, ends_at) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at
"""
COUNT = """
    UPDATE store_throttle SET value = CAST(CAST(value AS BIGINT) + %s AS TEXT) WHERE name = %s AND ends_at > %s RETURNING value
"""


class Throttles(BaseCache):
    """Django's cache over the table of throttles; each act is one statement."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version)
        return _execute(ADD, [name, json.dumps(value), self._end(timeout), _now()]) == 1

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        name = self.make_and_validate_key(key, version)
        found = Throttle.objects.filter(name=name, ends_at__gt=_now()).values_list("value", flat=True).first()
        return default if found is None else json.loads(found)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _execute(SET, [self.make_and_validate_key(key, version), json.dumps(value), self._end(timeout)])

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError where there is nothing of this name, as Django's caches do."""
        name = self.make_and_validate_key(key, version)
        with connections[_home()].cursor() as cursor:
            cursor.execute(COUNT, [delta, name, _now()])
            counted = cursor.fetchone()
        if counted is None:
            raise ValueError(f"Key '{key}' not found")
        return int(counted[0])

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version)
        return Throttle.objects.filter(name=name, ends_at__gt=_now()).update(ends_at=self._end(timeout)) == 1

    def delete(self, key: str, version: int | None = None) -> bool:
        return Throttle.objects.filter(name=self.make_and_validate_key(key, version)).delete()[0] == 1

    def clear(self) -> None:
        Throttle.objects.all().delete()

    def _end(self, timeout: Any) -> int:
        """Milliseconds since 1970."""
        seconds = self.get_backend_timeout(timeout)
        return FOR_EVER if seconds is None else int(seconds * 1000)


def prune_throttles() -> None:
    """Forgets what counts no longer."""
    Throttle.objects.filter(ends_at__lte=_now()).delete()


def _execute(statement: str, values: list[Any]) -> int:
    with connections[_home()].cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _home() -> str:
    return router.db_for_write(Throttle)


def _now() -> int:
    return time.time_ns() // 1_000_000
