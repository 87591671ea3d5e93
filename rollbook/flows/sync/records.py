"""The records of a sync run, narrowed and a page at a time: first what the directory did not take, then the rest of the plan, then what
was remarked of records that are not in it. `report` has them all as a stream.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.db.models import Count

from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.guarding import Hazard
from rollbook.engine.sync.operations import MEMBERS, MEMBERSHIPS, NEW, Operation
from rollbook.engine.sync.plan_file import OPERATIONS, REMARKS
from rollbook.engine.sync.plan_pages import (
    Narrow,
    Ranges,
    by_number,
    operations,
    reasons,
    remarks,
    remarks_by_code,
)
from rollbook.flows.sync.holds import APPROVED, Gate, hazard_of, holds_of
from rollbook.flows.sync.naming import Names, names_of, of_members_called
from rollbook.flows.sync.report import (
    DONE,
    HEADING,
    HELD,
    LEFT_OUT,
    NOTED,
    PLANNED,
    Line,
    Made,
    csv_row,
    line_of,
    noted,
    outcome_of,
)
from rollbook.store import journal
from rollbook.store.linking import targets_of
from rollbook.store.models import SyncOutcome, SyncRun
from rollbook.store.sync_shelf import run_folder

NOT_TAKEN = (ops.REJECT, ops.CONFLICT, ops.RETRY)
"""What a target says of an operation that it did not carry out."""

FAILED = "failed"
"""Stands for all of these where records are asked for by their outcome."""

AT_ONCE, SIFTED = 20_000, 2_000

SECTIONS = ("f", "p", "n")
"""What failed, the rest of the plan, what was remarked: a place in the list is one of these letters and a number."""


@dataclass(frozen=True)
class Asked:
    """Which records are meant; what is empty leaves all. `outcome` is one of a report's, or FAILED; `moves`: members whose sites change."""

    kind: str = ""
    action: str = ""
    moves: bool = False
    outcome: str = ""
    reason: str = ""
    bundle: str = ""
    search: str = ""


@dataclass(frozen=True)
class Told:
    """A line of the report with the name of its record, and its fields (name, before, after) with the names of what they refer to.

    `explained` says what Explain is to be asked: (kind, `record` or `target`, id); of an enrollment it is its person. None: it knows nothing.
    """

    line: Line
    name: str
    changes: tuple[tuple[str, str, str], ...]
    explained: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Page:
    """`following` is where the next page begins; empty where there is none."""

    records: list[Told]
    following: str


def find(run: SyncRun, asked: Asked, place: str = "", limit: int = 50) -> Page:
    """A page of the records that are meant, from `place` on; a place that nobody knows is the beginning."""
    lister = _Lister(run, asked)
    found: list[Told] = []
    section, after = _place(place)
    while section < len(SECTIONS):
        # One more than is shown tells whether there are more.
        some = lister.section(section, after, limit + 1 - len(found))
        found += [told for _, told in some]
        if len(found) > limit:
            last = some[-2][0] if len(some) > 1 else after
            return Page(found[:limit], f"{SECTIONS[section]}{last}")
        section, after = section + 1, 0
    return Page(found, "")


def csv_rows(run: SyncRun, asked: Asked) -> Iterator[Sequence[object]]:
    """The rows of a CSV of the records that are meant, the heading first."""
    yield HEADING
    lister = _Lister(run, asked)
    for section in range(len(SECTIONS)):
        after = 0
        while some := lister.section(section, after, AT_ONCE, named=False):
            after = some[-1][0]
            yield from (csv_row(told.line) for _, told in some)


class _Lister:
    """The sections of a list: each gives (place, record), from behind a place on."""

    def __init__(self, run: SyncRun, asked: Asked) -> None:
        self.run, self.asked = run, asked
        self.plan, self.remarks = run_folder(run) / OPERATIONS, run_folder(run) / REMARKS
        self.behind, self.gate = journal.covered(run), Gate(run)
        self.done = _joined(self.behind.ranges)
        self.failed = _ranges(_failed(run))
        self.narrow = Narrow(
            kinds=(asked.kind,) if asked.kind else (),
            actions=(asked.action,) if asked.action else (),
            bundle=asked.bundle,
            moves=asked.moves,
            search=asked.search,
            targets=of_members_called(run, asked.search) if asked.search else (),
        )

    def section(self, number: int, after: int, limit: int, named: bool = True) -> list[tuple[int, Told]]:
        if SECTIONS[number] == "n":
            return self._remarked(after, limit)
        if not self.plan.exists():
            return []
        found = self._failed(after, limit) if SECTIONS[number] == "f" else self._others(after, limit)
        return [(one.number, told) for one, told in zip(found, self._told(found, named), strict=True)]

    def _failed(self, after: int, limit: int) -> list[Operation]:
        outcome = self.asked.outcome
        if outcome not in ("", FAILED, *NOT_TAKEN) or not self.failed:
            return []
        within = self.failed
        if outcome in NOT_TAKEN or self.asked.reason:
            within = _ranges(_failed(self.run, outcome if outcome in NOT_TAKEN else "", self.asked.reason))
        return operations(self.plan, _with(self.narrow, within=within), after, limit)

    def _others(self, after: int, limit: int) -> list[Operation]:
        outcome = self.asked.outcome
        narrow = _with(self.narrow, reason=self.asked.reason)
        if outcome == "":
            return operations(self.plan, _with(narrow, without=self.failed), after, limit)
        if outcome == DONE:
            return operations(self.plan, _with(narrow, within=self.done, without=self.failed), after, limit)
        if outcome not in (HELD, LEFT_OUT, PLANNED):
            return []
        narrow = _with(narrow, without=(*self.done, *self.failed))
        if outcome != PLANNED:
            narrow = self._perhaps_shut(narrow)
        return self._sifted(narrow, after, limit, lambda one: self._outcome(one, {}) == outcome)

    def _perhaps_shut(self, narrow: Narrow) -> Narrow:
        """Of the kinds and actions that some hold, or the leaving out of removals, can have to do with."""
        shut = [_covers(hazard_of(one)) for one in holds_of(self.run) if one.decision != APPROVED]
        if self.run.stakes.get("first"):
            shut.append(((), tuple(sorted(ops.REMOVALS))))
        kinds = sorted({kind for of, _ in shut for kind in of}) if all(of for of, _ in shut) else ()
        actions = sorted({one for _, of in shut for one in of}) if all(of for _, of in shut) else ()
        return _with(narrow, kinds=narrow.kinds or kinds, actions=narrow.actions or actions)

    def _sifted(
        self, narrow: Narrow, after: int, limit: int, is_meant: Callable[[Operation], bool]
    ) -> list[Operation]:
        found: list[Operation] = []
        while len(found) < limit and (some := operations(self.plan, narrow, after, SIFTED)):
            after = some[-1].number
            found += filter(is_meant, some)
        return found[:limit]

    def _remarked(self, after: int, limit: int) -> list[tuple[int, Told]]:
        asked = self.asked
        is_of_a_plan = asked.action or asked.moves or asked.bundle or asked.outcome not in ("", NOTED)
        if is_of_a_plan or not self.remarks.exists():
            return []
        found = remarks(self.remarks, self.narrow.kinds, asked.reason, asked.search, after, limit)
        return [
            (place, Told(noted(remark), "", (), _of_source(remark.kind, remark.source_id)))
            for place, remark in found
        ]

    def _told(self, found: Sequence[Operation], named: bool) -> list[Told]:
        numbers = [one.number for one in found]
        said = SyncOutcome.objects.filter(run=self.run, operation__in=numbers) if self.failed else ()
        outcomes = {one.operation: one for one in said}
        names = names_of(self.run, found) if named else Names()
        made = _made(self.run, found)
        return [told(line_of(one, self._outcome(one, outcomes), outcomes, made), one, names) for one in found]

    def _outcome(self, operation: Operation, outcomes: dict[int, SyncOutcome]) -> str:
        return outcome_of(self.run, operation, self.behind, self.gate, outcomes)


def told(line: Line, operation: Operation, names: Names) -> Told:
    """An operation with names."""
    fields = operation.changed or tuple(operation.after)
    changes = (
        (
            name,
            names.value(name, operation.before.get(name, "")),
            names.value(name, operation.after.get(name, "")),
        )
        for name in fields
    )
    return Told(
        line, names.of(operation), tuple(one for one in changes if one[1] != one[2]), _explained(operation)
    )


def _explained(operation: Operation) -> tuple[str, str, str] | None:
    if operation.kind != MEMBERSHIPS:
        return _of_source(operation.kind, operation.source_id)
    member = str(operation.after.get("member") or operation.before.get("member") or "")
    if member.startswith(NEW):
        return _of_source(MEMBERS, member.removeprefix(NEW))
    return (MEMBERS, "target", member) if member else None


def _of_source(kind: str, source_id: str) -> tuple[str, str, str] | None:
    return (kind, "record", source_id) if source_id and kind != MEMBERSHIPS else None


def failures(run: SyncRun, limit: int) -> list[Told]:
    """The first records that the directory did not take."""
    return find(run, Asked(outcome=FAILED), limit=limit).records


def codes(run: SyncRun) -> list[tuple[str, int]]:
    """The codes that ask for something, and how often each: why the directory did not take a record, and why one is not in the plan."""
    refused = SyncOutcome.objects.filter(run=run, status__in=NOT_TAKEN).exclude(code="").order_by("code")
    said = list(refused.values_list("code").annotate(Count("pk")))
    path = run_folder(run) / REMARKS
    noted_by = remarks_by_code(path) if path.exists() else {}
    return [*sorted(said, key=lambda one: -one[1]), *noted_by.items()]


def reasons_of(run: SyncRun) -> list[str]:
    """Every code by which the records of this run can be narrowed, the most frequent of each sort first."""
    plan = run_folder(run) / OPERATIONS
    planned = reasons(plan) if plan.exists() else {}
    return list(dict.fromkeys([*(code for code, _ in codes(run)), *planned]))


def not_taken(run: SyncRun) -> int:
    """How many records the directory did not take."""
    return SyncOutcome.objects.filter(run=run, status__in=NOT_TAKEN).count()


def find_operations(run: SyncRun, numbers: Sequence[int]) -> list[Operation]:
    """The operations of these numbers, as far as the plan is kept."""
    plan = run_folder(run) / OPERATIONS
    return by_number(plan, numbers) if plan.exists() and numbers else []


def _failed(run: SyncRun, status: str = "", code: str = "") -> list[int]:
    found = SyncOutcome.objects.filter(run=run, status__in=[status] if status else NOT_TAKEN)
    found = found.filter(code=code) if code else found
    return list(found.order_by("operation").values_list("operation", flat=True))


def _ranges(numbers: Sequence[int]) -> Ranges:
    """Numbers in order, as runs of them."""
    found = []
    for _, some in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in some]
        found.append((run[0], run[-1]))
    return tuple(found)


def _joined(ranges: Ranges) -> Ranges:
    """Ranges in order, those that follow one another as one: batches do."""
    found: list[tuple[int, int]] = []
    for first, last in ranges:
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


def _covers(hazard: Hazard) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds and the actions of what a hazard may cover; empty: any."""
    if hazard.code == "rekey":
        return (), ()
    if hazard.code == "create-percent":
        return (MEMBERS,), (ops.CREATE,)
    if hazard.code in ("identifying", "last-administrator"):
        return (MEMBERS,), (ops.UPDATE, ops.LINK, ops.RESTORE, ops.RELINK, ops.ARCHIVE)
    return (), (ops.ARCHIVE, ops.PURGE, ops.UPDATE, ops.LINK, ops.RELINK, ops.RESTORE)


def _made(run: SyncRun, found: Sequence[Operation]) -> Made:
    """What the handles of these operations became."""
    wanted: dict[str, list[str]] = {}
    for one in found:
        if one.target.startswith(NEW):
            wanted.setdefault(one.kind, []).append(one.target.removeprefix(NEW))
    return {
        (kind, NEW + source_id): target
        for kind, some in wanted.items()
        for source_id, target in targets_of(run.connection, kind, some).items()
    }


def _place(text: str) -> tuple[int, int]:
    letter, number = text[:1], text[1:]
    if letter in SECTIONS and number.isascii() and number.isdecimal() and len(number) < 19:
        return SECTIONS.index(letter), int(number)
    return 0, 0


def _with(narrow: Narrow, **changes: object) -> Narrow:
    return replace(narrow, **changes)  # type: ignore[arg-type]  # the fields are named where it is called
