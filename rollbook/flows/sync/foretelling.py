"""What a plan will come to, before anybody lets it through: figures before and after, seats, and the removals that are ticked apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rollbook.engine.sync import operations as ops
from rollbook.engine.sync.operations import ACTIVE, GONE_STATES, KINDS, MEMBERS
from rollbook.engine.sync.plan_file import OPERATIONS, REMARKS
from rollbook.engine.sync.plan_pages import (
    Narrow,
    Tally,
    new_in_state,
    remarks_by_code,
    tallies,
    targets,
)
from rollbook.flows.sync.holds import BUNDLES, holds_of
from rollbook.flows.sync.overview import counts_of
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.store.models import Case, Member, Seat, SyncHold, SyncRun
from rollbook.store.sync_shelf import run_folder

AT_ONCE = 5_000


@dataclass(frozen=True)
class Figures:
    """One kind of record: `before` there are now, `left_out` are removals that wait to be ticked; `moved` are among those updated."""

    kind: str
    before: int
    created: int
    joined: int
    updated: int
    moved: int
    restored: int
    archived: int
    left_out: int

    @property
    def after(self) -> int:
        return self.before + self.created + self.restored - self.archived


@dataclass(frozen=True)
class Bundle:
    """Removals that a first preview asks about apart. `seats` are freed with them."""

    name: str
    number: int
    members: int
    seats: int


@dataclass(frozen=True)
class Seats:
    """`wanted` would be taken if there were enough of them; `bought` is None where there is no limit."""

    before: int
    wanted: int
    bought: int | None

    @property
    def after(self) -> int:
        """Nobody loses a seat because fewer were bought, and nobody gets one that is not there."""
        return self.wanted if self.bought is None else min(self.wanted, max(self.bought, self.before))

    @property
    def is_short(self) -> bool:
        return self.wanted > self.after


@dataclass(frozen=True)
class Foretold:
    """`skipped` are remarks by code, `held` the holds that wait, `cases` what only a person may decide, `operations` all of the plan."""

    figures: list[Figures]
    bundles: list[Bundle]
    seats: Seats
    skipped: dict[str, int]
    held: list[SyncHold]
    cases: int
    operations: int


def foretell(run: SyncRun) -> Foretold:
    """What the plan of this run comes to if it is let through, without the removals that wait to be ticked."""
    plan, said = run_folder(run) / OPERATIONS, run_folder(run) / REMARKS
    counted = tallies(plan) if plan.exists() else []
    there = counts_of(run.organization)
    apart = BUNDLES if run.stakes.get("first") else ()
    freed = _freed(run, plan) if plan.exists() and run.connection.target_kind == DIRECTORY else {}
    return Foretold(
        figures=[
            _figures(kind, there.get(kind, {}), [one for one in counted if one.kind == kind], apart)
            for kind in KINDS
        ],
        bundles=[_bundle(name, counted, freed.get(name, 0)) for name in apart if _of_bundle(counted, name)],
        seats=_seats(run, plan, {name: number for name, number in freed.items() if name not in apart}),
        skipped=remarks_by_code(said) if said.exists() else {},
        held=holds_of(run, only_open=True),
        cases=Case.objects.filter(connection=run.connection_id, closed_at=None).count(),
        operations=sum(one.number for one in counted),
    )


def _figures(kind: str, there: Mapping[str, int], counted: list[Tally], apart: tuple[str, ...]) -> Figures:
    def number(*actions: str) -> int:
        return sum(one.number for one in counted if one.action in actions and one.bundle not in apart)

    return Figures(
        kind,
        before=sum(number for state, number in there.items() if state not in GONE_STATES),
        created=number(ops.CREATE),
        joined=number(ops.LINK, ops.RELINK),
        updated=number(ops.UPDATE),
        moved=sum(one.number for one in counted if one.moves),
        restored=number(ops.RESTORE),
        archived=number(ops.ARCHIVE, ops.PURGE),
        left_out=sum(one.number for one in counted if one.bundle in apart),
    )


def _of_bundle(counted: list[Tally], name: str) -> int:
    return sum(one.number for one in counted if one.bundle == name)


def _bundle(name: str, counted: list[Tally], seats: int) -> Bundle:
    members = sum(one.number for one in counted if one.bundle == name and one.kind == MEMBERS)
    return Bundle(name, _of_bundle(counted, name), members, seats)


def _seats(run: SyncRun, plan: Path, freed: dict[str, int]) -> Seats:
    """Who comes back gets the seat again that they had; who is new only where the settings make them active at once."""
    organization = run.organization
    before, bought = organization.seats_taken, organization.seats_bought
    if not plan.exists() or run.connection.target_kind != DIRECTORY:
        return Seats(before, before, bought)
    after = before - sum(freed.values()) + new_in_state(plan, ACTIVE) + _seated_again(run, plan)
    return Seats(before, after, bought)


def _freed(run: SyncRun, plan: Path) -> dict[str, int]:
    """By bundle, the seats of members whom the plan archives."""
    found: dict[str, int] = {}
    gone = targets(plan, Narrow(kinds=(MEMBERS,), actions=(ops.ARCHIVE, ops.PURGE)))
    taken = Seat.objects.filter(organization=run.organization_id, freed_at=None)
    for some in _pieces(gone):
        ids = {int(target): bundle for bundle, target in some if target.isdecimal()}
        for member in taken.filter(member_id__in=list(ids)).values_list("member_id", flat=True):
            found[ids[member]] = found.get(ids[member], 0) + 1
    return found


def _seated_again(run: SyncRun, plan: Path) -> int:
    back = targets(plan, Narrow(kinds=(MEMBERS,), actions=(ops.RESTORE,)))
    had = Member.objects.filter(organization=run.organization_id, archived_from=ACTIVE)
    return sum(
        had.filter(id__in=[int(target) for _, target in some if target.isdecimal()]).count()
        for some in _pieces(back)
    )


def _pieces(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    while some := list(islice(pairs, AT_ONCE)):
        yield some
