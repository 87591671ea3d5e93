"""What we understood and will not do. Each door translates a Refusal in one place; the docstring of its class is the message."""

import inspect
from collections.abc import Callable


class Languages:
    """How sentences that are written in English are said to whoever is asked: unless a door says otherwise, so."""

    say: Callable[[str], str] = staticmethod(str)


class Refusal(Exception):
    """Rollbook will not do this."""

    @property
    def words(self) -> str:
        """The message, in the language of whoever is answered."""
        return Languages.say(message_of(type(self)))


def message_of(refusal: type[Refusal]) -> str:
    """The message as it is written."""
    return " ".join((inspect.getdoc(refusal) or "").split())
