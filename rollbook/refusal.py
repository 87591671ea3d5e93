"""What we understood and will not do. Each door translates a Refusal in one place; the docstring of its class is the message."""

import inspect


class Refusal(Exception):
    """Rollbook will not do this."""

    @property
    def words(self) -> str:
        """The message, in English."""
        return " ".join((inspect.getdoc(type(self)) or "").split())
