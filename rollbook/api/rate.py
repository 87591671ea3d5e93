"""How many requests a minute a key may make: a token bucket for each, kept in the memory of each server process and levelled between them.

Twice a second each process adds to the database what it let through, and takes over what the others did (`share`); only the first request of
a key looks there itself. So processes can together let through too much for half a second; it is taken off what comes after.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, router, transaction

from rollbook.api.refusals import TooManyRequests
from rollbook.store.models import Bucket

log = logging.getLogger(__name__)

MINUTE = 60_000.0
"""Milliseconds, in which an empty bucket gets full."""

MOST_DEBT = 2 * MINUTE
"""How late a bucket can become full through what other processes let through beyond it."""

ROUNDING = 0.5
MOST_BUCKETS = 10_000
BATCH = 1_000

KEY, TOKEN, PARTNER, ORGANIZATION = "key", "token", "partner", "organization"
"""Whose bucket it is: an app's key, an operator's token, a partner's key, an organization's key."""

ADD = """
    INSERT INTO store_bucket (name, full_at) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET full_at = %s
        + CASE WHEN store_bucket.full_at < %s THEN %s WHEN store_bucket.full_at > %s THEN %s ELSE store_bucket.full_at END
"""


@dataclass
class _Level:
    """A bucket as the moment it is full again (milliseconds since 1970), and how many requests the database does not know of yet."""

    full_at: float = 0.0
    unsaid: int = 0


class Buckets:
    """A bucket for each name. `per_minute` is what flows in, and the most one holds; 0 means no limit."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._lock = threading.Lock()
        self._levels: dict[str, _Level] = {}

    def take(self, name: str, now: float) -> None:
        """Takes one request out at `now` (milliseconds since 1970). Raises TooManyRequests when there is none."""
        if not self.per_minute:
            return
        if name not in self._levels:
            self._learn(name)
        with self._lock:
            level = self._levels.setdefault(name, _Level())
            full_at = max(level.full_at, now) + self._cost
            too_late = full_at - now - MINUTE
            if too_late > ROUNDING:
                raise TooManyRequests(math.ceil(too_late / 1000))
            level.full_at = full_at
            level.unsaid += 1

    @property
    def _cost(self) -> float:
        """The milliseconds in which one request flows in again."""
        return MINUTE / self.per_minute

    def _learn(self, name: str) -> None:
        """What other processes let this key do before it came here."""
        known = Bucket.objects.filter(name=name).values_list("full_at", flat=True).first()
        with self._lock:
            if len(self._levels) >= MOST_BUCKETS:
                self._levels.clear()
            self._levels.setdefault(name, _Level(known or 0.0))

    def share(self, now: float) -> None:
        """Tells the database what was let through since the last time, and takes over what others let through. Raises DatabaseError."""
        with self._lock:
            self._forget(now)
            said = {name: level.unsaid for name, level in self._levels.items()}
        if not said:
            return
        common = self._told(said, now)
        with self._lock:
            for name, full_at in common.items():
                if level := self._levels.get(name):
                    level.unsaid = max(0, level.unsaid - said[name])
                    level.full_at = max(full_at, now if level.unsaid else 0.0) + level.unsaid * self._cost

    def _forget(self, now: float) -> None:
        """Those that have been full for a minute."""
        full = [
            name for name, level in self._levels.items() if not level.unsaid and level.full_at < now - MINUTE
        ]
        for name in full:
            del self._levels[name]

    def _told(self, said: dict[str, int], now: float) -> dict[str, float]:
        """When each bucket is full again, by what all processes let through."""
        costs = [(name, number * self._cost) for name, number in sorted(said.items()) if number]
        latest = now + MOST_DEBT
        # In one order everywhere, so that two processes never wait for one another.
        rows = [(name, now + cost, cost, now, now, latest, latest) for name, cost in costs]
        alias = router.db_for_write(Bucket)
        if rows:
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                cursor.executemany(ADD, rows)
        names = list(said)
        found: dict[str, float] = {}
        for first in range(0, len(names), BATCH):
            asked = Bucket.objects.filter(name__in=names[first : first + BATCH])
            found |= dict(asked.values_list("name", "full_at"))
        return found


BUCKETS = Buckets(settings.RATE_LIMIT)


def take(kind: str, number: int) -> None:
    """Raises TooManyRequests when this key has used up its minute."""
    BUCKETS.take(f"{kind}:{number}", time.time() * 1000)


def share() -> None:
    """Levels the buckets of this process with those of all others; while the database does not answer, it counts for itself."""
    try:
        BUCKETS.share(time.time() * 1000)
    except (DatabaseError, InterfaceError) as fault:
        log.warning("requests of the last minute are not shared now (%s)", type(fault).__name__)


def prune_buckets(now: float) -> None:
    """Forgets the buckets that are long full again. `now` in milliseconds since 1970."""
    Bucket.objects.filter(full_at__lt=now - 10 * MINUTE).delete()
