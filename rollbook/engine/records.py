"""The careful reader: CSV line by line, for files the fast one does not read without a doubt. It says of every line what became of it.

Its rules are RFC 4180's; a line break inside quotes is read, and noted. A broken line costs itself, not the lines behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

from rollbook.oneroster.spec import GUID

_FIELD = r'(?:"(?:[^"]++|"")*+"|[^",]*+)'
WELL_FORMED = re.compile(rf"{_FIELD}(?:,{_FIELD})*+")
FIELD = re.compile(rf"({_FIELD})(?:,|$)")

LINES_OF_A_RECORD = 200
"""How many lines a quoted field may run over before the quote counts as never closed."""


@dataclass(frozen=True)
class Broken:
    """A line that is no record: why (a finding's code), and whose it seems to be, if that can be told."""

    line: int
    code: str
    source_id: str


@dataclass(frozen=True)
class Whole:
    """A record and the line it begins on; `text` is its CSV without a line end, `newlines` whether it has line breaks inside."""

    line: int
    text: str
    newlines: bool


def records(path: Path, columns: int, id_position: int, longest: int) -> Iterator[Whole | Broken]:
    """What stands behind the header of the file, which is UTF-8; `longest` is the most characters of a line."""
    with path.open(encoding="utf-8-sig", newline=None) as file:
        lines = Lines(file, longest)
        lines.next()
        while (text := lines.next()) is not None:
            if text == "":
                yield Broken(lines.number, "csv-blank-line", "")
            elif _plain(text, columns):
                yield Whole(lines.number, text, False)
            else:
                yield _judged(text, lines, columns, id_position, longest)


class Lines:
    """The lines of a file without their ends, with numbers, and a way back. A line that is too long is cut just beyond `longest`."""

    def __init__(self, file: TextIO, longest: int) -> None:
        self._file = file
        self._longest = longest
        self._back: list[str] = []
        self.number = 0

    def next(self) -> str | None:
        line = self._back.pop() if self._back else self._read()
        if line is None:
            return None
        self.number += 1
        return line

    def back(self, lines: list[str]) -> None:
        """Gives lines back, to be read again."""
        self._back.extend(reversed(lines))
        self.number -= len(lines)

    def _read(self) -> str | None:
        line = self._file.readline(self._longest + 1)
        if not line:
            return None
        if line.endswith("\n"):
            return line[:-1]
        while len(rest := self._file.readline(self._longest)) and not rest.endswith("\n"):
            pass
        return line


def _plain(text: str, columns: int) -> bool:
    return '"' not in text and text.count(",") == columns - 1 and "\0" not in text


def _judged(text: str, lines: Lines, columns: int, id_position: int, longest: int) -> Whole | Broken:
    line = lines.number
    if len(text) > longest:
        return Broken(line, "csv-long", _id_of(text[:1000], id_position))
    if "\0" in text:
        return Broken(line, "csv-nul", _id_of(text, id_position))
    if not WELL_FORMED.fullmatch(text):
        whole = _continued(text, lines, columns, longest) if text.count('"') % 2 else None
        return whole or Broken(line, "csv-quote", _id_of(text, id_position))
    if _count(text) != columns:
        return Broken(line, "csv-columns", _id_of(text, id_position))
    return Whole(line, text, False)


def _continued(text: str, lines: Lines, columns: int, longest: int) -> Whole | None:
    """The record that begins with `text` and ends some lines below; None, with the lines given back, where there is none."""
    first, size = lines.number, len(text)
    taken: list[str] = []
    while size <= longest and len(taken) < LINES_OF_A_RECORD and (more := lines.next()) is not None:
        taken.append(more)
        size += len(more) + 1
        if more.count('"') % 2:
            record = "\n".join(chain([text], taken))
            if WELL_FORMED.fullmatch(record) and _count(record) == columns and "\0" not in record:
                return Whole(first, record, True)
            break
    lines.back(taken)
    return None


def well_formed_line(columns: int) -> str:
    """The pattern of a record of so many columns on one line for DuckDB, whose expressions never go back and need not be told not to."""
    one = _FIELD.replace("++", "+").replace("*+", "*")
    return f"{one}(?:,{one}){{{columns - 1}}}"


def fields_of(text: str) -> list[str] | None:
    """The fields of a record; None where it is not well formed."""
    if not WELL_FORMED.fullmatch(text):
        return None
    raw = [match.group(1) for match in FIELD.finditer(text)][: _count(text)]
    return [one[1:-1].replace('""', '"') if one.startswith('"') else one for one in raw]


def _count(text: str) -> int:
    """How many fields a well-formed record has: the commas outside quotes, and one."""
    return "".join(text.split('"')[::2]).count(",") + 1


def _id_of(text: str, id_position: int) -> str:
    """The identifier in a line that is broken somewhere: only what begins the line, for a comma too many may move all that is behind it."""
    first, comma, _ = text.partition(",")
    source_id = first[1:-1] if first.startswith('"') and first.endswith('"') else first
    return source_id if id_position == 0 and comma and GUID.fullmatch(source_id) else ""
