"""Members, roles and origins as they are shown: words, marks, and names looked up once a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.console.organization.words import STATES, badge
from rollbook.console.words import vocabulary_words
from rollbook.engine.sync.operations import Value
from rollbook.flows import origins
from rollbook.flows.origins import Origin
from rollbook.store.directory_rows import listed
from rollbook.store.models import Member, Override

FEW = 2

FIELDS: dict[str, Any] = {
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "email": _("E-mail address"),
    "username": _("Username"),
    "identifier": _("Identifier"),
    "grade": _("Grade"),
    "roles": _("Roles"),
    "sites": _("Sites"),
    "state": _("State"),
    "title": _("Title"),
    "name": _("Name"),
    "form": _("Form"),
    "site": _("Site"),
    "code": _("Class code"),
    "subject": _("Subject"),
    "grades": _("Grades"),
    "begins": _("Begins on"),
    "ends": _("Ends on"),
    "central": _("Kept centrally"),
}

STATES_SAY: dict[str, Any] = {
    "pending": _("Waits for you: no sign-in activates them. They hold no seat."),
    "inactive": _("Known, and holds no seat. The first sign-in takes one."),
    "active": _("Holds a seat."),
    "suspended": _("Shut out by a person. Holds no seat; all they are in stays."),
    "archived": _("Gone, with all they were in. Their seat is free, and they can come back as they were."),
}
"""What each state of a member means."""

FORMS: dict[str, Any] = {"class": _("Class"), "group": _("Group")}

BY: dict[str, Any] = {
    origins.HERE: _("Put in here"),
    origins.HAND: _("Set by hand"),
    origins.BOTH: _("Roster, and by hand"),
    origins.ROSTER: _("Roster"),
}


def role_words(role: str) -> Any:
    """A local role in plain words, where it is one of the usual ones; else as the product calls it."""
    return vocabulary_words(role)


@dataclass(frozen=True)
class ShownMember:
    """A member in a list: `sites` are the first names, `more_sites` how many there are besides."""

    member: Member
    name: str
    state: Badge
    roles: str
    sites: list[str]
    more_sites: int
    source: str


def name_of(member: Member) -> str:
    """What a member is called: their name, else their address, else their number."""
    name = f"{member.given_name} {member.family_name}".strip()
    return name or member.email or member.username or gettext("Member %s") % member.id


def shown_members(
    found: Iterable[Member], sites: Mapping[int, str], sources: Mapping[int, str]
) -> list[ShownMember]:
    return [_shown(one, sites, sources) for one in found]


def _shown(member: Member, sites: Mapping[int, str], sources: Mapping[int, str]) -> ShownMember:
    names = [sites[int(one)] for one in listed(member.site_ids) if int(one) in sites]
    return ShownMember(
        member,
        name_of(member),
        badge(STATES, member.state),
        ", ".join(str(role_words(role)) for role in listed(member.roles)),
        names[:FEW],
        max(len(names) - FEW, 0),
        source_of(member.connection_id, sources),
    )


def source_of(connection_id: int, sources: Mapping[int, str]) -> str:
    """By which roster a record came, or that a person made it."""
    return sources.get(connection_id, "") if connection_id else gettext("By hand")


# --- Where a field comes from ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownOrigin:
    """A field with its value in words, where that comes from, and what a roster says otherwise."""

    field: str
    words: Any
    value: str
    by: Badge
    rosters: str
    override: Override | None
    differing: list[tuple[str, str]]


MARKS = {
    origins.HERE: ("secondary", "people"),
    origins.HAND: ("yellow", "lock"),
    origins.BOTH: ("azure", "plus"),
    origins.ROSTER: ("green", "swap"),
}


def shown_origins(found: Iterable[Origin], sites: Mapping[int, str]) -> list[ShownOrigin]:
    """Fields of which nobody says anything and which are empty are left out."""
    return [
        ShownOrigin(
            one.field,
            FIELDS.get(one.field, one.field),
            value_words(one.field, one.value, sites),
            Badge(BY[one.by], *MARKS[one.by]),
            ", ".join(one.rosters),
            one.override,
            [(said.connection, value_words(one.field, said.value, sites)) for said in one.differing],
        )
        for one in found
        if one.value not in ("", (), False) or one.override or one.differing
    ]


def value_words(field: str, value: Value, sites: Mapping[int, str]) -> str:
    """A value as people read it; sites that who looks does not see are only counted."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if field in ("sites", "site"):
        handles = value if isinstance(value, tuple) else (value,) if value else ()
        known = [sites[int(one)] for one in handles if one.isdecimal() and int(one) in sites]
        if hidden := len(handles) - len(known):
            known.append(gettext("%d not shown here") % hidden)
        return ", ".join(known)
    if field == "roles":
        return ", ".join(str(role_words(role)) for role in value)
    if field == "form":
        return str(FORMS.get(str(value), value))
    return ", ".join(value) if isinstance(value, tuple) else value
