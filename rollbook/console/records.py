"""A record's page as data: its facts in plain words beside the standard's names, and lists of the records that refer to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollbook.console.browse import Question, kind_column, sorted_apart
from rollbook.console.cells import Cell, Names, Row, list_of, plain, rows_of, want_names, word_cell
from rollbook.console.dates import day
from rollbook.console.sheets import ID, SHEETS, Column, Sheet
from rollbook.console.words import field_words, vocabulary_words
from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.spec import Field
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS, Demographics, District, Publication, Record, Role, Served
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.models.roster import ACTIVE

LISTED = 25
"""How many records of a list stand on the page of another; the rest is behind "Show all"."""


@dataclass(frozen=True)
class Relation:
    """Records of `collection` that name this one in the column its sheet narrows by `param`.

    Only those of this `kind`, if given, and none of these `others`; `hidden` are fields its table leaves out. An `optional` one is not
    shown where it is empty.
    """

    words: Any
    collection: str
    param: str
    kind: str = ""
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Fact:
    """One field: plain words, the standard's name, its values."""

    words: Any
    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Listing:
    """A relation of one record: the first rows, whether there are more, and where all are."""

    words: Any
    columns: tuple[Column, ...]
    rows: list[Row]
    more: bool
    url: str
    anchor: str


@dataclass(frozen=True)
class Share:
    """A number of people with one role, and where they are listed."""

    words: Any
    number: int
    url: str


RELATIONS: dict[str, tuple[Relation, ...]] = {
    "orgs": (
        Relation(_("Organizations that belong to it"), "orgs", "parent", optional=True),
        Relation(_("Courses"), "courses", "org"),
        Relation(_("Classes"), "classes", "school"),
    ),
    "academicSessions": (
        Relation(_("Parts of this session"), "academicSessions", "parent", optional=True),
        Relation(_("Courses of this year"), "courses", "session", optional=True),
    ),
    "courses": (
        Relation(_("Classes"), "classes", "course"),
        Relation(_("Resources"), "courseResources", "course", optional=True),
    ),
    "classes": (
        Relation(_("Teachers"), "enrollments", "class", kind="teacher", hidden=("role", "schoolSourcedId")),
        Relation(_("Students"), "enrollments", "class", kind="student", hidden=("role", "schoolSourcedId")),
        Relation(
            _("Others in this class"),
            "enrollments",
            "class",
            others=("teacher", "student"),
            hidden=("schoolSourcedId",),
        ),
        Relation(_("Resources"), "classResources", "class", optional=True),
    ),
    "users": (
        Relation(_("Roles"), "roles", "person"),
        Relation(_("Classes"), "enrollments", "person"),
        Relation(_("User profiles"), "userProfiles", "person", optional=True),
        Relation(_("Resources"), "userResources", "person", optional=True),
    ),
    "resources": (
        Relation(_("Given to courses"), "courseResources", "resource", optional=True),
        Relation(_("Given to classes"), "classResources", "resource", optional=True),
        Relation(_("Given to people"), "userResources", "resource", optional=True),
    ),
}


def facts_of(names: Names, sheet: Sheet, record: Record) -> list[Fact]:
    """Every field of the collection in the standard's order, empty ones included."""
    facts = [Fact(field_words(one.name), one.name, _values(names, one, record)) for one in _fields(sheet)]
    if isinstance(record, Demographics):
        facts.insert(
            0, Fact(field_words("userSourcedId"), "sourcedId", [names.cell("users", record.user_id)])
        )
    return facts


def _fields(sheet: Sheet) -> Sequence[Field]:
    return () if sheet.sensitive else COLLECTION[sheet.collection].fields


def sensitive_facts(record: Record) -> list[Fact]:
    """The fields of a demographics record."""
    names = Names(record.district)
    return [
        Fact(field_words(one.name), one.name, _values(names, one, record))
        for one in COLLECTION["demographics"].fields
    ]


def _values(names: Names, field: Field, record: Record) -> list[Cell]:
    value = getattr(record, column_of(field.name))
    if value is None or value == "":
        return []
    if field.is_reference:
        return [names.cell(str(field.target), one) for one in _ids(value)]
    match field.type:
        case "enum":
            return [word_cell(value)]
        case "stringList" | "enumList":
            return [Cell("text", item) for item in list_of(value)]
        case "date":
            return [Cell("text", day(value))]
        case _:
            return [Cell("text", plain(value))]


def _ids(value: Any) -> list[int]:
    """The record ids of a reference, or of a stored list of references."""
    return json.loads(value) if isinstance(value, str) else [value]


def want_references(names: Names, sheet: Sheet, record: Record) -> None:
    """Asks for the names of all records this one refers to."""
    for field in _fields(sheet):
        value = getattr(record, column_of(field.name))
        if field.is_reference and value is not None:
            names.want(str(field.target), _ids(value))
    if isinstance(record, Demographics):
        names.want("users", [record.user_id])


def metadata_of(record: Record) -> list[tuple[str, str]]:
    """Fields beyond the standard, as delivered."""
    found = json.loads(record.metadata) if record.metadata else {}
    return [
        (str(name), value if isinstance(value, str) else json.dumps(value)) for name, value in found.items()
    ]


def related(
    names: Names, district: District, sheet: Sheet, record: Record
) -> list[tuple[Relation, list[Record]]]:
    """The first records of each relation, and one more where there are more; asks for the names they mention."""
    found = []
    for relation in RELATIONS.get(sheet.collection, ()):
        other = SHEETS[relation.collection]
        records = list(_relatives(district, other, relation, record)[: LISTED + 1])
        want_names(names, _columns(other, relation), records)
        found.append((relation, records))
    return found


def _relatives(district: District, other: Sheet, relation: Relation, record: Record) -> QuerySet[Any]:
    column = dict(other.narrow)[relation.param][1]
    records = other.model._default_manager.filter(district=district, status=ACTIVE, **{column: record.id})
    if relation.kind:
        records = records.filter(**{kind_column(other): relation.kind})
    if relation.others:
        records = records.exclude(**{f"{kind_column(other)}__in": relation.others})
    return records.order_by(sorted_apart(other.sorts[other.order]), "id")


def _columns(other: Sheet, relation: Relation) -> tuple[Column, ...]:
    """The sheet's columns but for what all rows share; the record itself is opened by a word, its id is on its page."""
    hidden = {dict(other.narrow)[relation.param][1], "status", *map(column_of, relation.hidden)}
    shown = (column for column in other.columns if column.name not in hidden and column != ID)
    return tuple(replace(column, kind="open") if column.field == "sourcedId" else column for column in shown)


def listings_of(
    names: Names, district: District, record: Record, found: list[tuple[Relation, list[Record]]]
) -> list[Listing]:
    """The relations as tables; their names must have been looked up. People are listed by name, as far as they stand here."""
    listings = []
    for number, (relation, records) in enumerate(found):
        if relation.optional and not records:
            continue
        other = SHEETS[relation.collection]
        columns = _columns(other, relation)
        rows = rows_of(names, other, columns, records[:LISTED])
        if columns[0].kind == "reference":
            rows.sort(key=lambda row: row.pairs[0][1].text.casefold())
        url = _list_url(district, relation, record)
        listings.append(Listing(relation.words, columns, rows, len(records) > LISTED, url, f"list-{number}"))
    return listings


def _list_url(district: District, relation: Relation, record: Record) -> str:
    base = reverse("collection", kwargs={"tenant": district.pk, "collection": relation.collection})
    return base + Question(kind=relation.kind, narrow=((relation.param, record.id),)).address()


def people_of(district: District, record: Record) -> list[Share]:
    """How many people have which role at this org, most first."""
    roles = Role.objects.filter(district=district, org_id=record.id, status=ACTIVE)
    counted = (
        roles.values_list("role").annotate(people=Count("user_id", distinct=True)).order_by("-people", "role")
    )
    base = Relation("", "roles", "org")
    return [
        Share(vocabulary_words(role), number, _list_url(district, replace(base, kind=role), record))
        for role, number in counted
    ]


def classes_in(names: Names, district: District, session: Record) -> list[Record]:
    """The first classes taught in this term, and one more where there are more. The terms of a class are a stored list of ids."""
    held = Q(term_ids=f"[{session.id}]")
    for separator in (",", ", "):
        held |= Q(term_ids__startswith=f"[{session.id},")
        held |= Q(term_ids__endswith=f"{separator}{session.id}]")
        held |= Q(term_ids__contains=f"{separator}{session.id},")
    classes = RECORDS["classes"]._default_manager.filter(held, district=district, status=ACTIVE)
    found = list(classes.order_by("title_folded", "id")[: LISTED + 1])
    want_names(names, SHEETS["classes"].columns, found)
    return found


def wards_of(names: Names, district: District, person: Record) -> list[Record]:
    """The first people who name this one as an agent (a guardian's children). Asked only of those whose roles can have wards."""
    pattern = Q(agent_ids=f"[{person.id}]") | Q(agent_ids__startswith=f"[{person.id},")
    for separator in (",", ", "):
        pattern |= Q(agent_ids__endswith=f"{separator}{person.id}]") | Q(
            agent_ids__contains=f"{separator}{person.id},"
        )
    people = RECORDS["users"]._default_manager.filter(pattern, district=district, status=ACTIVE)
    return list(people.order_by("family_name_folded", "id")[: LISTED + 1])


WARDENS = frozenset({"guardian", "parent", "relative"})


def extra_listings(
    names: Names, district: District, sheet: Sheet, record: Record
) -> list[tuple[Any, Sheet, list[Record]]]:
    """The lists no column of another collection leads to: the classes of a term, the children of a guardian."""
    if sheet.collection == "academicSessions":
        return [(_("Classes in this session"), SHEETS["classes"], classes_in(names, district, record))]
    if sheet.collection == "users" and _can_have_wards(district, record):
        return [
            (pgettext_lazy("of a guardian", "Agent of"), SHEETS["users"], wards_of(names, district, record))
        ]
    return []


def _can_have_wards(district: District, person: Record) -> bool:
    roles = Role.objects.filter(district=district, user_id=person.id, status=ACTIVE)
    return roles.filter(role__in=WARDENS).exists()


@dataclass(frozen=True)
class Standing:
    """How a record is served: when that last changed, and for a person the one role that readers of 1.1 are told."""

    changed_at: datetime | None
    role: Cell | None


def standing_of(district: District, sheet: Sheet, record: Record) -> Standing | None:
    """None where the record is not served: of no collection of its own, or not published yet."""
    number = NUMBER_OF.get(sheet.collection)
    if number is None:
        return None
    served = Served.objects.filter(
        district=district, collection=number, record_id=record.id, to_publication=FOREVER
    )
    found = served.values_list("stamp_v1p2", "kind").first()
    if found is None:
        return None
    stamp, kind = found
    publication = Publication.objects.filter(district=district, number=stamp)
    instant = publication.values_list("instant", flat=True).first()
    changed = None if instant is None else datetime.fromtimestamp(instant / 1000, UTC)
    return Standing(changed, word_cell(kind) if sheet.collection == "users" and kind else None)
