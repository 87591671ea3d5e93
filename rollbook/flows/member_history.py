"""What happened to a member, the latest first: which records of rosters they were, seats, and what people did with them here.

What single syncs did stands in their plans; looking through those takes longer, and is asked for by itself (`done_by_runs`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows import audit
from rollbook.flows.sync.explaining import history
from rollbook.store.models import Link, Member, Seat, SyncRun

LINKED, UNLINKED, SEATED, UNSEATED = "linked", "unlinked", "seat-taken", "seat-freed"
MOST = 200


@dataclass(frozen=True)
class Event:
    """One thing that happened. `act` is one of the four above or of the audit log; `run` the sync that did it, 0 where none did."""

    at: datetime
    act: str
    by: str = ""
    run: int = 0
    told: dict[str, str] = field(default_factory=dict)


def events(member: Member) -> list[Event]:
    """The latest 200."""
    found = [*_of_links(member), *_of_seats(member), *_of_people(member)]
    return sorted(found, key=lambda event: event.at, reverse=True)[:MOST]


def _of_links(member: Member) -> Iterator[Event]:
    links = Link.objects.filter(
        connection__organization=member.organization_id,
        connection__target_kind="directory",
        kind=MEMBERS,
        target=str(member.id),
    )
    for link in links.select_related("connection").order_by("-pk")[:MOST]:
        told = {"name": link.connection.name, "sourcedId": link.source_id}
        yield Event(link.linked_at, LINKED, run=link.linked_run, told=told | {"how": link.rung})
        if link.ended_at:
            yield Event(link.ended_at, UNLINKED, run=link.ended_run, told=told | {"how": link.end_reason})


def _of_seats(member: Member) -> Iterator[Event]:
    seats = Seat.objects.filter(organization=member.organization_id, member_id=member.id).order_by("-pk")
    for seat in seats[:MOST]:
        yield Event(seat.taken_at, SEATED)
        if seat.freed_at:
            yield Event(seat.freed_at, UNSEATED, told={"why": seat.why})


def _of_people(member: Member) -> Iterator[Event]:
    entries = audit.entries_about("member", f"{member.organization_id}/{member.id}")
    for entry in entries[:MOST]:
        told = {
            name: str(value) for name, value in json.loads(entry.after).items() if value not in ("", None)
        }
        yield Event(datetime.fromtimestamp(entry.at / 1000, UTC), entry.act, by=entry.actor, told=told)


@dataclass(frozen=True)
class Done:
    """What one sync did with the member. `what`, `outcome` and `reason` are the codes of plans and reports."""

    run: SyncRun
    what: str
    outcome: str
    reason: str
    fields: tuple[str, ...]


def done_by_runs(member: Member) -> list[Done]:
    """What the last syncs of each roster of theirs did with them, the latest first."""
    links = Link.objects.filter(
        connection__organization=member.organization_id,
        connection__target_kind="directory",
        kind=MEMBERS,
        target=str(member.id),
    )
    told = [
        one
        for link in links.select_related("connection__organization")
        for one in history(link.connection, MEMBERS, link.source_id, [link.target])
    ]
    runs = SyncRun.objects.in_bulk({one["run"] for one in told})
    found = {
        (one["run"], one["what"]): Done(
            runs[one["run"]], one["what"], one["outcome"], one["reason"], tuple(one["fields"])
        )
        for one in told
    }
    return sorted(found.values(), key=lambda done: done.run.pk, reverse=True)
