"""Looking: who could be imported where a sync creates nobody by itself. A run asks the source and keeps the answer, to be paged and searched."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rollbook.engine.sync import candidates as engine
from rollbook.engine.sync.candidate_file import (
    CANDIDATES,
    candidate_ids,
    candidate_of,
    candidate_page,
    candidates_among,
    write_candidates,
)
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import NeverRead
from rollbook.flows.sync.runs import LOOK, enqueue
from rollbook.flows.sync.settings import history
from rollbook.flows.sync.worlds import world_of
from rollbook.store.linking import targets_of
from rollbook.store.models import Link, SyncConnection, SyncRun
from rollbook.store.sync_shelf import latest_read, run_folder

PAGE = 50
FRESH = timedelta(minutes=2)
"""For so long the source is not asked again when the same page is opened again."""


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be imported: what the roster says they are, the roles the settings would give, their sites by name, and the titles of
    the classes they teach.
    """

    source_id: str
    given_name: str
    family_name: str
    email: str
    roster_roles: tuple[str, ...]
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    classes: tuple[str, ...]
    place: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "place"}


def look(connection: SyncConnection, by: str, process: str = ANY_WORKER) -> SyncRun:
    """A run that asks the source, so that `candidates` knows it as it is now. Raises NotActive, NotEntitled."""
    return enqueue(connection, by, LOOK, preview=True, process=process)


def fresh_look(connection: SyncConnection, by: str, now: datetime) -> SyncRun:
    """The look that is under way, or came to its end just now, by these settings; else a new one. Raises NotActive, NotEntitled."""
    last = SyncRun.objects.filter(connection=connection, task__kind=LOOK).order_by("-pk").first()
    if last is not None and (not last.outcome or _is_fresh(last, now)) and _is_of_now(last, connection):
        return last
    return look(connection, by)


def _is_fresh(run: SyncRun, now: datetime) -> bool:
    return run.outcome == "previewed" and run.ended_at is not None and now - run.ended_at < FRESH


def _is_of_now(run: SyncRun, connection: SyncConnection) -> bool:
    """Whether neither a later sync has read the source whole, nor other settings were set since: they may want other people."""
    if run.pk < connection.read_run:
        return False
    return all(entry.at < run.started_at for entry in history(connection, number=1))


def candidates(connection: SyncConnection) -> list[Candidate]:
    """Who may be imported as the source was read last, without those who have an account. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    return list(_found(connection, read))


def keep_candidates(run: SyncRun) -> None:
    """What a run that only looked has found."""
    read = latest_read(run.connection)
    if read is not None:
        write_candidates(run_folder(run), (one.as_dict() for one in _found(run.connection, read)))


def _found(connection: SyncConnection, read: Path) -> Iterator[Candidate]:
    with world_of(connection, read) as world:
        sites = {f"+{org.source_id}": org.name for org in world.roster.orgs.values()} | {
            one.id: str(one.fields.get("name", "")) for one in world.directory.sites.values()
        }
        for one in engine.candidates(world, policy_of(connection)):
            yield Candidate(
                one.source_id,
                one.person.given_name,
                one.person.family_name,
                one.person.email,
                one.roster_roles,
                one.roles,
                tuple(sites.get(site, site) for site in one.sites),
                tuple(world.roster.classes[taught].title for taught in one.classes),
            )


# --- What was kept --------------------------------------------------------------------------------------------------------------------------


def last_look(connection: SyncConnection) -> SyncRun | None:
    """The last look that has come to its end, unless a later sync has read the source whole."""
    looks = SyncRun.objects.filter(connection=connection, task__kind=LOOK, outcome="previewed")
    found = looks.filter(pk__gte=connection.read_run).order_by("-pk").first()
    return found if found and _file(found).exists() else None


def page_of(run: SyncRun, search: str = "", after: int = 0) -> list[Candidate]:
    """A page of who a look found, behind the place `after`, without those who have an account now; one more than PAGE where there are more."""
    if not _file(run).exists():
        return []
    return [
        Candidate(**row) for row in candidate_page(_file(run), search, after, PAGE + 1, imported_since(run))
    ]


def one_of(run: SyncRun, source_id: str) -> Candidate | None:
    """Of those a look found the one with this sourcedId, if they have no account by now."""
    row = candidate_of(_file(run), source_id) if _file(run).exists() else None
    if row is None or source_id in targets_of(run.connection, MEMBERS, [source_id]):
        return None
    return Candidate(**row)


def ids_of(run: SyncRun, search: str = "") -> list[str]:
    """All whom a look found, without those who have an account by now."""
    if not _file(run).exists():
        return []
    gone = imported_since(run)
    return [one for one in candidate_ids(_file(run), search) if one not in gone]


def some_of(run: SyncRun, source_ids: Collection[str]) -> dict[str, Candidate]:
    """Of those a look found these, whatever became of them, by sourcedId."""
    if not _file(run).exists():
        return {}
    return {row["source_id"]: Candidate(**row) for row in candidates_among(_file(run), source_ids)}


def number_of(run: SyncRun) -> int:
    """How many a look found who have no account by now."""
    return len(ids_of(run))


def imported_since(run: SyncRun) -> frozenset[str]:
    """Who has got an account since a look."""
    later = SyncRun.objects.filter(connection=run.connection_id, pk__gt=run.pk, journal__gt=0)
    if not later.exists():
        return frozenset()
    links = Link.objects.filter(
        connection=run.connection_id, kind=MEMBERS, linked_at__gte=run.started_at, ended_at=None
    )
    return frozenset(links.values_list("source_id", flat=True))


def _file(run: SyncRun) -> Path:
    return run_folder(run) / CANDIDATES
