"""How many requests a minute a credential may make: a token bucket in the memory of each server process.

Each process counts for itself, so an installation of n processes lets up to n times the setting through.
"""

import math
import threading
import time

from django.conf import settings

from rollbook.api.refusals import TooManyRequests

MOST_BUCKETS = 10_000


class Buckets:
    """One bucket a credential. `per_minute` is what flows in, and the most one holds; 0 means no limit."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._lock = threading.Lock()
        self._levels: dict[int, tuple[float, float]] = {}

    def take(self, credential_id: int, now: float) -> None:
        """Takes one request out at `now` (seconds of any steady clock). Raises TooManyRequests when there is none."""
        if not self.per_minute:
            return
        with self._lock:
            level = self._level(credential_id, now)
            if level < 1:
                raise TooManyRequests(math.ceil((1 - level) * 60 / self.per_minute))
            self._levels[credential_id] = (level - 1, now)

    def _level(self, credential_id: int, now: float) -> float:
        level, then = self._levels.get(credential_id, (float(self.per_minute), now))
        if len(self._levels) > MOST_BUCKETS:
            self._levels.clear()
        return min(self.per_minute, level + (now - then) * self.per_minute / 60)


BUCKETS = Buckets(settings.RATE_LIMIT)


def take(credential_id: int) -> None:
    """Raises TooManyRequests when this credential has used up its minute in this process."""
    BUCKETS.take(credential_id, time.monotonic())
