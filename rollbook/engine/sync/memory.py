"""A directory in memory: the twin of one in a database, which plays its operations through on it before it writes what came of them.

It says what a target has to answer to each operation; where another target is in doubt, this one is right.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVE,
    ARCHIVED,
    CONFLICT,
    CREATE,
    DONE,
    FIELDS,
    GONE_STATES,
    GROUPS,
    INACTIVE,
    KINDS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    NEW,
    NOOP,
    PURGE,
    PURGED,
    REFERENCES,
    REJECT,
    RESTORE,
    SITES,
    STATE,
    Fields,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.target import EVERYTHING, Capabilities, Record, Scope
from rollbook.oneroster.folding import fold

STALE, VALUE_TAKEN, UNKNOWN_REFERENCE = "stale", "value-taken", "unknown-reference"
UNKNOWN_RECORD, NOT_SUPPORTED = "unknown-record", "not-supported"

EVERY_CAPABILITY = Capabilities()

REFERRED = {"sites": SITES, "site": SITES, "group": GROUPS, "member": MEMBERS}
"""The kind of record whose handles a field holds."""

TUPLES, BOOLS = frozenset({"roles", "sites", "grades"}), frozenset({"primary", "central"})


def blank(name: str) -> Value:
    """Nothing, as this field has it."""
    return () if name in TUPLES else False if name in BOOLS else ""


@dataclass(slots=True)
class Held:
    """A record as it is kept. `owner` is the connection that made or adopted it, empty: by hand; `came_from` the state it was archived in."""

    kind: str
    id: str
    state: str
    fields: dict[str, Value]
    key: str = ""
    owner: str = ""
    version: int = 1
    came_from: str = ""


NOTHING = Held("", "", "", {})


@dataclass
class Shelves:
    """The records of one directory and the ways they are found by; every connection to it has the same."""

    held: dict[str, dict[str, Held]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    holders: dict[tuple[str, str], str] = field(default_factory=dict)
    by_key: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    pairs: dict[tuple[Value, Value, str], str] = field(default_factory=dict)
    seen: dict[str, Outcome] = field(default_factory=dict)
    last_id: int = 0


def no_fault(operation: Operation) -> Outcome | None:
    """Nothing is in the way."""
    return None


class MemoryTarget:
    """A directory kept in dicts, as one connection sees it. It keeps unique values apart, and knows an operation by its id.

    `faults` answers in its place where it returns an outcome, or raises. `calls` counts what it carried out, by status. `touched` names what it
    changed, by kind.
    """

    def __init__(
        self,
        capabilities: Capabilities = EVERY_CAPABILITY,
        connection: str = "1",
        shelves: Shelves | None = None,
    ) -> None:
        self.connection = connection
        self.faults: Callable[[Operation], Outcome | None] = no_fault
        self.calls: Counter[str] = Counter()
        self.touched: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
        self.shelves = shelves or Shelves()
        self._capabilities = capabilities
        able = {(action, kind) for action in capabilities.actions for kind in capabilities.kinds}
        self._able = able - set(capabilities.unable)
        self._blanks = {
            kind: {name: blank(name) for name in FIELDS[kind] if name in names}
            for kind, names in capabilities.fields.items()
        }

    def beside(self, connection: str) -> "MemoryTarget":
        """The same directory, as another connection sees it; "" is a person."""
        return MemoryTarget(self._capabilities, connection, self.shelves)

    def put(
        self, kind: str, fields: Fields, state: str = ACTIVE, key: str = "", handle: str = "", owner: str = ""
    ) -> str:
        """Lays a record in, as if it had always been there; its id."""
        held = Held(kind, handle or self._next_id(), state, dict(self._whole(kind, fields)), key, owner)
        self.lay(held)
        return held.id

    def lay(self, held: Held) -> None:
        """The same with a record that is whole."""
        shelves = self.shelves
        shelves.held[held.kind][held.id] = held
        shelves.by_key.setdefault((held.kind, held.owner, held.key), []).append(held.id)
        if held.kind == MEMBERSHIPS:
            shelves.pairs[held.fields["group"], held.fields["member"], held.owner] = held.id
        self._hold(held)

    def know(self, kind: str, handle: str) -> None:
        """That there is such a record, whatever it says: for one that operations only refer to."""
        if handle not in self.shelves.held[kind]:
            self.shelves.held[kind][handle] = Held(kind, handle, ACTIVE, {})

    def capabilities(self) -> Capabilities:
        return self._capabilities

    # --- Reading --------------------------------------------------------------------------------------------------------------------

    def scan(self, kind: str, scope: Scope = EVERYTHING) -> Iterator[Record]:
        found = [held for held in self.shelves.held[kind].values() if held.state != PURGED]
        if not scope.is_everything:
            found = [held for held in found if _is_meant(held, scope)]
        if kind == MEMBERSHIPS:
            found.sort(key=lambda held: str(held.fields["group"]))
        return map(self._record, found)

    def verify(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        held = self.shelves.held[kind]
        return (self._record(held[one]) for one in ids if one in held)

    def _record(self, held: Held) -> Record:
        managed = bool(held.owner) and held.owner == self.connection
        return Record(held.kind, held.id, held.state, dict(held.fields), held.key, managed, str(held.version))

    # --- Writing --------------------------------------------------------------------------------------------------------------------

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        return [self._answer(operation) for operation in operations]

    def _answer(self, operation: Operation) -> Outcome:
        outcome = self.faults(operation) or self._seen(operation) or self._carry_out(operation)
        self.calls[outcome.status] += 1
        if operation.id and outcome.status in (DONE, NOOP):
            self.shelves.seen[operation.id] = outcome
        return outcome

    def _seen(self, operation: Operation) -> Outcome | None:
        before = self.shelves.seen.get(operation.id) if operation.id else None
        return before and Outcome(operation.id, NOOP, before.target, before.version)

    def _carry_out(self, operation: Operation) -> Outcome:
        if (operation.action, operation.kind) not in self._able:
            return _reject(
                operation, NOT_SUPPORTED, f"{operation.action} of {operation.kind} is not done here."
            )
        if operation.action == CREATE:
            return self._create(operation)
        held = self.shelves.held[operation.kind].get(operation.target)
        if held is None or held.state == PURGED:
            return _reject(operation, UNKNOWN_RECORD, "There is no record of this id.")
        return self._change(operation, held)

    def _create(self, operation: Operation) -> Outcome:
        kind, fields = operation.kind, self._whole(operation.kind, operation.after)
        if same := self._same(operation, fields):
            return _answered(operation, NOOP, same)
        if refused := self._refused(operation, fields, NOTHING):
            return refused
        if kind == MEMBERSHIPS and (
            own := self.shelves.pairs.get((fields["group"], fields["member"], self.connection))
        ):
            return self._written(operation, self.shelves.held[kind][own], fields, ACTIVE)
        state = str(operation.after.get(STATE, INACTIVE)) if kind == MEMBERS else ACTIVE
        held = Held(kind, self._next_id(), state, fields, operation.source_id, self.connection)
        self.lay(held)
        self.touched[kind][held.id] = None
        return _answered(operation, DONE, held)

    def _same(self, operation: Operation, fields: Mapping[str, Value]) -> Held | None:
        """The record that this operation made before, when its answer was lost."""
        kind = operation.kind
        if kind == MEMBERSHIPS:
            pair = fields.get("group", ""), fields.get("member", ""), self.connection
            ids = [self.shelves.pairs.get(pair, "")]
        elif operation.source_id:
            ids = self.shelves.by_key.get((kind, self.connection, operation.source_id), [])
        else:
            return None
        for held in filter(None, map(self.shelves.held[kind].get, ids)):
            if held.state not in GONE_STATES and held.fields == fields:
                return held
        return None

    def _change(self, operation: Operation, held: Held) -> Outcome:
        fields = {**held.fields, **self._told(operation)} if operation.action != ARCHIVE else held.fields
        state = _state_after(operation.action, held)
        adopts = operation.action == LINK and not held.owner and self.connection != ""
        if operation.action == PURGE:
            fields = {name: blank(name) for name in held.fields}
        if fields == held.fields and state == held.state and not adopts:
            return _answered(operation, NOOP, held)
        if operation.version and operation.version != str(held.version):
            return Outcome(
                operation.id, CONFLICT, held.id, str(held.version), STALE,
                "The record has changed since the plan was made.",
            )  # fmt: skip
        if operation.action != PURGE and (refused := self._refused(operation, fields, held)):
            return refused
        if adopts:
            self._adopt(held, operation.source_id)
        return self._written(operation, held, fields, state)

    def _told(self, operation: Operation) -> dict[str, Value]:
        """What the operation says of the fields that are kept."""
        kept = self._blanks.get(operation.kind, {})
        told = set(operation.changed or operation.after)
        if operation.kind == MEMBERSHIPS:
            told -= {"group", "member"}  # who is in what is another membership
        return {name: operation.after[name] for name in told if name in kept and name in operation.after}

    def _adopt(self, held: Held, source_id: str) -> None:
        self.shelves.by_key[held.kind, held.owner, held.key].remove(held.id)
        held.owner, held.key = self.connection, source_id
        self.shelves.by_key.setdefault((held.kind, held.owner, held.key), []).append(held.id)

    def _written(self, operation: Operation, held: Held, fields: Mapping[str, Value], state: str) -> Outcome:
        self._let_go(held)
        if state == ARCHIVED and held.state != ARCHIVED:
            held.came_from = held.state
        held.fields, held.state, held.version = dict(fields), state, held.version + 1
        self._hold(held)
        self.touched[held.kind][held.id] = None
        return _answered(operation, DONE, held)

    # --- What may not be ------------------------------------------------------------------------------------------------------------

    def _refused(self, operation: Operation, fields: Mapping[str, Value], held: Held) -> Outcome | None:
        """Where a value that is new to the record may not be."""
        for name in REFERENCES[operation.kind]:
            if fields.get(name) != held.fields.get(name) and (
                unknown := self._unknown(name, fields.get(name, ""))
            ):
                return _reject(
                    operation, UNKNOWN_REFERENCE, f"{name}: there is no record {shown_id(unknown)}."
                )
        if operation.kind == MEMBERS:
            for name, value in self._values(fields):
                if self.shelves.holders.get((name, value), held.id) != held.id:
                    return _reject(operation, VALUE_TAKEN, f"{name}: another member has this value.")
        return None

    def _unknown(self, name: str, named: Value) -> str:
        """The first of the handles in a field that names no record; empty where there is none."""
        kind = REFERRED[name]
        if kind not in self._capabilities.kinds:
            return ""
        there = self.shelves.held[kind]
        for one in named if isinstance(named, tuple) else (str(named),) if named else ():
            if one not in there or there[one].state == PURGED:
                return one
        return ""

    def _values(self, fields: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """The values that no other member may have, folded."""
        for name in self._capabilities.unique:
            if value := fields.get(name):
                yield name, fold(str(value))

    def _hold(self, held: Held) -> None:
        if held.kind == MEMBERS and held.state != PURGED:
            for value in self._values(held.fields):
                self.shelves.holders[value] = held.id

    def _let_go(self, held: Held) -> None:
        if held.kind == MEMBERS:
            for value in self._values(held.fields):
                if self.shelves.holders.get(value) == held.id:
                    del self.shelves.holders[value]

    def _whole(self, kind: str, fields: Fields) -> dict[str, Value]:
        if fields.keys() == self._blanks.get(kind, {}).keys():
            return dict(fields)
        return {name: fields.get(name, nothing) for name, nothing in self._blanks.get(kind, {}).items()}

    def _next_id(self) -> str:
        self.shelves.last_id += 1
        return str(self.shelves.last_id)


def _state_after(action: str, held: Held) -> str:
    if action == ARCHIVE:
        return ARCHIVED
    if action == PURGE:
        return PURGED
    if action == RESTORE and held.state == ARCHIVED:
        return held.came_from or (INACTIVE if held.kind == MEMBERS else ACTIVE)
    return held.state


def _is_meant(held: Held, scope: Scope) -> bool:
    if held.kind == MEMBERSHIPS:
        return held.fields["group"] in scope.ids or held.fields["member"] in scope.ids
    return held.id in scope.ids or any(
        fold(str(held.fields.get(name, ""))) in map(fold, values) for name, values in scope.values.items()
    )


def _answered(operation: Operation, status: str, held: Held) -> Outcome:
    return Outcome(operation.id, status, held.id, str(held.version))


def _reject(operation: Operation, code: str, words: str) -> Outcome:
    return Outcome(operation.id, REJECT, operation.target, code=code, words=words)


def shown_id(handle: str) -> str:
    """A handle as words may show it: it can be an id of the source's, which is no name, and can be long."""
    return f"“{handle[:80]}”" if not handle.startswith(NEW) else f"for the source's “{handle[1:81]}”"
