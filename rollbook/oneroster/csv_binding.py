"""The CSV binding: values as text and back, the manifest, and packages written as streams of rows. Judging a
package is the engine's.

Source: OneRoster 1.2.1 CSV binding §2 and §3 (1.1: CSV tables): RFC 4180 with CRLF, no line end inside a
field, lists joined by commas, a file without rows is declared absent, and in bulk files status and
dateLastModified stay blank.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from rollbook.oneroster.spec import Binding, Field, Table
from rollbook.oneroster.tables import (
    BINDINGS,
    MANIFEST_HEADER,
    MANIFEST_MODES,
    MANIFEST_OPTIONAL,
    MANIFEST_VERSION,
    V1P1,
)

MANIFEST = "manifest.csv"

METADATA = "metadata."
"""How the name of an extension column begins."""

ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can say: the same package is the same bytes on any day."""

Row = Mapping[str, Any]
"""A record by column name: text, bool, a list of text, or None; `metadata` a mapping of its own."""

OpenFile = Callable[[str], AbstractContextManager[TextIO]]
"""Opens the file of that name inside a package being written."""

_line_ends = re.compile(r"[\r\n]+")
_between_items = re.compile(r",(?={)")


class BadManifest(ValueError):
    """manifest.csv does not say what a manifest must say; `line` is where, 0 for what is missing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself: the version, the mode of every file (bulk, delta, absent) and the system
    it came from.
    """

    version: str
    modes: Mapping[str, str]
    system_name: str | None = None
    system_code: str | None = None

    @property
    def supplied(self) -> tuple[str, ...]:
        """The names of the tables that come with the package."""
        return tuple(name for name, mode in self.modes.items() if mode != "absent")


@dataclass(frozen=True)
class Supply:
    """What goes into one file: its rows, its mode, and the names of its extension columns without
    `metadata.`.
    """

    rows: Iterable[Row]
    mode: str = "bulk"
    metadata: tuple[str, ...] = ()


# --- Values -------------------------------------------------------------------------------------------------------------------


def written(value: Any) -> str:
    """A Python value as the text of a field; line ends, which no field may have, become a space."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else ",".join(value)
    return _line_ends.sub(" ", text) if "\n" in text or "\r" in text else text


def parsed(field: Field, text: str) -> Any:
    """The text of a field as a Python value: bool, a list of text, or text; None for a blank.

    Raises ValueError where a boolean is neither `true` nor `false`; other types stay text.
    """
    if not text:
        return None
    if field.is_list:
        return items(field, text)
    if field.type == "boolean":
        return _boolean(text)
    return text


def items(field: Field, text: str) -> list[str]:
    """The items of a list; those of composite shape (`{type:identifier}`) end where the next begins."""
    separate = _between_items.split(text) if field.item else text.split(",")
    return [item for item in separate if item]


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


# --- Reading a manifest ---------------------------------------------------------------------------------------------------------


def read_manifest(text: str) -> Manifest:
    """A manifest by the letter: header, keys and words exact, every file of its version named once. Raises
    `BadManifest`.
    """
    properties = _distinct(_rows(text, strict=True))
    binding = _binding(properties)
    _refuse_unknown(properties, binding)
    modes = {table.name: _mode(properties, f"file.{table.name}") for table in binding.tables}
    return _manifest(binding.version, modes, {key: value for key, (value, _) in properties.items()})


def read_manifest_leniently(text: str) -> Manifest:
    """A manifest as it was meant: any case, spaces around, no header, files not named absent, keys unknown
    passed over.

    Without a version it is 1.2 if it names a file that only 1.2 has, else 1.1. Raises `BadManifest` for a
    version or mode there is not.
    """
    rows = _rows(text, strict=False)
    properties = {row[0].strip().casefold(): row[1].strip() for _, row in rows if len(row) > 1}
    version = properties.get("oneroster.version") or _version_by_files(properties)
    if version not in BINDINGS:
        raise BadManifest(0, f"oneroster.version is {version!r}, not one of {_listed(BINDINGS)}")
    modes = {table.name: _lenient_mode(properties, table) for table in BINDINGS[version].tables}
    originals = {name: properties.get(name.casefold(), "") for name in MANIFEST_OPTIONAL}
    return _manifest(version, modes, originals)


def _rows(text: str, strict: bool) -> list[tuple[int, list[str]]]:
    """(line, fields) of each record; a byte order mark is passed over."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=strict)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as fault:
        raise BadManifest(reader.line_num, f"this is not CSV: {fault}") from fault


def _distinct(rows: list[tuple[int, list[str]]]) -> dict[str, tuple[str, int]]:
    """{property: (value, line)} of a manifest by the letter."""
    if not rows or tuple(rows[0][1]) != MANIFEST_HEADER:
        raise BadManifest(1, f"the first line is not {','.join(MANIFEST_HEADER)}")
    properties: dict[str, tuple[str, int]] = {}
    for line, row in rows[1:]:
        if len(row) != len(MANIFEST_HEADER):
            raise BadManifest(line, f"a line has {len(MANIFEST_HEADER)} fields, this one {len(row)}")
        if row[0] in properties:
            raise BadManifest(line, f"{row[0]} stands here a second time")
        properties[row[0]] = (row[1], line)
    return properties


def _binding(properties: Mapping[str, tuple[str, int]]) -> Binding:
    _one_of(properties, "manifest.version", (MANIFEST_VERSION,))
    return BINDINGS[_one_of(properties, "oneroster.version", BINDINGS)]


def _refuse_unknown(properties: Mapping[str, tuple[str, int]], binding: Binding) -> None:
    known = {"manifest.version", "oneroster.version", *MANIFEST_OPTIONAL}
    known |= {f"file.{table.name}" for table in binding.tables}
    for name, (_, line) in properties.items():
        if name not in known:
            raise BadManifest(line, f"there is no property {name} in {binding.version}")


def _mode(properties: Mapping[str, tuple[str, int]], name: str) -> str:
    return _one_of(properties, name, MANIFEST_MODES)


def _one_of(properties: Mapping[str, tuple[str, int]], name: str, words: Iterable[str]) -> str:
    value, line = properties.get(name, (None, 0))
    if value is None:
        raise BadManifest(0, f"{name} is missing")
    if value not in words:
        raise BadManifest(line, f"{name} is {value!r}, not one of {_listed(words)}")
    return value


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _version_by_files(properties: Mapping[str, str]) -> str:
    in_both = {f"file.{table.name}".casefold() for table in V1P1.tables}
    named = {name for name in properties if name.startswith("file.")}
    only_in_v1p2 = {f"file.{table.name}".casefold() for table in BINDINGS["1.2"].tables} - in_both
    return "1.2" if named & only_in_v1p2 else "1.1"


def _lenient_mode(properties: Mapping[str, str], table: Table) -> str:
    mode = properties.get(f"file.{table.name}".casefold(), "").casefold() or "absent"
    if mode not in MANIFEST_MODES:
        raise BadManifest(0, f"file.{table.name} is {mode!r}, not one of {_listed(MANIFEST_MODES)}")
    return mode


def _manifest(version: str, modes: Mapping[str, str], properties: Mapping[str, str]) -> Manifest:
    name, code = (properties.get(key) or None for key in MANIFEST_OPTIONAL)
    return Manifest(version, modes, name, code)


# --- Writing a package ------------------------------------------------------------------------------------------------------------


def write_package(
    open_file: OpenFile, version: str, supplies: Mapping[str, Supply], system: tuple[str, str] | None = None
) -> Manifest:
    """A whole package, rows streamed, the manifest last; a table without rows gets no file and is declared
    absent.

    `supplies` is by table name; its rows come in the order they are written. `system` is the name and code of
    the source system.
    """
    binding = BINDINGS[version]
    unknown = supplies.keys() - {table.name for table in binding.tables}
    if unknown:
        raise ValueError(f"OneRoster {version} has no {_listed(sorted(unknown))}")
    modes = {table.name: _supplied(open_file, table, supplies.get(table.name)) for table in binding.tables}
    manifest = Manifest(version, modes, *(system or (None, None)))
    with open_file(MANIFEST) as file:
        _writer(file).writerows(manifest_rows(manifest))
    return manifest


def _supplied(open_file: OpenFile, table: Table, supply: Supply | None) -> str:
    """Writes the file if there is anything to write, and says its mode."""
    return supply.mode if supply is not None and write_table(open_file, table, supply) else "absent"


def write_table(open_file: OpenFile, table: Table, supply: Supply) -> int:
    """One file, header and rows, unless there are none; the number of rows. A bulk file leaves out what is to
    be deleted.
    """
    rows = cells(table, supply)
    first = next(rows, None)
    if first is None:
        return 0
    with open_file(table.file) as file:
        writer = _writer(file)
        writer.writerow(header(table, supply.metadata))
        counted = _Counted(chain([first], rows))
        writer.writerows(counted)
    return counted.number


def header(table: Table, metadata: Iterable[str] = ()) -> tuple[str, ...]:
    """The columns in the order prescribed, extensions at the far right."""
    return (*table.columns, *(f"{METADATA}{name}" for name in metadata))


def cells(table: Table, supply: Supply) -> Iterator[list[str]]:
    """The fields of each row as text, in the order of the header."""
    bulk = supply.mode == "bulk"
    for row in supply.rows:
        if bulk and row.get("status") == "tobedeleted":
            continue
        yield [*_payload(table, row, bulk), *_extensions(row, supply.metadata)]


def _payload(table: Table, row: Row, bulk: bool) -> Iterator[str]:
    for field in table.fields:
        blank = bulk and field.required == "delta"
        yield "" if blank else written(row.get(field.name))


def _extensions(row: Row, names: tuple[str, ...]) -> list[str]:
    metadata = row.get("metadata") or {}
    return [written(metadata.get(name)) for name in names]


def manifest_rows(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The lines of manifest.csv, its header first."""
    yield MANIFEST_HEADER
    yield "manifest.version", MANIFEST_VERSION
    yield "oneroster.version", manifest.version
    for table in BINDINGS[manifest.version].tables:
        yield f"file.{table.name}", manifest.modes.get(table.name, "absent")
    for name, value in zip(MANIFEST_OPTIONAL, (manifest.system_name, manifest.system_code), strict=True):
        if value:
            yield name, value


def _writer(file: TextIO) -> Any:
    return csv.writer(file, lineterminator="\r\n")


class _Counted:
    """An iterator that knows how many it gave."""

    def __init__(self, rows: Iterator[list[str]]) -> None:
        self.rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[list[str]]:
        for row in self.rows:
            self.number += 1
            yield row


def into_folder(folder: Path) -> OpenFile:
    """A package as loose files in a folder, which must exist."""
    return lambda name: (folder / name).open("w", encoding="utf-8", newline="")


def into_zip(package: zipfile.ZipFile) -> OpenFile:
    """A package as a zip with its files at the root; one file is open at a time."""

    def open_file(name: str) -> AbstractContextManager[TextIO]:
        entry = zipfile.ZipInfo(name, ZIP_MOMENT)
        entry.compress_type = package.compression
        return io.TextIOWrapper(package.open(entry, "w", force_zip64=True), encoding="utf-8", newline="")

    return open_file
