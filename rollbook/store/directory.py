"""An organization's own directory as a target of syncs: the one hand that writes its rows, also for what a person does by hand.

Operations are played through on the records they touch (`engine.sync.memory`), which says what is answered; what came of it is written then.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast, Collate
from django.utils import timezone

from rollbook.engine.sync.memory import REFERRED, Held, MemoryTarget
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVED,
    CREATE,
    INACTIVE,
    MEMBERS,
    MEMBERSHIPS,
    PURGED,
    REFERENCES,
    REJECT,
    Operation,
    Outcome,
)
from rollbook.engine.sync.target import EVERYTHING, Capabilities, Record, Scope
from rollbook.oneroster.folding import fold
from rollbook.store import seats
from rollbook.store.bulk import batches, listed, load
from rollbook.store.directory_lookup import NUMBER, TEXT, looked_up
from rollbook.store.directory_rows import (
    LONGEST,
    TABLES,
    columns_of,
    held_of,
    record_of,
    row_of,
)
from rollbook.store.models import Member, Organization
from rollbook.store.models.directory import DirectoryRecord

BATCH = 2_000
FEW = 500
BAD_VALUE = "bad-value"
CAN = Capabilities(batch=BATCH, in_transaction=True)


class DirectoryTarget:
    """The directory of `organization` as one connection sees it, by its number; 0 is a person."""

    def __init__(self, organization: Organization, connection_id: int) -> None:
        self.organization_id: int = organization.pk
        self.connection_id = connection_id

    def capabilities(self) -> Capabilities:
        return CAN

    # --- Reading --------------------------------------------------------------------------------------------------------------------

    def scan(self, kind: str, scope: Scope = EVERYTHING) -> Iterator[Record]:
        found = self._rows(kind).exclude(state=PURGED)
        if not scope.is_everything:
            found = found.filter(self._meant(kind, scope))
        if kind == MEMBERSHIPS:
            found = found.order_by(_as_text("group_id"), "id")
        for row in found.values_list(*columns_of(kind)).iterator(chunk_size=BATCH):
            yield record_of(kind, row, self.connection_id)

    def verify(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        for some in batches(_numbers(ids), FEW):
            for row in self._rows(kind).filter(id__in=some).values_list(*columns_of(kind)):
                yield record_of(kind, row, self.connection_id)

    def _rows(self, kind: str) -> QuerySet[DirectoryRecord]:
        return TABLES[kind]._default_manager.filter(organization_id=self.organization_id)

    def _meant(self, kind: str, scope: Scope) -> Q:
        numbers = _numbers(scope.ids)
        wanted: Any = numbers if len(numbers) <= FEW else listed(numbers)
        if kind == MEMBERSHIPS:
            return Q(group_id__in=wanted) | Q(member_id__in=wanted)
        meant = Q(id__in=wanted)
        for name, values in scope.values.items():
            meant |= self._with_values(kind, name, {fold(value) for value in values if value})
        return meant

    def _with_values(self, kind: str, name: str, folded: set[str]) -> Q:
        """Those that have one of these values, compared without case."""
        columns = {field.name for field in TABLES[kind]._meta.concrete_fields}
        if f"{name}_folded" in columns:
            return Q(**{f"{name}_folded__in": sorted(folded)})
        if name not in columns:
            return Q(id__in=[])
        rows = self._rows(kind).exclude(**{name: ""}).values_list("id", name)
        return Q(id__in=listed(number for number, value in rows.iterator() if fold(value) in folded))

    # --- Writing --------------------------------------------------------------------------------------------------------------------

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for kind, some in groupby(operations, key=lambda operation: operation.kind):
            for batch in batches(some, BATCH):
                outcomes += self._apply(kind, batch)
        return outcomes

    def _apply(self, kind: str, operations: Sequence[Operation]) -> list[Outcome]:
        with transaction.atomic(), connection.cursor() as cursor:
            organization = Organization.objects.select_for_update().get(pk=self.organization_id)
            twin = MemoryTarget(CAN, str(self.connection_id) if self.connection_id else "")
            twin.faults = _unfit
            twin.shelves.last_id = organization.last_id
            before = self._lay_in(cursor, twin, kind, operations)
            outcomes = twin.apply(operations)
            touched = [twin.shelves.held[kind][one] for one in twin.touched[kind]]
            if touched:
                self._write(cursor, organization, kind, touched, before)
                Organization.objects.filter(pk=organization.pk).update(last_id=twin.shelves.last_id)
        return outcomes

    def _lay_in(
        self, cursor: CursorWrapper, twin: MemoryTarget, kind: str, operations: Sequence[Operation]
    ) -> dict[str, Held]:
        """Into the twin all that the operations touch; returned are the records that are there, as they were."""
        creates = [one for one in operations if one.action == CREATE]
        rows = self._found(cursor, kind, {"id": NUMBER}, _numbers(one.target for one in operations))
        if kind == MEMBERSHIPS:
            rows += self._said_before(cursor, creates)
        else:
            sources = {one.source_id for one in creates if one.source_id}
            rows += self._made_for(cursor, kind, sources)
        if kind == MEMBERS:
            for name in CAN.unique:
                values = {fold(str(one.after.get(name, ""))) for one in operations} - {""}
                rows += self._found(cursor, kind, {f"{name}_folded": TEXT}, values)
        for row in {row[0]: row for row in rows}.values():
            twin.lay(held_of(kind, row))
        self._lay_in_references(cursor, twin, kind, operations)
        return {one: _copy(held) for one, held in twin.shelves.held[kind].items()}

    def _found(
        self, cursor: CursorWrapper, kind: str, by: dict[str, str], values: Iterable[Any]
    ) -> list[Any]:
        table, keys = TABLES[kind]._meta.db_table, ([value] for value in values)
        return looked_up(
            cursor, table, columns_of(kind), by, keys, "m.organization_id = %s", [self.organization_id]
        )

    def _made_for(self, cursor: CursorWrapper, kind: str, source_ids: Iterable[str]) -> list[Any]:
        """What this connection made for these sourcedIds."""
        return looked_up(
            cursor,
            TABLES[kind]._meta.db_table,
            columns_of(kind),
            {"source_id": TEXT},
            ([one] for one in source_ids),
            "m.organization_id = %s AND m.connection_id = %s",
            [self.organization_id, self.connection_id],
        )

    def _said_before(self, cursor: CursorWrapper, creates: Sequence[Operation]) -> list[Any]:
        """The memberships that this connection has said already, of the same groups and members."""
        pairs = [pair for one in creates if len(pair := _pair(one)) == 2]
        return looked_up(
            cursor,
            TABLES[MEMBERSHIPS]._meta.db_table,
            columns_of(MEMBERSHIPS),
            {"group_id": NUMBER, "member_id": NUMBER},
            pairs,
            "m.organization_id = %s AND m.connection_id = %s",
            [self.organization_id, self.connection_id],
        )

    def _lay_in_references(
        self, cursor: CursorWrapper, twin: MemoryTarget, kind: str, operations: Sequence[Operation]
    ) -> None:
        """Of the records that the operations name, that they are there."""
        for name in REFERENCES[kind]:
            named = [one.after.get(name, "") for one in operations]
            handles = {
                one for value in named for one in (value if isinstance(value, tuple) else (str(value),))
            }
            table, keys = TABLES[REFERRED[name]]._meta.db_table, ([one] for one in _numbers(handles))
            there = looked_up(
                cursor, table, ["id"], {"id": NUMBER}, keys,
                f"m.organization_id = %s AND m.state <> '{PURGED}'", [self.organization_id],
            )  # fmt: skip
            for (number,) in there:
                twin.know(REFERRED[name], str(number))

    def _write(
        self,
        cursor: CursorWrapper,
        organization: Organization,
        kind: str,
        touched: Sequence[Held],
        before: dict[str, Held],
    ) -> None:
        if kind == MEMBERS:
            _move_seats(organization, touched, before)
        changed = [held for held in touched if held.id in before]
        made = [held for held in touched if held.id not in before]
        if changed:
            self._update(cursor, kind, changed, before)
        if made:
            columns = ("organization_id", *columns_of(kind))
            rows = ([self.organization_id, *row_of(held)] for held in made)
            load(cursor, TABLES[kind]._meta.db_table, columns, rows)

    def _update(
        self, cursor: CursorWrapper, kind: str, changed: Sequence[Held], before: dict[str, Held]
    ) -> None:
        """Row by row, each by its key: in one statement PostgreSQL may read the whole directory for each of them."""
        table, columns = TABLES[kind]._meta.db_table, columns_of(kind)[1:]
        this = f"UPDATE {table} SET %s WHERE organization_id = {self.organization_id} AND id = %%s"
        for name in CAN.unique if kind == MEMBERS else ():
            # Values that are given up, all before one is taken.
            given_up = [
                held for held in changed if before[held.id].fields[name] not in ("", held.fields[name])
            ]
            if given_up:
                cursor.executemany(this % f'"{name}_folded" = NULL', [[int(held.id)] for held in given_up])
        assignments = ", ".join(f'"{column}" = %s' for column in columns)
        rows = ([*values, number] for number, *values in map(row_of, changed))
        cursor.executemany(this % assignments, list(rows))


def _as_text(column: str) -> Any:
    text = Cast(column, TextField())
    return Collate(text, "C") if connection.vendor == "postgresql" else text


def _numbers(handles: Iterable[str]) -> list[int]:
    """The ids among these handles: nothing else can be one of ours."""
    return sorted({int(one) for one in handles if one.isascii() and one.isdecimal() and len(one) < 19})


def _pair(operation: Operation) -> list[int]:
    """The group and the member of a membership, as far as they are ids of ours."""
    handles = [str(operation.after.get(name, "")) for name in ("group", "member")]
    return [int(one) for one in handles if one.isascii() and one.isdecimal() and len(one) < 19]


def _unfit(operation: Operation) -> Outcome | None:
    """The answer to an operation with a value that no column of ours takes."""
    for name, value in operation.after.items():
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if "\0" in text or (name in LONGEST and len(text) > LONGEST[name]):
                words = f"{name}: too long, or with a character that cannot be kept."
                return Outcome(operation.id, REJECT, operation.target, code=BAD_VALUE, words=words)
    return None


def _copy(held: Held) -> Held:
    return Held(
        held.kind, held.id, held.state, held.fields, held.key, held.owner, held.version, held.came_from
    )


def _move_seats(organization: Organization, touched: Sequence[Held], before: dict[str, Held]) -> None:
    """Seats are freed by who is active no longer, and taken by who becomes active, as long as there are any: the others are inactive."""
    now = timezone.now()
    was = {held.id: before[held.id].state if held.id in before else "" for held in touched}
    ended = [int(held.id) for held in touched if was[held.id] == ACTIVE != held.state]
    organization.seats_taken -= seats.free(organization.pk, ended, now, "archived")
    begun = [held for held in touched if held.state == ACTIVE != was[held.id]]
    enough = seats.left(organization)
    for held in [] if enough is None else begun[enough:]:
        held.state = INACTIVE
    seats.take(organization, [int(held.id) for held in begun if held.state == ACTIVE], now)
    _date(organization, [int(one.id) for one in touched if was[one.id] != ARCHIVED == one.state], now)
    _date(organization, [int(one.id) for one in touched if was[one.id] == ARCHIVED != one.state], None)


def _date(organization: Organization, ids: Sequence[int], archived_at: Any) -> None:
    if ids:
        rows = Member.objects.filter(organization_id=organization.pk, id__in=listed(ids))
        rows.update(archived_at=archived_at)
