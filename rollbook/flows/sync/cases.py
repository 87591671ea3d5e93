"""Cases side by side: what the source says of a record that is in doubt, and the records it may be, field by field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from rollbook.engine.sync.links import TO_CREATE, TO_IGNORE, TO_LINK
from rollbook.engine.sync.operations import GONE_STATES, GROUPS, MEMBERS, SITES, Value
from rollbook.engine.sync.read_file import StoredRoster
from rollbook.engine.sync.roster import Person
from rollbook.engine.sync.world import Focus
from rollbook.flows.sync.targets import DIRECTORY, target_of
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.linking import targets_of
from rollbook.store.models import Case, SyncConnection
from rollbook.store.sync_shelf import latest_read

PAGE = 50
FIELDS: Mapping[str, tuple[str, ...]] = {
    MEMBERS: ("given_name", "family_name", "email", "username", "identifier", "grade", "roles", "sites"),
    GROUPS: ("title", "code", "site", "begins", "ends"),
    SITES: ("name", "identifier"),
}
SAID_OTHERWISE = frozenset({"roles"})
"""What the source says in words of its own: it is shown, and not held against the directory's."""


class NoSuchCase(Refusal):
    """There is no such case, or it is decided already: `rollbook sync cases` shows those that wait."""


@dataclass(frozen=True)
class Beside:
    """One record: a record of the source by its sourcedId (`from_source`), or one of the directory by its number. `state` is the latter's."""

    id: str
    from_source: bool
    fields: Mapping[str, str]
    state: str = ""


@dataclass(frozen=True)
class Row:
    """One field of all the records, in their order; `agrees` says of each whether it is as the source's, None where that says nothing."""

    field: str
    values: Sequence[str]
    agrees: Sequence[bool | None]


@dataclass(frozen=True)
class Compared:
    """A case: first the source's record, then the other records of the source it is about, then those of the directory."""

    case: Case
    records: Sequence[Beside]

    @property
    def candidates(self) -> list[Beside]:
        return [one for one in self.records if not one.from_source]

    @property
    def rows(self) -> list[Row]:
        source = self.records[0].fields
        return [_row(name, source.get(name, ""), self.records) for name in FIELDS[self.case.kind]]

    @property
    def actions(self) -> tuple[str, ...]:
        """What may be decided: a value that two want is no reason to make another member, who would want it too."""
        link = (TO_LINK,) if self.candidates else ()
        create = () if self.case.code == VALUE_TAKEN else (TO_CREATE,)
        return (*link, *create, TO_IGNORE)

    @property
    def mergeable(self) -> list[Beside]:
        """Members of our own directory who may be one person: none, or at least two."""
        if self.case.kind != MEMBERS or self.case.connection.target_kind != DIRECTORY:
            return []
        found = [one for one in self.candidates if one.state not in GONE_STATES]
        return found if len(found) > 1 else []


VALUE_TAKEN = "value-taken"


def page_of(connection: SyncConnection, after: tuple[datetime, int] | None = None) -> list[Case]:
    """The open cases behind a place, the oldest first; one more than PAGE where there are more."""
    found: QuerySet[Case] = Case.objects.filter(connection=connection, closed_at=None)
    if after is not None:
        found = found.filter(Q(opened_at__gt=after[0]) | Q(opened_at=after[0], pk__gt=after[1]))
    return list(found.order_by("opened_at", "pk")[: PAGE + 1])


def find_case(connection: SyncConnection, number: int) -> Case:
    """An open case. Raises NoSuchCase."""
    found = Case.objects.filter(connection=connection, pk=number, closed_at=None).first()
    if found is None:
        raise NoSuchCase(str(number))
    return found


def compared(connection: SyncConnection, case: Case) -> Compared:
    """The records of a case. Where they are another system's, it is asked; raises CannotFetch then."""
    said = _said(connection, case.kind, [case.source_id, *case.others])
    records = [Beside(one, True, said.get(one, {})) for one in (case.source_id, *case.others)]
    return Compared(case, [*records, *_there(connection, case)])


def _row(name: str, source: str, records: Sequence[Beside]) -> Row:
    values = [one.fields.get(name, "") for one in records]
    compares = bool(source) and name not in SAID_OTHERWISE
    agrees = [
        None if not compares or place == 0 or not one else _same(one, source)
        for place, one in enumerate(values)
    ]
    return Row(name, values, agrees)


def _same(one: str, other: str) -> bool:
    return fold(one.strip()) == fold(other.strip())


def _there(connection: SyncConnection, case: Case) -> Iterator[Beside]:
    """The candidates, and what the record and the others are linked to already."""
    target = target_of(connection)
    linked = targets_of(connection, case.kind, [case.source_id, *case.others])
    ids = list(dict.fromkeys([*case.candidates, *linked.values()]))
    found = {record.id: record for record in target.verify(case.kind, ids)}
    sites = {
        site
        for record in found.values()
        for site in _several(record.fields.get("sites", record.fields.get("site", "")))
    }
    names = (
        {one.id: _told(one.fields.get("name", ""), {}) for one in target.verify(SITES, sorted(sites))}
        if sites
        else {}
    )
    for number in ids:
        if record := found.get(number):
            told = {name: _told(record.fields.get(name, ""), names) for name in FIELDS[case.kind]}
            yield Beside(number, False, told, record.state)


def _told(value: Value, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(one, one) for one in _several(value))


def _several(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) and value else ()


def _said(connection: SyncConnection, kind: str, source_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """What the source said of these records the last time it was read; nothing of those that were not there."""
    read = latest_read(connection)
    if read is None:
        return {}
    ids = frozenset(source_ids)
    focus = {MEMBERS: Focus(people=ids), GROUPS: Focus(classes=ids), SITES: Focus(schools=frozenset())}[kind]
    with StoredRoster(read, focus) as roster:
        orgs = {one.source_id: one.name for one in roster.orgs.values()}
        if kind == SITES:
            return {
                one.source_id: {"name": one.name, "identifier": one.identifier}
                for one in roster.orgs.values()
                if one.source_id in ids
            }
        if kind == GROUPS:
            return {
                one.source_id: {
                    "title": one.title,
                    "code": one.code,
                    "site": orgs.get(one.school, one.school),
                }
                for one in roster.classes.values()
                if one.source_id in ids
            }
        return {one: _of_person(roster.people[one], orgs) for one in source_ids if one in roster.people}


def _of_person(person: Person, orgs: Mapping[str, str]) -> dict[str, str]:
    return {
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": person.email,
        "username": person.username,
        "identifier": person.identifier,
        "grade": ", ".join(person.grades[:1]),
        "roles": ", ".join(dict.fromkeys(post.role for post in person.posts)),
        "sites": ", ".join(dict.fromkeys(orgs.get(post.org, post.org) for post in person.posts)),
    }
