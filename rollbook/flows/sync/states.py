"""How each record of a source stands in an organization's directory, as it was read last: shown, and exported. Nothing is changed."""

import csv
from collections.abc import Iterator
from typing import TextIO

from rollbook.engine.report import harmless
from rollbook.engine.sync.states import State
from rollbook.engine.sync.states import states as states_in
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import NeverRead
from rollbook.flows.sync.report import TITLES
from rollbook.flows.sync.worlds import world_of
from rollbook.store.models import SyncConnection
from rollbook.store.sync_shelf import accepted_read, latest_read

HEADING = ("kind", "sourcedId", "record", "state", "missingSince", "reasons", "words")
WORDS = {"missing": "No longer in the source", "marked": "Marked as deleted in the source"}


def states(connection: SyncConnection, kind: str = "") -> Iterator[State]:
    """Of all kinds, or of one. Raises NeverRead."""
    read = accepted_read(connection) or latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    with world_of(connection, read) as world:
        yield from (one for one in states_in(world, policy_of(connection)) if kind in ("", one.kind))


def as_dict(state: State) -> dict[str, object]:
    """As doors show it, with the reasons in words."""
    return {
        "kind": state.kind,
        "sourcedId": state.source_id,
        "record": state.record,
        "state": state.state,
        "missingSince": state.missing_since,
        "reasons": list(state.reasons),
        "words": "; ".join(WORDS.get(one, TITLES.get(one, one)) for one in state.reasons),
    }


def write_csv(connection: SyncConnection, file: TextIO) -> int:
    """A record a line; how many lines. Raises NeverRead."""
    rows = csv.writer(file)
    rows.writerow(HEADING)
    count = 0
    for one in map(as_dict, states(connection)):
        count += 1
        reasons = one["reasons"]
        assert isinstance(reasons, list)
        shown = one | {"reasons": " ".join(reasons)}
        rows.writerow([harmless(str(shown[name])) for name in HEADING])
    return count
