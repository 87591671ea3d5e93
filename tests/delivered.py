"""A district as tests use it: packages delivered by the real flow, and the roster read back as an app reads it."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.db import transaction

from rollbook.engine.scope import FULL, Rule
from rollbook.flows.apps import add_app
from rollbook.flows.districts import add_district
from rollbook.flows.holds import apply_once
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.publish import set_rule
from rollbook.oneroster.operations import OPERATIONS
from rollbook.oneroster.query import parse
from rollbook.oneroster.spec import Operation
from rollbook.store.models import Connection, District, Grant, Publication, Run
from rollbook.store.pages import locate, read
from rollbook.store.routers import homes
from rollbook.store.visibility import Reader, basic, reader_of_grant

Record = dict[str, Any]
ADDRESS = "https://roster.example/ims/oneroster"


def a_district(name: str = "Riverbend", time_zone: str = "America/Chicago") -> District:
    return add_district(name, time_zone)


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is written in the block is gone after it: for what a module makes once, inside which each test's own transaction lies."""
    with ExitStack() as stack:
        for home in homes():
            stack.enter_context(transaction.atomic(using=home))
            stack.callback(transaction.set_rollback, True, using=home)
        yield


def deliver(district: District, package: Path) -> Run:
    """The package comes in and is applied at once, whatever the limits say."""
    connection = Connection.objects.get(district=district)
    run = carry_out(prepare(connection, package, "a test"))
    return apply_once(run.hold, "a test", "a test") if run.outcome == "held" else run


def a_grant(district: District, rule: Rule = FULL, app: str = "An app") -> Grant:
    grant = Grant(district=district, app=add_app(app), enabled=True)
    set_rule(grant, rule, "a test")
    return grant


def a_grant_to(district: District, *schools: str, app: str = "A school app") -> Grant:
    return a_grant(district, basic(district.pk, list(schools), deleted=True), app)


def reader_of(grant: Grant, credential: int = 1) -> Reader:
    grant.refresh_from_db()
    return reader_of_grant(grant, credential)


def operation(path: str, version: str = "1.1") -> Operation:
    """The GET operation of a path template, for example `/schools/{schoolSourcedId}/students`."""
    [found] = [one for one in OPERATIONS if (one.version, one.path, one.method) == (version, path, "GET")]
    return found


def page(
    reader: Reader,
    path: str,
    *parents: str,
    version: str = "1.1",
    now_ms: int | None = None,
    **query: str,
) -> tuple[list[Record], int, int]:
    """One page: its records, the total and the publication it was read from."""
    question = parse(operation(path, version), parents, list(query.items()))
    located = locate(reader, question, now_ms if now_ms is not None else time.time_ns() // 1_000_000)
    text, count = read(located, ADDRESS)
    records = json.loads(b"[%s]" % text)
    assert len(records) == count
    return records, located.total, located.publication


def everything(
    reader: Reader, path: str, *parents: str, version: str = "1.1", limit: int = 10_000, **query: str
) -> list[Record]:
    """All pages of a collection, walked as a client walks."""
    found: list[Record] = []
    while True:
        records, total, _ = page(
            reader, path, *parents, version=version, limit=str(limit), offset=str(len(found)), **query
        )
        found += records
        if not records or len(found) >= total:
            return found


def by_id(records: list[Record]) -> dict[str, Record]:
    named = {record["sourcedId"]: record for record in records}
    assert len(named) == len(records), "a record was served twice"
    return named


def one(reader: Reader, path: str, sourced_id: str, version: str = "1.1") -> Record:
    [found], _, _ = page(reader, path, sourced_id, version=version)
    return found


def instant(district: District, number: int) -> str:
    return Publication.objects.get(district=district, number=number).instant_text


def ids(records: list[Record]) -> set[str]:
    return {record["sourcedId"] for record in records}


def active(records: list[Record]) -> set[str]:
    return {record["sourcedId"] for record in records if record["status"] == "active"}
