"""The filter of a collection: its grammar, read into a small tree of clauses that name members of one entity.

What a clause means is said in `evaluation`. Source: OneRoster 1.1 REST §3.4.3 and 1.2 Rostering (filter), with what
clients really send.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rollbook.oneroster.instants import day, instant
from rollbook.oneroster.spec import Entity, Member

MOST_CLAUSES = 200
MOST_VALUES = 1_000
"""What one filter may have. No client comes near, and a database has its limits."""

BLANK = r"[ \t\r\n]*"
NAME = r"[^\s=!<>~'\"()]+"
PREDICATE = r"!=|>=|<=|=|>|<|~"

SPACES = re.compile(BLANK)
FIELD = re.compile(NAME)
COMPARISON = re.compile(PREDICATE)
QUOTE = re.compile("'")
CONNECTIVE = re.compile(r"AND|OR")
# What stands behind a quote that closes a value: the end, or whatever leads up to the next value. Any other quote is the value's own.
CLOSED = re.compile(rf"{BLANK}\Z|[^']*(?:{PREDICATE}){BLANK}'")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Predicate = Literal["=", "!=", ">", ">=", "<", "<=", "~"]


class BadQuery(Exception):
    """This query cannot be answered.

    `kind` names a problem of `errors.PROBLEMS`, `text` says in English what is wrong, `parameter` is the query parameter at fault, and
    `position` counts the characters of its value before the fault.
    """

    def __init__(self, kind: str, text: str, parameter: str, position: int = 0) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.parameter = parameter
        self.position = position


@dataclass(frozen=True)
class Path:
    """The way from a record to what is compared: names as the standard spells them, the last of them a scalar.

    A reference is compared by its sourcedId. `many` says that arrays lie on the way, so that there may be several values. What lies in
    `metadata` is one name, whatever dots it has.
    """

    names: tuple[str, ...]
    leaf: Member
    many: bool = False

    @property
    def text(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Clause:
    """One comparison. `operands` are the values to compare with, as `leaf.compare` needs them: text, dates as `YYYY-MM-DD`, instants in
    microseconds UTC, numbers; several only where `path.many`.
    """

    path: Path
    predicate: Predicate
    operands: tuple[str | int | float, ...]


@dataclass(frozen=True)
class AllOf:
    """True where every clause is."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class AnyOf:
    """True where any group is: the whole filter, since AND binds tighter than OR and there are no parentheses."""

    groups: tuple[AllOf, ...]


SOURCED_ID = Member("sourcedId", required=True, compare="exact")
TYPED = ("date", "datetime", "float", "integer")


def read_filter(entity: Entity, text: str) -> AnyOf:
    """The tree of a filter. Raises BadQuery, `invalid_filter_field`, with the position of the fault."""
    forbidden = UNSTORABLE.search(text)
    if forbidden:
        raise _fault("No text holds this character.", forbidden.start())
    return _Reading(entity, text).tree()


def find_path(entity: Entity, text: str) -> Path | None:
    """The path that a client's field name means: each part matched exactly first, then without case. None when there is none, or none
    that the reader may ask about.
    """
    name, _, rest = text.partition(".")
    member = spelled(entity.members, name)
    path = None if member is None else _walk((), member, rest, many=False)
    return None if path is None or is_unseen(path, entity.unseen) else path


def is_unseen(path: Path, unseen: frozenset[str]) -> bool:
    """Whether the path leads through one of these members, or to one of the metadata among them."""
    return bool(unseen) and (path.names[0] in unseen or ".".join(path.names[:2]) in unseen)


def spelled(members: tuple[Member, ...], name: str) -> Member | None:
    """The member of this name: exactly, or else without case."""
    exact = next((member for member in members if member.name == name), None)
    return exact or next((member for member in members if member.name.lower() == name.lower()), None)


def _walk(before: tuple[str, ...], member: Member, rest: str, many: bool) -> Path | None:
    names, many = (*before, member.name), many or member.many
    if member.type == "metadata":
        usable = rest and not UNSTORABLE.search(rest)
        return Path((*names, rest), _open_member(rest), many) if usable else None
    if member.type == "reference":
        return (
            Path((*names, SOURCED_ID.name), SOURCED_ID, many) if rest.lower() in ("", "sourcedid") else None
        )
    if member.type != "object":
        return None if rest else Path(names, member, many)
    name, _, further = rest.partition(".")
    inner = spelled(member.members, name)
    return None if inner is None else _walk(names, inner, further, many)


def _open_member(name: str) -> Member:
    """Metadata is text, but for an identifier that 1.1 has no other place for."""
    return Member(name, compare="exact" if name == "userMasterIdentifier" else "folded")


def _fault(text: str, position: int) -> BadQuery:
    return BadQuery("invalid_filter_field", text, "filter", position)


class _Reading:
    """One walk over the text of a filter, from left to right."""

    def __init__(self, entity: Entity, text: str) -> None:
        self.entity = entity
        self.source = text
        self.at = 0
        self.values = 0

    def tree(self) -> AnyOf:
        groups = [[self.clause()]]
        clauses = 1
        while (connective := self.connective()) is not None:
            clauses += 1
            if clauses > MOST_CLAUSES:
                raise _fault(f"A filter has {MOST_CLAUSES} comparisons at most.", self.at)
            if connective == "OR":
                groups.append([])
            groups[-1].append(self.clause())
        return AnyOf(tuple(AllOf(tuple(group)) for group in groups))

    def connective(self) -> str | None:
        """AND or OR, or None at the end."""
        self.skip_spaces()
        if self.at == len(self.source):
            return None
        return self.take(CONNECTIVE, "AND or OR must stand between two comparisons, in capitals.")

    def clause(self) -> Clause:
        self.skip_spaces()
        start = self.at
        name = self.take(FIELD, "The name of a field is missing here.")
        path = find_path(self.entity, name)
        if path is None:
            raise _fault(f"{name} is not a field of {self.entity.name} that can be filtered by.", start)
        self.skip_spaces()
        predicate = self.take(COMPARISON, "One of = != > >= < <= ~ must follow the field.")
        self.skip_spaces()
        start = self.at
        operands = self.operands(path, predicate, self.value(), start)
        return Clause(path, predicate, operands)  # type: ignore[arg-type]  # COMPARISON matches nothing else

    def value(self) -> str:
        """What stands between the quotes. A quote in it is doubled or follows a backslash, or is plainly not the last."""
        self.take(QUOTE, "The value must stand in single quotes.")
        value: list[str] = []
        start = self.at - 1
        while self.at < len(self.source):
            two = self.source[self.at : self.at + 2]
            if two in ("''", "\\'"):
                value.append("'")
                self.at += 2
            elif two[0] == "'" and CLOSED.match(self.source, self.at + 1):
                self.at += 1
                return "".join(value)
            else:
                value.append(two[0])
                self.at += 1
        raise _fault("The quote that opens this value is never closed.", start)

    def operands(
        self, path: Path, predicate: str, value: str, position: int
    ) -> tuple[str | int | float, ...]:
        """The value as it is compared: parted at commas where there may be several, and read as the member's type unless it is searched."""
        texts = _parts(value) if path.many else (value,)
        self.values += len(texts)
        if self.values > MOST_VALUES:
            raise _fault(f"A filter compares with {MOST_VALUES} values at most.", position)
        if path.leaf.compare not in TYPED or (predicate == "~" and not path.many):
            return texts
        try:
            return tuple(_typed(path.leaf.compare, text) for text in texts)
        except ValueError as fault:
            raise _fault(
                f"{path.text} is compared with a {path.leaf.compare}; this is none.", position
            ) from fault

    def take(self, pattern: re.Pattern[str], complaint: str) -> str:
        found = pattern.match(self.source, self.at)
        if found is None:
            raise _fault(complaint, self.at)
        self.at = found.end()
        return found[0]

    def skip_spaces(self) -> None:
        self.take(SPACES, "")


def _parts(value: str) -> tuple[str, ...]:
    """The values of a list: comma-separated, without the spaces around them; empty ones do not count beside others."""
    parts = dict.fromkeys(part.strip(" ") for part in value.split(","))
    return tuple(part for part in parts if part) or ("",)


def _typed(compare: str, text: str) -> str | int | float:
    text = text.strip()
    if compare == "date":
        return day(text)
    if compare == "datetime":
        return instant(text)
    number = float(text)
    if number != number:
        raise ValueError(text)
    return number
