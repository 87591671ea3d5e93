"""The access rows: who asked for what and how much was given. Written in batches by a thread beside the requests.

A row waits a second at most. In a process that started no thread (a test, a shell) rows wait for `flush`.
"""

import atexit
import logging
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    router,
    transaction,
)

from rollbook.api import oauth1, rate, tokens
from rollbook.api.call import Call
from rollbook.store.models import AccessRow
from rollbook.store.throttles import prune_throttles

log = logging.getLogger(__name__)

BATCH = 1_000
MOST_WAITING = 20_000
SECONDS_BETWEEN_WRITES = 0.5
SECONDS_BETWEEN_PRUNINGS = 60
MOST_TEXT = 2_000

INSERT = """
    INSERT INTO store_accessrow (district_id, grant_id, grant_version, credential_id, at, publication, version, collection, query,
        "offset", fields, status, records, milliseconds, address)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

DAY = 86_400_000
REFUSED_FOR_NUMBER = 429

KEY_USED = """
    INSERT INTO store_keyuse (credential_id, at, address) VALUES (%s, %s, %s)
    ON CONFLICT (credential_id) DO UPDATE SET at = excluded.at, address = excluded.address WHERE store_keyuse.at < excluded.at
"""
DAY_USED = """
    INSERT INTO store_dailyuse (grant_id, day, requests, records) VALUES (%s, %s, %s, %s)
    ON CONFLICT (grant_id, day) DO UPDATE SET requests = store_dailyuse.requests + excluded.requests,
        records = store_dailyuse.records + excluded.records
"""

Row = tuple[Any, ...]
Use = dict[tuple[int, int], tuple[int, int]]
"""What was taken: {(grant, day since 1970): (requests, records)}."""

_waiting: deque[Row] = deque()
_writing = threading.Lock()


def note(call: Call, status: int) -> None:
    """Keeps what became of a call whose caller is known; a stranger's has no district whose history it could enter."""
    if call.reader is None:
        return
    row = _row(call, status)
    _waiting.append(row)
    _count(uses_of([row]), 1)
    if len(_waiting) >= MOST_WAITING:
        flush()


_waiting_use: Use = {}
_counting = threading.Lock()


def waiting_use(grant_id: int, day: int) -> tuple[int, int]:
    """The requests and records that this process knows of and has not yet written."""
    return _waiting_use.get((grant_id, day), (0, 0))


def _count(uses: Use, sign: int) -> None:
    with _counting:
        for key, (requests, records) in uses.items():
            before = _waiting_use.get(key, (0, 0))
            now = (before[0] + sign * requests, before[1] + sign * records)
            if now == (0, 0):
                _waiting_use.pop(key, None)
            else:
                _waiting_use[key] = now


def uses_of(rows: list[Row]) -> Use:
    """What these rows count for; a call that was refused because there were too many is none."""
    found: Use = {}
    for row in rows:
        grant_id, at, status, records = row[1], row[4], row[11], row[12]
        if status != REFUSED_FOR_NUMBER:
            before = found.get((grant_id, at // DAY), (0, 0))
            found[(grant_id, at // DAY)] = (before[0] + 1, before[1] + records)
    return found


def _row(call: Call, status: int) -> Row:
    assert call.reader
    assert call.operation
    reader, question = call.reader, call.question
    return (
        reader.district_id,
        reader.grant_id,
        reader.grant_version,
        reader.credential_id,
        call.now,
        call.publication,
        call.version,
        call.operation.path.lstrip("/"),
        _query(call),
        question.offset if question else 0,
        ",".join(question.fields or ()) if question else "",
        status,
        call.records,
        call.milliseconds,
        call.client,
    )


def _query(call: Call) -> str:
    """What chose the records: the ids of the path by name, then the query without what only chose a page or fields."""
    assert call.operation
    assert call.match
    ids = [f"{name}={text}" for name, text in zip(call.operation.parameters, call.match.ids, strict=True)]
    asked = [
        unquote_plus(part)
        for part in call.query_string.split("&")
        if part and part.partition("=")[0] not in ("limit", "offset", "fields")
    ]
    return "&".join(ids + asked)[:MOST_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")


def flush() -> None:
    """Writes every row that waits. When the database cannot take them now, they wait on, as long as there is room."""
    with _writing:
        while _waiting:
            batch = [_waiting.popleft() for _ in range(min(BATCH, len(_waiting)))]
            try:
                _write(batch)
            except (OperationalError, InterfaceError) as fault:
                _keep(batch, fault)
                return
            except DatabaseError:
                log.exception("%d access rows are lost: the database refuses them", len(batch))
            _count(uses_of(batch), -1)


def _write(batch: list[Row]) -> None:
    alias = router.db_for_write(AccessRow)
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.executemany(INSERT, batch)
        # In one order everywhere, so that two processes never wait for one another.
        cursor.executemany(KEY_USED, sorted(_last_uses(batch).values()))
        uses = sorted(uses_of(batch).items())
        cursor.executemany(DAY_USED, [(*key, *taken) for key, taken in uses])


def _last_uses(batch: list[Row]) -> dict[int, Row]:
    """{credential: (credential, when, from where)}, the last of each."""
    return {row[3]: (row[3], row[4], row[14]) for row in sorted(batch, key=lambda row: row[4])}


def _keep(batch: list[Row], fault: Exception) -> None:
    if len(_waiting) + len(batch) > MOST_WAITING:
        log.error(
            "%d access rows are lost: the database does not answer (%s)", len(batch), type(fault).__name__
        )
        _count(uses_of(batch), -1)
        return
    log.warning("%d access rows wait: the database does not answer (%s)", len(batch), type(fault).__name__)
    _waiting.extendleft(reversed(batch))


class Writer(threading.Thread):
    """Writes what waits and levels the buckets twice a second and, once a minute, forgets nonces, tokens and tries that no longer mean
    anything.
    """

    def __init__(self) -> None:
        super().__init__(name="access-log", daemon=True)
        self._ended = threading.Event()
        self._pruned = time.monotonic()

    def run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_WRITES):
            close_old_connections()
            if _waiting:
                flush()
            rate.share()
            if time.monotonic() - self._pruned > SECONDS_BETWEEN_PRUNINGS:
                self._pruned = time.monotonic()
                _prune()
            close_old_connections()

    def end(self) -> None:
        """Writes the last rows."""
        self._ended.set()
        self.join(timeout=5)
        flush()
        rate.share()


def _prune() -> None:
    now = datetime.now(UTC)
    try:
        oauth1.prune_nonces(int(now.timestamp()))
        tokens.prune_tokens(now)
        rate.prune_buckets(now.timestamp() * 1000)
        prune_throttles()
    except DatabaseError as fault:
        # Rows are written first; what is old goes at a later look.
        log.warning("old nonces and tokens stay for now (%s)", type(fault).__name__)


def start() -> None:
    """Starts the writer of this process; its last rows are written when the process ends."""
    writer = Writer()
    writer.start()
    atexit.register(writer.end)
