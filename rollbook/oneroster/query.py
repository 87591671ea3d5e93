"""The query of a REST call, read into one Question: filter, sort, orderBy, fields, limit and offset.

It knows operations and entities and nothing of stores: `evaluation` answers a Question in plain Python, the store in SQL.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.filters import AnyOf, BadQuery, Path, find_path, read_filter, spelled
from rollbook.oneroster.spec import Entity, Operation

__all__ = ["BadQuery", "Question", "Remark", "Sort", "parse"]

DEFAULT_LIMIT = 100
MOST_LIMIT = 10_000
MOST_OFFSET = 2**63 - 1
NUMBER = re.compile(r"[0-9]{1,19}")
PARAMETERS = frozenset({"filter", "sort", "orderBy", "fields", "limit", "offset"})
SELECTION_ONLY = frozenset({"fields"})


class Sort(NamedTuple):
    """The order asked for; records without a value come first ascending and last descending, equals by sourcedId ascending."""

    path: Path
    descending: bool


class Remark(NamedTuple):
    """What 1.1 says beside the data (`errors.WARNINGS`): which code, and the name it is about."""

    code: str
    text: str


@dataclass(frozen=True)
class Question:
    """What one GET asks. `parents` are the ids of its path, in order; `fields` None means every member, else members in their order.

    `live` leaves tombstones out of the answer; that is no word of the standard's, but of who asks.
    """

    operation: Operation
    parents: tuple[str, ...] = ()
    filter: AnyOf | None = None
    sort: Sort | None = None
    fields: tuple[str, ...] | None = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    warnings: tuple[Remark, ...] = ()
    live: bool = False

    @property
    def entity(self) -> Entity:
        return _entity(self.operation)

    @cached_property
    def digest(self) -> str:
        """Names which records are asked for, and their order: sha256 in hex. Pages and fields are no part of it."""
        asked = [self.operation.version, self.operation.path, self.parents, self._filter, self._sort]
        asked += ["live"] if self.live else []
        return hashlib.sha256(json.dumps(asked).encode("ascii")).hexdigest()

    @property
    def _filter(self) -> list[Any]:
        groups = self.filter.groups if self.filter else ()
        return [
            [(clause.path.names, clause.predicate, clause.operands) for clause in group.clauses]
            for group in groups
        ]

    @property
    def _sort(self) -> list[Any]:
        return [self.sort.path.names, self.sort.descending] if self.sort else []


def parse(
    operation: Operation,
    parents: Iterable[str],
    query: Iterable[tuple[str, str]],
    unseen: frozenset[str] = frozenset(),
) -> Question:
    """The Question of a GET. `query` are the decoded parameters in order; those the standard does not know are ignored, and a single
    record knows `fields` alone. By members that are `unseen` (`treatments.unseen`) nothing is filtered or sorted, as if there were none.
    Raises BadQuery and nothing else.
    """
    known = SELECTION_ONLY if operation.kind == "single" else PARAMETERS
    given = _once([(name, value) for name, value in query if name in known])
    entity = replace(_entity(operation), unseen=unseen) if unseen else _entity(operation)
    sort, sort_remarks = _sort_of(entity, given.get("sort", ""), given.get("orderBy", ""))
    fields, field_remarks = _fields_of(entity, given.get("fields"))
    return Question(
        operation=operation,
        parents=tuple(parents),
        filter=read_filter(entity, given["filter"]) if given.get("filter", "").strip() else None,
        sort=sort,
        fields=fields,
        limit=_whole("limit", given.get("limit"), 1, MOST_LIMIT, DEFAULT_LIMIT),
        offset=_whole("offset", given.get("offset"), 0, MOST_OFFSET, 0),
        warnings=(*sort_remarks, *field_remarks),
    )


def _entity(operation: Operation) -> Entity:
    return ENTITIES[(operation.version, operation.collection or "")]


def _once(query: list[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; one given twice has no meaning."""
    counts = Counter(name for name, _ in query)
    for name, count in counts.items():
        if count > 1:
            raise BadQuery("invaliddata", f"{name} is given {count} times; once is enough.", name)
    return dict(query)


def _whole(name: str, text: str | None, least: int, most: int, default: int) -> int:
    if text is None:
        return default
    if NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
        raise BadQuery("invaliddata", f"{name} must be a whole number from {least} to {most}.", name)
    return int(text)


def _sort_of(entity: Entity, name: str, order: str) -> tuple[Sort | None, tuple[Remark, ...]]:
    """One scalar member, or a reference by its sourcedId. Any orderBy but `desc`, in any case, is ascending."""
    if not name.strip():
        return None, ()
    path = find_path(entity, name.strip())
    if path is None or path.many:
        return None, (Remark("invalid_sort_field", name),)
    return Sort(path, order.strip().lower() == "desc"), ()


def _fields_of(entity: Entity, text: str | None) -> tuple[tuple[str, ...] | None, tuple[Remark, ...]]:
    """The members to show. What is unknown: 1.1 shows everything and says so, 1.2 refuses."""
    if text is None:
        return None, ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadQuery("invalid_blank_selection_field", "fields names no field.", "fields")
    members = {name: spelled(entity.members, name) for name in names}
    unknown = [name for name, member in members.items() if member is None]
    if not unknown:
        chosen = {member.name for member in members.values() if member}
        return tuple(member.name for member in entity.members if member.name in chosen), ()
    if entity.version == "1.1":
        return None, (Remark("invalid_selection_field", unknown[0]),)
    raise BadQuery(
        "invalid_selection_field",
        f"{entity.name} has no field {unknown[0]}.",
        "fields",
        text.find(unknown[0]),
    )
