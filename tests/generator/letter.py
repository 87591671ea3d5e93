"""A second opinion on a package, by the letter and in plain Python: what is wrong with it, as sentences. Small packages only."""

import csv
import datetime
import re
from pathlib import Path

from rollbook.oneroster.spec import EXTENSION, GUID, Field, Table
from rollbook.oneroster.tables import BINDINGS, MANIFEST_HEADER, MANIFEST_MODES

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def tables(folder: Path) -> dict[str, list[Row]]:
    return {path.stem: read(path) for path in folder.glob("*.csv") if path.stem != "manifest"}


def properties(folder: Path) -> dict[str, str]:
    return {row["propertyName"]: row["value"] for row in read(folder / "manifest.csv")}


def faults(folder: Path) -> list[str]:
    stated = properties(folder)
    binding = BINDINGS[stated["oneroster.version"]]
    whole = tables(folder)
    found = list(of_manifest(folder, stated, {table.name for table in binding.tables}, set(whole)))
    for name, rows in whole.items():
        table = binding.table(name)
        found += of_header(folder, table)
        found += of_rows(table, rows, stated[f"file.{name}"])
        if stated[f"file.{name}"] == "bulk":
            found += of_references(table, rows, whole)
    return found


def of_manifest(folder: Path, stated: dict[str, str], known: set[str], supplied: set[str]):
    if (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()[0] != ",".join(MANIFEST_HEADER):
        yield "manifest: header"
    if {key for key in stated if key.startswith("file.")} != {f"file.{name}" for name in known}:
        yield "manifest: not exactly the files of the version"
    for name in known:
        if stated[f"file.{name}"] not in MANIFEST_MODES or (stated[f"file.{name}"] == "absent") == (
            name in supplied
        ):
            yield f"manifest: {name} is {stated[f'file.{name}']}"


def of_header(folder: Path, table: Table):
    raw = (folder / table.file).read_bytes()
    columns = raw.split(b"\r\n", 1)[0].decode().split(",")
    if tuple(columns[: len(table.columns)]) != table.columns:
        yield f"{table.name}: header"
    if not all(re.fullmatch(r"metadata\.[\w.\-]+", column) for column in columns[len(table.columns) :]):
        yield f"{table.name}: extension columns"
    if raw.replace(b"\r\n", b"").count(b"\n") or not raw.endswith(b"\r\n"):
        yield f"{table.name}: line ends"


def of_rows(table: Table, rows: list[Row], mode: str):
    if not rows:
        yield f"{table.name}: no rows"
    ids = [row["sourcedId"] for row in rows]
    if len(ids) != len(set(ids)):
        yield f"{table.name}: a sourcedId twice"
    for row in rows:
        if None in row or None in row.values():
            yield f"{table.name} {row['sourcedId']}: ragged"
            continue
        for field in table.fields:
            if not fits(field, row[field.name], mode):
                yield f"{table.name} {row['sourcedId']}: {field.name} = {row[field.name]!r}"


def fits(field: Field, text: str, mode: str) -> bool:
    if field.required == "delta" and mode == "bulk":
        return text == ""
    if text == "":
        return field.required == "no"
    return all(item_fits(field, item) for item in (text.split(",") if field.is_list else [text]))


def item_fits(field: Field, text: str) -> bool:
    if field.vocabulary is not None:
        return text in field.vocabulary.words or (
            field.vocabulary.extensible and EXTENSION.fullmatch(text) is not None
        )
    if field.item == "{type:identifier}":
        return re.fullmatch(r"\{[^{}:,]+:[^{},]+\}", text) is not None
    return {
        "guid": GUID.fullmatch, "guidRef": GUID.fullmatch, "guidRefList": GUID.fullmatch,
        "boolean": re.compile("true|false").fullmatch, "year": re.compile(r"\d{4}").fullmatch, "date": date,
        "datetime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch,
    }.get(field.type, plain)(text) is not None  # fmt: skip


def date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def plain(text: str) -> str | None:
    return text if text == text.strip() and text.isprintable() else None


def of_references(table: Table, rows: list[Row], whole: dict[str, list[Row]]):
    for field in table.references:
        known = {row["sourcedId"] for row in whole.get(field.target or "", [])}
        for row in rows:
            for target in filter(None, row[field.name].split(",")):
                if target not in known:
                    yield f"{table.name} {row['sourcedId']}: {field.name} → {target}"
