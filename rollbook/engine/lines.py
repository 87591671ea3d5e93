"""One line of a delivered file, as it came: for those who follow a change or a finding down to its source. It judges nothing.

Lines are counted, and records cut into fields, as the careful reader does it (`records`).
"""

import io
from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.package import delivered_file
from rollbook.engine.records import LINES_OF_A_RECORD, Lines, fields_of

LONGEST = 1 << 20
"""Characters of a line that are read."""


@dataclass(frozen=True)
class DeliveredLine:
    """A record as its file has it, field by field in the file's order. A field without a column, or a column without one, has an empty side.

    `fits` says whether it has as many fields as the header.
    """

    file: str
    line: int
    fields: tuple[tuple[str, str], ...]
    fits: bool = True


def line_of(package: Path, file: str, line: int) -> DeliveredLine | None:
    """The record that begins on `line` (the header is line 1) of `file` in a zip or folder; None where there is none."""
    if line < 1:
        return None
    with delivered_file(package, file) as source:
        if source is None:
            return None
        lines = Lines(io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape"), LONGEST)
        header = _record(lines)
        if line == 1 or header is None:
            return DeliveredLine(file, 1, tuple((column, column) for column in header)) if header else None
        while lines.number < line - 1:
            if lines.next() is None:
                return None
        values = _record(lines)
    if not values:
        return None
    width = max(len(header), len(values))
    columns, found = _padded(header, width), _padded(values, width)
    return DeliveredLine(file, line, tuple(zip(columns, found, strict=True)), fits=len(header) == len(values))


def _record(lines: Lines) -> list[str] | None:
    """The fields of the next line, and of those below it as long as a quote is open; of what is no record, what is between its commas."""
    text = lines.next()
    if text is None:
        return None
    first, taken = text, [text]
    while "\n".join(taken).count('"') % 2 and len(taken) < LINES_OF_A_RECORD:
        more = lines.next()
        if more is None:
            break
        taken.append(more)
    record = "\n".join(taken)
    fields = fields_of(record)
    if fields is None:
        fields = first.split(",")
    return [_text(one) for one in fields] if record else []


def _text(field: str) -> str:
    """What is not UTF-8 as Windows writes it; NUL, which no reader takes, as a sign that something was there."""
    if not field.isascii() and any("\udc80" <= letter <= "\udcff" for letter in field):
        field = field.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return field.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _padded(values: list[str], width: int) -> list[str]:
    return values + [""] * (width - len(values))
