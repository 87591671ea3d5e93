"""Choosing records by query: conditions on their fields, all of which must hold. It decides about one record at a time, and asks no database.

A field is a column of the CSV files of 1.2, or `metadata.` and a name. A field with several values has a relation where one of them has it;
what is said to differ or to lack must be so of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rollbook.oneroster.folding import fold
from rollbook.oneroster.tables import V1P2
from rollbook.refusal import Refusal

METADATA = "metadata."
NOT_ASKED = frozenset({"status", "dateLastModified"})


class BadCondition(Refusal):
    """A query cannot ask this: it names a field these records do not have, or a relation there is not."""


class Condition(NamedTuple):
    """`field` stands in `relation` to `value`; upper and lower case are told apart only where `case` says so."""

    field: str
    relation: str
    value: str = ""
    case: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "relation": self.relation, "value": self.value, "case": self.case}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Condition":
        """The condition of a JSON object. Raises KeyError."""
        return cls(
            str(stored["field"]),
            str(stored["relation"]),
            str(stored.get("value", "")),
            bool(stored.get("case", False)),
        )


Query = tuple[Condition, ...]
Values = Mapping[str, Sequence[str]]
"""A record as a query sees it: the values of each field, none for one that is empty."""


def _equals(values: Sequence[str], value: str) -> bool:
    return value in values


def _contains(values: Sequence[str], value: str) -> bool:
    return any(value in one for one in values)


def _starts(values: Sequence[str], value: str) -> bool:
    return any(one.startswith(value) for one in values)


def _ends(values: Sequence[str], value: str) -> bool:
    return any(one.endswith(value) for one in values)


def _filled(values: Sequence[str], value: str) -> bool:
    return any(values)


POSITIVE = {
    "equals": _equals,
    "contains": _contains,
    "starts": _starts,
    "ends": _ends,
    "filled": _filled,
}
OPPOSITES = {"differs": "equals", "lacks": "contains", "empty": "filled"}
RELATIONS = ("equals", "differs", "contains", "lacks", "starts", "ends", "filled", "empty")
WITHOUT_VALUE = frozenset({"filled", "empty"})


def query_of(text: str, case: bool = False) -> Query:
    """The query of a line: `FIELD RELATION VALUE`, several joined by ` AND `. Raises BadCondition."""
    conditions = []
    for part in text.split(" AND "):
        name, _, rest = part.strip().partition(" ")
        relation, _, value = rest.partition(" ")
        if relation not in RELATIONS or (relation not in WITHOUT_VALUE and not value):
            raise BadCondition(part.strip())
        conditions.append(Condition(name, relation, value, case))
    return tuple(conditions)


def fields_of(collection: str) -> tuple[str, ...]:
    """What a query may ask of the records of a collection, beside their metadata."""
    return tuple(field.name for field in V1P2.table(collection).fields if field.name not in NOT_ASKED)


def check(collection: str, queries: Iterable[Query]) -> None:
    """Raises BadCondition where a query of this collection could not be answered, or asks nothing."""
    known = fields_of(collection)
    for query in queries:
        if not query:
            raise BadCondition(collection)
        for condition in query:
            if condition.field not in known and not condition.field.startswith(METADATA):
                raise BadCondition(condition.field)
            if condition.relation not in RELATIONS:
                raise BadCondition(condition.relation)


def is_chosen(queries: Iterable[Query], record: Values) -> bool:
    """Whether at least one query finds the record. A query without conditions finds nothing."""
    return any(query and all(holds(condition, record) for condition in query) for query in queries)


def holds(condition: Condition, record: Values) -> bool:
    values: Sequence[str] = record.get(condition.field, ())
    value = condition.value
    if not condition.case:
        values, value = [fold(one) for one in values], fold(value)
    opposite = OPPOSITES.get(condition.relation)
    if opposite is not None:
        return not POSITIVE[opposite](values, value)
    return POSITIVE[condition.relation](values, value)
