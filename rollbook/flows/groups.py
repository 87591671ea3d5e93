"""Classes and groups of an organization as people work on them by hand. What its connection keeps centrally is read-only here.

A person's memberships are rows of their own: no sync takes them, and taking somebody out by hand ends only what people said.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rollbook.engine.sync.links import KEPT, SET
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVE,
    CREATE,
    GROUPS,
    MEMBERSHIPS,
    RESTORE,
    STATE,
    UPDATE,
    Operation,
    Value,
)
from rollbook.flows import audit
from rollbook.flows.by_hand import NothingByHand, carry_out, end_override, overrides, set_override
from rollbook.flows.directory import BY_HAND, NameNeeded, is_number
from rollbook.flows.directory_lists import seen
from rollbook.refusal import Refusal
from rollbook.store.bulk import listed
from rollbook.store.models import Group, Member, Membership, Organization, Override, Site

ROLES = ("teacher", "aide", "proctor", "student")
"""What somebody may be in a group."""


class NoSuchGroup(Refusal):
    """The organization has no class or group of this number, or not one alone of this title: `rollbook group list` shows them."""


class KeptCentrally(Refusal):
    """This class is kept by its sync and is read-only by hand: change it in the roster."""


class NoSuchGroupRole(Refusal):
    """In a group somebody is teacher, aide, proctor or student."""


class RosteredGroup(Refusal):
    """This class comes from a roster: it is archived when the roster has it no more."""


class NotInByHand(Refusal):
    """Nobody put this member in by hand. Who is in by the roster is taken out there."""


def groups(organization: Organization, site: Site | None = None, state: str = ACTIVE) -> QuerySet[Group]:
    """The classes and groups that are active, or archived, by title; of one site or of all."""
    found = Group.objects.filter(organization=organization, state=state).order_by("title_folded", "id")
    return found if site is None else found.filter(site_id=site.id)


def find_group(organization: Organization, number_or_title: str, state: str = ACTIVE) -> Group:
    """Raises NoSuchGroup; two of one title count as none."""
    every = groups(organization, state=state)
    found = every.filter(id=int(number_or_title)).first() if is_number(number_or_title) else None
    if found is None:
        named = every.filter(title=number_or_title)[:2]
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise NoSuchGroup(number_or_title)
    return found


def memberships(group: Group) -> QuerySet[Membership]:
    """Who is in it and holds there now, each as often as it is said: by connections, and by hand (0)."""
    people = Member.objects.filter(
        organization=group.organization_id, state__in=("pending", "inactive", "active", "suspended")
    )
    found = Membership.objects.filter(
        Q(group_id=group.id),
        organization=group.organization_id,
        state=ACTIVE,
        member_id__in=people.values("id"),
    )
    return found.order_by("role", "member_id", "connection_id")


def people_of(found: QuerySet[Membership]) -> dict[int, Member]:
    """The members of memberships, by number."""
    rows = list(found)
    ids = listed(row.member_id for row in rows)
    return (
        {one.id: one for one in Member.objects.filter(organization=rows[0].organization_id, id__in=ids)}
        if rows
        else {}
    )


@dataclass(frozen=True)
class Person:
    """A member in a group, by whose words: connections, and 0 for a person; `role` is what the first of them says."""

    member: Member
    role: str
    by: tuple[int, ...]


def people(group: Group, within: Collection[int] | None = None) -> list[Person]:
    """Who is in it now, teachers first, then by name; of them those at one of the sites of who looks (None: all)."""
    said: dict[int, list[Membership]] = {}
    for row in memberships(group).order_by("connection_id"):
        said.setdefault(row.member_id, []).append(row)
    every = Member.objects.filter(organization=group.organization_id, id__in=listed(said))
    found = [
        Person(one, said[one.id][0].role, tuple(row.connection_id for row in said[one.id]))
        for one in seen(every, within)
    ]
    order = {role: place for place, role in enumerate(ROLES)}
    return sorted(
        found, key=lambda one: (order.get(one.role, len(ROLES)), one.member.name_folded, one.member.id)
    )


def add_group(organization: Organization, title: str, site: Site | None = None) -> Group:
    """A group made by hand. Raises NameNeeded."""
    after: dict[str, Value] = {
        "title": _title(title),
        "form": "group",
        "site": str(site.id) if site else "",
    }
    with transaction.atomic():
        target = carry_out(
            organization, Operation(1, CREATE, GROUPS, "", "", after=after, changed=tuple(after))
        )
        made = Group.objects.get(organization=organization, id=int(target))
        _note(made, "group.add")
    return made


def rename(group: Group, title: str, why: str = "") -> Group:
    """This title, and no sync changes it. Raises NameNeeded, KeptCentrally, ChangedMeanwhile."""
    _refuse_central(group)
    title = _title(title)
    operation = Operation(
        1, UPDATE, GROUPS, group.source_id, str(group.id), after={"title": title}, changed=("title",), version=str(group.version)
    )  # fmt: skip
    with transaction.atomic():
        told = Override(field="title", value=title, mode=SET, why=why)
        set_override(group.organization, GROUPS, str(group.id), told)
        carry_out(group.organization, operation)
        _note(group, "group.rename", {"why": why})
    group.refresh_from_db()
    return group


def follow(group: Group, name: str) -> None:
    """What was set by hand of this field (title, or state) holds no more; the next sync says what it is. Raises NothingByHand."""
    with transaction.atomic():
        if not end_override(group.organization, GROUPS, str(group.id), name):
            raise NothingByHand(name)
        _note(group, "group.follow", {"field": name})


def overrides_of(group: Group) -> QuerySet[Override]:
    """What is set by hand and holds, by field."""
    return overrides(group.organization, GROUPS, str(group.id)).order_by("field")


def archive(group: Group) -> Group:
    """A group that people made is gone, with who is in it. Raises RosteredGroup, ChangedMeanwhile."""
    if group.connection_id != BY_HAND:
        raise RosteredGroup(str(group.id))
    return _turn(group, ARCHIVE, "group.archive", "")


def restore(group: Group, why: str = "") -> Group:
    """The group is back, with who was in it, and no sync archives it. Raises ChangedMeanwhile."""
    with transaction.atomic():
        set_override(
            group.organization, GROUPS, str(group.id), Override(field=STATE, value=KEPT, mode=SET, why=why)
        )
        return _turn(group, RESTORE, "group.restore", why)


def _turn(group: Group, action: str, act: str, why: str) -> Group:
    operation = Operation(1, action, GROUPS, group.source_id, str(group.id), version=str(group.version))
    with transaction.atomic():
        carry_out(group.organization, operation)
        _note(group, act, {"why": why})
    group.refresh_from_db()
    return group


def put_in(group: Group, member: Member, role: str = "student") -> Membership:
    """The member is in the group, because a person says so. Raises KeptCentrally, NoSuchGroupRole."""
    _refuse_central(group)
    if role not in ROLES:
        raise NoSuchGroupRole(role)
    after: dict[str, Value] = {"group": str(group.id), "member": str(member.id), "role": role}
    with transaction.atomic():
        made = Operation(1, CREATE, MEMBERSHIPS, "", "", after=after, changed=tuple(after))
        target = carry_out(group.organization, made)
        _note(group, "group.put-in", {"member": member.id, "role": role})
    return Membership.objects.get(organization=group.organization_id, id=int(target))


def take_out(group: Group, member: Member) -> None:
    """What people said of the member in this group ends. Raises KeptCentrally, NotInByHand."""
    _refuse_central(group)
    row = Membership.objects.filter(
        organization=group.organization_id,
        group_id=group.id,
        member_id=member.id,
        connection_id=BY_HAND,
        state=ACTIVE,
    ).first()
    if row is None:
        raise NotInByHand(str(member.id))
    with transaction.atomic():
        carry_out(group.organization, Operation(1, ARCHIVE, MEMBERSHIPS, "", str(row.id)))
        _note(group, "group.take-out", {"member": member.id})


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise NameNeeded
    return title


def _refuse_central(group: Group) -> None:
    if group.central:
        raise KeptCentrally(str(group.id))


def _note(group: Group, act: str, told: Mapping[str, Any] | None = None) -> None:
    audit.record(None, act, "group", f"{group.organization_id}/{group.id}", after=told)
