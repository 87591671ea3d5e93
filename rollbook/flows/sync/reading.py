"""Reading: the source gives what it has; judged and compared with the accepted read it becomes the next, which lies on the shelf.

Nothing of it counts until the run that made it was carried out and verified.
"""

import os
import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from rollbook.connectors import SOURCES
from rollbook.connectors.contract import Fetched
from rollbook.engine.aside import FINDINGS, TALLIES
from rollbook.engine.sync.read import Read, counts_of, make_read
from rollbook.flows.sync import places
from rollbook.flows.sync.connections import secrets_of
from rollbook.flows.sync.pauses import refuse_while_paused
from rollbook.flows.sync.progress import Heard, Teller, end, keep
from rollbook.flows.sync.runs import DELTA, FOCUS, FULL, IMPORT, SWITCH, UNDO
from rollbook.store import shelf
from rollbook.store.models import SyncRun
from rollbook.store.sync_shelf import accepted_read, latest_read, read_folder, run_folder
from rollbook.work_folders import work_folder

OVERLAP = timedelta(minutes=15)
"""How far a delta reaches back behind where it begins: clocks differ, and what was being written then was not yet seen."""

NOT_READING = frozenset({UNDO, SWITCH, IMPORT})
"""Tasks that are planned by what was read last."""


def read(run: SyncRun) -> None:
    """Raises ConnectorRefusal, NotAPackage, LeftAlone, Cancelled, TakenOver."""
    if run.fingerprint or run.task.get("kind") in NOT_READING or read_folder(run.connection, run.pk).exists():
        return  # it is planned, or was read by a process that died afterwards
    refuse_while_paused(run.connection)
    tell = Teller(run)
    tell("fetching")
    before = _before(run)
    making = read_folder(run.connection, run.pk).with_name(f"{run.pk}.{run.fence}.making")
    shelf.place(str(making.relative_to(shelf.shelf())))
    with work_folder("sync") as work:
        try:
            fetched = _fetched(run, work, before, tell)
            made = make_read(fetched.path, work / "judging", before, making, Heard(tell))
            _note(run, made, fetched)
            if not made.fatal:
                _put(run, making)
        finally:
            shutil.rmtree(making, ignore_errors=True)


def _before(run: SyncRun) -> Path | None:
    """What was known: the latest read, accepted or not, once there is an accepted one. Whom this run does not hear of is what they were then;
    by an older read somebody of whom a run in between heard would be taken for what they were before.
    """
    return latest_read(run.connection) if accepted_read(run.connection) else None


def _fetched(run: SyncRun, work: Path, before: Path | None, tell: Teller) -> Fetched:
    connection = run.connection
    fetch = SOURCES[connection.source_kind].fetch
    assert fetch is not None, "every source can be fetched from"
    settings = {**places.asked_of(connection), **_asked(run, before), "gives_way": True}
    begun = datetime.now(UTC)
    pages = count(1)  # of a source nobody knows how many there will be
    fetched = fetch(settings, secrets_of(connection), work, begun, lambda _: tell("fetching", next(pages)))
    if fetched.certificate is not None and run.task.get("kind") in (FULL, DELTA):
        fetched.certificate["cursor"] = moment(begun)
    return fetched


def _asked(run: SyncRun, before: Path | None) -> dict[str, Any]:
    """What a server is asked for: mapped members only, and where the run is about a part, and the rest is known, that part only."""
    kind, cursor = run.task.get("kind"), run.connection.cursor
    if before and kind == FOCUS:
        return {"only": True, "focus": run.task["focus"]}
    if before and kind == DELTA and cursor:
        return {"only": True, "since": moment(datetime.fromisoformat(cursor) - OVERLAP)}
    return {"only": True, "accepted": counts_of(before) if before else {}}


def moment(now: datetime) -> str:
    """A moment as servers are told it."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _note(run: SyncRun, made: Read, fetched: Fetched) -> None:
    """What was proved and found goes with the run; what cannot be read as a whole ends it."""
    folder = run_folder(run)
    made.findings.write(folder / FINDINGS)
    made.findings.write_tallies(folder / TALLIES)
    keep(run, certificate=_certificate(made, fetched), findings=made.findings.counts())
    if made.fatal:
        end(run, "refused", "What the source gave cannot be read as a whole; see the findings.")


def _put(run: SyncRun, making: Path) -> None:
    target = read_folder(run.connection, run.pk)
    shelf.delete(target)
    os.replace(making, target)


def _certificate(made: Read, fetched: Fetched) -> dict[str, Any]:
    """`whole`: the collections of which absence counts; `complete`: whether a server proved it, null where none was asked, and false
    where files were to say all there is, and did not: `unread`.
    """
    source = fetched.certificate
    proved = source["complete"] if source else None
    return {
        "whole": sorted(made.whole),
        "held": dict(made.held),
        "counts": dict(made.counts),
        "complete": False if made.unread else proved,
        "unread": sorted(made.unread),
        "source": source,
        "cursor": source.get("cursor", "") if source else "",
    }
