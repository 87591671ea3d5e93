"""Import by hand, where a sync creates nobody by itself: one or many are imported with role and site, by a run that keeps what became of each.

Whom there is to choose from is `looking`'s. A role or site given here is by hand: later syncs keep it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.sync.links import TO_CREATE
from rollbook.engine.sync.operations import MEMBERS, SITES
from rollbook.engine.sync.plan_file import REMARKS, read_remarks
from rollbook.engine.sync.remarks import CODES
from rollbook.flows import audit
from rollbook.flows.directory import roles_of
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.deciding import NeverRead, NoSuchRecord, out_of_date
from rollbook.flows.sync.looking import Candidate, candidates, ids_of, last_look, look
from rollbook.flows.sync.runs import FOCUS, IMPORT, enqueue, refuse_unless_ready
from rollbook.flows.sync.spans import refuse_in_blackout
from rollbook.flows.sync.targets import target_of
from rollbook.flows.sync.worlds import world_of
from rollbook.refusal import Refusal
from rollbook.store.linking import targets_of
from rollbook.store.models import Case, SyncConnection, SyncDecision, SyncOutcome, SyncRun
from rollbook.store.sync_shelf import latest_read, run_folder

__all__ = ["Candidate", "candidates", "look"]

IMPORTED, HAS_ACCOUNT, NOT_THERE, NOT_VALID = "imported", "has-account", "not-there", "not-valid"
NOT_YET, WAITS = "not-imported", "waiting"

AT_ONCE = 50
"""So many people one group sync is about: the syncs of many are no queue of thousands."""

TITLES = {one.code: one.title for one in CODES}


class NoSuchLocalRole(Refusal):
    """The organization has no such role."""


class NobodyChosen(Refusal):
    """Choose at least one person to be imported."""


@dataclass(frozen=True)
class Wish:
    """One person to be imported; empty roles and sites: as the settings say."""

    source_id: str
    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of one: `outcome` is imported, or has-account, not-there, not-valid or not-imported, with the reason why; waiting, where
    the run has not come to its end.
    """

    source_id: str
    outcome: str
    member: str = ""
    why: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def import_people(
    connection: SyncConnection,
    wishes: Sequence[Wish],
    by: str,
    walk: Callable[[SyncRun], SyncRun],
    process: str = ANY_WORKER,
) -> tuple[list[Result], list[SyncRun]]:
    """Imports these people; `walk` walks the run that does it. One result each, in their order, and the queued syncs of their groups.

    Raises what `begin` raises.
    """
    run = begin(connection, wishes, by, process)
    if not run.outcome:
        run = walk(run)
    return results(run), group_syncs(run)


def begin(connection: SyncConnection, wishes: Sequence[Wish], by: str, process: str = ANY_WORKER) -> SyncRun:
    """A run that imports these people, as far as they may be; it knows what became of each. Whoever walks it, their groups are synced after it.

    Raises NobodyChosen, NeverRead, NoSuchLocalRole, NoSuchRecord, NotActive, NotEntitled, InBlackout; nothing is decided then.
    """
    refuse_unless_ready(connection)
    refuse_in_blackout(connection)
    wishes = list({wish.source_id: wish for wish in wishes}.values())
    if not wishes:
        raise NobodyChosen
    _refuse_unknown(connection, wishes)
    refused = _refused(connection, [wish.source_id for wish in wishes])
    chosen = [wish for wish in wishes if wish.source_id not in refused]
    people = [wish.source_id for wish in chosen]
    task: dict[str, Any] = {
        "focus": {"people": people},
        "wishes": [wish.source_id for wish in wishes],
        "refused": refused,
    }
    with transaction.atomic():
        if not chosen:
            return _ended_at_once(connection, by, task)
        _decide(connection, chosen, by)
        return enqueue(connection, by, IMPORT, process=process, **task)


def results(run: SyncRun) -> list[Result]:
    """One for each who was asked for, in their order."""
    return list(_results(run, run.task.get("wishes", [])))


def failed_first(run: SyncRun) -> list[Result]:
    """The same, those first of whom somebody has to see why."""
    return sorted(results(run), key=lambda one: one.outcome in (IMPORTED, WAITS))


def group_syncs(run: SyncRun) -> list[SyncRun]:
    """The syncs of the groups of those whom a run has imported."""
    return list(
        SyncRun.objects.filter(connection=run.connection_id, pk__gt=run.pk, task__after=run.pk).order_by("pk")
    )


def queue_group_syncs(run: SyncRun) -> None:
    """After an import: whoever has an account now is to be in their groups soon. What is not begun now, the next night does."""
    if run.task.get("kind") != IMPORT:
        return
    imported = [one.source_id for one in results(run) if one.outcome == IMPORTED]
    for begin_at in range(0, len(imported), AT_ONCE):
        some = imported[begin_at : begin_at + AT_ONCE]
        try:
            enqueue(run.connection, run.started_by, FOCUS, focus={"people": some}, groups=True, after=run.pk)
        except Refusal:
            return  # a blackout has begun, or the connection was paused


# --- Before -----------------------------------------------------------------------------------------------------------------------------------


def _refuse_unknown(connection: SyncConnection, wishes: Iterable[Wish]) -> None:
    known = roles_of(connection.organization)
    if unknown := sorted({role for wish in wishes for role in wish.roles if role not in known}):
        raise NoSuchLocalRole(unknown[0])
    sites = sorted({site for wish in wishes for site in wish.sites})
    found = {record.id for record in target_of(connection).verify(SITES, sites)}
    if missing := [site for site in sites if site not in found]:
        raise NoSuchRecord(f"{SITES} {missing[0]}")


def _refused(connection: SyncConnection, wanted: Sequence[str]) -> dict[str, list[str]]:
    """{sourcedId: [outcome, why]} of those who cannot be imported. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    valid, linked = _valid(connection), targets_of(connection, MEMBERS, wanted)
    cases = _cases(connection, wanted)
    others = [one for one in wanted if one not in valid or one in linked]
    there: frozenset[str] = frozenset()
    if any(one not in linked for one in others):
        with world_of(connection, read) as world:
            there = frozenset(one for one in others if one in world.roster.people)
    found: dict[str, list[str]] = {}
    for one in others:
        if one in linked:
            found[one] = [HAS_ACCOUNT, ""]
        elif one not in there:
            found[one] = [NOT_THERE, "The source has nobody of this sourcedId."]
        else:
            words = "The settings do not want them, or they teach no class with pupils."
            found[one] = [NOT_VALID, cases.get(one) or words]
    return found


def _valid(connection: SyncConnection) -> frozenset[str]:
    """Who may be imported, as a look has found it, or else as the source was read last."""
    looked = last_look(connection)
    if looked is not None:
        return frozenset(ids_of(looked))
    return frozenset(one.source_id for one in candidates(connection))


def _decide(connection: SyncConnection, chosen: Sequence[Wish], by: str) -> None:
    """That these are to become members, all at once; their cases are closed."""
    now = timezone.now()
    kept = [
        SyncDecision(
            organization_id=connection.organization_id, connection=connection, kind=MEMBERS, source_id=wish.source_id, action=TO_CREATE,
            target="", by_grade={}, roles=list(wish.roles), sites=list(wish.sites), by=by[:200], why="import", at=now,
        )
        for wish in chosen
    ]  # fmt: skip
    about = ["action", "target", "by_grade", "roles", "sites", "by", "why", "at"]
    SyncDecision.objects.bulk_create(
        kept,
        500,
        update_conflicts=True,
        unique_fields=["connection", "kind", "source_id"],
        update_fields=about,
    )
    people = [wish.source_id for wish in chosen]
    for begin_at in range(0, len(people), 500):
        here = Case.objects.filter(connection=connection, kind=MEMBERS, closed_at=None)
        here.filter(source_id__in=people[begin_at : begin_at + 500]).update(closed_at=now, closed_by=by[:200])
    out_of_date(connection)
    told = {"people": len(people), "sourcedIds": people[:100]}
    audit.record(None, "sync.import", "sync connection", connection.pk, connection.name, after=told, by=by)


def _ended_at_once(connection: SyncConnection, by: str, task: Mapping[str, object]) -> SyncRun:
    """A run in which nobody is imported: it only keeps why."""
    return SyncRun.objects.create(
        organization_id=connection.organization_id,
        connection=connection,
        task={"kind": IMPORT, "preview": False, **task},
        phase="done",
        outcome="refused",
        message="None of them can be imported.",
        started_by=by,
        ended_at=timezone.now(),
    )


# --- After ------------------------------------------------------------------------------------------------------------------------------------


def _results(run: SyncRun, wanted: Sequence[str]) -> Iterator[Result]:
    connection = run.connection
    refused: Mapping[str, Sequence[str]] = run.task.get("refused", {})
    linked = targets_of(connection, MEMBERS, wanted)
    said = {one.source_id: one for one in SyncOutcome.objects.filter(run=run, kind=MEMBERS)}
    reasons = {**_remarked(run), **_cases(connection, wanted)} if run.outcome else {}
    for one in wanted:
        if one in refused:
            outcome, why = refused[one]
            yield Result(one, outcome, linked.get(one, ""), why)
        elif one in linked:
            yield Result(one, IMPORTED, linked[one])
        elif not run.outcome:
            yield Result(one, WAITS)
        else:
            words = said[one].words or said[one].code if one in said else reasons.get(one) or run.message
            yield Result(one, NOT_YET, why=words)


def _remarked(run: SyncRun) -> dict[str, str]:
    """{sourcedId: what the run remarked of this person, if it is why they are no member}"""
    file = run_folder(run) / REMARKS
    remarks = read_remarks(file) if file.exists() else ()
    return {one.source_id: TITLES.get(one.code, one.code) for one in remarks if one.kind == MEMBERS}


def _cases(connection: SyncConnection, wanted: Sequence[str]) -> dict[str, str]:
    """{sourcedId: what the first of its open cases is called}"""
    found: dict[str, str] = {}
    for begin_at in range(0, len(wanted), 500):
        here = Case.objects.filter(connection=connection, kind=MEMBERS, closed_at=None)
        some = here.filter(source_id__in=wanted[begin_at : begin_at + 500]).order_by("pk")
        for source_id, code in some.values_list("source_id", "code"):
            found.setdefault(source_id, TITLES.get(code, code))
    return found
