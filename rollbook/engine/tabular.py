"""Any table somebody may send: CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or what Windows writes. It is made plain, not judged."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rollbook.refusal import Refusal

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 500
LONGEST_VALUE = 1 << 20
LINE = "line"


class NotATable(Refusal):
    """This file is not a CSV table with a heading."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self._words = words

    @property
    def words(self) -> str:
        return self._words


@dataclass(frozen=True)
class Table:
    """A table made plain: the file `path` is UTF-8 CSV, all quoted, without a heading; first the line, then `columns`."""

    path: Path
    columns: tuple[str, ...]
    rows: int


def plain_table(source: Path, target: Path) -> Table:
    """Writes `source` to `target` in one plain form. Raises NotATable, in words."""
    encoding = _encoding(source)
    # What UTF-16 breaks off in the middle of a letter is one that cannot be read.
    with source.open(encoding=encoding, errors="replace", newline="") as file:
        first = file.readline(LONGEST_VALUE)
        reader = csv.reader(chain([first], _without_nul(file)), delimiter=_delimiter(first), strict=True)
        try:
            columns = _columns(next(reader, []))
            return Table(target, columns, _written(reader, len(columns), target))
        except csv.Error as fault:
            raise NotATable(f"Line {reader.line_num} cannot be read as CSV: {fault}.") from fault


def _written(reader: Iterator[list[str]], width: int, target: Path) -> int:
    """How many rows there are."""
    rows = 0
    with target.open("w", encoding="utf-8", newline="") as plain:
        writer = csv.writer(plain, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for line, row in _rows(reader, width):
            writer.writerow([str(line), *row])
            rows += 1
    return rows


def _encoding(source: Path) -> str:
    """Raises NotATable for an empty file."""
    with source.open("rb") as file:
        head = file.read(4)
        if not head:
            raise NotATable("The file is empty. Give a CSV file with a heading.")
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise NotATable("This is a spreadsheet or a zip, not CSV. Save the sheet as CSV, and give that.")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        file.seek(0)
        try:
            for block in iter(lambda: file.readline(LONGEST_VALUE), b""):
                block.decode("utf-8")
        except UnicodeDecodeError:
            return "cp1252" if _is_windows(source) else "latin-1"
    return "utf-8-sig"


def _is_windows(source: Path) -> bool:
    try:
        with source.open(encoding="cp1252") as file:
            while file.read(LONGEST_VALUE):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    return (line.replace("\0", "\N{REPLACEMENT CHARACTER}") for line in lines)


def _delimiter(heading: str) -> str:
    return max(DELIMITERS, key=heading.count)


def _columns(heading: list[str]) -> tuple[str, ...]:
    """Names without blanks around them; the same name twice, whatever the case, is numbered. Raises NotATable."""
    names = [name.strip() for name in heading]
    if not any(names):
        raise NotATable("The first line has no column names. Give a CSV file with a heading.")
    if len(names) > MOST_COLUMNS:
        raise NotATable(f"The file has {len(names):,} columns; at most {MOST_COLUMNS} are read.")
    seen = {LINE.casefold()}
    for place, name in enumerate(names):
        known = name or f"column {place + 1}"
        names[place], number = known, 1
        while names[place].casefold() in seen:
            number += 1
            names[place] = f"{known} ({number})"
        seen.add(names[place].casefold())
    return tuple(names)


def _rows(reader: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it ends on; blank lines are left out, short rows filled up, what stands beyond the heading is dropped."""
    for row in reader:
        if any(value.strip() for value in row):
            yield reader.line_num, (row + [""] * width)[:width]  # type: ignore[attr-defined]  # csv's readers count lines
