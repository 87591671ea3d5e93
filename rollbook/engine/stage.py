"""Staging: every file of a package parsed into a DuckDB table of its own, all columns as text, every record with its line.

DuckDB reads fast and in parallel; where it stumbles, or what it read does not add up with the lines and commas counted, the careful
reader (`records`) reads the file again. Nothing is judged here but the CSV itself. Empty values are empty strings, never NULL.
"""

import csv
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rollbook.engine.elsewhere import Neighbours
from rollbook.engine.facts import chunks, transcode
from rollbook.engine.findings import Findings
from rollbook.engine.headers import Header, read_header
from rollbook.engine.package import PackageFile
from rollbook.engine.reading import OWN, reader
from rollbook.engine.records import Whole, records, well_formed_line
from rollbook.engine.sql import literal, name
from rollbook.oneroster.spec import Binding, Table

NO_NULL = "\x01\x02\x03"
"""What would be read as NULL: never anything, so that empty values stay empty strings."""

NO_DELIMITER = "\x04"
"""What is in no line, so that lines are read whole; where it is in one all the same, they cannot be."""

LONGEST_LINE = 8 << 20
"""In bytes, for DuckDB; the careful reader's limit is lower."""

READ_BUFFER = 16 << 20
"""In bytes; a few of them are in memory at a time."""

BROKEN_CODES = ("csv-quote", "csv-columns", "csv-long", "csv-nul")

BESIDE = "beside"
"""The database of the records of a large package, in a file: what has no room in memory is read there again, and is not written twice."""

ROWS_AT_ONCE = 30_720
"""So many records are written to it at once: a buffer full of lines has more of them, or DuckDB would copy them together first."""

FEW_VALUES = ("enum", "enumList", "boolean", "date", "datetime", "year")
FEW_RECORDS = ("orgs", "academicSessions", "courses")
"""Types of fields, and what others refer to, of which many records have the same: a dictionary of them is small, and judged as one."""


@dataclass
class Staged:
    """One file in the staging database.

    Its records are in the table `s_<name>`, those held back in `h_<name>` (r, kind `error` or `waiting`, and for whose sake: about is
    a file's name, cause a sourcedId in it; both empty for its own), the identifiers on broken lines in `b_<name>`. `complete` is false
    where a line was lost whose record is not known: then absence says nothing. `place` is its turn when references are judged;
    `garbled` says that its bytes look as if they had been read in a wrong encoding once.
    """

    table: Table
    mode: str
    header: Header
    rows: int = 0
    careful: bool = False
    complete: bool = True
    held: int = 0
    broken: int = 0
    deletions: bool = False
    place: int = 0
    garbled: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def file(self) -> str:
        return self.table.file

    @property
    def records(self) -> str:
        return name(f"s_{self.name}")

    @property
    def holds(self) -> str:
        return name(f"h_{self.name}")

    @property
    def broken_ids(self) -> str:
        return name(f"b_{self.name}")

    @property
    def line(self) -> str:
        """SQL for the line a record begins on."""
        return '"line"' if self.careful else "(rowid + 2)"

    def has(self, column: str) -> bool:
        return column in self.header.positions

    @property
    def columns(self) -> dict[int, str]:
        """The columns of the staging table by their place in the file; metadata is in `metadata_<place>`."""
        own = {place: f"metadata_{place}" for place in self.header.metadata.values()}
        return {place: column for column, place in self.header.positions.items()} | own

    @property
    def not_held(self) -> str:
        """SQL condition: the record is not held back."""
        return f"rowid NOT IN (SELECT r FROM {self.holds})" if self.held else "true"

    @property
    def not_deleted(self) -> str:
        """SQL condition: the record is not marked for deletion."""
        return "\"status\" <> 'tobedeleted'" if self.deletions else "true"


@dataclass
class Staging:
    """The staging database of one package, and what is in it. Close it when the plan is made."""

    work: Path
    connection: duckdb.DuckDBPyConnection
    neighbours: Neighbours
    ends: ExitStack
    binding: Binding | None = None
    lenient: bool = False
    tables: dict[str, Staged] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    longest: int = 1 << 20
    beside: bool = False

    def close(self) -> None:
        self.ends.close()

    def one(self, sql: str) -> tuple[object, ...]:
        """The first row of the answer."""
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)

    def number(self, sql: str) -> int:
        """The one whole number that the query answers."""
        value = self.one(sql)[0]
        assert isinstance(value, int)
        return value

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def made(self, sql: str) -> int:
        """How many rows there are in the table that the statement makes."""
        return self.number(sql)


def open_staging(work: Path, memory: str, threads: int, beside: bool = False) -> Staging:
    """An empty staging database that holds at most `memory` (as DuckDB writes it, `512MB`) and puts the rest below `work`.

    With `beside` the records themselves are in a file there from the beginning.
    """
    spill = work / "spill"
    spill.mkdir(exist_ok=True)
    ends = ExitStack()
    connection = ends.enter_context(reader(memory, threads, spill, large=beside))
    if beside:
        # Scratch: nobody reads it after a crash, nor when this is closed.
        connection.execute("SET fsync_mode = 'NONE'")
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        file = literal(str(work / "records.duckdb"))
        connection.execute(
            f"ATTACH {file} AS {BESIDE} (RECOVERY_MODE no_wal_writes, ROW_GROUP_SIZE {ROWS_AT_ONCE})"
        )
        connection.execute(f"SET search_path = '{OWN},{BESIDE}'")
    return Staging(work, connection, Neighbours(connection), ends, beside=beside)


def stage(staging: Staging, file: PackageFile, table: Table, mode: str, findings: Findings) -> None:
    """Parses one file. Where it cannot be read at all its table is left out, and named in `staging.unreadable`."""
    readable = _in_utf8(staging, file, findings)
    header = read_header(readable.path, table, mode, findings) if readable else None
    if readable is None or header is None or not header.readable:
        staging.unreadable.add(table.name)
        if readable and header and header.count and readable.facts.quotes:
            _judge_lines(readable, header, findings, staging.longest)
        return
    staged = Staged(table, mode, header, garbled=readable.facts.garbled)
    _make_side_tables(staging, staged)
    if not _read_fast(staging, readable, staged):
        _read_carefully(staging, readable, staged, findings)
    staging.tables[table.name] = staged


def stage_extra(
    staging: Staging,
    file: PackageFile,
    label: str,
    columns: int,
    places: Mapping[str, int],
    findings: Findings,
) -> Staged | None:
    """Parses a file the standard does not know, of so many `columns`, under the name `label`: those at `places`, `sourcedId` among them.

    None where it cannot be read.
    """
    readable = _in_utf8(staging, file, findings)
    if readable is None:
        return None
    staged = Staged(Table(label, ()), "bulk", Header(columns, dict(places)))
    _make_side_tables(staging, staged)
    if not _read_fast(staging, readable, staged):
        _read_carefully(staging, readable, staged, findings)
    return staged


def _in_utf8(staging: Staging, file: PackageFile, findings: Findings) -> PackageFile | None:
    """The file, or its copy in UTF-8; None where it is in no encoding we can tell."""
    if file.facts.wide or (file.facts.nul and file.facts.bad_line):
        findings.add("encoding-unreadable", file.name)
        return None
    if file.facts.bom:
        findings.add("byte-order-mark", file.name)
    if not file.facts.bad_line:
        return file
    target = staging.work / f"{file.name}.utf-8"
    try:
        facts = transcode(chunks(file.path), target, "cp1252")
    except UnicodeDecodeError:
        findings.add("encoding-unreadable", file.name, file.facts.bad_line)
        return None
    findings.add("encoding", file.name, file.facts.bad_line)
    return PackageFile(file.name, target, facts)


def _judge_lines(file: PackageFile, header: Header, findings: Findings, longest: int) -> None:
    """Says which lines of a file are broken whose records cannot be read for want of a column."""
    for record in records(file.path, header.count, header.positions.get("sourcedId", header.count), longest):
        if not isinstance(record, Whole):
            findings.add(record.code, file.name, record.line, source_id=record.source_id)


def _make_side_tables(staging: Staging, staged: Staged) -> None:
    staging.run(f"CREATE TABLE {staged.holds} (r BIGINT, kind VARCHAR, about VARCHAR, cause VARCHAR)")
    staging.run(f"CREATE TABLE {staged.broken_ids} (source_id VARCHAR)")


def _read_fast(staging: Staging, file: PackageFile, staged: Staged) -> bool:
    """Reads the file with DuckDB's parallel reader; false, and nothing done, where it or we have a doubt."""
    facts, columns = file.facts, staged.header.count
    if facts.nul or facts.longest > staging.longest:
        return False
    if facts.carriages not in (0, facts.lines - 1, facts.lines):
        return False
    if facts.quotes and not _is_well_formed(staging, file, columns):
        return False
    if not facts.quotes and facts.commas != facts.lines * (columns - 1):
        return False
    try:
        staged.rows = _load(staging, staged, _scan(file.path, staged))
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
            raise
        return False
    if staged.rows != facts.lines - 1:
        staging.run(f"DROP TABLE {staged.records}")
        return False
    return True


def _load(staging: Staging, staged: Staged, scan: str, before: str = "") -> int:
    """Makes the table of the records that `scan` (SQL) reads, and says how many; `before` are columns in front of the file's own."""
    if not staging.beside:
        return staging.made(f"CREATE TABLE {staged.records} AS {scan}")
    columns = ", ".join(
        f"{name(column)} VARCHAR USING COMPRESSION {_compression(staged, column)}"
        for column in staged.columns.values()
    )
    staging.run(f"CREATE TABLE {BESIDE}.{staged.records} ({before}{columns})")
    try:
        return staging.made(f"INSERT INTO {staged.records} {scan}")
    except duckdb.Error:
        staging.run(f"DROP TABLE {staged.records}")
        raise


def _compression(staged: Staged, column: str) -> str:
    """Text of which many records have the same is kept as a dictionary; of all other text that would only cost time."""
    field = next((field for field in staged.table.fields if field.name == column), None)
    few = field is not None and (field.type in FEW_VALUES or field.target in FEW_RECORDS)
    return "dict_fsst" if few else "uncompressed"


def _is_well_formed(staging: Staging, file: PackageFile, columns: int) -> bool:
    """Whether each line is, by itself, a record of so many `columns` as the careful reader takes it: then both read the same."""
    lines = _csv(file.path, ["line"], "header = true", delimiter=NO_DELIMITER, quote="")
    other = f"SELECT 1 FROM {lines} WHERE NOT regexp_full_match(line, {literal(well_formed_line(columns))}) LIMIT 1"
    try:
        return staging.number(f"SELECT count(*) FROM ({other})") == 0
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
            raise
        return False


def _scan(path: Path, staged: Staged) -> str:
    """SELECT of the columns that are read from the file itself."""
    names = [staged.columns.get(place, f"unread_{place}") for place in range(staged.header.count)]
    wanted = ", ".join(map(name, staged.columns.values()))
    return f"SELECT {wanted} FROM {_csv(path, names, 'header = true')}"


def _clean_scan(path: Path, staged: Staged) -> str:
    """SELECT of the same columns, and the line, from the clean copy, which has the line in front and no header."""
    names = ["line", *(staged.columns.get(place, f"unread_{place}") for place in range(staged.header.count))]
    wanted = ", ".join(map(name, staged.columns.values()))
    return (
        f"SELECT line::BIGINT AS line, {wanted} FROM {_csv(path, names, 'header = false, parallel = false')}"
    )


def _csv(path: Path, names: list[str], options: str, delimiter: str = ",", quote: str = '"') -> str:
    types = ", ".join(f"{literal(one)}: 'VARCHAR'" for one in names)
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, {options}, delim = {literal(delimiter)}, quote = {literal(quote)},"
        f" escape = {literal(quote)}, nullstr = {literal(NO_NULL)}, max_line_size = {LONGEST_LINE}, buffer_size = {READ_BUFFER},"
        f" columns = {{{types}}})"
    )


def _read_carefully(staging: Staging, file: PackageFile, staged: Staged, findings: Findings) -> None:
    """Reads the file line by line, keeps the whole records in a clean copy with their lines, and lets DuckDB load that."""
    staged.rows = 0
    clean, broken = staging.work / f"{file.name}.clean", staging.work / f"{file.name}.broken"
    identified = _clean_copy(file, staged, findings, staging.longest, clean, broken)
    loaded = _load(staging, staged, _clean_scan(clean, staged), "line BIGINT, ")
    assert loaded == staged.rows, f"{file.name}: {staged.rows} records were written and {loaded} read"
    staged.careful = True
    staged.complete = identified
    staging.run(
        f"INSERT INTO {staged.broken_ids} FROM read_csv({literal(str(broken))}, auto_detect = false, header = false, delim = ',',"
        " columns = {'source_id': 'VARCHAR'})"
    )
    clean.unlink()
    broken.unlink()


def _clean_copy(
    file: PackageFile, staged: Staged, findings: Findings, longest: int, clean: Path, broken: Path
) -> bool:
    """Writes the whole records to `clean` and the identifiers on broken lines to `broken`; whether all of those were found.

    A file that ends in the middle of a record was cut: nobody knows what came behind.
    """
    identified, ends_broken = True, False
    id_position = staged.header.positions["sourcedId"]
    with clean.open("w", encoding="utf-8", newline="") as kept, broken.open("w", encoding="utf-8") as lost:
        ids = csv.writer(lost, lineterminator="\n")
        for record in records(file.path, staged.header.count, id_position, longest):
            ends_broken = not isinstance(record, Whole)
            if isinstance(record, Whole):
                staged.rows += 1
                kept.write(f"{record.line},{record.text}\n")
                if record.newlines:
                    findings.add("csv-newline", file.name, record.line)
                continue
            findings.add(record.code, file.name, record.line, source_id=record.source_id)
            if record.code in BROKEN_CODES:
                staged.broken += 1
                identified = identified and bool(record.source_id)
                if record.source_id:
                    ids.writerow([record.source_id])
    return identified and not (ends_broken and _is_cut(file.path))


def _is_cut(path: Path) -> bool:
    """Whether the last line has no end."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() not in (b"\n", b"\r")
