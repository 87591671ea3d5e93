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

from rollbook.engine.holdings import Holdings
from rollbook.engine.sql import literal, name
from rollbook.oneroster.csv_binding import METADATA, OpenFile
from rollbook.oneroster.spec import Binding, Table
from rollbook.oneroster.tables import BINDINGS
from rollbook.refusal import Refusal

NAMED = r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.csv"
FILE_NAME, FILE = re.compile(NAMED), re.compile(rf"({NAMED})\s+from\s+(\S+)")
KEEP = re.compile(r"keep\s+(\S+)\s+(is not|is one of|is|contains|begins with)(?:\s+(.*))?")
COLUMN = re.compile(r"(.+?)\s*=\s*(\S+)")
COMMENT = "#"
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
    """This template cannot be used. `reason` says why without naming the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__()
        self.line, self.reason = line, reason
        self._words = f"Line {line} of the template: {reason}"

    @property
    def words(self) -> str:
        return self._words


@dataclass(frozen=True)
class Source:
    """Where a text comes from: columns that are references, and the column at the end of them."""

    references: tuple[str, ...]
    column: str

    @property
    def path(self) -> str:
        return ".".join((*self.references, self.column))


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


def parse(text: str, version: str, held: Holdings | None = None) -> tuple[Tailored, ...]:
    """The files a template describes, over the files of that version. Raises BadTemplate, which names the line and what is wrong; where
    `held` is given, also for what is not in it.
    """
    drafts: list[_Draft] = []
    ground = _Ground(BINDINGS[version], held)
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if written and not written.startswith(COMMENT):
            _read_line(drafts, number, written, ground)
    if not drafts:
        raise BadTemplate(1, "it begins with a file, for example: students.csv from users")
    return tuple(_finished(draft) for draft in drafts)


@dataclass(frozen=True)
class _Ground:
    """What can be named: the files of a version, of which packages may hold only some."""

    binding: Binding
    held: Holdings | None

    def refuse_unheld(self, number: int, table: str, column: str = "") -> None:
        """Raises BadTemplate."""
        if self.held is None:
            return
        if table not in self.held.columns:
            known = ", ".join(sorted(self.held.columns)) or "no file at all"
            raise BadTemplate(
                number,
                f"the packages for this app have no {table}.csv. By its permissions they have {known}.",
            )
        if column and not self.held.has(table, column):
            raise BadTemplate(number, f"this app's permissions keep back {column} of {table}.csv.")


def _read_line(drafts: list[_Draft], number: int, line: str, ground: _Ground) -> None:
    if found := FILE.fullmatch(line):
        drafts.append(_begun(drafts, number, found[1], found[2], ground))
        return
    if not drafts:
        raise BadTemplate(number, "name a file first, for example: students.csv from users")
    draft = drafts[-1]
    if found := KEEP.fullmatch(line):
        draft.keeps.append(
            Keep(_source(number, draft.table, found[1], ground), found[2], (found[3] or "").strip())
        )
    elif found := COLUMN.fullmatch(line):
        draft.columns.append((found[1], _source(number, draft.table, found[2], ground)))
    else:
        raise BadTemplate(
            number,
            f"“{line}” is neither a file (students.csv from users), a column (Student ID = sourcedId) nor a condition (keep role is student).",
        )


def _begun(drafts: list[_Draft], number: int, file: str, table: str, ground: _Ground) -> _Draft:
    binding = ground.binding
    if table not in binding:
        raise BadTemplate(
            number,
            f"OneRoster {binding.version} has no file {table}. It has {', '.join(sorted(one.name for one in binding.tables))}.",
        )
    ground.refuse_unheld(number, table)
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
    if len(titles) > MOST_COLUMNS:
        raise BadTemplate(draft.line, f"{draft.file} has more than {MOST_COLUMNS} columns.")
    if twice := [title for place, title in enumerate(titles) if title in titles[:place]]:
        raise BadTemplate(
            draft.line, f"{draft.file} has two columns called “{twice[0]}”. Call one of them otherwise."
        )
    return Tailored(draft.file, draft.table, tuple(draft.columns), tuple(draft.keeps))


def _source(number: int, table: str, path: str, ground: _Ground) -> Source:
    """Raises BadTemplate for a column there is not, and for a way along what is no reference to one record."""
    source = source_of(path)
    for step in source.references:
        ground.refuse_unheld(number, table, step)
        table = _target(number, table, step, ground.binding)
    columns = ground.binding.table(table).columns
    if not _is_extension(source.column) and source.column not in columns:
        raise BadTemplate(number, f"{table}.csv has no column {source.column}. It has {', '.join(columns)}.")
    if source.column == "password":
        raise BadTemplate(number, "passwords are never told.")
    ground.refuse_unheld(number, table, source.column)
    return source


def source_of(path: str) -> Source:
    """`userSourcedId.givenName` taken apart; an extension column keeps its `metadata.` in front."""
    before, dot, _ = path.partition(METADATA)
    if dot and (not before or before.endswith(".")):
        return Source(tuple(filter(None, before.split("."))), path[len(before) :])
    *references, column = path.split(".")
    return Source(tuple(filter(None, references)), column)


def _is_extension(column: str) -> bool:
    return column.startswith(METADATA) and len(column) > len(METADATA)


def _target(number: int, table: str, step: str, binding: Binding) -> str:
    ways = leading_on(binding.table(table))
    if step not in ways:
        raise BadTemplate(
            number, f"{step} leads nowhere from {table}.csv. What leads on: {', '.join(ways) or 'nothing'}."
        )
    return ways[step]


def leading_on(table: Table) -> dict[str, str]:
    """{column: table} of the columns that refer to one record."""
    return {one.name: str(one.target) for one in table.fields if one.target and not one.is_list}


# --- Writing one ------------------------------------------------------------------------------------------------------------------


def spelled(files: Sequence[Tailored]) -> str:
    """The template that describes these files: a line for each file, then its conditions, then its columns."""
    return "\n\n".join("\n".join(_lines(one)) for one in files)


def _lines(tailored: Tailored) -> Iterator[str]:
    yield f"{tailored.file} from {tailored.table}"
    for keep in tailored.keeps:
        yield f"keep {keep.source.path} {keep.relation} {keep.value}".rstrip()
    for title, source in tailored.columns:
        yield f"{title} = {source.path}"


def respelled(tailored: Tailored, version: str, held: Holdings | None = None) -> Tailored:
    """The same file as its template says it. Raises BadTemplate, also for a name or title that no template can say; its line counts
    from the file's own, conditions before columns.
    """
    if not FILE_NAME.fullmatch(tailored.file):
        raise BadTemplate(
            1, f"“{tailored.file}” is no file name: write letters, digits, dots and dashes, ending in .csv."
        )
    found = parse(spelled([tailored]), version, held)[0]
    for place, column in enumerate(tailored.columns):
        if column not in found.columns:
            line = 2 + len(tailored.keeps) + place
            raise BadTemplate(line, f"“{column[0]}” cannot be a title: it would be read as something else.")
    return found


# --- Making the files -------------------------------------------------------------------------------------------------------------


def tailor(
    files: Sequence[Tailored], package: Path, version: str, open_file: OpenFile, work: Path
) -> dict[str, int]:
    """The files of a template, from the package in the folder `package`; rows by file. What the package has no file for is not made."""
    counts: dict[str, int] = {}
    with _database(work) as database:
        for tailored in files:
            if (package / f"{tailored.table}.csv").exists():
                with open_file(tailored.file) as file:
                    writer = csv.writer(file, lineterminator="\r\n")
                    writer.writerow([title for title, _ in tailored.columns])
                    counts[tailored.file] = 0
                    query = _Query(database, tailored.table, package, BINDINGS[version])
                    for rows in _rows(query, tailored):
                        writer.writerows(rows)
                        counts[tailored.file] += len(rows)
    return counts


def first_rows(
    tailored: Tailored, package: Path, version: str, work: Path, of_first: int, most: int
) -> list[tuple[str, ...]]:
    """At most so many rows of one file, made of the first `of_first` rows of its table in the folder `package`."""
    with _database(work) as database:
        query = _Query(database, tailored.table, package, BINDINGS[version])
        rows = next(_rows(query, tailored, f"t.rowid < {int(of_first)}", f"LIMIT {int(most)}"), [])
        return [tuple(row) for row in rows]


def _database(work: Path) -> duckdb.DuckDBPyConnection:
    settings: dict[str, Any] = {"memory_limit": MEMORY, "threads": 2, "temp_directory": str(work)}
    return duckdb.connect(str(work / "tailoring.duckdb"), config=settings)


def _rows(
    query: "_Query", tailored: Tailored, among: str = "true", limit: str = ""
) -> Iterator[list[tuple[str, ...]]]:
    shown = ", ".join(query.text(source) for _, source in tailored.columns)
    where, values = [among], {}
    for number, keep in enumerate(tailored.keeps):
        condition = CONDITIONS[keep.relation].replace("$v", f"$v{number}")
        where.append(condition.format(query.text(keep.source)))
        values[f"v{number}"] = keep.value
    found = query.database.execute(
        f"SELECT {shown} FROM {query.joined} WHERE {' AND '.join(where)} ORDER BY t.rowid {limit}", values
    )
    while rows := found.fetchmany(FETCHED):
        yield rows


class _Query:
    """The tables that the columns of one file need, joined along references as they are asked for."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, table: str, package: Path, binding: Binding
    ) -> None:
        self.database, self._package, self._binding = database, package, binding
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
            self.database.execute(f"CREATE TABLE IF NOT EXISTS {name(table)} AS {source}")
            described = self.database.execute(f"DESCRIBE {name(table)}").fetchall()
            self._columns[table] = {str(row[0]) for row in described}
        return name(table)
