"""One line of a delivered file, as it came: for those who follow a change or a finding down to its source. It judges nothing."""

import csv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LONGEST = 1 << 20
"""Bytes of a line that are read."""

LINES_OF_A_RECORD = 200


@dataclass(frozen=True)
class DeliveredLine:
    """A record as its file has it, field by field in the file's order. A field without a column, or a column without one, has an empty side."""

    file: str
    line: int
    fields: tuple[tuple[str, str], ...]


def line_of(package: Path, file: str, line: int) -> DeliveredLine | None:
    """The record that begins on `line` (the header is line 1) of `file` in a zip or folder; None where there is none."""
    with _opened(package, file) as source:
        if source is None or line < 1:
            return None
        header = _fields([source.readline(LONGEST)])
        if line == 1:
            return DeliveredLine(file, 1, tuple((column, column) for column in header))
        for _ in range(line - 2):
            if not source.readline(LONGEST):
                return None
        values = _fields(_record(source))
    if not values:
        return None
    width = max(len(header), len(values))
    columns, found = _padded(header, width), _padded(values, width)
    return DeliveredLine(file, line, tuple(zip(columns, found, strict=True)))


@contextmanager
def _opened(package: Path, file: str) -> Iterator[IO[bytes] | None]:
    """The file's bytes, wherever in the package it lies; None where it does not, or the package is gone."""
    if package.is_dir():
        found = next((path for path in sorted(package.rglob("*")) if _is(path.name, file)), None)
        if found is None or not found.is_file():
            yield None
        else:
            with found.open("rb") as source:
                yield source
    elif zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as archive:
            names = [name for name in archive.namelist() if _is(name.rpartition("/")[2], file)]
            if not names:
                yield None
            else:
                with archive.open(min(names, key=lambda name: name.count("/"))) as source:
                    yield source
    else:
        yield None


def _is(name: str, file: str) -> bool:
    return name.casefold() == file.casefold()


def _record(source: IO[bytes]) -> list[bytes]:
    """The next line, and those below it as long as a quote is open."""
    lines = [source.readline(LONGEST)]
    while b"".join(lines).count(b'"') % 2 and len(lines) < LINES_OF_A_RECORD:
        more = source.readline(LONGEST)
        if not more:
            break
        lines.append(more)
    return lines


def _fields(lines: list[bytes]) -> list[str]:
    text = [_text(line) for line in lines]
    return next(csv.reader(text), [])


def _text(line: bytes) -> str:
    """UTF-8, or what Windows writes; NUL, which no reader takes, as a sign that something was there."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _padded(values: list[str], width: int) -> list[str]:
    return values + [""] * (width - len(values))
