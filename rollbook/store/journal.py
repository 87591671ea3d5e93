"""The journal of a sync run: which operations of its plan were carried out, batch by batch, and what became of those not simply done."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from rollbook.engine.sync.operations import DONE, NOOP, Operation, Outcome
from rollbook.store.models import SyncBatch, SyncOutcome, SyncRun

LEFT = "left"
"""In the counts of a batch: [[first, last], …] of the numbers among its own that it left for later."""

QUIET = frozenset({DONE, NOOP})


@dataclass(frozen=True)
class Covered:
    """The numbers of operations that are behind a run, as ranges that do not overlap, in order."""

    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self.ranges, (number, 1 << 62)) - 1
        return place >= 0 and self.ranges[place][0] <= number <= self.ranges[place][1]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)


def covered(run: SyncRun) -> Covered:
    """What was carried out, and noted."""
    found: list[tuple[int, int]] = []
    for batch in SyncBatch.objects.filter(run=run).exclude(ended_at=None):
        begin = batch.first
        for first, last in sorted(map(tuple, batch.counts.get(LEFT, []))):
            if begin <= first - 1:
                found.append((begin, first - 1))
            begin = last + 1
        if begin <= batch.last:
            found.append((begin, batch.last))
    return Covered(tuple(sorted(found)))


def begin(run: SyncRun, numbers: Sequence[int], now: datetime) -> SyncBatch:
    """A batch of these numbers, in order, is about to be sent; one that a dead process began is begun again."""
    about = {"last": numbers[-1], "began_at": now, "ended_at": None, "counts": _left_of(numbers)}
    batch, _ = SyncBatch.objects.update_or_create(run=run, first=numbers[0], defaults=about)
    return batch


def end(
    batch: SyncBatch,
    outcomes: Iterable[tuple[Operation, Outcome]],
    counts: Mapping[str, Any],
    now: datetime,
    tries: int = 1,
) -> None:
    """Notes what came of the batch. `counts` is by status."""
    batch.counts, batch.ended_at = batch.counts | dict(counts), now
    batch.save(update_fields=["counts", "ended_at"])
    rows = [
        SyncOutcome(
            run_id=batch.run_id,
            operation=operation.number,
            kind=operation.kind,
            source_id=operation.source_id,
            target=outcome.target or operation.target,
            status=outcome.status,
            code=outcome.code[:40],
            words=outcome.words,
            tries=tries,
        )
        for operation, outcome in outcomes
        if outcome.status not in QUIET
    ]
    SyncOutcome.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["run", "operation"],
        update_fields=["target", "status", "code", "words", "tries"],
    )


def _left_of(numbers: Sequence[int]) -> dict[str, Any]:
    gaps = [[one + 1, following - 1] for one, following in pairwise(numbers) if following > one + 1]
    return {LEFT: gaps} if gaps else {}
