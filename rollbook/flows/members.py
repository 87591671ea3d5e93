"""Members of an organization as people work on them by hand. Each act is one operation of the directory's target, by nobody's connection.

What is set by hand is an override, with who set it and why: later syncs keep it until it is ended. The audit log names a member by number.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rollbook.engine.sync.links import ADD, KEPT, SET
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVE,
    ARCHIVED,
    CREATE,
    GONE_STATES,
    INACTIVE,
    MEMBERS,
    PENDING,
    PURGED,
    RESTORE,
    STATE,
    UPDATE,
    Operation,
    Value,
)
from rollbook.engine.sync.policy import read_policy
from rollbook.flows import audit, directory_lists
from rollbook.flows.by_hand import NothingByHand, carry_out, end_override, overrides, set_override
from rollbook.flows.directory import is_number, roles_of
from rollbook.flows.directory_lists import Sought
from rollbook.flows.operators import judge_address
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store import seats
from rollbook.store.directory_rows import listed
from rollbook.store.models import Link, Member, Organization, Override, Site, SyncConnection

FIELDS = ("given_name", "family_name", "email", "username", "identifier", "grade")
"""What a person may set of a member besides roles and sites."""

MAY_ADMINISTER = (PENDING, INACTIVE, ACTIVE)
"""Whoever is suspended or archived administers nothing."""


class NoSuchMember(Refusal):
    """The organization has no member of this number, e-mail address or username: `rollbook member list` shows them."""


class NoSuchRole(Refusal):
    """This is none of the organization's roles: `rollbook organization list` shows them."""


class NoSuchField(Refusal):
    """What can be set by hand: given_name, family_name, email, username, identifier, grade; roles and sites by verbs of their own."""


class LastAdministrator(Refusal):
    """The organization would be left without an administrator: make somebody else one first."""


class OtherProvider(Refusal):
    """A seat is taken by a first sign-in through the provider that rosters this member; once they are active any way in reaches them."""


# --- Looking ------------------------------------------------------------------------------------------------------------------------


def find_member(organization: Organization, told: str) -> Member:
    """The member of this number, else e-mail address, else username, without case. Raises NoSuchMember."""
    every = Member.objects.filter(organization=organization).exclude(state=PURGED)
    wanted = fold(told.strip())
    ways = [Q(email_folded=wanted), Q(username_folded=wanted)] if wanted else []
    if is_number(told):
        ways.insert(0, Q(id=int(told)))
    for way in ways:
        if found := every.filter(way).first():
            return found
    raise NoSuchMember


def members(
    organization: Organization,
    state: str = "",
    role: str = "",
    site: Site | None = None,
    search: str = "",
    grade: str = "",
    source: int | None = None,
) -> QuerySet[Member]:
    """The members, by name; of one state (none said: all but the archived), with a role, at a site, with a text in name or address, of a
    grade, and made by a connection (0: by hand).
    """
    sought = Sought(state, role, site.id if site else None, grade, source, search)
    found = directory_lists.members(organization, sought).filter(state__in=sought.states)
    return found.order_by(directory_lists.BY_NAME, "id")


def roles_held(member: Member) -> tuple[str, ...]:
    return listed(member.roles)


def fields_of(member: Member) -> dict[str, Value]:
    """Every field, with roles and sites."""
    told: dict[str, Value] = {name: getattr(member, name) for name in FIELDS}
    return told | {"roles": roles_held(member), "sites": listed(member.site_ids)}


def site_ids_of(member: Member) -> list[int]:
    return [int(one) for one in listed(member.site_ids)]


def sites_of(member: Member) -> list[Site]:
    """The sites that are not archived, by name."""
    ids = site_ids_of(member)
    found = Site.objects.filter(organization=member.organization_id, id__in=ids).exclude(
        state__in=GONE_STATES
    )
    return list(found.order_by("name", "id"))


def overrides_of(member: Member) -> QuerySet[Override]:
    """What is set by hand and holds, by field."""
    return _overrides(member).order_by("field")


def _overrides(member: Member) -> QuerySet[Override]:
    return overrides(member.organization, MEMBERS, str(member.id))


def links_of(member: Member) -> QuerySet[Link]:
    """Which records of which sources this member is, now."""
    found = Link.objects.filter(
        organization=member.organization_id,
        connection__target_kind="directory",
        kind=MEMBERS,
        target=str(member.id),
        ended_at=None,
    )
    return found.select_related("connection").order_by("connection_id", "source_id")


# --- Adding and setting -------------------------------------------------------------------------------------------------------------


def add_member(
    organization: Organization,
    fields: Mapping[str, str],
    roles: Iterable[str] = (),
    sites: Iterable[Site] = (),
    state: str = INACTIVE,
) -> Member:
    """A member made by hand, who holds no seat. Raises NoSuchField, NotAnAddress, NoSuchRole, ValueRefused."""
    after: dict[str, Value] = {name: _field(name, value) for name, value in fields.items()}
    after |= {
        "roles": _roles(organization, roles),
        "sites": tuple(str(site.id) for site in sites),
        STATE: state,
    }
    with transaction.atomic():
        made = Operation(1, CREATE, MEMBERS, "", "", after=after, changed=tuple(after))
        target = carry_out(organization, made)
        member = Member.objects.get(organization=organization, id=int(target))
        _note(member, "member.add")
    return member


def _field(name: str, value: str) -> str:
    value = " ".join(value.split())
    if name not in FIELDS:
        raise NoSuchField(name)
    if name == "email" and value:
        judge_address(value)
    return value


def _roles(organization: Organization, roles: Iterable[str]) -> tuple[str, ...]:
    """In the order of the organization's roles, each once."""
    known, wanted = roles_of(organization), set(roles)
    if unknown := sorted(wanted.difference(known)):
        raise NoSuchRole(unknown[0])
    return tuple(role for role in known if role in wanted)


def set_field(member: Member, name: str, value: str, why: str = "", until: str = "") -> Member:
    """This value, and no sync changes it. Raises NoSuchField, NotAnAddress, NotADay, ValueRefused, ChangedMeanwhile."""
    value = _field(name, value)
    return _set(member, name, value, why, until)


def edit(
    member: Member, values: Mapping[str, str], roles: Iterable[str], why: str = "", until: str = ""
) -> Member:
    """Of these fields and roles those that differ, all or none. Roles that only come are besides those that a sync gives.

    Raises as `set_field` and `set_roles`.
    """
    wanted, held = tuple(roles), roles_held(member)
    with transaction.atomic():
        for name, value in values.items():
            if " ".join(value.split()) != getattr(member, name, None):
                member = set_field(member, name, value, why, until)
        if not set(held) <= set(wanted):
            return set_roles(member, wanted, why, until)
        for role in wanted:
            if role not in held:
                member = add_role(member, role, why, until)
    return member


def set_roles(member: Member, roles: Iterable[str], why: str = "", until: str = "") -> Member:
    """These roles and no others. Raises NoSuchRole, LastAdministrator, NotADay, ChangedMeanwhile."""
    return _set(member, "roles", _roles(member.organization, roles), why, until)


def set_sites(member: Member, sites: Iterable[Site], why: str = "", until: str = "") -> Member:
    """These sites and no others. Raises NotADay, ChangedMeanwhile."""
    return _set(member, "sites", tuple(str(site.id) for site in sites), why, until)


def add_role(member: Member, role: str, why: str = "", until: str = "") -> Member:
    """This role besides those that a sync gives. Raises NoSuchRole, NotADay, ChangedMeanwhile."""
    _roles(member.organization, [role])
    return _add(member, "roles", role, why, until)


def make_administrator(member: Member, why: str = "") -> Member:
    """The highest of the roles that administer, besides those that a sync gives. Raises NoSuchRole, ChangedMeanwhile."""
    administers = member.organization.product.administrator_roles
    role = next((one for one in roles_of(member.organization) if one in administers), "administrator")
    return add_role(member, role, why)


def add_to_site(member: Member, site: Site, why: str = "", until: str = "") -> Member:
    """This site besides those that a sync gives. Raises NotADay, ChangedMeanwhile."""
    return _add(member, "sites", str(site.id), why, until)


def _add(member: Member, name: str, value: str, why: str, until: str) -> Member:
    """To what is added, or set, by hand already; it becomes part of it."""
    stood = _overrides(member).filter(field=name).first()
    by_hand = tuple(stood.value) if stood else ()
    mode = stood.mode if stood else ADD
    return _set(member, name, (*by_hand, *(() if value in by_hand else (value,))), why, until, mode)


def _set(member: Member, name: str, value: Value, why: str, until: str, mode: str = SET) -> Member:
    present = (
        listed(member.roles if name == "roles" else member.site_ids) if name in ("roles", "sites") else ()
    )
    after = value
    if mode == ADD and isinstance(value, tuple):
        after = (*present, *(one for one in value if one not in present))
    if name == "roles" and isinstance(after, tuple):
        order = roles_of(member.organization)
        after = tuple(sorted(after, key=lambda role: order.index(role) if role in order else len(order)))
    with transaction.atomic():
        _override(member, name, value, mode, why, until)
        return _change(member, UPDATE, {name: after}, "member.set", {"field": name, "why": why})


def _override(member: Member, name: str, value: Value, mode: str, why: str, until: str = "") -> None:
    set_override(
        member.organization,
        MEMBERS,
        str(member.id),
        Override(field=name, value=value, mode=mode, why=why, until=until),
    )


def follow(member: Member, name: str) -> None:
    """What was set by hand of this field holds no more; the next sync says what it is. Raises NothingByHand."""
    with transaction.atomic():
        if not end_override(member.organization, MEMBERS, str(member.id), name):
            raise NothingByHand(name)
        _note(member, "member.follow", {"field": name})


# --- Going, coming back, taking a seat ----------------------------------------------------------------------------------------------


def archive(member: Member, why: str = "") -> Member:
    """The member is gone, with all they are in, and no sync brings them back; their seat is free. Raises LastAdministrator."""
    with transaction.atomic():
        _override(member, STATE, ARCHIVED, SET, why)
        return _change(member, ARCHIVE, {}, "member.archive", {"why": why})


def restore(member: Member, why: str = "") -> Member:
    """The member is back, in all they were in, and no sync archives them until the roster has them again."""
    with transaction.atomic():
        _override(member, STATE, KEPT, SET, why)
        return _change(member, RESTORE, {}, "member.restore", {"why": why})


def activate(member: Member, now: datetime, provider: str = "", is_allowed: bool = False) -> bool:
    """The member takes a seat and is active; whether they took it now. `provider` is whom they signed in by, empty: a person does this.
    `is_allowed`: the organization lets this provider take seats.

    Who signs in another way than the one that rosters them takes a seat only where the settings say so; who is active is reached by any.
    Raises NoSeatFree, NotActivable, OtherProvider.
    """
    if provider and member.state == PENDING:
        raise seats.NotActivable(str(member.id))
    asks = provider and member.state != ACTIVE and not is_allowed
    if asks and not _may_take_a_seat(member, provider):
        raise OtherProvider
    with transaction.atomic():
        taken = seats.activate(member.organization_id, member.id, now)
        if taken:
            _note(member, "member.activate", {"provider": provider})
    member.refresh_from_db()
    return taken


def suspend(member: Member, now: datetime, why: str = "") -> Member:
    """The member is shut out until somebody lets them in again; their seat is free, and syncs keep them as they are.

    Raises NotSuspendable, LastAdministrator.
    """
    with transaction.atomic():
        seats.suspend(member.organization_id, member.id, now)
        if administers(member) and not _has_administrator(member.organization):
            raise LastAdministrator
        _note(member, "member.suspend", {"why": why})
    member.refresh_from_db()
    return member


def let_in(member: Member, why: str = "") -> Member:
    """Who was suspended is inactive again: the next sign-in takes a seat. Raises NotSuspendable."""
    with transaction.atomic():
        seats.let_in(member.organization_id, member.id)
        _note(member, "member.let-in", {"why": why})
    member.refresh_from_db()
    return member


def _may_take_a_seat(member: Member, provider: str) -> bool:
    """Who is rostered by nobody signs in as they like."""
    found = [
        link.connection
        for link in links_of(member)
        if link.connection.state != SyncConnection.State.DISCONNECTED
    ]
    return not found or any(
        read_policy(one.policy).access.activation != "sign-in" or fold(provider) in _names(one)
        for one in found
    )


def _names(connection: SyncConnection) -> set[str]:
    """By what a sign-in may call the provider that a connection reads."""
    return {fold(connection.source_kind), fold(connection.name)}


# --- Carrying out -------------------------------------------------------------------------------------------------------------------


def _change(
    member: Member, action: str, after: Mapping[str, Value], act: str, told: Mapping[str, Any]
) -> Member:
    """One operation on the version that was looked at; the member as they are then."""
    operation = Operation(
        1, action, MEMBERS, member.source_id, str(member.id), after=after, changed=tuple(after), version=str(member.version)
    )  # fmt: skip
    administered = administers(member)
    carry_out(member.organization, operation)
    member.refresh_from_db()
    if administered and not administers(member) and not _has_administrator(member.organization):
        raise LastAdministrator
    _note(member, act, told)
    return member


def administers(member: Member) -> bool:
    """Whether they have a role that administers, and are not shut out or gone."""
    administrators = set(member.organization.product.administrator_roles)
    return member.state in MAY_ADMINISTER and bool(administrators & set(roles_held(member)))


def _has_administrator(organization: Organization) -> bool:
    return any(
        directory_lists.members(organization, Sought(role=role)).filter(state__in=MAY_ADMINISTER).exists()
        for role in organization.product.administrator_roles
    )


def _note(member: Member, act: str, told: Mapping[str, Any] | None = None) -> None:
    """Into the audit log: the number of the member, and nothing personal."""
    audit.record(None, act, "member", f"{member.organization_id}/{member.id}", after=told)
