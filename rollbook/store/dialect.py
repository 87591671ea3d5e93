"""SQL in pieces, with its values beside it and never in it, and the few places where SQLite and PostgreSQL say it differently.

Names of members and columns come from the standard's data and our models; whatever a client wrote is a value.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from django.db.backends.utils import CursorWrapper


class Sql(NamedTuple):
    """A piece of a statement; `values` are its parameters in order, each a %s in `text`."""

    text: str
    values: tuple[Any, ...] = ()


TRUE = Sql("1 = 1")
FALSE = Sql("1 = 0")


def sql(template: str, *pieces: Sql | str) -> Sql:
    """The template with each {} replaced by a piece, and the pieces' values in order. A bare string is SQL of our own."""
    parts = [Sql(piece) if isinstance(piece, str) else piece for piece in pieces]
    text = template.format(*(part.text for part in parts))
    return Sql(text, tuple(value for part in parts for value in part.values))


def value(content: str | int) -> Sql:
    """One parameter, with its type said where a database could not tell."""
    return Sql("CAST(%s AS text)" if isinstance(content, str) else "%s", (content,))


def all_of(conditions: Iterable[Sql]) -> Sql:
    return _balanced(" AND ", [one for one in conditions if one != TRUE]) or TRUE


def any_of(conditions: Iterable[Sql]) -> Sql:
    return _balanced(" OR ", [one for one in conditions if one != FALSE]) or FALSE


def _balanced(word: str, conditions: Sequence[Sql]) -> Sql | None:
    """Joined in halves of halves: SQLite allows an expression a depth of 1,000, and a chain would be as deep as it is long."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    middle = len(conditions) // 2
    left, right = _balanced(word, conditions[:middle]), _balanced(word, conditions[middle:])
    return sql(f"({{}}{word}{{}})", left or TRUE, right or TRUE)


class Dialect(Protocol):
    """What both databases can say, each in its way. JSON is handed about as text; an array's items are rows `<alias>.value`."""

    false: str

    def scalar(self, document: Sql, names: Sequence[str]) -> Sql:
        """The text at these names of an object, NULL where there is none."""
        ...

    def named(self, document: Sql, name: str) -> Sql:
        """The text of one member whose name a client wrote."""
        ...

    def objects(self, document: Sql, names: Sequence[str], alias: str) -> Sql:
        """A FROM item: the items of the array at these names of an object, as JSON."""
        ...

    def texts(self, array: Sql, alias: str) -> Sql:
        """A FROM item: the items of an array of texts, as text."""
        ...

    def numbers(self, array: Sql, alias: str) -> Sql:
        """A FROM item: the items of an array of integers, as integers."""
        ...

    def among(self, column: str, few: Sql) -> Sql:
        """A condition: the column is one of those that this SELECT finds. They are few, and looked up before anything else."""
        ...

    def contains(self, text: Sql, part: Sql) -> Sql: ...

    def lower(self, text: Sql) -> Sql:
        """ASCII text without case."""
        ...

    def by_code_point(self, text: Sql) -> Sql:
        """Text to be ordered."""
        ...


class Sqlite:
    """SQLite: its default order is by code point, its lower() is for ASCII alone, and its JSON is text."""

    false = "0"

    def scalar(self, document: Sql, names: Sequence[str]) -> Sql:
        return sql(f"json_extract({{}}, '{_path(names)}')", document) if names else document

    def named(self, document: Sql, name: str) -> Sql:
        return sql("(SELECT one.value FROM json_each({}) AS one WHERE one.key = {})", document, value(name))

    def objects(self, document: Sql, names: Sequence[str], alias: str) -> Sql:
        return sql(f"json_each({{}}, '{_path(names)}') AS {alias}", document)

    def texts(self, array: Sql, alias: str) -> Sql:
        return sql(f"json_each({{}}) AS {alias}", array)

    numbers = texts

    def among(self, column: str, few: Sql) -> Sql:
        return sql(f"{column} IN ({{}})", few)

    def contains(self, text: Sql, part: Sql) -> Sql:
        return sql("instr({}, {}) > 0", text, part)

    def lower(self, text: Sql) -> Sql:
        return sql("lower({})", text)

    def by_code_point(self, text: Sql) -> Sql:
        return text


class Postgresql:
    """PostgreSQL: every order and every lower() names the collation C, whatever the database's own is."""

    false = "FALSE"

    def scalar(self, document: Sql, names: Sequence[str]) -> Sql:
        return sql(f"(({{}})::jsonb #>> '{{{{{','.join(names)}}}}}')", document)

    def named(self, document: Sql, name: str) -> Sql:
        return sql("(({})::jsonb ->> {})", document, value(name))

    def objects(self, document: Sql, names: Sequence[str], alias: str) -> Sql:
        return sql(
            f"jsonb_array_elements(({{}})::jsonb #> '{{{{{','.join(names)}}}}}') AS {alias}(value)", document
        )

    def texts(self, array: Sql, alias: str) -> Sql:
        return sql(f"jsonb_array_elements_text(({{}})::jsonb) AS {alias}(value)", array)

    def numbers(self, array: Sql, alias: str) -> Sql:
        inner = (
            "SELECT item.value::bigint AS value FROM jsonb_array_elements_text(({})::jsonb) AS item(value)"
        )
        return sql(f"LATERAL ({inner}) AS {alias}", array)

    def among(self, column: str, few: Sql) -> Sql:
        # An array is no join: it is looked up once, whatever little is known of the tables.
        return sql(f"{column} = ANY(ARRAY({{}}))", few)

    def contains(self, text: Sql, part: Sql) -> Sql:
        return sql("strpos({}, {}) > 0", text, part)

    def lower(self, text: Sql) -> Sql:
        return sql('lower(({}) COLLATE "C")', text)

    def by_code_point(self, text: Sql) -> Sql:
        return sql('({}) COLLATE "C"', text)


def dialect_of(cursor: CursorWrapper) -> Dialect:
    return Postgresql() if cursor.db.vendor == "postgresql" else Sqlite()


def _path(names: Sequence[str]) -> str:
    """A JSON path of SQLite to members of the standard's names."""
    return "$." + ".".join(names)
