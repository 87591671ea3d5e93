"""Packages: what a reader sees of one publication, written as OneRoster CSV. Read page by page by the one road out; nothing else is asked.

Whoever makes one keeps its publication from being pruned meanwhile (`held`).
"""

import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone

from rollbook.engine.packing import BULK, DELTA, Packing, fingerprint
from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.csv_binding import into_folder, into_zip
from rollbook.oneroster.csv_rows import Writer
from rollbook.oneroster.operations import OPERATIONS
from rollbook.oneroster.query import Question
from rollbook.oneroster.spec import Operation
from rollbook.oneroster.tables import BINDINGS
from rollbook.store.models import Pin, Publication
from rollbook.store.pages import locate_in, read
from rollbook.store.texts import Located
from rollbook.store.visibility import Reader

PAGE = 5_000
REFERRED_TO = ("orgs", "resources")
"""The small collections that a whole file in a package of changes may refer to."""

SYSTEM = "Rollbook"
PINNED = "a package being made"
VERSIONS = tuple(BINDINGS)

Tell = Callable[[int, int], None]
"""`tell(records read, records known)`."""


@dataclass(frozen=True)
class Edition:
    """Which package: of which version and publication. `since` is the instant (dateTime text) behind which it tells changes, or empty."""

    version: str
    publication: int
    since: str = ""


@dataclass(frozen=True)
class Package:
    """A package as it was written: rows by file, and the sha256 and bytes of its zip."""

    path: Path
    counts: dict[str, int]
    sha256: str
    size: int


def untold(done: int, known: int) -> None:
    """Tells nobody."""


def make_zip(
    reader: Reader,
    edition: Edition,
    target: Path,
    work: Path,
    tell: Tell = untold,
    had: Collection[str] = (),
) -> Package | None:
    """The package as a zip at `target`; `work` is an empty folder for what is put aside meanwhile.

    None for changes that cannot be told as such: one of the files `had` before has no rows left, and a package can only leave it out.
    """
    packing = _packed(reader, edition, work, tell)
    try:
        if edition.since and packing.has_lost(had):
            return None
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            counts = packing.write(into_zip(archive), _modes(packing, edition), _system(reader))
    finally:
        packing.close()
    return Package(target, counts, *fingerprint(target))


def make_folder(
    reader: Reader, edition: Edition, folder: Path, work: Path, tell: Tell = untold
) -> dict[str, int]:
    """The package as loose files in `folder`; rows by file."""
    packing = _packed(reader, edition, work, tell)
    try:
        return packing.write(into_folder(folder), _modes(packing, edition), _system(reader))
    finally:
        packing.close()


@contextmanager
def held(reader: Reader, publication: int) -> Iterator[Callable[[], None]]:
    """The publication stays readable while the block runs; what it yields says that it is still needed, to be called now and then."""
    pin = Pin.objects.create(
        district_id=reader.district_id, credential_id=-_moment(), query=PINNED, publication=publication,
        last_page_at=_moment(),
    )  # fmt: skip

    def touch() -> None:
        Pin.objects.filter(pk=pin.pk).update(last_page_at=_moment())

    try:
        yield touch
    finally:
        pin.delete()


def instant_of(district_id: int, number: int | None) -> str:
    """When a publication was switched on, as a dateTime text; empty where it is not kept any more."""
    found = Publication.objects.filter(district_id=district_id, number=number or 0)
    return found.values_list("instant_text", flat=True).first() or ""


def _moment() -> int:
    """Milliseconds UTC."""
    return int(timezone.now().timestamp() * 1000)


def _system(reader: Reader) -> tuple[str, str]:
    return SYSTEM, str(reader.district_id)


def _modes(packing: Packing, edition: Edition) -> dict[str, str]:
    return packing.changes() if edition.since else packing.whole()


def _packed(reader: Reader, edition: Edition, work: Path, tell: Tell) -> Packing:
    packing, top_org, done = Packing(work, edition.version), "", 0
    # Tombstones are read too, whoever reads: positions are dense with them. What becomes of them is decided below.
    told = replace(reader, deleted=True)
    collections = [one for one in SERVED if one in BINDINGS[edition.version]]
    known = sum(_page(told, edition, one, 0).total for one in collections)
    for collection in collections:
        writer = Writer(edition.version, collection, top_org)
        for records in _pages(told, edition, collection):
            if collection == "orgs" and not top_org:
                top_org = top_org_of(records)
            for record in records:
                _pack(packing, edition, writer, record)
            done += len(records)
            tell(done, known)
    return packing


def _pages(reader: Reader, edition: Edition, collection: str) -> Iterator[list[dict[str, Any]]]:
    """A collection page by page, as a client walks through it."""
    offset, total = 0, 1
    while offset < total:
        located = _page(reader, edition, collection, offset)
        text, _ = read(located, "")
        yield orjson.loads(b"[%s]" % text)
        offset, total = offset + PAGE, located.total


def _page(reader: Reader, edition: Edition, collection: str, offset: int) -> Located:
    question = Question(collection_operation(collection, edition.version), limit=PAGE, offset=offset)
    return locate_in(reader, question, edition.publication)


def collection_operation(collection: str, version: str) -> Operation:
    [found] = [
        one for one in OPERATIONS if (one.version, one.method, one.path) == (version, "GET", f"/{collection}")
    ]
    return found


def top_org_of(orgs: list[dict[str, Any]]) -> str:
    """The org of what names none: the first without a parent, districts before others."""
    tops = [org for org in orgs if "parent" not in org and org["status"] == "active"]
    tops.sort(key=lambda org: org["type"] != "district")
    return str(tops[0]["sourcedId"]) if tops else ""


def _pack(packing: Packing, edition: Edition, writer: Writer, record: dict[str, Any]) -> None:
    is_gone, is_news = record["status"] != "active", record["dateLastModified"] > edition.since
    is_news = is_news or (not is_gone and writer.is_filled(record))
    lifecycle = (record["status"], record["dateLastModified"])
    if is_gone:
        if edition.since and is_news:
            packing.add(writer.gone(record["sourcedId"]), DELTA, lifecycle)
        return
    for row in writer.rows(record):
        is_inside = row.table != writer.collection
        if edition.since and is_news and not is_inside:
            packing.add(row, DELTA, lifecycle)
        if not edition.since or is_inside or writer.collection in REFERRED_TO:
            packing.add(row, BULK)
