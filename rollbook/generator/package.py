"""Writing a package whose rows are text already: lines of CSV, whole tables, and the zip.

It judges nothing, so that tests can write wrong ones.
"""

import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rollbook.oneroster import csv_binding
from rollbook.oneroster.csv_binding import MANIFEST, METADATA, ZIP_MOMENT, Manifest
from rollbook.oneroster.tables import BINDINGS

Row = Mapping[str, str]

ZIP_LEVEL = 1


def cell(text: str) -> str:
    """One field as RFC 4180 writes it: quoted where a comma, a quote or a line end asks for it."""
    if "," in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def line(values: Iterable[str]) -> str:
    return ",".join(map(cell, values)) + "\r\n"


def manifest(version: str, modes: Mapping[str, str], system: tuple[str, str]) -> Iterator[str]:
    """The lines of manifest.csv; `modes` maps the files supplied to bulk or delta, all others are declared absent."""
    return map(line, csv_binding.manifest_rows(Manifest(version, modes, *system)))


def write_rows(
    folder: Path, version: str, rows: Mapping[str, list[Row]], mode: str, system: tuple[str, str]
) -> None:
    """A package folder from whole tables in memory; a table without rows is declared absent, as the standard asks."""
    folder.mkdir(parents=True, exist_ok=True)
    supplied = {name: table_rows for name, table_rows in rows.items() if table_rows}
    for name, table_rows in supplied.items():
        write_text(folder / f"{name}.csv", table_lines(version, name, table_rows))
    write_text(folder / MANIFEST, manifest(version, dict.fromkeys(supplied, mode), system))


def table_lines(version: str, name: str, rows: list[Row]) -> Iterator[str]:
    """Header and rows; every `metadata.…` column that some row has stands at the far right."""
    extensions = sorted({column for row in rows for column in row if column.startswith(METADATA)})
    columns = (*BINDINGS[version].table(name).columns, *extensions)
    yield line(columns)
    for row in rows:
        yield line(row.get(column, "") for column in columns)


def write_text(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


def zip_folder(folder: Path, out: Path) -> None:
    """The files of `folder` at the root of the zip `out`, in the order of their names and without a date of their own."""
    with zipfile.ZipFile(out, "w") as package:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name, ZIP_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry._compresslevel = ZIP_LEVEL  # type: ignore[attr-defined]  # has a public name only from Python 3.13 on
            with path.open("rb") as source, package.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
