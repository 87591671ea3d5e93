"""Applying: the operations of a plan go to the target, batch by batch; what is done, what is linked and what is noted are one.

Each operation carries the run and its number, so that what a dead process sent is sent again and found done. One that refers to what was
not made is not sent: it waits where that is held, and is rejected where that failed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.memory import REFERRED, UNKNOWN_REFERENCE
from rollbook.engine.sync.operations import MEMBERSHIPS, NEW, REFERENCES, Operation, Outcome, Value
from rollbook.engine.sync.plan_file import read_plan, repeated
from rollbook.engine.sync.target import Target
from rollbook.flows.sync.progress import Teller, keep
from rollbook.flows.sync.worlds import today_of
from rollbook.store import journal
from rollbook.store.linking import remember, targets_of
from rollbook.store.models import SyncBatch, SyncRun

KIND = "kind"
"""In the counts of a batch: of what kind its operations were."""

TRIES, LONGEST_WAIT = 4, 60.0

MADE = frozenset({ops.CREATE, ops.LINK, ops.RELINK})

Handles = Sequence[tuple[str, str]]
"""(kind, sourcedId) of what an operation refers to and a plan makes."""

Allowed = Callable[[Operation], bool]


def carry_out(
    run: SyncRun,
    target: Target,
    plan: Path,
    allowed: Allowed,
    tell: Teller,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Carries out what is allowed and not behind the run already; how many operations were left for later. Raises Cancelled, TakenOver."""
    pass_ = _Pass(run, target, tell, sleep, repeated(plan), _known(run))
    behind = journal.covered(run)
    pass_.done = len(behind)
    for operation in read_plan(plan):
        if operation.number in behind:
            continue
        if not allowed(operation):
            pass_.leave(operation)
            continue
        pass_.take(operation)
    pass_.flush()
    return pass_.left


@dataclass
class _Pass:
    """One pass through a plan. `made` are ids of the target's by kind and sourcedId, `withheld` what was left for later and would be one."""

    run: SyncRun
    target: Target
    tell: Teller
    sleep: Callable[[float], None]
    repeated: Mapping[tuple[str, str], int]
    known: int
    done: int = 0
    left: int = 0
    batch: list[Operation] = field(default_factory=list)
    handles: dict[int, Handles] = field(default_factory=dict)
    pending: set[tuple[str, str]] = field(default_factory=set)
    made: dict[tuple[str, str], str] = field(default_factory=dict)
    withheld: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.can = self.target.capabilities()

    def leave(self, operation: Operation) -> None:
        """What it would make is not there for those that come after it."""
        self.left += 1
        if operation.action in MADE:
            self.withheld.add((operation.kind, operation.source_id))

    def take(self, operation: Operation) -> None:
        handles = _handles(operation)
        if self.batch and (
            self.batch[-1].kind != operation.kind
            or len(self.batch) >= self.can.batch
            or not self.pending.isdisjoint(handles)
        ):
            self.flush()
        if not self.withheld.isdisjoint(handles):
            self.leave(operation)
            return
        self.batch.append(operation)
        self.handles[operation.number] = handles
        if operation.action in MADE:
            self.pending.add((operation.kind, operation.source_id))

    def flush(self) -> None:
        if not self.batch:
            return
        batch, self.batch, self.pending = self.batch, [], set()
        handles, self.handles = self.handles, {}
        self._learn(handles.values())
        told = {one.number: self._told(one, handles[one.number]) for one in batch}
        if self.can.in_transaction:
            with transaction.atomic():
                kept = journal.begin(self.run, [one.number for one in batch], timezone.now())
                outcomes = self._sent(told, tries=1)
                self._note(kept, batch, outcomes)
        else:
            kept = journal.begin(self.run, [one.number for one in batch], timezone.now())
            outcomes = self._sent(told, tries=TRIES)
            with transaction.atomic():
                self._note(kept, batch, outcomes)
        self.done += len(batch)
        self.tell("applying", self.done, self.known)

    def _learn(self, handles: Iterable[Handles]) -> None:
        """The ids of what a batch refers to by handle."""
        unknown: dict[str, set[str]] = {}
        for some in handles:
            for one in some:
                if one not in self.made:
                    unknown.setdefault(one[0], set()).add(one[1])
        for kind, source_ids in unknown.items():
            for source_id, target in targets_of(self.run.connection, kind, source_ids).items():
                self.made[kind, source_id] = target

    def _told(self, operation: Operation, handles: Handles) -> Operation | Outcome | None:
        """What the target is told, None where it is none of its business, or why it cannot be told."""
        missing = [one for one in handles if one not in self.made]
        if missing:
            words = f"What it refers to was not made: {missing[0][1][:80]}. It is looked for again by the next sync."
            return Outcome(self._id(operation), ops.REJECT, code=UNKNOWN_REFERENCE, words=words)
        action = ops.UPDATE if operation.action == ops.RELINK and operation.changed else operation.action
        if action not in ops.FOR_TARGETS:
            return None
        # Written out, and not by `replace`: a plan may have a million.
        return Operation(
            operation.number,
            action,
            operation.kind,
            operation.source_id,
            "" if action == ops.CREATE else self._target(operation),
            self._resolved(operation.kind, operation.before),
            self._resolved(operation.kind, operation.after),
            operation.changed,
            operation.reason,
            operation.base,
            (),
            operation.group,
            operation.bundle,
            self._version(operation),
            operation.line,
            self._id(operation),
        )

    def _id(self, operation: Operation) -> str:
        return f"{self.run.pk}-{operation.number}"

    def _version(self, operation: Operation) -> str:
        """Of a record that an earlier operation of this plan has touched, the version that was seen says nothing."""
        first = self.repeated.get((operation.kind, operation.target), operation.number)
        return operation.version if first >= operation.number else ""

    def _target(self, operation: Operation) -> str:
        if not operation.target.startswith(NEW):
            return operation.target
        return self.made.get((operation.kind, operation.target.removeprefix(NEW)), "")

    def _resolved(self, kind: str, fields: ops.Fields) -> dict[str, Value]:
        found = dict(fields)
        for name in REFERENCES[kind] if found else ():
            if name in found:
                found[name] = self._value(REFERRED[name], found[name])
        return found

    def _value(self, kind: str, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(self._value(kind, one)) for one in value)
        if isinstance(value, str) and value[:1] == NEW:
            return self.made.get((kind, value[1:]), value)
        return value

    def _sent(self, told: Mapping[int, Operation | Outcome | None], tries: int) -> dict[int, Outcome]:
        """One outcome by number. What the target asks to be asked again is, a few times."""
        outcomes = {number: one for number, one in told.items() if isinstance(one, Outcome)}
        outcomes |= {number: Outcome("", ops.DONE) for number, one in told.items() if one is None}
        waiting = {number: one for number, one in told.items() if isinstance(one, Operation)}
        for attempt in range(tries):
            if not waiting:
                break
            answers = self.target.apply(list(waiting.values()))
            outcomes |= dict(zip(waiting, answers, strict=True))
            waiting = {number: one for number, one in waiting.items() if outcomes[number].status == ops.RETRY}
            if waiting and attempt + 1 < tries:
                asked = max(outcomes[number].wait for number in waiting)
                self.sleep(min(max(asked, float(2**attempt)), LONGEST_WAIT))
        return outcomes

    def _note(self, kept: SyncBatch, batch: Sequence[Operation], outcomes: Mapping[int, Outcome]) -> None:
        """Raises TakenOver, and then nothing of the batch is noted."""
        keep(self.run, journal=max(self.run.journal, batch[-1].number))
        now = timezone.now()
        carried_out: list[tuple[Operation, str]] = []
        counts: Counter[str] = Counter()
        for operation in batch:
            outcome = outcomes[operation.number]
            is_done = outcome.status in journal.QUIET
            counts[operation.action if outcome.status == ops.DONE else outcome.status] += 1
            target = outcome.target or self._target(operation)
            if is_done or operation.action == ops.RELINK:
                if operation.kind != MEMBERSHIPS or operation.action == ops.RELEASE:
                    carried_out.append((operation, target))  # nothing is remembered of a membership
                if operation.action in MADE and operation.kind != MEMBERSHIPS:
                    self.made[operation.kind, operation.source_id] = target
        remember(self.run.connection, self.run.pk, carried_out, now, today_of(self.run.organization))
        pairs = [(operation, outcomes[operation.number]) for operation in batch]
        journal.end(kept, pairs, dict(counts) | {KIND: batch[0].kind}, now)


def _handles(operation: Operation) -> Handles:
    """(kind, sourcedId) of all that it refers to and that a plan makes; not of what it makes itself."""
    found = []
    target, kind = operation.target, operation.kind
    if target[:1] == NEW and operation.action != ops.CREATE and kind != MEMBERSHIPS:
        found.append((kind, target[1:]))
    for name in REFERENCES[kind]:
        value = operation.after.get(name, "")
        if isinstance(value, tuple):
            found += [(REFERRED[name], one[1:]) for one in value if one[:1] == NEW]
        elif isinstance(value, str) and value[:1] == NEW:
            found.append((REFERRED[name], value[1:]))
    return found


def _known(run: SyncRun) -> int:
    return sum(sum(actions.values()) for actions in run.counts.get("operations", {}).values())


def statistics_of(run: SyncRun) -> dict[str, dict[str, int]]:
    """{kind: {action that was done, or status: number}} of all that is behind the run."""
    found: dict[str, Counter[str]] = {}
    for counts in run.batches.exclude(ended_at=None).values_list("counts", flat=True):
        of_kind = found.setdefault(counts[KIND], Counter())
        for name, number in counts.items():
            if name not in (KIND, journal.LEFT):
                of_kind[name] += number
    return {kind: dict(found[kind]) for kind in ops.KINDS if kind in found}
