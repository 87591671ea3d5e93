"""A name that somebody enters, on its way to where it is kept: on one line, and not longer than its column."""

from rollbook.refusal import Refusal

MOST = 200


class NameNeeded(Refusal):
    """It needs a name."""


class NameTooLong(Refusal):
    """A name has at most 200 characters: write a shorter one."""


def name_of(text: str) -> str:
    """The name as it is kept. Raises NameNeeded, NameTooLong."""
    name = optional_name(text)
    if not name:
        raise NameNeeded
    return name


def optional_name(text: str) -> str:
    """The same, where there need be none. NUL goes: no database takes it. Raises NameTooLong, which tells the beginning only."""
    name = " ".join(text.replace("\0", "").split())
    if len(name) > MOST:
        raise NameTooLong(f"{name[:40]}…")
    return name
