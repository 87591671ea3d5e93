"""Packages that were pulled, read back as rows to compare."""

import csv
from pathlib import Path

Rows = dict[str, dict[str, dict[str, str]]]


def rows_of(package: Path) -> Rows:
    """{file: {sourcedId: {column: text}}}, empty columns left out, the manifest apart."""
    return {
        file.stem: {
            row["sourcedId"]: {name: text for name, text in row.items() if text} for row in _rows(file)
        }
        for file in sorted(package.glob("*.csv"))
        if file.stem != "manifest"
    }


def modes_of(package: Path) -> dict[str, str]:
    """{file: bulk, delta} of the manifest."""
    with (package / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        properties = dict(csv.reader(lines))
    return {
        name.removeprefix("file."): mode
        for name, mode in properties.items()
        if name.startswith("file.") and mode != "absent"
    }


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
