"""The JSON of the REST binding as text: canonical records rendered by version, tombstones, and stored text
opened into an answer.

Stored text leaves two things open, `dateLastModified` (it begins right behind it) and the service's address
(`ADDRESS` in hrefs). Source: OneRoster 1.1 REST §4, OneRoster 1.2 REST (closed objects, no nulls, empty
optional members left out).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import quote

from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.entities import BASE, ENTITIES, MEMBERS, USER_IDS
from rollbook.oneroster.mapping import demographics_v1p1, user_v1p1, user_v1p2
from rollbook.oneroster.operations import BASES
from rollbook.oneroster.spec import Member

ADDRESS = "\x7f"
"""Stands in stored text for the address of the service, to which a collection's path is added. Data never
holds it bare.
"""

ALWAYS_ALIKE = frozenset({"orgs", "academicSessions", "courses", "enrollments"})
"""The collections whose records are the same text in both versions, whatever they hold."""

NEUTRAL_WORDS = {
    "enrollmentRole": "student",
    "orgType": "school",
    "sessionType": "term",
    "userRole": "student",
}
"""The word a tombstone shows in a required member: the most frequent, so that a reader who filters by it
misses the fewest deletions; the first of its vocabulary where none stands here.
"""

NEUTRAL_VALUES: dict[str, Any] = {
    "string": "",
    "boolean": "false",
    "date": "1970-01-01",
    "datetime": "1970-01-01T00:00:00.000Z",
    "year": "1970",
    "float": 0,
}

REFERRING_TO_RESOURCES = frozenset(
    collection
    for entities in MEMBERS.values()
    for collection, members in entities.items()
    if any(member.target == "resources" for member in members)
)

_RESOURCE = f"{ADDRESS}/resources/".encode()

NOBODY = "-"
"""The sourcedId a tombstone's required references name."""

Record = Mapping[str, Any]
Part = Callable[[Record], str]

_needs_no_escape = re.compile(r"[0-9A-Za-z.\-_~]+").fullmatch
_is_json_number = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?").fullmatch


def render(collection: str, record: Record, version: str, today: str) -> str:
    """The text of an active record from behind `dateLastModified` on: `,"sourcedId":…}`.

    `record` has canonical names and Python values; references are served ids. Users also have `roles` and
    `userProfiles` (rows of those collections), orgs and academicSessions `children`. `today` (`YYYY-MM-DD`)
    says which roles are current in 1.1.
    """
    shape = SHAPES.get((version, collection))
    shown = shape(record, today) if shape else record
    return "".join([part(shown) for part in PARTS[version, collection]]) + "}"


def texts(collection: str, record: Record, today: str) -> tuple[str, str | None]:
    """The 1.1 text and the 1.2 text of a record; None for the second where it is the same."""
    v1p1 = render(collection, record, "1.1", today)
    if collection in ALWAYS_ALIKE:
        return v1p1, None
    v1p2 = render(collection, record, "1.2", today)
    return v1p1, None if v1p1 == v1p2 else v1p2


def tombstone(collection: str, sourced_id: str, version: str) -> str:
    """The text of a deleted record: nothing of it but its id, and the members its schema requires with values
    that never vary.
    """
    return f',"sourcedId":{quoted(sourced_id)},"status":"tobedeleted"{_neutral_text(collection, version)}'


def neutral(collection: str, version: str) -> dict[str, Any]:
    """The required members of a tombstone but its own sourcedId, status and dateLastModified, and the values
    they have in every one.
    """
    members = ENTITIES[version, collection].members[len(BASE) :]
    return {member.name: _neutral(member) for member in members if member.required}


def opened(text: str, collection: str, instant: str, address: str) -> str:
    """A stored text of a collection as the object it is served as; `address` is the service's, without a slash at its end."""
    return f'{{"dateLastModified":"{instant}"{addressed(text.encode(), collection, address).decode()}'


def addressed(text: bytes, collection: str, address: str) -> bytes:
    """Stored texts of a collection with the service's address filled in. 1.2 has resources at a service of their own."""
    # Only where there can be one: to look through a page costs nearly as much as to fill it in.
    if collection in REFERRING_TO_RESOURCES and _RESOURCE in text:
        text = text.replace(_RESOURCE, f"{resources_address(address)}/resources/".encode())
    # Bytes, because they are replaced in a sixth of the time that a str takes.
    return text.replace(ADDRESS.encode(), address.encode())


def resources_address(address: str) -> str:
    """The address of the service that has the resources, by that of the rostering service of the same version."""
    return address.replace(BASES["1.2", "rostering"], BASES["1.2", "resources"])


def instant_text(milliseconds: int) -> str:
    """Milliseconds since 1970 as the standard writes a moment: `2026-01-02T03:04:05.678Z`."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def quoted(text: str) -> str:
    """A JSON string without a bare U+007F."""
    string = encode_basestring(text)
    return string if ADDRESS not in string else string.replace(ADDRESS, "\\u007f")


def _parts(version: str, collection: str) -> tuple[Part, ...]:
    """One function a member, each giving `,"name":value` or nothing."""
    members = ENTITIES[version, collection].members
    return (_head, *(_part(member) for member in members if member.source and member.name != "sourcedId"))


def _head(record: Record) -> str:
    return f',"sourcedId":{quoted(record["sourcedId"])},"status":"active"'


def _part(member: Member) -> Part:
    if member.many:
        return _many(member)
    if member.type == "reference":
        return _required_reference(member) if member.required else _optional_reference(member)
    if member.type == "boolean":
        return _flag(member)
    if member.default is not None or member.default_source:
        return _with_default(member)
    return _optional(member)


def _optional(member: Member) -> Part:
    """A value, or nothing where there is none; a required text is there even when it is empty."""
    key, source, value = f',"{member.name}":', member.source, VALUES.get(member.type, quoted)
    nothing = f'{key}""' if member.required and value is quoted else ""

    def part(record: Record) -> str:
        given = record.get(source)
        return key + value(given) if given else nothing

    return part


def _with_default(member: Member) -> Part:
    key, source, value = f',"{member.name}":', member.source, VALUES.get(member.type, quoted)
    default, default_source = member.default or "", member.default_source

    def part(record: Record) -> str:
        return key + value(record.get(source) or (record[default_source] if default_source else default))

    return part


def _flag(member: Member) -> Part:
    source = member.source
    missing = "" if member.default is None else f',"{member.name}":"{member.default}"'
    texts = {None: missing, True: f',"{member.name}":"true"', False: f',"{member.name}":"false"'}
    return lambda record: texts[record.get(source)]


def _required_reference(member: Member) -> Part:
    key, source, reference = f',"{member.name}":', member.source, _reference(member)
    return lambda record: key + reference(record[source])


def _optional_reference(member: Member) -> Part:
    key, source, reference = f',"{member.name}":', member.source, _reference(member)

    def part(record: Record) -> str:
        given = record.get(source)
        return key + reference(given) if given else ""

    return part


def _reference(member: Member) -> Callable[[str], str]:
    start = f'{{"href":"{ADDRESS}/{member.target}/'
    middle = '","sourcedId":"'
    end = f'","type":"{member.word}"}}'

    def reference(sourced_id: str) -> str:
        if _needs_no_escape(sourced_id):
            return f"{start}{sourced_id}{middle}{sourced_id}{end}"
        return f"{start}{quote(sourced_id, safe='')}{middle}{quoted(sourced_id)[1:-1]}{end}"

    return reference


def _many(member: Member) -> Part:
    key, source, value = f',"{member.name}":[', member.source, _item(member)
    nothing = f"{key}]" if member.required or member.default is not None else ""

    def part(record: Record) -> str:
        given = record.get(source)
        return f"{key}{','.join([value(item) for item in given])}]" if given else nothing

    return part


def _item(member: Member) -> Callable[[Any], str]:
    if member.type == "reference":
        return _reference(member)
    if member.members is USER_IDS:
        return _user_id
    if member.type == "object":
        return _object(member.members)
    return quoted


def _object(members: tuple[Member, ...]) -> Callable[[Record], str]:
    parts = [_part(member) for member in members if member.source]
    return lambda record: f"{{{''.join([part(record) for part in parts])[1:]}}}"


def _user_id(item: str) -> str:
    """A `{type:identifier}` item of the CSV column as an object; one without that shape is an identifier of
    no type.
    """
    inner = item[1:-1] if item.startswith("{") and item.endswith("}") else item
    type_, colon, identifier = inner.partition(":")
    return (
        f'{{"type":{quoted(type_ if colon else "")},"identifier":{quoted(identifier if colon else inner)}}}'
    )


def _number(text: Any) -> str:
    """A JSON number, digit by digit as delivered where JSON can write it so."""
    given = str(text)
    return given if _is_json_number(given) else json.dumps(float(given))


def _moment(text: str) -> str:
    """A date-time; a bare date is its midnight UTC."""
    return quoted(f"{text}T00:00:00.000Z" if len(text) == len("2026-01-02") else text)


def _open_object(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace(ADDRESS, "\\u007f")


VALUES: dict[str, Callable[[Any], str]] = {"float": _number, "datetime": _moment, "metadata": _open_object}
"""How values of a type are written; all others are JSON strings."""

SHAPES: dict[tuple[str, str], Callable[[Record, str], Record]] = {
    ("1.1", "users"): user_v1p1,
    ("1.2", "users"): user_v1p2,
    ("1.1", "demographics"): demographics_v1p1,
}
"""What is done to a canonical record before a version renders it."""

PARTS = {
    (version, collection): _parts(version, collection) for version in ("1.1", "1.2") for collection in SERVED
}


@lru_cache
def _neutral_text(collection: str, version: str) -> str:
    members = json.dumps(neutral(collection, version), separators=(",", ":"), ensure_ascii=False)
    return f",{members[1:]}" if members != "{}" else "}"


def _neutral(member: Member) -> Any:
    value = _neutral_one(member)
    return [value] if member.many else value


def _neutral_one(member: Member) -> Any:
    if member.type == "reference":
        href = f"{ADDRESS}/{member.target}/{NOBODY}"
        return {"href": href, "sourcedId": NOBODY, "type": member.word}
    if member.type == "object":
        return {inner.name: _neutral(inner) for inner in member.members if inner.required}
    if member.vocabulary is not None:
        return NEUTRAL_WORDS.get(member.vocabulary.name, member.vocabulary.words[0])
    return NEUTRAL_VALUES[member.type]
