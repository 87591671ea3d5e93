"""The lists of a directory as somebody looks through them: which members, classes and sites, in order, a page at a time, or as a file.

`within` are the sites of who looks, by id; None stands for all. Who is at none of them is not there.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.core.cache import caches
from django.db.models import Count, Q, QuerySet

from rollbook.engine.report import harmless
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED, INACTIVE, PENDING, SUSPENDED
from rollbook.flows import audit
from rollbook.oneroster.folding import fold
from rollbook.store.bulk import listed
from rollbook.store.directory_pages import Page, Place, page_of
from rollbook.store.directory_rows import listed as texts_of
from rollbook.store.models import Group, Member, Membership, Organization, Site

HERE = (PENDING, INACTIVE, ACTIVE, SUSPENDED)
"""The states of members who are not gone."""

STATES = (*HERE, ARCHIVED)
BY_NAME, BY_TITLE = "name_folded", "title_folded"
GRADES_KEPT = 300

Within = Collection[int] | None


@dataclass(frozen=True)
class Sought:
    """Which members are looked for. Empty or None: all; `state` empty: all who are not archived. `source` is a connection, 0 by hand."""

    state: str = ""
    role: str = ""
    site: int | None = None
    grade: str = ""
    source: int | None = None
    search: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        return (self.state,) if self.state else HERE

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the state is asked for."""
        return bool(self.role or self.site or self.grade or self.search) or self.source is not None


# --- Members ------------------------------------------------------------------------------------------------------------------------


def members(organization: Organization, sought: Sought, within: Within = None) -> QuerySet[Member]:
    """The members who fit, of whatever state, in no order."""
    found = seen(Member.objects.filter(organization=organization), within)
    if sought.role:
        found = found.filter(roles__contains=json.dumps(sought.role, ensure_ascii=False))
    if sought.site:
        found = found.filter(_at([sought.site]))
    if sought.grade:
        found = found.filter(grade=sought.grade)
    if sought.source is not None:
        found = found.filter(connection_id=sought.source)
    for word in sought.search.split():
        found = found.filter(_has(word))
    return found


def seen(found: QuerySet[Member], within: Within) -> QuerySet[Member]:
    """Of these members those at one of the sites of who looks."""
    return found if within is None else found.filter(_at(within))


def _at(sites: Iterable[int]) -> Q:
    each = (Q(site_ids__contains=json.dumps(str(site))) for site in sorted(sites))
    return reduce(or_, each, Q(pk__in=[]))


def _has(word: str) -> Q:
    folded = fold(word)
    return (
        Q(name_folded__contains=folded)
        | Q(email_folded__contains=folded)
        | Q(username_folded__contains=folded)
        | Q(identifier__icontains=word)
    )


def member_page(organization: Organization, sought: Sought, within: Within, place: Place) -> Page[Member]:
    """A page of the members who fit, by name."""
    found = members(organization, sought, within)
    if sought.is_narrow or within is not None:
        return page_of(found, sought.states, BY_NAME, place)
    known = state_numbers(organization)
    return page_of(found, sought.states, BY_NAME, place, sum(known.get(one, 0) for one in sought.states))


def state_numbers(organization: Organization) -> dict[str, int]:
    """How many members there are of each state."""
    found = Member.objects.filter(organization=organization).order_by()
    return dict(found.values_list("state").annotate(Count("id")))


def role_numbers(organization: Organization, site: Site) -> dict[str, int]:
    """{role: members who are not archived} of a site; who has two roles counts in both."""
    found = members(organization, Sought(site=site.id)).filter(state__in=HERE).order_by()
    numbers: Counter[str] = Counter()
    for roles, number in found.values_list("roles").annotate(Count("id")):
        for role in texts_of(roles):
            numbers[role] += number
    return dict(numbers)


def grades(organization: Organization) -> list[str]:
    """The grades that members have, kept for some minutes: they change with a school year."""
    memory, key = caches["memory"], f"grades:{organization.pk}"
    known: list[str] | None = memory.get(key)
    if known is None:
        found = Member.objects.filter(organization=organization).exclude(grade="").order_by("grade")
        known = list(found.values_list("grade", flat=True).distinct())
        memory.set(key, known, GRADES_KEPT)
    return known


COLUMNS = (
    "member",
    "familyName",
    "givenName",
    "email",
    "username",
    "identifier",
    "grade",
    "roles",
    "sites",
    "state",
    "source",
)


def member_rows(
    organization: Organization, sought: Sought, within: Within, sources: Mapping[int, str]
) -> Iterator[list[str]]:
    """The members who fit as rows of a file, under a header. That they were taken is noted before the first row leaves."""
    told = {"state": sought.state, "role": sought.role, "site": sought.site, "grade": sought.grade}
    audit.record(None, "member.export", "organization", organization.pk, organization.name, after=told)
    found = members(organization, sought, within).filter(state__in=sought.states)
    return _rows(found, site_names(organization, within), sources)


def _rows(
    found: QuerySet[Member], names: Mapping[int, str], sources: Mapping[int, str]
) -> Iterator[list[str]]:
    yield list(COLUMNS)
    for one in found.order_by(BY_NAME, "id").iterator(chunk_size=2_000):
        sites = [names[int(site)] for site in texts_of(one.site_ids) if int(site) in names]
        row = [
            one.id,
            one.family_name,
            one.given_name,
            one.email,
            one.username,
            one.identifier,
            one.grade,
            ", ".join(texts_of(one.roles)),
            ", ".join(sites),
            one.state,
            sources.get(one.connection_id, ""),
        ]
        yield [harmless(str(value)) for value in row]


# --- Sites and groups -----------------------------------------------------------------------------------------------------------------


def site_names(organization: Organization, within: Within = None) -> dict[int, str]:
    """The sites that are not archived, by name: those of who looks."""
    found = Site.objects.filter(organization=organization, state=ACTIVE).order_by(BY_NAME, "id")
    found = found if within is None else found.filter(id__in=list(within))
    return dict(found.values_list("id", "name"))


def sites(organization: Organization, state: str, search: str, within: Within) -> QuerySet[Site]:
    """The sites of this state with all these words in name or identifier."""
    found = Site.objects.filter(organization=organization, state=state)
    found = found if within is None else found.filter(id__in=list(within))
    for word in search.split():
        found = found.filter(Q(name_folded__contains=fold(word)) | Q(identifier__icontains=word))
    return found


@dataclass(frozen=True)
class SoughtGroups:
    """Which classes and groups are looked for. `form` is class or group, `source` a connection or 0 for by hand; empty or None: all."""

    state: str = ACTIVE
    form: str = ""
    site: int | None = None
    source: int | None = None
    search: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the state is asked for."""
        return bool(self.form or self.site or self.search) or self.source is not None


def groups(organization: Organization, sought: SoughtGroups, within: Within) -> QuerySet[Group]:
    """The classes and groups that fit, of whatever state, in no order."""
    found = Group.objects.filter(organization=organization)
    found = found if within is None else found.filter(site_id__in=list(within))
    if sought.form:
        found = found.filter(form=sought.form)
    if sought.site:
        found = found.filter(site_id=sought.site)
    if sought.source is not None:
        found = found.filter(connection_id=sought.source)
    for word in sought.search.split():
        found = found.filter(Q(title_folded__contains=fold(word)) | Q(code__icontains=word))
    return found


def group_page(organization: Organization, sought: SoughtGroups, within: Within, place: Place) -> Page[Group]:
    """A page of the classes and groups that fit, by title."""
    found = groups(organization, sought, within)
    if sought.is_narrow or within is not None:
        return page_of(found, (sought.state,), BY_TITLE, place)
    return page_of(found, (sought.state,), BY_TITLE, place, found.filter(state=sought.state).count())


def site_page(
    organization: Organization, state: str, search: str, within: Within, place: Place
) -> Page[Site]:
    """A page of the sites that fit, by name: they are few."""
    return page_of(sites(organization, state, search, within), (state,), BY_NAME, place)


def people_numbers(organization: Organization, groups: Sequence[Group]) -> dict[int, dict[str, int]]:
    """{group: {role: people}} of who holds in these groups now; who is in one by two words counts once."""
    here = Member.objects.filter(organization=organization, state__in=HERE)
    rows = Membership.objects.filter(
        organization=organization,
        group_id__in=listed(one.id for one in groups),
        state=ACTIVE,
        member_id__in=here.values("id"),
    )
    found: dict[int, dict[str, int]] = {}
    counted: Any = rows.order_by().values_list("group_id", "role").annotate(Count("member_id", distinct=True))
    for group, role, number in counted:
        found.setdefault(group, {})[role] = number
    return found


def class_numbers(organization: Organization, sites: Iterable[Site]) -> dict[int, int]:
    """{site: classes and groups that are not archived}"""
    found = Group.objects.filter(
        organization=organization, state=ACTIVE, site_id__in=[one.id for one in sites]
    )
    return dict(found.order_by().values_list("site_id").annotate(Count("id")))
