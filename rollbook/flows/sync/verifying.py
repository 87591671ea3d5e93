"""Verifying: a sample of what was carried out is read back from the target, and held against what the plan said of it last."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.memory import REFERRED
from rollbook.engine.sync.operations import GONE_STATES, MEMBERSHIPS, NEW, STATE, Operation, Value
from rollbook.engine.sync.plan_file import operations_of, sample_of
from rollbook.engine.sync.target import Record, Target
from rollbook.store import journal
from rollbook.store.linking import targets_of
from rollbook.store.models import SyncOutcome, SyncRun

SAMPLE = 200
THERE, GONE = "there", "gone"


@dataclass(frozen=True)
class Drift:
    """A record that is not as it was told to be: `field` differs, or is `state`."""

    kind: str
    target: str
    field: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass
class _Expected:
    fields: dict[str, Value]
    state: str = ""


def verify(run: SyncRun, target: Target, plan: Path, sample: int = SAMPLE) -> list[Drift]:
    """What of a sample is otherwise than the plan said: memberships are read back only where the target names them."""
    refused = set(SyncOutcome.objects.filter(run=run).values_list("operation", flat=True))
    behind = journal.covered(run)
    expected: dict[tuple[str, str], _Expected] = {}
    spoiled: set[tuple[str, str]] = set()
    records = [one for one in sample_of(plan, sample, ops.FOR_TARGETS) if not _is_new_membership(*one)]
    for operation in operations_of(plan, records):
        if operation.action not in ops.FOR_TARGETS and not operation.changed:
            continue
        key = operation.kind, operation.target
        if operation.number not in behind or operation.number in refused:
            spoiled.add(key)
        _expect(expected.setdefault(key, _Expected({})), operation)
    ids = _ids(run, [key for key in expected if key not in spoiled])
    found = {
        (kind, record.id): record
        for kind in ops.KINDS
        for record in target.verify(kind, sorted({one for (of, _), one in ids.items() if of == kind}))
    }
    kept = target.capabilities().fields
    return [
        drift
        for key, number in ids.items()
        for drift in _drift(
            key[0], number, expected[key], found.get((key[0], number)), kept.get(key[0], ()), ids
        )
    ]


def _is_new_membership(kind: str, handle: str) -> bool:
    """The target's id of one that was made is remembered nowhere."""
    return kind == MEMBERSHIPS and handle.startswith(NEW)


def _expect(expected: _Expected, operation: Operation) -> None:
    if operation.action == ops.ARCHIVE:
        expected.state = GONE
    elif operation.action in (ops.RESTORE, ops.CREATE):
        expected.state = THERE
    told = operation.changed or tuple(operation.after)
    expected.fields |= {
        name: operation.after[name] for name in told if name in operation.after and name != STATE
    }


def _ids(run: SyncRun, keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The target's ids by (kind, handle); what was not made has none."""
    found = {(kind, handle): handle for kind, handle in keys if not handle.startswith(NEW)}
    for kind in ops.KINDS:
        new = [handle.removeprefix(NEW) for of, handle in keys if of == kind and handle.startswith(NEW)]
        for source_id, target in targets_of(run.connection, kind, new).items():
            found[kind, NEW + source_id] = target
    return found


def _drift(
    kind: str,
    number: str,
    expected: _Expected,
    record: Record | None,
    kept: tuple[str, ...],
    ids: Mapping[tuple[str, str], str],
) -> list[Drift]:
    if record is None:
        return [Drift(kind, number, STATE)]
    wrong = []
    if expected.state and (record.state in GONE_STATES) != (expected.state == GONE):
        wrong.append(Drift(kind, number, STATE))
    for name, value in expected.fields.items():
        if name in kept and name not in REFERRED and _plain(record.fields.get(name, "")) != _plain(value):
            wrong.append(Drift(kind, number, name))
    return wrong


def _plain(value: Value) -> Value | frozenset[str]:
    return frozenset(value) if isinstance(value, tuple) else value
