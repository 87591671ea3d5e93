"""How many rows a publication has looked at, of how many it will, for whoever wants to hear it. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _unheard(done: int, known: int) -> None:
    """Nobody listens."""


@dataclass
class Looked:
    """`heard(done, known)` hears each step. `left` are the rows still to be looked at, by what they are looked at for.

    What is known grows while it goes on: which records depend on what changed is found out collection by collection.
    """

    heard: Callable[[int, int], None] = _unheard
    left: dict[str, int] = field(default_factory=dict)
    done: int = 0

    @property
    def known(self) -> int:
        return self.done + sum(self.left.values())

    def will(self, what: str, rows: int) -> None:
        """So many rows will be looked at for this, instead of what was expected."""
        self.left[what] = rows
        self.heard(self.done, self.known)

    def has(self, what: str, rows: int) -> None:
        """So many more have been."""
        self.done += rows
        self.left[what] = max(self.left.get(what, 0) - rows, 0)
        self.heard(self.done, self.known)

    def goes_on(self) -> None:
        """Nothing more has been looked at, but a piece of the work is done: whoever listens may let others go first."""
        self.heard(self.done, self.known)
