"""A target on trial: tells it operations as a sync would, with ids of its own, and draws what is in it by sourcedIds. For `conformance`."""

from collections.abc import Iterable, Sequence

from rollbook.engine.sync.memory import REFERRED, blank
from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    FIELDS,
    GONE_STATES,
    GROUPS,
    INACTIVE,
    MEMBERS,
    MEMBERSHIPS,
    NEW,
    REFERENCES,
    RESTORE,
    RETRY,
    SITES,
    STATE,
    STATUSES,
    UPDATE,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.target import EVERYTHING, Record, Scope, Target

TRIES = 5

Picture = dict[str, dict[str, tuple[bool, dict[str, Value]]]]
"""{kind: {sourcedId: (whether it is there, its fields)}}; handles in fields are sourcedIds; memberships go by `group/member`."""

SAMPLES: dict[str, dict[str, dict[str, Value]]] = {
    SITES: {
        "s1": {"name": "Riverbend High", "identifier": "RB-1"},
        "s2": {"name": "Hillside Middle", "identifier": "RB-2"},
    },
    MEMBERS: {
        "t1": {
            "given_name": "Maria", "family_name": "Okafor", "email": "m.okafor@school.example", "username": "mokafor", "identifier": "T-1",
            "roles": ("teacher",), "sites": ("s1", "s2"),
        },
        "p1": {
            "given_name": "Ana", "family_name": "Silva", "email": "ana@school.example", "username": "asilva", "identifier": "P-1",
            "grade": "07", "roles": ("student",), "sites": ("s1",),
        },
        "p2": {
            "given_name": "Ben", "family_name": "Adler", "email": "ben@school.example", "username": "badler", "identifier": "P-2",
            "grade": "08", "roles": ("student",), "sites": ("s2",),
        },
        "p3": {"given_name": "Chidi", "family_name": "Eze", "username": "ceze", "roles": ("student",), "sites": ("s1",)},
    },
    GROUPS: {
        "c1": {
            "title": "Algebra 1", "form": "class", "site": "s1", "code": "ALG1", "subject": "Mathematics", "grades": ("07", "08"),
            "begins": "2026-08-17", "ends": "2027-06-05", "central": True,
        },
        "c2": {"title": "Chess", "form": "group", "site": "s2"},
    },
    MEMBERSHIPS: {
        "c1/t1": {"group": "c1", "member": "t1", "role": "teacher", "primary": True},
        "c1/p1": {"group": "c1", "member": "p1", "role": "student", "begins": "2026-08-17", "ends": "2027-06-05"},
        "c1/p2": {"group": "c1", "member": "p2", "role": "student"},
        "c2/p1": {"group": "c2", "member": "p1", "role": "student"},
    },
}  # fmt: skip
"""A small directory by sourcedId; a target is told what it keeps of it."""


class Trial:
    """One target and what became of what it was told: `ids` are its ids by (kind, sourcedId).

    Operations are those of one `run`: their ids begin with its number.
    """

    def __init__(self, target: Target, run: int = 7) -> None:
        self.target = target
        self.can = target.capabilities()
        self.ids: dict[tuple[str, str], str] = {}
        self._run = run
        self._number = 0

    # --- Telling --------------------------------------------------------------------------------------------------------------------

    def sample(self) -> list[Operation]:
        """Operations that make the small directory, as far as the target keeps it, in the order in which they are told."""
        return [
            self.create(kind, source_id, fields)
            for kind, records in SAMPLES.items()
            if kind in self.can.kinds
            for source_id, fields in records.items()
        ]

    def create(self, kind: str, source_id: str, fields: dict[str, Value]) -> Operation:
        told = {name: fields.get(name, blank(name)) for name in self.can.fields[kind]}
        after = told | ({STATE: INACTIVE} if kind == MEMBERS else {})
        return self._operation(CREATE, kind, source_id, NEW + source_id, after, tuple(told))

    def update(
        self, kind: str, source_id: str, fields: dict[str, Value], version: str = "", action: str = UPDATE
    ) -> Operation:
        target = self.ids[kind, source_id]
        return self._operation(action, kind, source_id, target, fields, tuple(fields), version)

    def archive(self, kind: str, source_id: str) -> Operation:
        return self._operation(ARCHIVE, kind, source_id, self.ids[kind, source_id], {}, ())

    def restore(self, kind: str, source_id: str) -> Operation:
        return self._operation(RESTORE, kind, source_id, self.ids[kind, source_id], {}, ())

    def _operation(
        self,
        action: str,
        kind: str,
        source_id: str,
        target: str,
        after: dict[str, Value],
        changed: tuple[str, ...],
        version: str = "",
    ) -> Operation:
        self._number += 1
        whole = after | self._pair(kind, source_id)
        return Operation(
            self._number, action, kind, source_id, target, after=whole, changed=changed, version=version,
            id=f"{self._run}-{self._number}",
        )  # fmt: skip

    def _pair(self, kind: str, source_id: str) -> dict[str, Value]:
        """Memberships always say whom they are about."""
        if kind != MEMBERSHIPS:
            return {}
        group, member = source_id.split("/")
        return {"group": group, "member": member}

    # --- Sending --------------------------------------------------------------------------------------------------------------------

    def send(self, operations: Sequence[Operation]) -> list[Outcome]:
        """What is answered: batch by batch, of one kind each, with its ids, once more where it says `retry`."""
        outcomes: list[Outcome] = []
        for batch in self._batches(operations):
            outcomes += self._send(batch)
        return outcomes

    def _batches(self, operations: Sequence[Operation]) -> Iterable[list[Operation]]:
        batch: list[Operation] = []
        for operation in operations:
            if batch and (operation.kind != batch[0].kind or len(batch) == self.can.batch):
                yield batch
                batch = []
            batch.append(operation)
        if batch:
            yield batch

    def _send(self, batch: list[Operation]) -> list[Outcome]:
        told = [self.resolved(operation) for operation in batch]
        outcomes = list(self.target.apply(told))
        for _ in range(TRIES):
            if again := [place for place, one in enumerate(outcomes) if one.status == RETRY]:
                for place, one in zip(
                    again, self.target.apply([told[place] for place in again]), strict=True
                ):
                    outcomes[place] = one
        if len(outcomes) != len(batch):
            raise AssertionError(f"{len(batch)} operations were answered by {len(outcomes)} outcomes")
        for operation, outcome in zip(batch, outcomes, strict=True):
            self._note(operation, outcome)
        return outcomes

    def _note(self, operation: Operation, outcome: Outcome) -> None:
        if outcome.operation != operation.id:
            raise AssertionError("outcomes stand in the order of the operations, each with its id")
        if outcome.status not in STATUSES:
            raise AssertionError(f"an outcome is one of {', '.join(STATUSES)}, not {outcome.status}")
        if operation.action == CREATE and outcome.status in ("done", "noop"):
            if not outcome.target or outcome.target.startswith(NEW):
                raise AssertionError("what is created has an id, which does not begin with +")
            self.ids[operation.kind, operation.source_id] = outcome.target

    def resolved(self, operation: Operation) -> Operation:
        """The operation as a target is told it: ids in the place of sourcedIds, none for what is new."""
        after = dict(operation.after)
        for name in REFERENCES[operation.kind]:
            if name in after:
                after[name] = self._resolved(REFERRED[name], after[name])
        is_new = operation.target.startswith(NEW)
        return Operation(
            operation.number, operation.action, operation.kind, operation.source_id, "" if is_new else operation.target,
            after=after, changed=operation.changed, base=operation.base, version=operation.version, id=operation.id,
        )  # fmt: skip

    def _resolved(self, kind: str, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(self.ids.get((kind, one), one) for one in value)
        return self.ids.get((kind, str(value)), str(value))

    # --- Looking --------------------------------------------------------------------------------------------------------------------

    def records(self, kind: str, scope: Scope = EVERYTHING) -> list[Record]:
        return list(self.target.scan(kind, scope))

    def record(self, kind: str, source_id: str) -> Record:
        found = [one for one in self.records(kind) if one.id == self.ids[kind, source_id]]
        if len(found) != 1:
            raise AssertionError(f"scan gives {source_id} {len(found)} times")
        return found[0]

    def picture(self) -> Picture:
        """All that is there, by sourcedId; what it cannot name, by its id."""
        names = {(kind, target): source_id for (kind, source_id), target in self.ids.items()}
        drawn: Picture = {}
        for kind in FIELDS:
            if kind in self.can.kinds:
                found = drawn[kind] = {}
                for record in self.records(kind):
                    fields = {name: self._named(names, name, value) for name, value in record.fields.items()}
                    name = names.get((kind, record.id), record.id)
                    if kind == MEMBERSHIPS:
                        name = f"{fields['group']}/{fields['member']}"
                    found[name] = (record.state not in GONE_STATES, fields)
        return drawn

    def _named(self, names: dict[tuple[str, str], str], name: str, value: Value) -> Value:
        if name not in REFERRED:
            return value
        if isinstance(value, tuple):
            return tuple(names.get((REFERRED[name], one), one) for one in value)
        return names.get((REFERRED[name], str(value)), value)
