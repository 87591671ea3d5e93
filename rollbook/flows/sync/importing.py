"""Import by hand, where a sync creates nobody by itself: who could be imported, and one or many imported with role and site.

The list asks the source at that moment. A role or site given here is by hand: later syncs keep it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from rollbook.engine.sync import candidates as engine
from rollbook.engine.sync.links import TO_CREATE
from rollbook.engine.sync.operations import MEMBERS, SITES
from rollbook.flows.directory import roles_of
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import NeverRead, NoSuchRecord, decide
from rollbook.flows.sync.runs import FOCUS, IMPORT, LOOK, enqueue, refuse_unless_ready
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.flows.sync.targets import target_of
from rollbook.flows.sync.worlds import world_of
from rollbook.refusal import Refusal
from rollbook.store.linking import links_of
from rollbook.store.models import Case, SyncConnection, SyncOutcome, SyncRun
from rollbook.store.sync_shelf import latest_read

IMPORTED, HAS_ACCOUNT, NOT_THERE, NOT_VALID = "imported", "has-account", "not-there", "not-valid"
NOT_YET = "not-imported"


class NoSuchLocalRole(Refusal):
    """The organization has no such role."""


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be imported: the roles the settings would give, their sites by name, and the titles of the classes they teach."""

    source_id: str
    given_name: str
    family_name: str
    email: str
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    classes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Wish:
    """One person to be imported; empty roles and sites: as the settings say."""

    source_id: str
    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of one: `outcome` is imported, or has-account, not-there, not-valid or not-imported, with the reason why."""

    source_id: str
    outcome: str
    member: str = ""
    why: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def look(connection: SyncConnection, by: str, process: str = ANY_WORKER) -> SyncRun:
    """A run that asks the source, so that `candidates` knows it as it is now. Raises NotActive, NotEntitled."""
    return enqueue(connection, by, LOOK, preview=True, process=process)


def candidates(connection: SyncConnection) -> list[Candidate]:
    """Who may be imported as the source was read last, without those who have an account. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    with world_of(connection, read) as world:
        sites = {f"+{org.source_id}": org.name for org in world.roster.orgs.values()} | {
            one.id: str(one.fields.get("name", "")) for one in world.directory.sites.values()
        }
        return [
            Candidate(
                one.source_id,
                one.person.given_name,
                one.person.family_name,
                one.person.email,
                one.roles,
                tuple(sites.get(site, site) for site in one.sites),
                tuple(world.roster.classes[taught].title for taught in one.classes),
            )
            for one in engine.candidates(world, policy_of(connection))
        ]


def import_people(
    connection: SyncConnection,
    wishes: Sequence[Wish],
    by: str,
    walk: Callable[[SyncRun], SyncRun],
    process: str = ANY_WORKER,
) -> tuple[list[Result], list[SyncRun]]:
    """Imports these people; `walk` walks the run that does it. One result each, in their order, and a queued group sync for each success.

    Raises NeverRead, NoSuchLocalRole, NoSuchRecord, NotActive, NotEntitled, InBlackout; nothing is decided then.
    """
    refuse_unless_ready(connection)
    refuse_in_blackout(connection)
    _refuse_unknown(connection, wishes)
    valid = {one.source_id for one in candidates(connection)}
    before = links_of(connection).of(MEMBERS)
    refused = {
        wish.source_id: _refused(wish.source_id, wish.source_id in before, connection)
        for wish in wishes
        if wish.source_id not in valid
    }
    chosen = [wish for wish in wishes if wish.source_id in valid]
    ended: SyncRun | None = None
    if chosen:
        with transaction.atomic():
            for wish in chosen:
                decide(
                    connection,
                    MEMBERS,
                    wish.source_id,
                    TO_CREATE,
                    by,
                    roles=wish.roles,
                    sites=wish.sites,
                    why="import",
                )
        people = [wish.source_id for wish in chosen]
        ended = walk(enqueue(connection, by, IMPORT, process=process, focus={"people": people}))
    results = [refused.get(wish.source_id) or _result(connection, wish.source_id, ended) for wish in wishes]
    return results, [
        enqueue(connection, by, FOCUS, focus={"people": [one.source_id]}, groups=True)
        for one in results
        if one.outcome == IMPORTED
    ]


def _refuse_unknown(connection: SyncConnection, wishes: Iterable[Wish]) -> None:
    known = roles_of(connection.organization)
    if unknown := sorted({role for wish in wishes for role in wish.roles if role not in known}):
        raise NoSuchLocalRole(unknown[0])
    sites = sorted({site for wish in wishes for site in wish.sites})
    found = {record.id for record in target_of(connection).verify(SITES, sites)}
    if missing := [site for site in sites if site not in found]:
        raise NoSuchRecord(f"{SITES} {missing[0]}")


def _refused(source_id: str, is_linked: bool, connection: SyncConnection) -> Result:
    if is_linked:
        return Result(source_id, HAS_ACCOUNT, links_of(connection).of(MEMBERS)[source_id].target)
    read = latest_read(connection)
    if read is not None:
        with world_of(connection, read) as world:
            if source_id not in world.roster.people:
                return Result(source_id, NOT_THERE, why="The source has nobody of this sourcedId.")
    case = _case(connection, source_id)
    return Result(
        source_id, NOT_VALID, why=case or "The settings do not want them, or they teach no class with pupils."
    )


def _result(connection: SyncConnection, source_id: str, run: SyncRun | None) -> Result:
    link = links_of(connection).of(MEMBERS).get(source_id)
    if link is not None:
        return Result(source_id, IMPORTED, link.target)
    said = SyncOutcome.objects.filter(run=run, kind=MEMBERS, source_id=source_id).first() if run else None
    why = said.words or said.code if said else _case(connection, source_id) or (run.message if run else "")
    return Result(source_id, NOT_YET, why=why)


def _case(connection: SyncConnection, source_id: str) -> str:
    found = Case.objects.filter(connection=connection, kind=MEMBERS, source_id=source_id, closed_at=None)
    return found.values_list("code", flat=True).first() or ""
