"""Merging: two members who turned out to be one person become one, and the way back.

The one that is kept has from now on what the other had: memberships, roles, sites, links to source records, a seat, a sign-in, and what it
lacked itself. The other is archived, and remembered with all that moved, so that undoing brings both back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.sync.links import SET, TO_LINK
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVE,
    ARCHIVED,
    CREATE,
    GONE_STATES,
    INACTIVE,
    MEMBERS,
    MEMBERSHIPS,
    PENDING,
    REJECT,
    RESTORE,
    STATE,
    UPDATE,
    Operation,
    Value,
)
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.by_hand import ValueRefused, end_override, set_override
from rollbook.flows.directory import BY_HAND, roles_of
from rollbook.flows.members import roles_held
from rollbook.flows.sync.deciding import out_of_date
from rollbook.refusal import Refusal
from rollbook.store import seats
from rollbook.store.directory import DirectoryTarget
from rollbook.store.directory_rows import listed
from rollbook.store.linking import links_to, point_to
from rollbook.store.models import (
    Member,
    MemberMerge,
    Membership,
    Organization,
    Override,
    SyncConnection,
    SyncDecision,
)

MERGED, PARTED = "merged", "parted"
GIVEN_UP = ("email", "username", "identifier")
"""What people are recognised by: the archived one keeps none of it, or syncs would go on asking which of the two it is."""

TAKEN_OVER = (*GIVEN_UP, "grade")
"""What the kept one takes over where it has nothing of its own."""


class NotTwoMembers(Refusal):
    """Only two different members of one organization can be merged, neither of them archived."""


class NoSuchMerge(Refusal):
    """The organization has no merge of this number that can be undone: `rollbook member merges` shows them."""


class NotAsMerged(Refusal):
    """The archived member has been brought back by hand, or one of the two is gone: there is nothing left to undo."""


def merge(kept: Member, other: Member, why: str = "") -> MemberMerge:
    """`other` becomes part of `kept`. Raises NotTwoMembers, ValueRefused."""
    now = timezone.now()
    with transaction.atomic():
        kept, other = _locked(kept.organization_id, kept.id, other.id)
        moved = _Moved()
        _move_memberships(kept, other, moved)
        _archive(kept, other, moved, why)
        _take_over(kept, other, moved)
        _move_seat(kept, other, moved, now)
        _move_account(kept, other, moved)
        moved.links = point_to(
            links_to(other.organization_id, MEMBERS, str(other.id)), str(kept.id), MERGED, now
        )
        moved.decisions = _redirect(kept.organization_id, str(other.id), str(kept.id))
        made = MemberMerge.objects.create(
            organization=kept.organization, kept_id=kept.id, other_id=other.id, moved=moved.as_json(),
            by=actor().name[:320], why=why.strip()[:500], at=now,
        )  # fmt: skip
        _plans_are_out_of_date(moved)
        _note(made, "member.merge", {"why": why.strip()[:500], "memberships": len(moved.archived)})
    return made


def unmerge(made: MemberMerge) -> MemberMerge:
    """Both are there again, each with what was theirs, as far as nobody has changed it since. Raises NotAsMerged, ValueRefused."""
    now = timezone.now()
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=made.organization_id)
        if not MemberMerge.objects.filter(pk=made.pk, undone_at=None).update(
            undone_by=actor().name[:320], undone_at=now
        ):
            raise NoSuchMerge(str(made.pk))
        kept, other = _of(made)
        moved = _Moved(**made.moved)
        if moved.seat:
            seats.give_up(kept.organization_id, kept.id, now, PARTED)
        _give_back(kept, other, moved)
        _bring_back(other, moved)
        _part_memberships(kept.organization, moved)
        _part_account(kept, other, moved)
        _part_links(kept, other, moved, now)
        SyncDecision.objects.filter(pk__in=moved.decisions, target=str(kept.id)).update(target=str(other.id))
        _plans_are_out_of_date(moved)
        _note(made, "member.unmerge")
    made.refresh_from_db()
    return made


def merges(organization: Organization) -> QuerySet[MemberMerge]:
    """Those that can be undone, the latest first."""
    return MemberMerge.objects.filter(organization=organization, undone_at=None).order_by("-pk")


def find_merge(organization: Organization, number: int) -> MemberMerge:
    """Raises NoSuchMerge."""
    found = merges(organization).filter(pk=number).first()
    if found is None:
        raise NoSuchMerge(str(number))
    return found


def merged_into(member: Member) -> MemberMerge | None:
    """The merge by which the member was archived, if it holds."""
    return merges(member.organization).filter(other_id=member.id).first()


@dataclass
class _Moved:
    """What a merge moved. `archived` are memberships of the other, `made` those that the kept one got: [connection, id].

    `fields` are what the kept one took over, {field: [before, after]}; `given_up` what the other had, and `had` what the kept one had of it;
    `roles` and `sites` what was added. `links` are [connection, sourcedId], `decisions` numbers.
    """

    archived: list[list[int]] = field(default_factory=list)
    made: list[list[int]] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    had: dict[str, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    links: list[list[Any]] = field(default_factory=list)
    decisions: list[int] = field(default_factory=list)
    seat: bool = False
    account: bool = False

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def _locked(organization_id: int, kept_id: int, other_id: int) -> tuple[Member, Member]:
    """Both as they are now; nobody else changes the directory meanwhile."""
    organization = (
        Organization.objects.select_for_update(of=("self",)).select_related("product").get(pk=organization_id)
    )
    found = {
        one.id: one for one in Member.objects.filter(organization=organization, id__in=[kept_id, other_id])
    }
    if len(found) != 2 or any(one.state in GONE_STATES for one in found.values()):
        raise NotTwoMembers
    for one in found.values():
        one.organization = organization
    return found[kept_id], found[other_id]


# --- There ---------------------------------------------------------------------------------------------------------------------------


def _move_memberships(kept: Member, other: Member, moved: _Moved) -> None:
    """Each connection's words stay its own: what one said of the other it says of the kept one."""
    theirs = Membership.objects.filter(organization=other.organization_id, member_id=other.id, state=ACTIVE)
    has = set(
        Membership.objects.filter(
            organization=kept.organization_id, member_id=kept.id, state=ACTIVE
        ).values_list("connection_id", "group_id")
    )
    for connection_id, some in _by_connection(theirs).items():
        create = [
            _operation(CREATE, MEMBERSHIPS, "", _as_of(one, kept.id))
            for one in some
            if (connection_id, one.group_id) not in has
        ]
        archive = [_operation(ARCHIVE, MEMBERSHIPS, str(one.id)) for one in some]
        moved.made += [[connection_id, int(one)] for one in _apply(kept.organization, create, connection_id)]
        moved.archived += [
            [connection_id, int(one)] for one in _apply(kept.organization, archive, connection_id)
        ]


def _by_connection(memberships: Iterable[Membership]) -> dict[int, list[Membership]]:
    found: dict[int, list[Membership]] = {}
    for one in memberships:
        found.setdefault(one.connection_id, []).append(one)
    return found


def _as_of(one: Membership, member_id: int) -> dict[str, Value]:
    return {
        "group": str(one.group_id),
        "member": str(member_id),
        "role": one.role,
        "primary": one.primary,
        "begins": one.begins,
        "ends": one.ends,
    }


def _archive(kept: Member, other: Member, moved: _Moved, why: str) -> None:
    """What no two may have is given up first, so that the kept one may take it over."""
    moved.given_up = {name: getattr(other, name) for name in GIVEN_UP if getattr(other, name)}
    moved.had = {name: getattr(kept, name) for name in moved.given_up}
    blank: dict[str, Value] = dict.fromkeys(moved.given_up, "")
    words = f"Merged into member {kept.id}. {why}".strip()
    set_override(
        other.organization, MEMBERS, str(other.id), Override(field=STATE, value=ARCHIVED, mode=SET, why=words)
    )
    steps = [_operation(UPDATE, MEMBERS, str(other.id), blank)] if blank else []
    _apply(other.organization, [*steps, _operation(ARCHIVE, MEMBERS, str(other.id))])


def _take_over(kept: Member, other: Member, moved: _Moved) -> None:
    after: dict[str, Value] = {}
    for name in TAKEN_OVER:
        if getattr(other, name) and not getattr(kept, name):
            moved.fields[name] = ["", getattr(other, name)]
            after[name] = getattr(other, name)
    has, there = roles_held(kept), listed(kept.site_ids)
    moved.roles = [one for one in roles_held(other) if one not in has]
    moved.sites = [one for one in listed(other.site_ids) if one not in there]
    if moved.roles:
        order = {role: place for place, role in enumerate(roles_of(kept.organization))}
        after["roles"] = tuple(sorted((*has, *moved.roles), key=lambda role: order.get(role, len(order))))
    if moved.sites:
        after["sites"] = tuple(sorted((*there, *moved.sites)))
    if after:
        _apply(kept.organization, [_operation(UPDATE, MEMBERS, str(kept.id), after)])


def _move_seat(kept: Member, other: Member, moved: _Moved, now: datetime) -> None:
    """Archiving the other has freed it."""
    if other.state == ACTIVE and kept.state in (INACTIVE, PENDING):
        moved.seat = seats.activate(kept.organization_id, kept.id, now)


def _move_account(kept: Member, other: Member, moved: _Moved) -> None:
    if other.account_id is not None and kept.account_id is None:
        _hand_over(other, kept)
        moved.account = True


def _hand_over(from_: Member, to: Member) -> None:
    here = Member.objects.filter(organization=from_.organization_id)
    here.filter(id=to.id).update(account=from_.account_id)
    here.filter(id=from_.id).update(account=None)


def _redirect(organization_id: int, from_: str, to: str) -> list[int]:
    """What people decided to be the one member is the other now."""
    decided = SyncDecision.objects.filter(
        organization=organization_id,
        connection__target_kind="directory",
        kind=MEMBERS,
        action=TO_LINK,
        target=from_,
    )
    numbers = list(decided.values_list("pk", flat=True))
    SyncDecision.objects.filter(pk__in=numbers).update(target=to)
    return numbers


def _plans_are_out_of_date(moved: _Moved) -> None:
    numbers = {connection_id for connection_id, _ in moved.links}
    for connection in SyncConnection.objects.filter(pk__in=numbers):
        out_of_date(connection)


# --- And back ------------------------------------------------------------------------------------------------------------------------


def _of(made: MemberMerge) -> tuple[Member, Member]:
    """Raises NotAsMerged."""
    organization = made.organization
    found = {
        one.id: one
        for one in Member.objects.filter(organization=organization, id__in=[made.kept_id, made.other_id])
    }
    if len(found) != 2 or found[made.other_id].state != ARCHIVED or found[made.kept_id].state == "purged":
        raise NotAsMerged(str(made.pk))
    for one in found.values():
        one.organization = organization
    return found[made.kept_id], found[made.other_id]


def _give_back(kept: Member, other: Member, moved: _Moved) -> None:
    """The kept one gives back what it took over and still has, and what it may have got since of what the other had given up."""
    after: dict[str, Value] = {
        name: before for name, (before, wrote) in moved.fields.items() if getattr(kept, name) == wrote
    }
    after |= {
        name: moved.had[name]
        for name, value in moved.given_up.items()
        if getattr(kept, name) == value != moved.had[name]
    }
    has, there = roles_held(kept), listed(kept.site_ids)
    if moved.roles:
        after["roles"] = tuple(one for one in has if one not in moved.roles)
    if moved.sites:
        after["sites"] = tuple(one for one in there if one not in moved.sites)
    if after:
        _apply(kept.organization, [_operation(UPDATE, MEMBERS, str(kept.id), after)])


def _bring_back(other: Member, moved: _Moved) -> None:
    end_override(other.organization, MEMBERS, str(other.id), STATE)
    back: dict[str, Value] = dict(moved.given_up)
    _apply(other.organization, [_operation(RESTORE, MEMBERS, str(other.id), back)])


def _part_memberships(organization: Organization, moved: _Moved) -> None:
    for action, some in ((ARCHIVE, moved.made), (RESTORE, moved.archived)):
        for connection_id in sorted({one for one, _ in some}):
            ids = [str(number) for one, number in some if one == connection_id]
            _apply(organization, [_operation(action, MEMBERSHIPS, one) for one in ids], connection_id)


def _part_account(kept: Member, other: Member, moved: _Moved) -> None:
    if moved.account and kept.account_id is not None and other.account_id is None:
        _hand_over(kept, other)


def _part_links(kept: Member, other: Member, moved: _Moved, now: datetime) -> None:
    theirs = {(connection_id, source_id) for connection_id, source_id in moved.links}
    here = links_to(kept.organization_id, MEMBERS, str(kept.id))
    point_to(
        [one for one in here if (one.connection_id, one.source_id) in theirs], str(other.id), PARTED, now
    )


# --- Carrying out --------------------------------------------------------------------------------------------------------------------


def _operation(action: str, kind: str, target: str, after: Mapping[str, Value] | None = None) -> Operation:
    told = dict(after or {})
    return Operation(1, action, kind, "", target, after=told, changed=tuple(told))


def _apply(
    organization: Organization, operations: Sequence[Operation], connection_id: int = BY_HAND
) -> list[str]:
    """The ids of the records. Raises ValueRefused, and then nothing of the merge is done."""
    outcomes = DirectoryTarget(organization, connection_id).apply(operations)
    for outcome in outcomes:
        if outcome.status == REJECT:
            raise ValueRefused(outcome.words)
    return [outcome.target for outcome in outcomes]


def _note(made: MemberMerge, act: str, told: Mapping[str, Any] | None = None) -> None:
    """By numbers, and nothing personal."""
    about = {"kept": made.kept_id, "archived": made.other_id, **(told or {})}
    audit.record(None, act, "member", f"{made.organization_id}/{made.kept_id}", after=about)
