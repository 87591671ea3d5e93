"""Links, overrides, decisions and cases: read as a planner wants them, and links written as operations were carried out. No roster rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any

from django.db import connection as database
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet

from rollbook.engine.sync import links as pure
from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.operations import KINDS, MEMBERSHIPS, Operation, fields_json, fields_of
from rollbook.engine.sync.sharing import shared_fields
from rollbook.store.bulk import load
from rollbook.store.models import Case, Link, Override, SyncConnection, SyncDecision

NOT_AGAIN = frozenset({"reused-id", "split", "another-person", "decided"})
"""Why a link may have ended so that its sourcedId says nothing of its former target any more."""

BY_CREATING = "created"
DIRECTORY = "directory"
"""The kind of target that several connections of an organization share."""


# --- Reading -------------------------------------------------------------------------------------------------------------------------


def links_of(connection: SyncConnection, only: Mapping[str, Iterable[str]] | None = None) -> pure.Links:
    """The links of a connection; where `only` says {kind: sourcedIds}, of these kinds those of these records."""
    found = pure.Links()
    for kind in KINDS:
        if only is None or kind not in only:
            _take(found, Link.objects.filter(connection=connection, kind=kind))
            continue
        for some in _pieces(sorted(set(only[kind]))):
            _take(found, Link.objects.filter(connection=connection, kind=kind, source_id__in=some))
    return found


def add_links_to(found: pure.Links, connection: SyncConnection, kind: str, targets: Iterable[str]) -> None:
    """Besides, whatever is linked to these records."""
    for some in _pieces(sorted(set(targets))):
        _take(found, Link.objects.filter(connection=connection, kind=kind, target__in=some, ended_at=None))


def _take(found: pure.Links, links: QuerySet[Link]) -> None:
    """Adds links: the open ones, and of the ended ones the latest."""
    columns = ("kind", "source_id", "target", "base", "missing_since", "missing_reads", "why")
    for kind, source_id, target, base, since, reads, why in (
        links.filter(ended_at=None).values_list(*columns).iterator()
    ):
        of_kind = found.current.setdefault(kind, {})
        of_kind[intern(source_id)] = pure.Link(
            intern(target), shared_fields(fields_of(base)), since, reads, why
        )
    ended = links.exclude(ended_at=None).exclude(end_reason__in=NOT_AGAIN).order_by("ended_at", "pk")
    for kind, source_id, target in ended.values_list("kind", "source_id", "target").iterator():
        found.former.setdefault(kind, {})[source_id] = target


def claimed_beside(connection: SyncConnection) -> dict[str, frozenset[str]]:
    """{kind: records} of the same directory that other connections have at their sources; a connection that is over has nothing."""
    others = SyncConnection.objects.filter(
        organization=connection.organization_id, target_kind=connection.target_kind
    ).exclude(pk=connection.pk)
    living = (
        list(others.exclude(state=SyncConnection.State.DISCONNECTED))
        if connection.target_kind == DIRECTORY
        else []
    )
    found: dict[str, set[str]] = {}
    if living:
        links = Link.objects.filter(connection__in=living, ended_at=None, missing_since="")
        for kind, target in links.values_list("kind", "target").iterator():
            found.setdefault(kind, set()).add(target)
    return {kind: frozenset(targets) for kind, targets in found.items()}


def overrides_of(connection: SyncConnection, today: str) -> dict[tuple[str, str], dict[str, pure.Override]]:
    """What people set by hand and still holds on that day, of the organization's directory or of the connection's own target."""
    whose = 0 if connection.target_kind == DIRECTORY else connection.pk
    held = Override.objects.filter(
        organization=connection.organization_id, connection_id=whose, ended_at=None
    ).filter(Q(until="") | Q(until__gte=today))
    found: dict[tuple[str, str], dict[str, pure.Override]] = {}
    for one in held:
        value = tuple(one.value) if isinstance(one.value, list) else one.value
        found.setdefault((one.kind, one.target), {})[one.field] = pure.Override(
            one.field, value, one.mode, one.until
        )
    return found


def decisions_of(connection: SyncConnection) -> dict[tuple[str, str], pure.Decision]:
    """What people decided about source records."""
    return {
        (one.kind, one.source_id): pure.Decision(
            one.action, one.target, dict(one.by_grade), tuple(one.roles), tuple(one.sites)
        )
        for one in SyncDecision.objects.filter(connection=connection)
    }


def targets_of(connection: SyncConnection, kind: str, source_ids: Iterable[str]) -> dict[str, str]:
    """{sourcedId: id of the target's} of those that have a link."""
    return {
        one.source_id: one.target for one in _open_links(connection, kind, sorted(set(source_ids))).values()
    }


def links_to(organization_id: int, kind: str, target: str) -> QuerySet[Link]:
    """The links that lead to a record of the organization's own directory now, whichever connection they are of."""
    own = Link.objects.filter(organization_id=organization_id, connection__target_kind="directory")
    return own.filter(kind=kind, target=target, ended_at=None).order_by("connection_id", "source_id")


# --- Writing -------------------------------------------------------------------------------------------------------------------------


def keep_cases(connection: SyncConnection, run: int, found: Iterable[ops.Case], now: datetime) -> int:
    """Opens what is new and closes what this run does not find any more; how many are open."""
    wanted = {(one.kind, one.source_id, one.code, one.field): one for one in found}
    for case in Case.objects.filter(connection=connection, closed_at=None):
        new = wanted.pop((case.kind, case.source_id, case.code, case.field), None)
        if new is None:
            case.closed_at, case.closed_by = now, f"run {run}"
        else:
            case.candidates, case.others = list(new.candidates), list(new.others)
        case.save(update_fields=["closed_at", "closed_by", "candidates", "others"])
    Case.objects.bulk_create(
        Case(
            organization_id=connection.organization_id,
            connection=connection,
            kind=one.kind,
            source_id=one.source_id,
            code=one.code,
            field=one.field,
            candidates=list(one.candidates),
            others=list(one.others),
            opened_run=run,
            opened_at=now,
        )
        for one in wanted.values()
    )
    return Case.objects.filter(connection=connection, closed_at=None).count()


def remember(
    connection: SyncConnection,
    run: int,
    carried_out: Sequence[tuple[Operation, str]],
    now: datetime,
    today: str,
) -> None:
    """What links and overrides become by these operations, each with its target id. Called in the transaction that notes them."""
    by_kind: dict[str, list[tuple[Operation, str]]] = {}
    for operation, target in carried_out:
        if operation.action == ops.RELEASE:
            _release(connection, operation, target, now)
        elif operation.kind != MEMBERSHIPS:
            by_kind.setdefault(operation.kind, []).append((operation, target))
    for kind, some in by_kind.items():
        ids = {one.source_id for one, _ in some} | {_former_id(one) for one, _ in some}
        changes = _Changes(run, now, today, _open_links(connection, kind, sorted(ids)))
        for operation, target in some:
            changes.take(operation, target)
        with database.cursor() as cursor:
            changes.write(cursor, connection, kind)


def point_to(links: Iterable[Link], target: str, rung: str, now: datetime) -> list[list[Any]]:
    """What these links lead to is another record from now on: each is ended, and another begun. [connection, sourcedId] of each."""
    moved = []
    for link in links:
        Link.objects.filter(pk=link.pk).update(ended_at=now, end_reason=rung)
        Link.objects.create(
            organization_id=link.organization_id,
            connection_id=link.connection_id,
            kind=link.kind,
            source_id=link.source_id,
            target=target,
            base=link.base,
            rung=rung[:20],
            missing_since=link.missing_since,
            missing_reads=link.missing_reads,
            why=link.why,
            linked_at=now,
        )
        moved.append([link.connection_id, link.source_id])
    return moved


@dataclass
class _Row:
    """A link as it is while a batch is gone through; `pk` None: not yet written."""

    source_id: str
    target: str
    base: str = "{}"
    rung: str = ""
    missing_since: str = ""
    missing_reads: int = 0
    why: str = ""
    pk: int | None = None


@dataclass
class _Changes:
    """What a batch makes of the links of one kind."""

    run: int
    now: datetime
    today: str
    open: dict[str, _Row]
    ended: list[tuple[int, str]] = field(default_factory=list)
    touched: dict[str, _Row] = field(default_factory=dict)

    def take(self, operation: Operation, target: str) -> None:
        if operation.action == ops.UNLINK:
            self._end(operation.source_id, operation.reason)
        elif operation.action == ops.RELINK:
            self._end(_former_id(operation), operation.reason or "re-keyed")
            self._point(operation.source_id, target, operation.reason or "re-keyed", operation)
        elif operation.action == ops.CREATE:
            self._point(operation.source_id, target, BY_CREATING, operation)
        elif operation.action == ops.LINK:
            self._point(operation.source_id, target, operation.reason, operation)
        elif operation.source_id in self.open:
            self._change(self.open[operation.source_id], operation)

    def _end(self, source_id: str, why: str) -> None:
        row = self.open.pop(source_id, None)
        self.touched.pop(source_id, None)
        if row is not None and row.pk is not None:
            self.ended.append((row.pk, why))

    def _point(self, source_id: str, target: str, rung: str, operation: Operation) -> None:
        row = self.open.get(source_id)
        if row is None or row.target != target:
            self._end(source_id, "replaced")
            row = self.open[source_id] = _Row(source_id, target, rung=rung[:20])
        row.base = fields_json(operation.base)
        self.touched[source_id] = row

    def _change(self, row: _Row, operation: Operation) -> None:
        if operation.action == ops.MISS:
            row.missing_since = row.missing_since or self.today
            row.missing_reads += 1
            row.why = operation.reason[:10]
        elif operation.action in (ops.FIND, ops.RESTORE):
            row.missing_since, row.missing_reads, row.why = "", 0, ""
        if operation.base:
            row.base = fields_json(operation.base)
        self.touched[row.source_id] = row

    def write(self, cursor: CursorWrapper, connection: SyncConnection, kind: str) -> None:
        """Ends first: a sourcedId has one open link."""
        moment = _moment(self.now)
        if self.ended:
            cursor.executemany(
                f"UPDATE {LINKS} SET ended_run = %s, ended_at = %s, end_reason = %s WHERE id = %s",
                [(self.run, moment, why[:40], pk) for pk, why in self.ended],
            )
        if known := [row for row in self.touched.values() if row.pk is not None]:
            cursor.executemany(
                f"UPDATE {LINKS} SET base = %s, missing_since = %s, missing_reads = %s, why = %s WHERE id = %s",
                [(row.base, row.missing_since, row.missing_reads, row.why, row.pk) for row in known],
            )
        fresh = [row for row in self.touched.values() if row.pk is None]
        about = (connection.organization_id, connection.pk, kind)
        rows = (
            (*about, row.source_id, row.target, row.base, row.rung, "", 0, "", self.run, moment, 0, "")
            for row in fresh
        )
        load(cursor, LINKS, COLUMNS, rows)


LINKS = Link._meta.db_table
COLUMNS = (
    "organization_id",
    "connection_id",
    "kind",
    "source_id",
    "target",
    "base",
    "rung",
    "missing_since",
    "missing_reads",
    "why",
    "linked_run",
    "linked_at",
    "ended_run",
    "end_reason",
)
AT_ONCE = 5_000


def _open_links(connection: SyncConnection, kind: str, source_ids: Sequence[str]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    own = Link.objects.filter(connection=connection, kind=kind, ended_at=None)
    columns = ("source_id", "target", "base", "rung", "missing_since", "missing_reads", "why", "pk")
    for some in _pieces(source_ids):
        for row in own.filter(source_id__in=some).values_list(*columns):
            found[row[0]] = _Row(*row)
    return found


def _pieces(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(values), AT_ONCE):
        yield values[begin : begin + AT_ONCE]


def _former_id(operation: Operation) -> str:
    return (
        str(operation.before.get("source_id", "")) if operation.action == ops.RELINK else operation.source_id
    )


def _release(connection: SyncConnection, operation: Operation, target: str, now: datetime) -> None:
    whose = 0 if connection.target_kind == DIRECTORY else connection.pk
    Override.objects.filter(
        organization=connection.organization_id,
        connection_id=whose,
        kind=operation.kind,
        target=target,
        field__in=operation.changed,
        ended_at=None,
    ).update(ended_at=now, ended_by="sync")


def _moment(now: datetime) -> str:
    return str(database.ops.adapt_datetimefield_value(now))
