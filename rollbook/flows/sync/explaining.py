"""Explain a record end to end: where it was read, the rules it met, what the next sync would do, and what earlier ones did."""

from collections.abc import Iterator
from typing import Any

from rollbook.engine.sync.explaining import explain as explained
from rollbook.engine.sync.operations import COLLECTION_OF, GROUPS, MEMBERS, SITES
from rollbook.engine.sync.plan_file import OPERATIONS, operations_of
from rollbook.engine.sync.world import Focus
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.deciding import NeverRead
from rollbook.flows.sync.report import WORDS
from rollbook.flows.sync.worlds import world_of
from rollbook.refusal import Refusal
from rollbook.store import journal
from rollbook.store.models import Link, Override, SyncConnection, SyncOutcome, SyncRun
from rollbook.store.sync_shelf import latest_read, run_folder

RUNS = 20
"""So many runs are looked through for what was done."""


class NotLinked(Refusal):
    """No record of this source has become that one: it was made by hand, or came by another connection."""


def source_id_of(connection: SyncConnection, kind: str, target: str) -> str:
    """The sourcedId that became this record, now or before. Raises NotLinked."""
    found = Link.objects.filter(connection=connection, kind=kind, target=target).order_by("-ended_at", "-pk")
    current = found.filter(ended_at=None).first() or found.first()
    if current is None:
        raise NotLinked(target)
    return str(current.source_id)


def explain(connection: SyncConnection, kind: str, source_id: str) -> dict[str, Any]:
    """`source` where it was read, `steps` what the rules say now, `links`, `overrides`, and `history` of what runs did. Raises NeverRead."""
    read = latest_read(connection)
    if read is None:
        raise NeverRead(connection.name)
    one = frozenset({source_id})
    focus = {MEMBERS: Focus(people=one), GROUPS: Focus(classes=one), SITES: Focus(schools=one)}[kind]
    with world_of(connection, read, focus=focus) as world:
        steps = [
            {"step": step.code, **step.facts}
            for step in explained(world, policy_of(connection), kind, source_id)
        ]
    links = list(Link.objects.filter(connection=connection, kind=kind, source_id=source_id).order_by("pk"))
    return {
        "kind": kind,
        "sourcedId": source_id,
        "source": _source(connection, kind, int(read.name)),
        "steps": steps,
        "links": [_link(link) for link in links],
        "overrides": list(_overrides(connection, kind, [link.target for link in links])),
        "history": list(history(connection, kind, source_id, [link.target for link in links])),
    }


def _source(connection: SyncConnection, kind: str, number: int) -> dict[str, Any]:
    run = SyncRun.objects.filter(pk=number).first()
    told = (run.certificate.get("source") or {}) if run else {}
    address = told.get("address", "")
    collection = COLLECTION_OF[kind]
    return {
        "run": number,
        "at": run.started_at.isoformat() if run else "",
        "place": f"{address}/{collection}" if address else f"{collection}.csv",
        "whole": bool(run and collection in run.certificate.get("whole", ())),
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "record": link.target,
        "by": link.rung,
        "since": link.linked_at.isoformat(),
        "missingSince": link.missing_since,
        "missingReads": link.missing_reads,
        "ended": link.ended_at.isoformat() if link.ended_at else None,
        "endReason": link.end_reason,
    }


def _overrides(connection: SyncConnection, kind: str, targets: list[str]) -> Iterator[dict[str, Any]]:
    found = Override.objects.filter(
        organization=connection.organization_id, kind=kind, target__in=targets, ended_at=None
    )
    for one in found.order_by("pk"):
        yield {
            "field": one.field,
            "value": one.value,
            "mode": one.mode,
            "by": one.by,
            "why": one.why,
            "until": one.until,
        }


def history(
    connection: SyncConnection, kind: str, source_id: str, targets: list[str]
) -> Iterator[dict[str, Any]]:
    """What the last runs planned about it, the latest first."""
    keys = [(kind, source_id), *((kind, target) for target in targets)]
    runs = SyncRun.objects.filter(connection=connection, fingerprint__gt="").order_by("-pk")
    for run in runs[:RUNS]:
        plan = run_folder(run) / OPERATIONS
        behind = journal.covered(run)
        said: dict[int, SyncOutcome] = {}
        for operation in operations_of(plan, keys) if plan.exists() else ():
            said = said or {one.operation: one for one in SyncOutcome.objects.filter(run=run)}
            outcome = said.get(operation.number)
            status = outcome.status if outcome else "done" if operation.number in behind else "not done"
            yield {
                "run": run.pk,
                "what": WORDS[operation.action],
                "outcome": status,
                "reason": outcome.code if outcome and outcome.code else operation.reason,
                "fields": list(operation.changed),
            }
