"""Packing: rows in the order in which they come, put aside file by file, and then the package they make. Bounded memory, no database.

The same rows make the same bytes. Which extension columns a file has is known only at its end: what is metadata of a row is put aside
beside it until then.
"""

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rollbook.oneroster.csv_binding import MANIFEST, Manifest, OpenFile, header, manifest_rows, written
from rollbook.oneroster.csv_rows import INSIDE, Row
from rollbook.oneroster.tables import BINDINGS

BLOCK = 1 << 20
LINE_END = "\r\n"
BULK, DELTA = "bulk", "delta"
BLANK = ("", "")
"""Status and dateLastModified of a row that is not part of a delta."""


@dataclass
class Spool:
    """The rows of one file in one mode, on disk: their cells as CSV, and beside them their metadata as JSON, line by line."""

    path: Path
    count: int = 0
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._cells: TextIO = self.path.open("w", encoding="utf-8", newline="")
        self._metadata: TextIO = self._beside.open("w", encoding="utf-8")
        self._writer: Any = csv.writer(self._cells, lineterminator=LINE_END)

    @property
    def _beside(self) -> Path:
        return self.path.with_suffix(".metadata")

    def add(self, row: Row, lifecycle: tuple[str, str]) -> None:
        self._writer.writerow([row.sourced_id, *lifecycle, *row.cells])
        self._metadata.write(json.dumps(row.metadata) if row.metadata else "")
        self._metadata.write("\n")
        self.names.update(row.metadata)
        self.count += 1

    def close(self) -> None:
        self._cells.close()
        self._metadata.close()

    def lines(self) -> Iterator[str]:
        """The rows as they are written, with their extension columns at the far right."""
        self.close()
        with self.path.open(encoding="utf-8", newline="") as cells:
            if not self.names:
                yield from iter(lambda: cells.read(BLOCK), "")
                return
            names = sorted(self.names)
            with self._beside.open(encoding="utf-8") as metadata:
                for line, told in zip(cells, metadata, strict=True):
                    yield f"{line.removesuffix(LINE_END)},{_extensions(names, told)}"


def _extensions(names: Iterable[str], told: str) -> str:
    given = json.loads(told) if told != "\n" else {}
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator=LINE_END).writerow([_text(given.get(name)) for name in names])
    # A single empty cell is written as "" so that the line is not a blank one; here it never stands alone.
    return line.getvalue() if line.getvalue() != f'""{LINE_END}' else LINE_END


def _text(value: Any) -> str:
    if value is None or isinstance(value, str | bool):
        return written(value)
    return written(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


@dataclass
class Packing:
    """A package in the making, in a folder of its own. Close it when the package is written."""

    folder: Path
    version: str
    spools: dict[tuple[str, str], Spool] = field(default_factory=dict)

    def add(self, row: Row, mode: str = BULK, lifecycle: tuple[str, str] = BLANK) -> None:
        """One row more for its file as it is in this mode."""
        spool = self.spools.get((row.table, mode))
        if spool is None:
            spool = self.spools[row.table, mode] = Spool(self.folder / f"{row.table}.{mode}")
        spool.add(row, lifecycle)

    def count(self, table: str, mode: str) -> int:
        spool = self.spools.get((table, mode))
        return spool.count if spool else 0

    def whole(self) -> dict[str, str]:
        """The mode of each file of a package that says all there is."""
        return {table: BULK for table, mode in self.spools if mode == BULK}

    def changes(self) -> dict[str, str]:
        """The mode of each file of a package that says what changed.

        What REST tells inside a record has no date of its own: where such records changed, the file of what is inside them is whole, and
        so are the small files it refers to, because a whole file may refer only to what its package mentions.
        """
        modes = {table: DELTA for table, mode in self.spools if mode == DELTA}
        inside = [
            table for owner in list(modes) for table in INSIDE.get(owner, ()) if self.count(table, BULK)
        ]
        modes |= dict.fromkeys(inside, BULK)
        binding = BINDINGS[self.version]
        for table in inside:
            for reference in binding.table(table).references:
                target = reference.target or ""
                if target not in modes and self.count(target, BULK):
                    modes[target] = BULK
        return modes

    def has_lost(self, files: Collection[str]) -> bool:
        """Whether one of these files of what is inside records has no rows any more, though such records changed."""
        owners = [table for table, mode in self.spools if mode == DELTA]
        inside = [table for owner in owners for table in INSIDE.get(owner, ())]
        return any(f"{table}.csv" in files and not self.count(table, BULK) for table in inside)

    def write(
        self, open_file: OpenFile, modes: Mapping[str, str], system: tuple[str, str] | None = None
    ) -> dict[str, int]:
        """The package, the manifest last; rows by file."""
        binding, counts = BINDINGS[self.version], {}
        for table in binding.tables:
            if table.name in modes:
                spool = self.spools[table.name, modes[table.name]]
                with open_file(table.file) as file:
                    _header(file, header(table, sorted(spool.names)))
                    file.writelines(spool.lines())
                counts[table.file] = spool.count
        with open_file(MANIFEST) as file:
            rows = manifest_rows(Manifest(self.version, modes, *(system or (None, None))))
            csv.writer(file, lineterminator=LINE_END).writerows(rows)
        return counts

    def close(self) -> None:
        for spool in self.spools.values():
            spool.close()


def _header(file: TextIO, names: Iterable[str]) -> None:
    csv.writer(file, lineterminator=LINE_END).writerow(names)


def fingerprint(path: Path) -> tuple[str, int]:
    """sha256 in hex, and the size in bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest(), path.stat().st_size
