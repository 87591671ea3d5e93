"""Deciding: what only a person may say. Which school is which site, whose record is whose, and the cases that ask for that."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.engine.sync.draft import Draft
from rollbook.engine.sync.links import TO_CREATE, TO_HOLD, TO_IGNORE, TO_LINK
from rollbook.engine.sync.operations import GROUPS, MEMBERS, SITES
from rollbook.engine.sync.schools import map_schools, suggestions
from rollbook.engine.sync.world import Focus
from rollbook.flows import audit
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.targets import target_of
from rollbook.flows.sync.worlds import world_of
from rollbook.refusal import Refusal
from rollbook.store.models import Case, SyncConnection, SyncDecision
from rollbook.store.sync_shelf import latest_read

ACTIONS = (TO_LINK, TO_CREATE, TO_IGNORE, TO_HOLD)
KINDS = (SITES, MEMBERS, GROUPS)


class NeverRead(Refusal):
    """The source was not read yet: run `rollbook sync preview` first."""


class BadDecision(Refusal):
    """A decision is link (with the number of a record), create, ignore or hold, about a source record of the sites, members or groups."""


class NoSuchRecord(Refusal):
    """The directory has no such record of this kind."""


@dataclass(frozen=True)
class School:
    """An org of the source that is a school: where it goes and why. `alike` are sites with a like name, the likest first: (id, name)."""

    source_id: str
    name: str
    identifier: str
    state: str
    site: str
    site_name: str
    found_by: str
    decision: str
    by_grade: Mapping[str, str] = field(default_factory=dict)
    alike: Sequence[tuple[str, str]] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def schools(connection: SyncConnection) -> list[School]:
    """Every school of the latest read, by name. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    policy = policy_of(connection)
    # Of people and classes nothing is asked: a focus on nobody leaves them where they lie.
    with world_of(connection, read, focus=Focus()) as world:
        draft = Draft(world, policy)
        places, _ = map_schools(draft)
        names = {one.id: str(one.fields.get("name", "")) for one in world.directory.sites.values()}
        found = []
        for org in sorted(world.roster.orgs.values(), key=lambda one: (one.name, one.source_id)):
            place = places.get(org.source_id)
            if place is None or org.type not in policy.schools.types:
                continue
            decision = world.decisions.get((SITES, org.source_id))
            alike = [] if place.site in names else [(one, names[one]) for one, _ in suggestions(draft, org)]
            found.append(
                School(
                    org.source_id,
                    org.name,
                    org.identifier,
                    place.state,
                    place.site,
                    names.get(place.site, ""),
                    draft.found.get((SITES, org.source_id), ""),
                    decision.action if decision else "",
                    dict(place.by_grade),
                    alike,
                )
            )
        return found


def decide(
    connection: SyncConnection,
    kind: str,
    source_id: str,
    action: str,
    by: str,
    *,
    target: str = "",
    by_grade: Mapping[str, str] | None = None,
    roles: Sequence[str] = (),
    sites: Sequence[str] = (),
    why: str = "",
) -> SyncDecision:
    """What becomes of a source record from now on; its cases are closed, and plans made before are out of date.

    Raises BadDecision, NoSuchRecord.
    """
    if kind not in KINDS or action not in ACTIONS or not source_id:
        raise BadDecision(f"{kind} {source_id} {action}")
    if (action == TO_LINK) != bool(target or by_grade):
        raise BadDecision(f"{kind} {source_id} {action}")
    _refuse_unknown(connection, kind, [target, *(by_grade or {}).values()])
    _refuse_unknown(connection, SITES, sites)
    now = timezone.now()
    about = {
        "action": action,
        "target": target,
        "by_grade": dict(by_grade or {}),
        "roles": list(roles),
        "sites": list(sites),
        "by": by[:200],
        "why": why.strip()[:500],
        "at": now,
        "organization_id": connection.organization_id,
    }
    with transaction.atomic():
        made, _ = SyncDecision.objects.update_or_create(
            connection=connection, kind=kind, source_id=source_id, defaults=about
        )
        Case.objects.filter(connection=connection, kind=kind, source_id=source_id, closed_at=None).update(
            closed_at=now, closed_by=by[:200]
        )
        out_of_date(connection)
        told = {"kind": kind, "sourcedId": source_id, "action": action, "target": target, "why": why}
        audit.record(
            None, "sync.decide", "sync connection", connection.pk, connection.name, after=told, by=by
        )
    return made


def forget(connection: SyncConnection, kind: str, source_id: str, by: str) -> bool:
    """Takes a decision back; whether there was one. What it led to stays."""
    with transaction.atomic():
        count, _ = SyncDecision.objects.filter(connection=connection, kind=kind, source_id=source_id).delete()
        if count:
            out_of_date(connection)
            told = {"kind": kind, "sourcedId": source_id, "action": ""}
            audit.record(
                None, "sync.decide", "sync connection", connection.pk, connection.name, after=told, by=by
            )
    return bool(count)


def out_of_date(connection: SyncConnection) -> None:
    """Plans that were made until now are not carried out any more: they were made by other settings or decisions."""
    SyncConnection.objects.filter(pk=connection.pk).update(generation=F("generation") + 1)
    connection.refresh_from_db(fields=["generation"])


def open_cases(connection: SyncConnection) -> list[Case]:
    """What asks for a decision, the oldest first."""
    return list(Case.objects.filter(connection=connection, closed_at=None).order_by("opened_at", "pk"))


def _refuse_unknown(connection: SyncConnection, kind: str, ids: Sequence[str]) -> None:
    wanted = {one for one in ids if one}
    found = {record.id for record in target_of(connection).verify(kind, sorted(wanted))}
    if missing := sorted(wanted - found):
        raise NoSuchRecord(f"{kind} {missing[0]}")
