"""Find: a person or a class as one app sees it, and every record of it that the app sees. Read by the app's own reader, and by nothing else.

What is not found here the app does not see; why not, `flows.explain` says.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from rollbook.engine.scope import Rule
from rollbook.flows.publish import local_date
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.filters import AllOf, AnyOf, Clause, Path, find_path, is_unseen
from rollbook.oneroster.operations import OPERATION
from rollbook.oneroster.query import Question, Sort
from rollbook.refusal import Refusal
from rollbook.store import lookup
from rollbook.store.circumstances import circumstances
from rollbook.store.lookup import Narrow, Record, Seen, at_schools, look
from rollbook.store.models import Grant
from rollbook.store.reference import referenced
from rollbook.store.unseen import unseen_by
from rollbook.store.visibility import NotVisible, Reader, reader_of_grant

VERSION = "1.2"
PAGE = 25
MOST = 100
MOST_WORDS = 4
LONGEST = 200

ALL_OF = {"users": "getAllUsers", "classes": "getAllClasses", "enrollments": "getAllEnrollments"}
ONE_OF = {"users": "getUser", "classes": "getClass", "demographics": "getDemographics"}

EXACT = {"users": ("sourcedId", "username", "identifier", "email"), "classes": ("sourcedId", "classCode")}
"""Members that must be what was typed."""

WORDS = {"users": ("givenName", "familyName"), "classes": ("title",)}
"""Members in one of which every word that was typed must stand."""

ORDER = {"users": "familyName", "classes": "title"}

SENSITIVE = frozenset({"demographics"})
HEAD = ("sourcedId", "status", "dateLastModified", "metadata")

Schools = Collection[int] | None
"""Record ids of the schools that whoever looks is bound to; None is the whole district."""


class NothingAsked(Refusal):
    """Type a sourcedId, a username, an identifier, an e-mail address, a name, or the title or code of a class."""


@dataclass(frozen=True)
class Part:
    """What the app sees of one collection that belongs to a record. `relation` says how it does; `reference` are the ids of all orgs that the
    app is told of for reference only.
    """

    relation: str
    collection: str
    seen: Seen
    reference: frozenset[str] = frozenset()


def looking_at(grant: Grant) -> Reader:
    """The app's eyes. No key of the app is used, so nothing is counted as its own reading."""
    return reader_of_grant(grant, -grant.pk)


# --- Searching ----------------------------------------------------------------------------------------------------------------------------


def find(
    grant: Grant, collection: str, text: str, offset: int = 0, schools: Schools = None, limit: int = PAGE
) -> Seen:
    """The people or classes that the app sees and the text fits. What the app sees only masked is not searched. Raises NothingAsked."""
    words = text.split()
    if not words or len(text) > LONGEST or "\0" in text:
        raise NothingAsked
    reader = looking_at(grant)
    operation = OPERATION[VERSION, ALL_OF[collection]]
    hidden = unseen_by(reader, operation)
    groups = tuple(_groups(collection, _called(grant, collection, text.strip()), words, hidden))
    if not groups:
        return Seen([], 0)
    order = _path(collection, ORDER[collection])
    sort = None if is_unseen(order, hidden) else Sort(order, False)
    question = Question(operation, filter=AnyOf(groups), sort=sort, offset=max(offset, 0), limit=limit)
    return look(reader, question, _narrow(grant, collection, schools))


def _called(grant: Grant, collection: str, text: str) -> list[str]:
    """The text, and where it is an id of the roster, the id by which the app knows the record instead."""
    return list(dict.fromkeys((text, shown_id(grant, collection, text))))


def shown_id(grant: Grant, collection: str, sourced_id: str) -> str:
    """By which id the app knows what has this one in the roster."""
    rule = Rule.parse(grant.rule)
    today = local_date(grant.district, time.time())
    return circumstances(grant.district_id, grant, rule, today).shown_id(collection, sourced_id)


def _groups(
    collection: str, texts: Sequence[str], words: Sequence[str], hidden: frozenset[str]
) -> Iterator[AllOf]:
    """A text as it is in one member, or each of the words in some member."""
    for name, text in product(EXACT[collection], texts):
        if not is_unseen(path := _path(collection, name), hidden):
            yield AllOf((Clause(path, "=", (text,)),))
    shown = [path for name in WORDS[collection] if not is_unseen(path := _path(collection, name), hidden)]
    for paths in product(shown, repeat=min(len(words), MOST_WORDS)):
        yield AllOf(tuple(Clause(path, "~", (word,)) for path, word in zip(paths, words, strict=False)))


def _path(collection: str, name: str) -> Path:
    path = find_path(ENTITIES[VERSION, collection], name)
    assert path is not None
    return path


def _narrow(grant: Grant, collection: str, schools: Schools) -> Narrow | None:
    return None if schools is None else at_schools(grant.district_id, collection, schools)


def real_id(grant: Grant, collection: str, sourced_id: str) -> str:
    """The sourcedId in the roster of what the app knows by this one."""
    return lookup.real_id(looking_at(grant), Question(OPERATION[VERSION, ONE_OF[collection]], (sourced_id,)))


# --- One record and all that belongs to it --------------------------------------------------------------------------------------------------


def one(grant: Grant, collection: str, sourced_id: str, schools: Schools = None) -> Record:
    """The record as the app gets it. Raises NotVisible."""
    seen = _seen(grant, ONE_OF[collection], (sourced_id,), narrow=_narrow(grant, collection, schools))
    if not seen.records:
        raise NotVisible(sourced_id)
    return seen.records[0]


def parts(grant: Grant, collection: str, record: Record, offset: int = 0) -> list[Part]:
    """Everything the app sees that belongs to the record, in the order in which it is told; up to `MOST` records of each, from `offset`."""
    found = _of_person(grant, record, offset) if collection == "users" else _of_class(grant, record, offset)
    reference = ids_for_reference(grant)
    return [replace(part, reference=reference) for part in found if part.seen.total]


def ids_for_reference(grant: Grant) -> frozenset[str]:
    """The orgs that the app is told of for reference only, by the ids by which it knows them."""
    rule, today = Rule.parse(grant.rule), local_date(grant.district, time.time())
    known = circumstances(grant.district_id, grant, rule, today)
    return frozenset(known.shown_id("orgs", one.sourced_id) for one in referenced(grant.district_id, rule))


def told(part: Part) -> dict[str, Any]:
    """The part for programs: names as in JSON answers. Of demographics it is told which members the app is given, and no value."""
    about = {"relation": part.relation, "collection": part.collection, "total": part.seen.total}
    if part.collection in SENSITIVE:
        return {**about, "records": [], "members": members_of(part.seen.records)}
    if part.collection == "orgs":
        own = (str(record["sourcedId"]) for record in part.seen.records)
        return {
            **about,
            "records": part.seen.records,
            "forReference": [one for one in own if one in part.reference],
        }
    return {**about, "records": part.seen.records}


def members_of(records: Iterable[Record]) -> list[str]:
    """The members that records have beside those all have."""
    return list(dict.fromkeys(name for record in records for name in record if name not in HEAD))


def _of_person(grant: Grant, record: Record, offset: int) -> Iterator[Part]:
    own = str(record["sourcedId"])
    yield Part("enrollments", "enrollments", _enrollments(grant, "user", own, offset))
    classes = _seen(grant, "getClassesForUser", (own,), offset)
    yield Part("classes", "classes", classes)
    yield Part("courses", "courses", _named(grant, "courses", _ids(classes.records, "course")))
    yield Part("terms", "academicSessions", _named(grant, "academicSessions", _ids(classes.records, "terms")))
    yield Part("demographics", "demographics", _seen(grant, "getDemographics", (own,)))
    yield Part("agents", "users", _named(grant, "users", _ids([record], "agents")))
    orgs = [*_ids([record], "primaryOrg"), *_ids(record.get("roles", ()), "org")]
    yield from _places(grant, orgs)
    yield Part("resources", "resources", _named(grant, "resources", _ids([record], "resources")))


def _of_class(grant: Grant, record: Record, offset: int) -> Iterator[Part]:
    own = (str(record["sourcedId"]),)
    yield Part("teachers", "users", _seen(grant, "getTeachersForClass", own, offset))
    yield Part("students", "users", _seen(grant, "getStudentsForClass", own, offset))
    yield Part("enrollments", "enrollments", _enrollments(grant, "class", own[0], offset))
    yield Part("courses", "courses", _named(grant, "courses", _ids([record], "course")))
    yield from _places(grant, _ids([record], "school"))
    yield Part("terms", "academicSessions", _named(grant, "academicSessions", _ids([record], "terms")))
    yield Part("resources", "resources", _named(grant, "resources", _ids([record], "resources")))


def _places(grant: Grant, ids: Iterable[str]) -> Iterator[Part]:
    """The orgs of these ids, and those that the app sees above them."""
    own = _named(grant, "orgs", ids)
    yield Part("orgs", "orgs", own)
    known = {str(record["sourcedId"]) for record in own.records}
    above: list[Record] = []
    higher = own.records
    while wanted := [one for one in _ids(higher, "parent") if one not in known]:
        higher = _named(grant, "orgs", wanted).records
        known.update(wanted)
        above += higher
    yield Part("above", "orgs", Seen(above, len(above)))


def _seen(
    grant: Grant, operation_id: str, ids: tuple[str, ...], offset: int = 0, narrow: Narrow | None = None
) -> Seen:
    """What a GET would give the app; nothing where it would be 404."""
    operation = OPERATION[VERSION, operation_id]
    question = Question(operation, ids, limit=MOST, offset=offset)
    try:
        return look(looking_at(grant), question, narrow)
    except NotVisible:
        return Seen([], 0)


def _enrollments(grant: Grant, member: str, sourced_id: str, offset: int) -> Seen:
    clause = Clause(_path("enrollments", f"{member}.sourcedId"), "=", (sourced_id,))
    operation = OPERATION[VERSION, "getAllEnrollments"]
    question = Question(operation, filter=AnyOf((AllOf((clause,)),)), limit=MOST, offset=offset)
    return look(looking_at(grant), question)


def names_of_orgs(grant: Grant, record: Record) -> dict[str, str]:
    """{id: name} of the orgs at which the person has roles, as far as the app sees them."""
    seen = _named(grant, "orgs", _ids(record.get("roles", ()), "org"))
    return {str(one["sourcedId"]): str(one.get("name", "")) for one in seen.records}


def _named(grant: Grant, collection: str, ids: Iterable[str]) -> Seen:
    """The records of these ids, once each."""
    wanted = list(dict.fromkeys(ids))[:MOST]
    every = next(
        (
            one
            for (version, _), one in OPERATION.items()
            if version == VERSION and one.path == f"/{collection}"
        ),
        None,
    )
    if not wanted or every is None or not every.served:
        return Seen([], 0)
    path = _path(collection, "sourcedId")
    groups = tuple(AllOf((Clause(path, "=", (one,)),)) for one in wanted)
    return look(looking_at(grant), Question(every, filter=AnyOf(groups), limit=MOST))


def _ids(records: Iterable[Record], member: str) -> list[str]:
    """The sourcedIds that records name in a member, which is a reference or a list of them."""
    found: list[str] = []
    for record in records:
        value: Any = record.get(member)
        references = value if isinstance(value, list) else [value] if value else []
        found += [str(reference["sourcedId"]) for reference in references]
    return found
