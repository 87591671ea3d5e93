"""Samples: the first rows of a file of an app's own as a package would have them now. Read by the app's own reader, and by nothing else.

Only so many records are looked at: a sample comes at once, from a roster of any size.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from rollbook.engine.holdings import owner_of
from rollbook.engine.packing import Packing
from rollbook.engine.tailoring import Tailored, first_rows, leading_on
from rollbook.flows.find import looking_at
from rollbook.flows.packages import collection_operation, held, top_org_of
from rollbook.flows.uploads import workplace
from rollbook.oneroster.csv_binding import into_folder
from rollbook.oneroster.csv_rows import Writer
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.filters import AllOf, AnyOf, Clause, find_path
from rollbook.oneroster.query import Question
from rollbook.oneroster.tables import BINDINGS, LIFECYCLE
from rollbook.refusal import Refusal
from rollbook.store.lookup import look
from rollbook.store.models import Grant
from rollbook.store.pages import locate_in, read
from rollbook.store.visibility import Reader

MOST_ROWS = 5
BATCHES = (100, 400, 1_500)
"""So many records are looked at, then so many more, until there are rows enough."""

TOP_ORGS = 1_000
"""Among so many orgs the one of what names none is looked for."""

AT_ONCE = 100
"""Records that are asked for by their ids in one question."""

Record = dict[str, Any]
Cells = dict[str, str]


class NothingServed(Refusal):
    """The district serves no roster yet: import one first, then there are rows to show."""


@dataclass(frozen=True)
class Sample:
    """The first rows of one file, a text for each title. `looked_at` records of the app's were looked at; of those, `is_all`: of all."""

    titles: tuple[str, ...]
    rows: list[tuple[str, ...]]
    looked_at: int
    is_all: bool


def sample(grant: Grant, tailored: Tailored, version: str, most: int = MOST_ROWS) -> Sample:
    """What the file begins with. Raises NothingServed."""
    publication = grant.district.publication
    if not publication:
        raise NothingServed(grant.district.name)
    reader = looking_at(grant)
    with held(reader, publication), workplace() as work:
        return _Sampling(reader, publication, tailored, version, work).sample(most)


@dataclass
class _Sampling:
    """One file, read from its beginning. What it refers to is looked up for the records looked at, and for no others."""

    reader: Reader
    publication: int
    tailored: Tailored
    version: str
    work: Path

    def sample(self, most: int) -> Sample:
        rows: list[tuple[str, ...]] = []
        offset, total, looked_at = 0, 1, 0
        top_org = top_org_of(self._page("orgs", 0, TOP_ORGS)[0])
        for size in BATCHES:
            if offset >= total or len(rows) >= most:
                break
            records, total = self._page(owner_of(self.version, self.tailored.table), offset, size)
            folder = self.work / str(offset)
            rows += _Batch(self.reader, self.tailored, self.version, top_org, folder).rows(
                records, most - len(rows)
            )
            offset, looked_at = offset + size, looked_at + len(records)
        titles = tuple(title for title, _ in self.tailored.columns)
        return Sample(titles, rows, looked_at, offset >= total)

    def _page(self, collection: str, offset: int, size: int) -> tuple[list[Record], int]:
        """The next records of a collection that are there, and how many positions it has: those of tombstones too, so they are read."""
        question = Question(collection_operation(collection, self.version), limit=size, offset=offset)
        located = locate_in(replace(self.reader, deleted=True), question, self.publication)
        text, _ = read(located, "")
        records = orjson.loads(b"[%s]" % text)
        return [record for record in records if record["status"] == "active"], located.total


@dataclass
class _Batch:
    """Some records of the collection that fills the file, and what their rows refer to, written as a package of its own."""

    reader: Reader
    tailored: Tailored
    version: str
    top_org: str
    folder: Path
    written: dict[str, dict[str, Cells]] = field(default_factory=dict)
    """{table: {sourcedId: cells by column}}."""

    def rows(self, records: list[Record], most: int) -> list[tuple[str, ...]]:
        package = self.folder / "package"
        package.mkdir(parents=True)
        packing = Packing(self.folder, self.version)
        try:
            first = self._put(packing, owner_of(self.version, self.tailored.table), records)
            for way in self._ways():
                self._join(packing, way)
            packing.write(into_folder(package), packing.whole())
        finally:
            packing.close()
        if not first:
            return []
        return first_rows(self.tailored, package, self.version, self.folder, first, most)

    def _ways(self) -> list[tuple[str, ...]]:
        """The references that the file goes along, each behind the one it goes on from."""
        sources = [source for _, source in self.tailored.columns] + [
            keep.source for keep in self.tailored.keeps
        ]
        ways = {one.references[:size] for one in sources for size in range(1, len(one.references) + 1)}
        return sorted(ways, key=lambda way: (len(way), way))

    def _join(self, packing: Packing, way: tuple[str, ...]) -> None:
        """Puts what the last step of the way refers to. What is inside the records that are there already is there too."""
        here = self.tailored.table
        for step in way[:-1]:
            here = leading_on(BINDINGS[self.version].table(here))[step]
        target = leading_on(BINDINGS[self.version].table(here))[way[-1]]
        named = {cells.get(way[-1], "") for cells in self.written.get(here, {}).values()}
        missing = named - {""} - set(self.written.get(target, {}))
        if missing and owner_of(self.version, target) == target:
            self._put(packing, target, _named(self.reader, target, self.version, sorted(missing)))

    def _put(self, packing: Packing, collection: str, records: Iterable[Record]) -> int:
        """Adds the rows of records; how many rows of the file's own table that were."""
        writer, own = Writer(self.version, collection, self.top_org), 0
        for record in records:
            for row in writer.rows(record):
                names = BINDINGS[self.version].table(row.table).columns[len(LIFECYCLE) :]
                cells = dict(zip(names, row.cells, strict=True)) | {"sourcedId": row.sourced_id}
                self.written.setdefault(row.table, {})[row.sourced_id] = cells
                packing.add(row)
                own += row.table == self.tailored.table
        return own


def _named(reader: Reader, collection: str, version: str, ids: list[str]) -> list[Record]:
    """The records of these ids that the app sees."""
    path = find_path(ENTITIES[version, collection], "sourcedId")
    assert path is not None
    operation, found = collection_operation(collection, version), []
    for start in range(0, len(ids), AT_ONCE):
        groups = tuple(AllOf((Clause(path, "=", (one,)),)) for one in ids[start : start + AT_ONCE])
        found += look(reader, Question(operation, filter=AnyOf(groups), limit=AT_ONCE)).records
    return found
