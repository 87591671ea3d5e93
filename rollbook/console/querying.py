"""Choosing by query: conditions as rows of a form. Within a query all must hold; what any of several queries finds is chosen."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from rollbook.console.sheets import name_of
from rollbook.console.words import field_words
from rollbook.engine.choosing import (
    METADATA,
    RELATIONS,
    WITHOUT_VALUE,
    Condition,
    Query,
    fields_of,
)
from rollbook.store.chosen import found_by
from rollbook.store.models import RECORDS, District

FEW = 8
MOST_QUERIES = 20
MOST_CONDITIONS = 20

RELATION_WORDS = {
    "equals": _("equals"),
    "differs": _("does not equal"),
    "contains": _("contains"),
    "lacks": _("does not contain"),
    "starts": _("begins with"),
    "ends": _("ends with"),
    "filled": _("is filled"),
    "empty": _("is empty"),
}


@dataclass(frozen=True)
class Row:
    """One condition as it is typed. `own` is the name of a metadata field, where one is asked."""

    query: int
    number: int
    field: str
    own: str
    relation: str
    value: str
    case: bool

    @property
    def prefix(self) -> str:
        return f"query-{self.query}-{self.number}"


@dataclass(frozen=True)
class Asked:
    """The queries of a choice, as a form: for each its rows, with an empty one to go on with."""

    queries: list[list[Row]]
    fields: list[tuple[str, Any]]
    relations: list[tuple[str, Any]]

    @property
    def count(self) -> int:
        return len(self.queries)


def asked_of(collection: str, queries: tuple[Query, ...]) -> Asked:
    """The form of these queries, with one more query to be begun."""
    rows = [
        [_row(number, place, condition) for place, condition in enumerate(query)]
        + [_empty(number, len(query))]
        for number, query in enumerate(queries)
    ]
    if len(queries) < MOST_QUERIES:
        rows.append([_empty(len(queries), 0)])
    fields = [(name, field_words(name)) for name in fields_of(collection)]
    return Asked(
        rows, [*fields, (METADATA, _("Metadata field…"))], [(one, RELATION_WORDS[one]) for one in RELATIONS]
    )


def typed_queries(typed: QueryDict) -> tuple[Query, ...]:
    """What the form says; rows without a field are left out, and so are queries without rows."""
    queries = (_query(typed, number) for number in range(MOST_QUERIES))
    return tuple(query for query in queries if query)


@dataclass(frozen=True)
class Found:
    """What queries find now: how many, and the first few by name."""

    total: int
    names: list[str]
    more: bool


def found_by_queries(district: District, collection: str, queries: tuple[Query, ...]) -> Found:
    """Asks the roster as it is now."""
    with connection.cursor() as cursor:
        ids = list(found_by(cursor, district.pk, collection, queries))
    records = RECORDS[collection]._default_manager.filter(district=district, id__in=ids[:FEW])
    return Found(len(ids), sorted(name_of(record) for record in records), len(ids) > FEW)


def said(query: Query) -> str:
    """A query in words."""
    return str(_(" and ")).join(_said(condition) for condition in query)


def _said(condition: Condition) -> str:
    name = field_words(condition.field)
    relation = RELATION_WORDS[condition.relation]
    value = "" if condition.relation in WITHOUT_VALUE else f" “{condition.value}”"
    apart = _("upper and lower case told apart")
    return f"{name} {relation}{value}" + (f" ({apart})" if condition.case else "")


def _row(query: int, number: int, condition: Condition) -> Row:
    is_own = condition.field.startswith(METADATA)
    return Row(
        query,
        number,
        METADATA if is_own else condition.field,
        condition.field.removeprefix(METADATA) if is_own else "",
        condition.relation,
        condition.value,
        condition.case,
    )


def _empty(query: int, number: int) -> Row:
    return Row(query, number, "", "", RELATIONS[0], "", False)


def _query(typed: QueryDict, query: int) -> Query:
    rows = (_typed(typed, f"query-{query}-{number}") for number in range(MOST_CONDITIONS))
    return tuple(row for row in rows if row)


def _typed(typed: QueryDict, prefix: str) -> Condition | None:
    field = typed.get(f"{prefix}-field", "")
    if not field:
        return None
    if field == METADATA:
        field += typed.get(f"{prefix}-own", "").strip()[:200]
    return Condition(
        field,
        typed.get(f"{prefix}-relation", ""),
        typed.get(f"{prefix}-value", "").strip()[:500].replace("\0", ""),
        f"{prefix}-case" in typed,
    )
