"""How a list of rows is shown: columns for people, JSON for programs."""

import json
from collections.abc import Sequence

import typer

Row = dict[str, object]


def show(rows: Sequence[Row], as_json: bool, where_none: str = "") -> None:
    """Prints the rows; as columns, each as wide as its widest value. Where there is none, people read what makes the first."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif rows:
        for line in lines(rows):
            typer.echo(line)
    elif where_none:
        typer.echo(f"None yet: {where_none}.")


def answer(told: Row | list[str], words: str, as_json: bool) -> None:
    """What an act came to: an object for programs, a sentence for people."""
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else words)


def lines(rows: Sequence[Row]) -> list[str]:
    """The names, then the rows; lists are joined by commas, nothing is a dash."""
    table = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(table[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    return str(value) if value not in (None, "") else "-"
