"""Writing SQL for DuckDB: names and literals, quoted. What stands in a delivered file only ever gets into SQL through these two."""


def name(identifier: str) -> str:
    """A column or table name."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string."""
    return "'" + text.replace("'", "''") + "'"


def words(values: tuple[str, ...]) -> str:
    """Strings in parentheses, as IN takes them."""
    return "(" + ", ".join(map(literal, values)) + ")"
