"""The header line of a CSV file, held against the columns of its table."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.engine.findings import Findings
from rollbook.oneroster.spec import Field, Table

LONGEST = 1 << 20
METADATA = "metadata."
DRAFT_COLUMNS = {"users": ("resourceSourcedIds",)}


@dataclass
class Header:
    """Where the columns of a file are, from 0: `positions` those of the standard, `metadata` those of one's own, by the name behind the dot.

    `count` is how many columns the file has in all; `readable` is false where no record can be read from it.
    """

    count: int
    positions: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, int] = field(default_factory=dict)
    readable: bool = True


def first_line(path: Path) -> list[str]:
    """The names in the first line, as they are; none where there is no readable line."""
    with path.open("rb") as file:
        start = file.readline(LONGEST)
    text = start.decode("utf-8-sig", "replace").split("\r")[0].rstrip("\n")
    if "\0" in text or not text:
        return []
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def read_header(path: Path, table: Table, mode: str, findings: Findings) -> Header:
    """Judges the header of the file at `path` as that of `table` in `mode`."""
    written = first_line(path)
    names = [name.strip() for name in written]
    if not any(names):
        findings.add("header-none", table.file, 1)
        return Header(0, readable=False)
    header = Header(len(names))
    for position, (name, as_written) in enumerate(zip(names, written, strict=True)):
        if name != as_written:
            findings.add("header-spaces", table.file, 1, name, as_written)
        _place(header, name, position, table, findings)
    _missing(header, table, mode, findings)
    _order(header, table, findings)
    return header


def _place(header: Header, name: str, position: int, table: Table, findings: Findings) -> None:
    own = name.removeprefix(METADATA) if name.startswith(METADATA) else ""
    if name in header.positions or own in header.metadata:
        findings.add("header-twice", table.file, 1, name)
        header.readable = False
    elif name in table.columns:
        header.positions[name] = position
    elif own:
        header.metadata[own] = position
    elif name in DRAFT_COLUMNS.get(table.name, ()):
        findings.add("header-draft-column", table.file, 1, name)
    else:
        findings.add("header-unknown", table.file, 1, name)


def _missing(header: Header, table: Table, mode: str, findings: Findings) -> None:
    for column in table.fields:
        if column.name in header.positions:
            continue
        if needed(column, mode):
            findings.add("header-missing", table.file, 1, column.name)
            header.readable = False
        else:
            findings.add("header-optional-missing", table.file, 1, column.name)


def needed(column: Field, mode: str) -> bool:
    """Whether every record of a file in this mode has a value in this column."""
    return column.required == "yes" or (column.required == "delta" and mode == "delta")


def _order(header: Header, table: Table, findings: Findings) -> None:
    standard = list(header.positions)
    prescribed = [name for name in table.columns if name in header.positions]
    if standard != prescribed:
        first = next(name for name, right in zip(standard, prescribed, strict=True) if name != right)
        findings.add("header-order", table.file, 1, first)
    last = max(header.positions.values(), default=-1)
    for name, position in header.metadata.items():
        if position < last:
            findings.add("header-metadata-position", table.file, 1, METADATA + name)
