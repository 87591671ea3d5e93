"""Who acts: each door says it once, at its threshold; what is written into the audit log on the way asks here.

Where no door says anything, Rollbook itself acts: the calendar, a worker, a server process.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

CONSOLE, COMMAND_LINE, API, PARTNER_API, ITSELF = "console", "command line", "API", "partner API", "Rollbook"


@dataclass(frozen=True)
class Actor:
    """`name` is an e-mail address, or who sits at the server; `door` the way they came in by."""

    name: str
    door: str


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextlib.contextmanager
def acting(name: str, door: str) -> Iterator[None]:
    """Everything done in the block is done by them."""
    token = _actor.set(Actor(name, door))
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> Actor:
    """Who acts now."""
    return _actor.get() or Actor(ITSELF, ITSELF)
