"""What filters and sorts mean, in plain Python over records as they are served. The store's SQL is held to this."""

from collections.abc import Callable, Iterable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from rollbook.oneroster.filters import AnyOf, Clause
from rollbook.oneroster.folding import fold
from rollbook.oneroster.instants import day, instant
from rollbook.oneroster.query import Sort

Record = Mapping[str, Any]

ORDERS: dict[str, Callable[[Any, Any], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


def matches(tree: AnyOf | None, record: Record) -> bool:
    """Whether a record answers a filter."""
    return tree is None or any(
        all(holds(clause, record) for clause in group.clauses) for group in tree.groups
    )


def holds(clause: Clause, record: Record) -> bool:
    """Whether one comparison is true of a record. Of a value that is absent only != is."""
    values = values_at(record, clause.path.names)
    if clause.predicate == "!=":
        return not _equal(clause, values)
    if clause.predicate == "=":
        return _equal(clause, values)
    if clause.predicate == "~":
        return _contains(clause, values)
    order = ORDERS[clause.predicate]
    return any(order(_ordinal(clause, value), operand) for value in values for operand in clause.operands)


def ordered(records: Iterable[Record], sort: Sort | None) -> list[Record]:
    """Records in the order asked for, or as they come."""
    if sort is None:
        return list(records)
    by_id = sorted(records, key=lambda record: str(record["sourcedId"]))
    return sorted(by_id, key=lambda record: sort_key(record, sort), reverse=sort.descending)


def sort_key(record: Record, sort: Sort) -> tuple[bool, str]:
    """Where a record stands: absent first, the others by the code points of what is served."""
    values = values_at(record, sort.path.names)
    return (True, str(values[0])) if values else (False, "")


def values_at(record: Record, names: tuple[str, ...]) -> list[Any]:
    """Every value that lies at the end of a path, through any arrays on the way."""
    found: list[Any] = [record]
    for name in names:
        found = _flat(one[name] for one in found if name in one)
    return found


def _flat(values: Iterable[Any]) -> list[Any]:
    return [inner for value in values for inner in (value if isinstance(value, list) else [value])]


def _equal(clause: Clause, values: list[Any]) -> bool:
    """The value; of several, that each one asked for is among them."""
    present = {_comparable(clause, value) for value in values}
    return bool(present) and all(_folded(clause, operand) in present for operand in clause.operands)


def _contains(clause: Clause, values: list[Any]) -> bool:
    """That the text occurs in the value; of several, that one of those asked for is among them."""
    if clause.path.many:
        present = {_comparable(clause, value) for value in values}
        return any(_folded(clause, operand) in present for operand in clause.operands)
    return any(str(_folded(clause, clause.operands[0])) in str(_folded(clause, value)) for value in values)


def _comparable(clause: Clause, value: Any) -> Any:
    return _folded(clause, _ordinal(clause, value))


def _folded(clause: Clause, value: Any) -> Any:
    """Text without case where the member is compared so."""
    return fold(value) if clause.path.leaf.compare == "folded" and isinstance(value, str) else value


def _ordinal(clause: Clause, value: Any) -> Any:
    """A served value as it is ordered: by time, by number, or by code point."""
    match clause.path.leaf.compare:
        case "datetime":
            return instant(value)
        case "date":
            return day(value)
        case "float" | "integer":
            return float(value)
        case _:
            return value
