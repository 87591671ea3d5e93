"""Who would lose what by what a sync holds: counted when the plan is made, and shown a page at a time with the names of the directory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count, QuerySet

from rollbook.engine.sync.guarding import Hazard
from rollbook.engine.sync.losing import (
    LOSSES,
    Loss,
    Losses,
    Memberships,
    contained,
    loss_page,
    loss_sums,
    write_losses,
)
from rollbook.engine.sync.operations import ACTIVE
from rollbook.engine.sync.plan_file import read_plan
from rollbook.flows.sync.holds import hazard_of
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.store.bulk import listed
from rollbook.store.models import Member, Membership, SyncHold, SyncRun
from rollbook.store.sync_shelf import run_folder

PAGE = 50


@dataclass(frozen=True)
class Affected:
    """One member whom a hold touches, and what they would lose."""

    member: Member
    loss: Loss

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self.loss), "name": f"{self.member.given_name} {self.member.family_name}".strip()}


def covered(run: SyncRun, plan: Path, found: Sequence[Hazard]) -> list[tuple[Hazard, int]]:
    """How many operations each hazard covers; who would lose what by them is kept beside the plan."""
    if not found:
        return []
    numbers = [0] * len(found)
    powers = frozenset(run.organization.product.administrator_roles)
    losses = [Losses(powers) for _ in found]
    for operation in read_plan(plan):
        for place, hazard in enumerate(found):
            if hazard.covers(operation):
                numbers[place] += 1
                losses[place].take(operation)
    said = _memberships(run)
    pairs = zip(found, losses, strict=True)
    write_losses(plan.parent, ((key_of(hazard), one.ranked(said)) for hazard, one in pairs))
    return list(zip(found, numbers, strict=True))


def key_of(hazard: Hazard) -> str:
    return "|".join((hazard.code, hazard.level, hazard.scope, hazard.kind, hazard.field))


def are_known(hold: SyncHold) -> bool:
    """Whether it was kept who is affected: of older plans it was not, and not where members are another system's."""
    return hold.connection.target_kind == DIRECTORY and (run_folder(hold.run) / LOSSES).exists()


def sums_of(hold: SyncHold) -> dict[str, int]:
    """How many members a hold touches, and how many of these would lose each thing; empty where it is not known."""
    return loss_sums(run_folder(hold.run) / LOSSES, key_of(hazard_of(hold))) if are_known(hold) else {}


def affected(hold: SyncHold, after: int = 0, limit: int = PAGE + 1) -> list[Affected]:
    """Whom a hold touches, who would lose most first, behind the place `after`."""
    if not are_known(hold):
        return []
    found = loss_page(run_folder(hold.run) / LOSSES, key_of(hazard_of(hold)), after, limit)
    rows = Member.objects.filter(
        organization=hold.organization_id, id__in=_numbers(one.member for one in found)
    )
    by_number = {str(row.id): row for row in rows}
    return [Affected(by_number[one.member], one) for one in found if one.member in by_number]


def contained_in(hold: SyncHold, others: Iterable[SyncHold]) -> list[SyncHold]:
    """Those of the other holds of its run that touch nobody whom this one does not touch: together with it they let nobody else through."""
    if not are_known(hold):
        return []
    found = contained(run_folder(hold.run) / LOSSES, key_of(hazard_of(hold)))
    return [one for one in others if key_of(hazard_of(one)) in found]


def _memberships(run: SyncRun) -> Memberships:
    """As the organization's own directory has them; of another system nobody knows who is in what."""
    if run.connection.target_kind != DIRECTORY:
        return Memberships(*(lambda _: {},) * 3)
    here = Membership.objects.filter(organization=run.organization_id, state=ACTIVE)

    def counted(found: QuerySet[Membership]) -> dict[str, int]:
        numbers = found.order_by().values_list("member_id").annotate(Count("id"))
        return {str(member): number for member, number in numbers}

    def by(column: str, ids: Collection[str]) -> dict[str, int]:
        return counted(here.filter(**{f"{column}__in": listed(_numbers(ids))}))

    return Memberships(
        lambda ids: by("id", ids), lambda ids: by("member_id", ids), lambda ids: by("group_id", ids)
    )


def _numbers(ids: Iterable[str]) -> list[int]:
    return sorted(int(one) for one in ids if one.isascii() and one.isdecimal())
