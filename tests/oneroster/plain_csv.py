"""A package read with nothing but the standard library's csv module: a second opinion on what the binding wrote."""

import csv
import io
import zipfile
from pathlib import Path


def read_folder(folder: Path) -> dict[str, list[dict[str, str]]]:
    """{file name without .csv: its rows as text}."""
    return {path.stem: rows(path.read_bytes()) for path in sorted(folder.iterdir())}


def read_zip(path: Path) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(path) as package:
        return {name.removesuffix(".csv"): rows(package.read(name)) for name in sorted(package.namelist())}


def rows(content: bytes) -> list[dict[str, str]]:
    reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    header = next(reader)
    return [dict(zip(header, row, strict=True)) for row in reader]
