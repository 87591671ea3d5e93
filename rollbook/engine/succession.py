"""Succession: of several deliveries that wait, which ones still have to be imported. A complete one makes those before it needless;
one that brings changes only does not.
"""

from collections.abc import Mapping, Sequence

COMPLETE, CHANGES = "bulk", "delta"

Modes = Mapping[str, str]
"""What a delivery is, table by table: `bulk` where it says all there is, `delta` where it says what changed, or where lines were lost."""


def supersedes(later: Modes, earlier: Modes) -> bool:
    """Whether all that `earlier` says is said anew by `later`."""
    return all(later.get(table) == COMPLETE for table in earlier)


def still_needed(waiting: Sequence[Modes]) -> list[int]:
    """The places in the line, the oldest first, of the deliveries that no later one supersedes. The last always is."""
    return [
        place
        for place, one in enumerate(waiting)
        if not any(supersedes(later, one) for later in waiting[place + 1 :])
    ]
