"""What is served, turned into rows of the CSV files: one record of a REST collection becomes a row of its own file, and the rows of
the files that say apart what REST says inside it (roles, profiles, links to resources). Reads nothing and writes nothing.

Source: OneRoster 1.1 and 1.2 REST (what a record has), OneRoster 1.2.1 CSV binding §4 (what a row needs). Where a file asks for more
than REST has to give, the fallbacks below fill it, so that what leaves is valid.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from rollbook.oneroster.csv_binding import written
from rollbook.oneroster.entities import ENTITIES, USER_IDS
from rollbook.oneroster.json_binding import NEUTRAL_VALUES, NEUTRAL_WORDS, NOBODY
from rollbook.oneroster.mapping import PROFILE_URN, derived_role_id
from rollbook.oneroster.spec import Field, Member, Table
from rollbook.oneroster.tables import BINDINGS, LIFECYCLE

Record = Mapping[str, Any]
Cell = Callable[[Record], str]

WORD_FOR_UNKNOWN = {
    "classType": "scheduled",
    "enrollmentRole": "proctor",
    "orgType": "local",
    "sessionType": "term",
    "userRole": "aide",
}
"""What a required column says instead of a word its version does not have, or of none: the word that gives the fewest rights."""

LINKS = {"classes": "classResources", "courses": "courseResources", "users": "userResources"}
"""The file of links to resources, by the collection whose records name them."""

INSIDE = {name: (links,) for name, links in LINKS.items()} | {
    "users": ("userProfiles", "roles", LINKS["users"])
}
"""The files beside a collection's own that its records fill."""


class Row(NamedTuple):
    """A row of a file: its id, and the cells behind status and dateLastModified, in order. `metadata` is as served, or empty."""

    table: str
    sourced_id: str
    cells: list[str]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Writer:
    """Turns the records of one collection, as one version of REST serves them, into rows. `top_org` is the org of what belongs to none."""

    version: str
    collection: str
    top_org: str

    def rows(self, record: Record) -> Iterator[Row]:
        """The rows of a record that is active: its own first."""
        own = _cells(self.version, self.collection)
        cells = [cell(record) for cell in own]
        place = _ORG[self.version, self.collection]
        if place is not None and not cells[place]:
            cells[place] = self.top_org
        yield Row(self.collection, record["sourcedId"], cells, record.get("metadata") or {})
        if self.collection == "users" and self.version == "1.2":
            yield from _profiles(record)
            yield from _roles(record)
        yield from _links(self.version, self.collection, record)

    def is_filled(self, record: Record) -> bool:
        """Whether the row says `top_org` where the record says nothing: it can change without the record's having changed."""
        place = _ORG[self.version, self.collection]
        return place is not None and not _cells(self.version, self.collection)[place](record)

    def gone(self, sourced_id: str) -> Row:
        """The row of a record that is to be deleted: nothing of it but its id, and what its file requires with values that never vary."""
        table = BINDINGS[self.version].table(self.collection)
        cells = [_neutral(field) if field.required == "yes" else "" for field in _payload(table)]
        return Row(self.collection, sourced_id, cells, {})


def files_of(version: str, collection: str) -> tuple[str, ...]:
    """The files that the records of a collection fill in a version, its own first."""
    inside = INSIDE.get(collection, ())
    return (collection, *(name for name in inside if name in BINDINGS[version]))


# --- A record's own row -----------------------------------------------------------------------------------------------------------


def _payload(table: Table) -> tuple[Field, ...]:
    return table.fields[len(LIFECYCLE) :]


@lru_cache
def _cells(version: str, collection: str) -> tuple[Cell, ...]:
    table, entity = BINDINGS[version].table(collection), ENTITIES[version, collection]
    by_source = {member.source or member.name: member for member in entity.members}
    return tuple(_required(field, _cell(field, by_source.get(field.name))) for field in _payload(table))


def _cell(field: Field, member: Member | None) -> Cell:
    """The text of a column, from the member that shows it; empty where none does, or where the record has none."""
    if member is None or field.name == "password":
        return lambda record: ""
    name = member.name
    if member.type == "reference":
        return (
            _references(name) if member.many else lambda record: (record.get(name) or {}).get("sourcedId", "")
        )
    if member.members is USER_IDS:
        return lambda record: ",".join(_user_ids(record.get(name) or ()))
    if member.many:
        return lambda record: ",".join([_item(item) for item in record.get(name) or () if item])
    if field.vocabulary is not None:
        return _word(name, field)
    return lambda record: _text(record.get(name))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return written(value if isinstance(value, str | bool) else str(value))


def _item(value: Any) -> str:
    """An item of a list, in which a comma would begin another."""
    return _text(value).replace(",", " ")


def _references(name: str) -> Cell:
    return lambda record: ",".join([item["sourcedId"] for item in record.get(name) or ()])


def _user_ids(items: Any) -> Iterator[str]:
    """`{type:identifier}` of each item that can be written so."""
    for item in items:
        type_, identifier = _text(item.get("type")) or "id", _text(item.get("identifier"))
        if identifier and not set("{},:") & set(type_) and not set("{},") & set(identifier):
            yield f"{{{type_}:{identifier}}}"


def _word(name: str, field: Field) -> Cell:
    """A word of the vocabulary; another is as if there were none."""
    assert field.vocabulary is not None
    vocabulary = field.vocabulary
    return lambda record: word if (word := record.get(name) or "") in vocabulary else ""


def _required(field: Field, cell: Cell) -> Cell:
    """Fills what a file requires and REST may leave out: a word, or for a text the record's own id, which is told already."""
    if field.required != "yes" or field.is_reference:
        return cell
    if field.vocabulary is not None:
        fallback = WORD_FOR_UNKNOWN.get(field.vocabulary.name, field.vocabulary.words[0])
        return lambda record: cell(record) or fallback
    if field.type in ("string", "id"):
        return lambda record: cell(record) or record["sourcedId"]
    return cell


def _neutral(field: Field) -> str:
    if field.is_reference:
        return NOBODY
    if field.vocabulary is not None:
        return NEUTRAL_WORDS.get(field.vocabulary.name, field.vocabulary.words[0])
    return str(NEUTRAL_VALUES.get(field.type, "")) or NOBODY


# --- Rows of what REST says inside a record --------------------------------------------------------------------------------------------


def _roles(user: Record) -> Iterator[Row]:
    """One row a role. REST gives a role no id of its own: it is derived from the person, the org and the word, and so outlives a date."""
    seen: Counter[tuple[str, str]] = Counter()
    for role in user.get("roles") or ():
        org, word = role["org"]["sourcedId"], role["role"]
        sourced_id = derived_role_id(user["sourcedId"], org, word)
        seen[org, word] += 1
        if seen[org, word] > 1:
            sourced_id = f"{sourced_id}-{seen[org, word]}"
        used = _profile_source(role.get("userProfile") or "")
        dates = [_text(role.get("beginDate")), _text(role.get("endDate"))]
        known = used if used and any(used == row.sourced_id for row in _profiles(user)) else ""
        yield Row("roles", sourced_id, [user["sourcedId"], role["roleType"], word, *dates, org, known], {})


def _profiles(user: Record) -> Iterator[Row]:
    """One row a credential of a profile; the first has the profile's own id. A password is never told."""
    for profile in user.get("userProfiles") or ():
        source = _profile_source(profile["profileId"])
        told = [
            _text(profile.get(name)) for name in ("profileType", "vendorId", "applicationId", "description")
        ]
        for number, credential in enumerate(profile.get("credentials") or (), 1):
            secret = [_text(credential.get("type")), _text(credential.get("username"))]
            sourced_id = source if number == 1 else f"{source}-{number}"
            yield Row("userProfiles", sourced_id, [user["sourcedId"], *told, *secret, ""], {})


def _profile_source(profile_id: str) -> str:
    return unquote(profile_id.removeprefix(PROFILE_URN))


def _links(version: str, collection: str, record: Record) -> Iterator[Row]:
    """One row a resource that the record names."""
    table = LINKS.get(collection, "")
    if table not in BINDINGS[version]:
        return
    for resource in record.get("resources") or ():
        owner, named = record["sourcedId"], resource["sourcedId"]
        ends = [owner, "", "", named] if collection == "users" else ["", owner, named]
        yield Row(table, link_id(owner, named), ends, {})


def link_id(owner: str, resource: str) -> str:
    """The sourcedId of a link, which REST gives none: `link-` and the md5 of both ids, 37 letters, the same every time."""
    return derived_role_id(owner, resource, "").replace("role-", "link-", 1)


def _org_column(version: str, collection: str) -> int | None:
    """The place, among the cells, of the org that a file requires and REST may leave out."""
    name = {"courses": "orgSourcedId", "users": "orgSourcedIds"}.get(collection, "")
    names = [field.name for field in _payload(BINDINGS[version].table(collection))]
    return names.index(name) if name in names else None


_ORG = {
    (version, collection): _org_column(version, collection)
    for version, collection in ENTITIES
    if collection in BINDINGS[version]
}
