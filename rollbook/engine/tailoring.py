"""Tailoring: files of an app's own, made from a OneRoster package. Columns are chosen, named, ordered and joined, rows are kept or left
out; nothing that is not in the package can come in.

A template is text, a line each: `students.csv from users` begins a file; `keep role is student` leaves out all other rows; and
`School = primaryOrgSourcedId.name` is a column: a title, and where its text comes from, along references.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.sql import literal, name
from rollbook.oneroster.csv_binding import METADATA, OpenFile
from rollbook.oneroster.spec import Binding
from rollbook.oneroster.tables import BINDINGS
from rollbook.refusal import Refusal

FILE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,80}\.csv)\s+from\s+(\S+)")
KEEP = re.compile(r"keep\s+(\S+)\s+(is not|is one of|is|contains|begins with)\s+(.*)")
COLUMN = re.compile(r"(.+?)\s*=\s*(\S+)")
MOST_FILES, MOST_COLUMNS = 20, 200
MEMORY = "512MB"
FETCHED = 5_000

CONDITIONS = {
    "is": "{0} = $v",
    "is not": "{0} <> $v",
    "is one of": "list_contains(list_transform(string_split($v, ','), one -> trim(one)), {0})",
    "contains": "contains({0}, $v)",
    "begins with": "starts_with({0}, $v)",
}


class BadTemplate(Refusal):
    """This template cannot be used."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__()
        self.line = line
        self._words = f"Line {line} of the template: {words}"

    @property
    def words(self) -> str:
        return self._words


@dataclass(frozen=True)
class Source:
    """Where a text comes from: columns that are references, and the column at the end of them."""

    references: tuple[str, ...]
    column: str


@dataclass(frozen=True)
class Keep:
    source: Source
    relation: str
    value: str


@dataclass(frozen=True)
class Tailored:
    """One file: `columns` are titles with their sources, in order; a row is in it where all of `keeps` hold."""

    file: str
    table: str
    columns: tuple[tuple[str, Source], ...]
    keeps: tuple[Keep, ...]


@dataclass
class _Draft:
    line: int
    file: str
    table: str
    columns: list[tuple[str, Source]]
    keeps: list[Keep]


# --- Reading a template -----------------------------------------------------------------------------------------------------------


def parse(text: str, version: str) -> tuple[Tailored, ...]:
    """The files a template describes, over the files of that version. Raises BadTemplate, which names the line and what is wrong."""
    drafts: list[_Draft] = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if written and not written.startswith("#"):
            _read_line(drafts, number, written, BINDINGS[version])
    if not drafts:
        raise BadTemplate(1, "it begins with a file, for example: students.csv from users")
    return tuple(_finished(draft) for draft in drafts)


def _read_line(drafts: list[_Draft], number: int, line: str, binding: Binding) -> None:
    if found := FILE.fullmatch(line):
        drafts.append(_begun(drafts, number, found[1], found[2], binding))
        return
    if not drafts:
        raise BadTemplate(number, "name a file first, for example: students.csv from users")
    draft = drafts[-1]
    if found := KEEP.fullmatch(line):
        draft.keeps.append(Keep(_source(number, draft.table, found[1], binding), found[2], found[3].strip()))
    elif found := COLUMN.fullmatch(line):
        draft.columns.append((found[1], _source(number, draft.table, found[2], binding)))
    else:
        raise BadTemplate(
            number,
            f"“{line}” is neither a file (students.csv from users), a column (Student ID = sourcedId) nor a condition (keep role is student).",
        )


def _begun(drafts: list[_Draft], number: int, file: str, table: str, binding: Binding) -> _Draft:
    if table not in binding:
        raise BadTemplate(
            number,
            f"OneRoster {binding.version} has no file {table}. It has {', '.join(sorted(one.name for one in binding.tables))}.",
        )
    if file.lower() in {draft.file.lower() for draft in drafts}:
        raise BadTemplate(number, f"{file} stands here a second time.")
    if len(drafts) == MOST_FILES:
        raise BadTemplate(number, f"more than {MOST_FILES} files are not made.")
    return _Draft(number, file, table, [], [])


def _finished(draft: _Draft) -> Tailored:
    titles = [title for title, _ in draft.columns]
    if not titles:
        raise BadTemplate(
            draft.line, f"{draft.file} has no columns. Write one a line, for example: Student ID = sourcedId"
        )
    if len(set(titles)) < len(titles) or len(titles) > MOST_COLUMNS:
        raise BadTemplate(draft.line, f"{draft.file} has a title twice, or more than {MOST_COLUMNS} columns.")
    return Tailored(draft.file, draft.table, tuple(draft.columns), tuple(draft.keeps))


def _source(number: int, table: str, path: str, binding: Binding) -> Source:
    """Raises BadTemplate for a column there is not, and for a way along what is no reference to one record."""
    before, dot, metadata = path.partition(METADATA)
    *references, column = (
        before.split(".") if not dot else [*before.rstrip(".").split("."), path[len(before) :]]
    )
    references = [step for step in references if step]
    for step in references:
        table = _target(number, table, step, binding)
    if not (dot and metadata) and column not in binding.table(table).columns:
        raise BadTemplate(
            number, f"{table}.csv has no column {column}. It has {', '.join(binding.table(table).columns)}."
        )
    if column == "password":
        raise BadTemplate(number, "passwords are never told.")
    return Source(tuple(references), column)


def _target(number: int, table: str, step: str, binding: Binding) -> str:
    fields = {field.name: field for field in binding.table(table).fields}
    if step not in fields or fields[step].target is None or fields[step].is_list:
        ways = [one.name for one in fields.values() if one.target and not one.is_list]
        raise BadTemplate(
            number, f"{step} leads nowhere from {table}.csv. What leads on: {', '.join(ways) or 'nothing'}."
        )
    return str(fields[step].target)


# --- Making the files -------------------------------------------------------------------------------------------------------------


def tailor(
    files: Sequence[Tailored], package: Path, version: str, open_file: OpenFile, work: Path
) -> dict[str, int]:
    """The files of a template, from the package in the folder `package`; rows by file. What the package has no file for is not made."""
    counts: dict[str, int] = {}
    with duckdb.connect(
        str(work / "tailoring.duckdb"),
        config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(work)},
    ) as database:
        for tailored in files:
            if (package / f"{tailored.table}.csv").exists():
                with open_file(tailored.file) as file:
                    writer = csv.writer(file, lineterminator="\r\n")
                    writer.writerow([title for title, _ in tailored.columns])
                    counts[tailored.file] = 0
                    for rows in _rows(database, tailored, package, BINDINGS[version]):
                        writer.writerows(rows)
                        counts[tailored.file] += len(rows)
    return counts


def _rows(
    database: duckdb.DuckDBPyConnection, tailored: Tailored, package: Path, binding: Binding
) -> Iterator[list[Any]]:
    query = _Query(database, tailored.table, package, binding)
    shown = ", ".join(query.text(source) for _, source in tailored.columns)
    where, values = ["true"], {}
    for number, keep in enumerate(tailored.keeps):
        condition = CONDITIONS[keep.relation].replace("$v", f"$v{number}")
        where.append(condition.format(query.text(keep.source)))
        values[f"v{number}"] = keep.value
    found = database.execute(
        f"SELECT {shown} FROM {query.joined} WHERE {' AND '.join(where)} ORDER BY t.rowid", values
    )
    while rows := found.fetchmany(FETCHED):
        yield rows


class _Query:
    """The tables that the columns of one file need, joined along references as they are asked for."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, table: str, package: Path, binding: Binding
    ) -> None:
        self._database, self._package, self._binding = database, package, binding
        self._aliases: dict[tuple[str, ...], tuple[str, str]] = {(): ("t", table)}
        self._columns: dict[str, set[str]] = {}
        self.joined = f"{self._loaded(table)} AS t"

    def text(self, source: Source) -> str:
        """SQL: the text of a source, empty where there is none."""
        alias, table = self._alias(source.references)
        if source.column not in self._columns[table]:
            return "''"
        return f"COALESCE({alias}.{name(source.column)}, '')"

    def _alias(self, references: tuple[str, ...]) -> tuple[str, str]:
        if references not in self._aliases:
            before, table = self._alias(references[:-1])
            target = str(self._binding.table(table).field(references[-1]).target)
            alias = f"t{len(self._aliases)}"
            on = f"{before}.{name(references[-1])}" if references[-1] in self._columns[table] else "NULL"
            self.joined += f' LEFT JOIN {self._loaded(target)} AS {alias} ON {alias}."sourcedId" = {on}'
            self._aliases[references] = (alias, target)
        return self._aliases[references]

    def _loaded(self, table: str) -> str:
        """The table's name in the database; one that the package has no file for is there without rows."""
        if table not in self._columns:
            file = self._package / f"{table}.csv"
            source = (
                f"SELECT * FROM read_csv({literal(str(file))}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
                if file.exists()
                else 'SELECT NULL::VARCHAR AS "sourcedId" WHERE false'
            )
            self._database.execute(f"CREATE TABLE IF NOT EXISTS {name(table)} AS {source}")
            described = self._database.execute(f"DESCRIBE {name(table)}").fetchall()
            self._columns[table] = {str(row[0]) for row in described}
        return name(table)
