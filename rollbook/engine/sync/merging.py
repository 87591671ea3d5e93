"""The merge of one field three ways: what the source said last (`base`), what it says now, and what the directory has."""

from collections.abc import Iterable

from rollbook.engine.sync.operations import Value
from rollbook.engine.sync.policy import LOCAL, LOCAL_UNTIL_CHANGE, ONCE

BY_ELEMENT = frozenset({"roles", "sites"})
"""The fields that are sets: they are merged element by element."""


def merged(rule: str, base: Value | None, source: Value, present: Value, clears: bool = False) -> Value:
    """What a field becomes. `base` is None where the source never said anything of this record.

    An empty value of the source changes nothing, unless the field is one that it `clears`.
    """
    if rule in (ONCE, LOCAL) or (source in ("", ()) and not clears):
        return present
    if rule == LOCAL_UNTIL_CHANGE and (source == base or (base is None and present not in ("", ()))):
        return present
    return source


def merged_set(
    rule: str,
    base: Iterable[str],
    source: Iterable[str],
    present: Iterable[str],
    keeps: bool = False,
) -> frozenset[str]:
    """The same of a set: what the source took back is out, what it adds is in, what a person added stays. `keeps`: nothing goes out."""
    said, says, has = frozenset(base), frozenset(source), frozenset(present)
    if rule in (ONCE, LOCAL):
        return has
    out = frozenset() if keeps else said - says
    if rule == LOCAL_UNTIL_CHANGE:
        return (has - out) | (says - said)
    return (has - out) | says
