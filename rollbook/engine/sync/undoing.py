"""The undoing of a run: the inverse of what it did, in reverse order, as far as nobody has changed it since. A plan like others.

Nothing is taken for deleted: what was created is archived. Of a field only a value that is still the one the run wrote goes back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rollbook.engine.sync.memory import REFERRED
from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    GONE_STATES,
    GROUPS,
    KINDS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    NEW,
    PURGE,
    RELINK,
    RESTORE,
    UNLINK,
    UPDATE,
    Operation,
    Remark,
    Value,
)
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.world import Directory

UNDO = "undo"
CHANGED_SINCE, GONE_SINCE, NOT_UNDONE = "changed-since", "gone-since", "not-undone"

Made = Mapping[tuple[str, str], str]
"""{(kind, sourcedId): id} of what a plan's handles became."""


def inverse(
    operations: Iterable[Operation],
    done: Callable[[int], bool],
    directory: Directory,
    made: Made | None = None,
) -> tuple[list[Operation], list[Remark]]:
    """The operations that undo those of a run that were `done` (by number), and what stays as it is, with why.

    `made` says what the handles of the plan became; where it is not given, records are known by the sourcedId they were made for.
    """
    carried_out = [one for one in operations if done(one.number)]
    undoing = _Undoing(directory, _keys(directory) if made is None else made)
    undoing.look_up_memberships(carried_out)
    for operation in reversed(carried_out):
        undoing.take(operation)
    return undoing.found, undoing.remarks


def _keys(directory: Directory) -> dict[tuple[str, str], str]:
    return {
        (kind, record.key): record.id
        for kind in KINDS
        if kind != MEMBERSHIPS
        for record in directory.of(kind).values()
        if record.managed and record.key
    }


@dataclass
class _Undoing:
    """One walk backwards. `now` are records as they will be by what was found so far; `moved` those that were told anything."""

    directory: Directory
    made: Made
    found: list[Operation] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    now: dict[tuple[str, str], Record] = field(default_factory=dict)
    moved: set[tuple[str, str]] = field(default_factory=set)
    pairs: dict[tuple[Value, Value], str] = field(default_factory=dict)

    def look_up_memberships(self, operations: Iterable[Operation]) -> None:
        """Those that the run told, out of the one stream there is of them."""
        told = [one for one in operations if one.kind == MEMBERSHIPS]
        wanted = {self._pair(one) for one in told}
        if not told:
            return
        for record in self.directory.memberships():
            pair = record.fields["group"], record.fields["member"]
            if record.managed and pair in wanted:
                self.pairs[pair] = record.id
                self.now[MEMBERSHIPS, record.id] = record

    def _pair(self, operation: Operation) -> tuple[Value, Value]:
        group, member = ((operation.after or operation.before).get(name, "") for name in ("group", "member"))
        return self._handle("group", group), self._handle("member", member)

    def _handle(self, name: str, value: Value) -> Value:
        """A value as it stands in the directory: ids in the place of the plan's handles."""
        if isinstance(value, tuple):
            return tuple(str(self._handle(name, one)) for one in value)
        if name in REFERRED and isinstance(value, str) and value.startswith(NEW):
            return self.made.get((REFERRED[name], value.removeprefix(NEW)), value)
        return value

    def take(self, operation: Operation) -> None:
        undo = UNDOES.get(operation.action)
        if undo is None:
            return
        record = self._record(operation)
        if record is None:
            self._remark(operation, GONE_SINCE)
            return
        for found in undo(self, operation, record):
            self._tell(found)

    def _record(self, operation: Operation) -> Record | None:
        kind = operation.kind
        if kind == MEMBERSHIPS:
            target = self.pairs.get(self._pair(operation), "")
        elif operation.target.startswith(NEW):
            target = self.made.get((kind, operation.target.removeprefix(NEW)), "")
        else:
            target = operation.target
        known = self.now.get((kind, target))
        return known or (self.directory.of(kind).get(target) if kind != MEMBERSHIPS else None)

    def _remark(self, operation: Operation, code: str, name: str = "") -> None:
        self.remarks.append(Remark(operation.kind, operation.source_id, code, name, operation.line))

    def _tell(self, operation: Operation) -> None:
        """Numbered; of a record that was told something before, the version that was seen says nothing."""
        key = operation.kind, operation.target
        number = len(self.found) + 1
        version = "" if key in self.moved else operation.version
        self.found.append(replace(operation, number=number, version=version, reason=UNDO))
        if operation.action != UNLINK:
            self.moved.add(key)

    # --- What undoes what -----------------------------------------------------------------------------------------------------------

    def created(self, operation: Operation, record: Record) -> Iterator[Operation]:
        """What was made is archived, unless somebody did that already."""
        if record.state not in GONE_STATES:
            yield self._archived(operation, record)

    def archived(self, operation: Operation, record: Record) -> Iterator[Operation]:
        if record.state in GONE_STATES:
            self.now[record.kind, record.id] = replace(record, state="active")
            yield replace(
                _about(operation, record, RESTORE),
                before={},
                after=_who(record),
                changed=(),
                group=_group(record),
            )
        else:
            self._remark(operation, CHANGED_SINCE, "state")

    def restored(self, operation: Operation, record: Record) -> Iterator[Operation]:
        yield from self.updated(operation, record)
        record = self.now.get((record.kind, record.id), record)
        if record.state not in GONE_STATES:
            yield self._archived(operation, record)
        else:
            self._remark(operation, CHANGED_SINCE, "state")

    def updated(self, operation: Operation, record: Record) -> Iterator[Operation]:
        back = {}
        for name in operation.changed:
            if name not in operation.before or name not in record.fields:
                continue
            was, wrote = (
                self._handle(name, side.get(name, "")) for side in (operation.before, operation.after)
            )
            value = _taken_back(was, wrote, record.fields[name])
            if value is None:
                self._remark(operation, CHANGED_SINCE, name)
            elif value != record.fields[name]:
                back[name] = value
        if back:
            before = {name: record.fields[name] for name in back}
            self.now[record.kind, record.id] = replace(record, fields={**record.fields, **back})
            base = {**operation.base, **{name: back[name] for name in back if name in operation.base}}
            yield replace(
                _about(operation, record, UPDATE), before=before, after={**_who(record), **back}, changed=tuple(back),
                base=base, at=_lost_sites(before, back), group=_group(record),
            )  # fmt: skip

    def linked(self, operation: Operation, record: Record) -> Iterator[Operation]:
        yield from self.updated(operation, record)
        yield _about(operation, record, UNLINK)

    def purged(self, operation: Operation, record: Record) -> Iterator[Operation]:
        self._remark(operation, NOT_UNDONE)
        yield from ()

    def _archived(self, operation: Operation, record: Record) -> Operation:
        self.now[record.kind, record.id] = replace(record, state="archived")
        at = self._sites_of(record)
        return replace(
            _about(operation, record, ARCHIVE), before=_who(record), after=_who(record), changed=(), at=at, group=_group(record)
        )  # fmt: skip

    def _sites_of(self, record: Record) -> tuple[str, ...]:
        if record.kind == MEMBERSHIPS:
            group = self.directory.groups.get(str(record.fields["group"]))
            return self._sites_of(group) if group else ()
        sites = record.fields.get("sites" if record.kind == MEMBERS else "site", ())
        return sites if isinstance(sites, tuple) else (str(sites),) if sites else ()


UNDOES: dict[str, Callable[[_Undoing, Operation, Record], Iterator[Operation]]] = {
    CREATE: _Undoing.created,
    UPDATE: _Undoing.updated,
    ARCHIVE: _Undoing.archived,
    RESTORE: _Undoing.restored,
    LINK: _Undoing.linked,
    RELINK: _Undoing.linked,
    PURGE: _Undoing.purged,
}
"""What was only remembered (missing, found, noted, released) is left as it is: it changed no record."""


def _about(operation: Operation, record: Record, action: str) -> Operation:
    return Operation(
        0, action, record.kind, operation.source_id, record.id, base=operation.base, version=record.version, line=operation.line
    )  # fmt: skip


def _who(record: Record) -> dict[str, Value]:
    """Of a membership always whom it is about."""
    return {name: record.fields[name] for name in ("group", "member")} if record.kind == MEMBERSHIPS else {}


def _group(record: Record) -> str:
    if record.kind == MEMBERSHIPS:
        return str(record.fields["group"])
    return record.id if record.kind == GROUPS else ""


def _taken_back(was: Value, wrote: Value, present: Value) -> Value | None:
    """The value to go back to; None where somebody has changed it since. Of sets only what the run added or took away goes back."""
    if isinstance(was, tuple) and isinstance(wrote, tuple) and isinstance(present, tuple):
        kept = tuple(one for one in present if one in was or one not in wrote)
        return (*kept, *(one for one in was if one not in wrote and one not in kept))
    return was if present in (wrote, was) else None


def _lost_sites(before: Mapping[str, Value], after: Mapping[str, Value]) -> tuple[str, ...]:
    had, has = before.get("sites", ()), after.get("sites", ())
    if isinstance(had, tuple) and isinstance(has, tuple):
        return tuple(one for one in had if one not in has)
    return ()
