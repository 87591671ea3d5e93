"""Pages: from a question to the texts served for it. Every read names its reader; what the reader's view does not hold does not exist.

A page in default order is a range of positions. Any other question is answered once per (publication, view, query) and its positions are kept.
`offset` 0 takes the current publication and pins the walk to it; later pages read that publication until 30 minutes after the last one.
"""

import json
from array import array
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from django.db import connection, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rollbook.oneroster.json_binding import addressed
from rollbook.oneroster.query import Question
from rollbook.store.aliases import forget_aliases, turned
from rollbook.store.models import PageChunk, PageList, Pin, Publication
from rollbook.store.prepared import fetch
from rollbook.store.querysets import positions, record_position
from rollbook.store.soon import soon_kept
from rollbook.store.texts import Located, forget_openings, joined_texts
from rollbook.store.unseen import forget_unseen, refuse_unseen
from rollbook.store.visibility import NotVisible, Reader

PIN_MINUTES = 30
TOUCH_EVERY = 60_000
CHUNK = 5_000


def locate(reader: Reader, question: Question, now_ms: int) -> Located:
    """Find the page, or the one record, that `question` asks for. Raises NotVisible for an unknown record or parent, BadQuery where it
    asks by what the reader does not see.
    """
    refuse_unseen(reader, question)
    question = turned(reader, question)
    if not reader.deleted:
        question = replace(question, live=True)
    if question.operation.kind == "single":
        return _locate_record(reader, question)
    pin = _pin_of(reader, question)
    is_held = pin is not None and pin.last_page_at >= now_ms - PIN_MINUTES * 60_000
    held = pin.publication if pin and is_held and question.offset else 0
    publication = held if held and _knows(reader, held) else _current(reader)
    located = _locate_page(reader, question, publication)
    # One page with all there is begins a walk too where another is held: who asks for what lies behind it would be led back to that one.
    begins_anew = is_held and not question.offset
    if (
        located.total > question.offset + question.limit
        or begins_anew
        or (question.offset and question.offset < located.total)
    ):
        _keep_pin(reader, question, pin, located.publication, now_ms)
    return located


def locate_in(reader: Reader, question: Question, publication: int) -> Located:
    """The page as it was in a publication, which the caller sees to it is kept: only for collections in default order."""
    assert _is_plain(question)
    return _locate_page(reader, question, publication)


def read(located: Located, address: str) -> tuple[bytes, int]:
    """The JSON texts of the located records joined by commas, and how many they are. `address` is the service's base address."""
    if not located.positions:
        return b"", 0
    text, count = joined_texts(located)
    if located.question.fields is not None:
        text = _selected(text, located.question.fields)
    return addressed(text, str(located.question.operation.collection), address), count


def _selected(text: bytes, fields: tuple[str, ...]) -> bytes:
    """The records with the chosen members only, in the members' order."""
    records = json.loads(b"[%s]" % text)
    chosen = [{name: record[name] for name in fields if name in record} for record in records]
    return ",".join(
        json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in chosen
    ).encode()


# --- Publications and pins ----------------------------------------------------------------------------------------------------------------


def _current(reader: Reader) -> int:
    found = fetch(connection, "SELECT publication FROM store_district WHERE id = %s", [reader.district_id])
    return int(found[0][0]) if found else 0


class _Walk(NamedTuple):
    """What is kept of a walk through pages. `last_page_at` is in milliseconds UTC."""

    publication: int
    last_page_at: int


def _reading() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(Pin)]


def _pin_of(reader: Reader, question: Question) -> _Walk | None:
    found = fetch(
        _reading(),
        "SELECT publication, last_page_at FROM store_pin WHERE credential_id = %s AND query = %s",
        [reader.credential_id, _walk(reader, question)],
    )
    return _Walk(*found[0]) if found else None


def _keep_pin(reader: Reader, question: Question, pin: _Walk | None, publication: int, now_ms: int) -> None:
    """Keep the walk at its publication; written only where it says something new, or once a minute."""
    last_page_at = pin.last_page_at if pin and pin.publication == publication else None
    if last_page_at is not None and last_page_at > now_ms - TOUCH_EVERY:
        return
    # When that minute is over, all who ask just then come here: the first writes, and the others wait for it, but not for the disk.
    with (
        soon_kept(_reading().alias) if last_page_at is not None else nullcontext(),
        _reading().cursor() as cursor,
    ):
        cursor.execute(
            """INSERT INTO store_pin (district_id, credential_id, query, publication, last_page_at) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (credential_id, query) DO UPDATE SET publication = excluded.publication, last_page_at = excluded.last_page_at
               WHERE store_pin.publication <> excluded.publication OR store_pin.last_page_at <= excluded.last_page_at - %s""",
            [
                reader.district_id,
                reader.credential_id,
                _walk(reader, question),
                publication,
                now_ms,
                TOUCH_EVERY,
            ],
        )


def _walk(reader: Reader, question: Question) -> str:
    """Names a walk. When the rule of the grant is edited its walks end: what it does not see any more it is not shown to the last page."""
    return sha256(f"{reader.grant_version} {question.digest}".encode()).hexdigest()


@lru_cache(maxsize=256)
def _state(district_id: int, publication: int) -> dict[str, dict[str, list[int]]]:
    """{view: {collection: [total, changed, gone]}} of a publication; publications never change."""
    found: dict[str, dict[str, list[int]]] = Publication.objects.values_list("state", flat=True).get(
        district_id=district_id, number=publication
    )
    return found


def forget_publications() -> None:
    """Let go of what is kept of publications in memory; only who makes districts again under old ids needs this."""
    _state.cache_clear()
    forget_openings()
    forget_unseen()
    forget_aliases()


def _knows(reader: Reader, publication: int) -> bool:
    """Whether the reader's view was there in that publication; an edit of permissions can give a walk another view on its way."""
    return str(reader.view_id) in _state(reader.district_id, publication)


# --- Locating -----------------------------------------------------------------------------------------------------------------------------


def _locate_page(reader: Reader, question: Question, publication: int) -> Located:
    if not publication:
        return Located(reader, question, 0, 0, (), 0)
    total, changed, *gone = (
        _state(reader.district_id, publication)
        .get(str(reader.view_id), {})
        .get(str(question.operation.collection), (0, 0, 0))
    )
    first, last = question.offset, question.offset + question.limit
    if _is_plain(question) and (not question.live or gone == [0]):
        return Located(reader, question, publication, total, range(first + 1, min(last, total) + 1), changed)
    if question.parents or question.operation.path != f"/{question.operation.collection}":
        changed = publication
    kept = _kept(reader, question, publication)
    if kept is not None:
        return Located(
            reader, question, publication, kept[0], _slice(kept[1], first, min(last, kept[0])), changed
        )
    publication, found = _answer(reader, question)
    if len(found) > question.limit:
        _keep(reader, question, publication, found)
    return Located(reader, question, publication, len(found), found[first:last], max(changed, 0))


def _is_plain(question: Question) -> bool:
    return (
        question.filter is None
        and question.sort is None
        and question.operation.path == f"/{question.operation.collection}"
    )


def _answer(reader: Reader, question: Question) -> tuple[int, list[int]]:
    """Work the question out on what is current, and say which publication that was; again if one was switched on meanwhile."""
    while True:
        publication = _current(reader)
        with connection.cursor() as cursor:
            found = positions(cursor, reader, question, publication)
        if _current(reader) == publication:
            return publication, found


def _kept(reader: Reader, question: Question, publication: int) -> tuple[int, int] | None:
    """(total, id) of the positions kept for the question."""
    found = fetch(
        _reading(),
        "SELECT total, id FROM store_pagelist WHERE district_id = %s AND view_id = %s AND publication = %s AND query = %s",
        [reader.district_id, reader.view_id, publication, question.digest],
    )
    return (int(found[0][0]), int(found[0][1])) if found else None


def _keep(reader: Reader, question: Question, publication: int, found: list[int]) -> None:
    """Keep positions for later pages. Another reader with the same question may have been first; then theirs stand."""
    alias = router.db_for_write(PageList)
    with transaction.atomic(using=alias):
        page_list, created = PageList.objects.using(alias).get_or_create(
            district_id=reader.district_id,
            view_id=reader.view_id,
            publication=publication,
            query=question.digest,
            defaults={"total": len(found)},
        )
        if created:
            PageChunk.objects.using(alias).bulk_create(
                PageChunk(
                    page_list_id=page_list.pk, number=number, positions=_packed(found[start : start + CHUNK])
                )
                for number, start in enumerate(range(0, len(found), CHUNK))
            )


def _packed(numbers: Iterable[int]) -> bytes:
    return array("q", numbers).tobytes()


def _slice(page_list: int, first: int, last: int) -> Sequence[int]:
    if first >= last:
        return ()
    numbers: array[int] = array("q")
    chunks = fetch(
        _reading(),
        "SELECT positions FROM store_pagechunk WHERE page_list_id = %s AND number BETWEEN %s AND %s ORDER BY number",
        [page_list, first // CHUNK, (last - 1) // CHUNK],
    )
    for (packed,) in chunks:
        numbers.frombytes(bytes(packed))
    start = first // CHUNK * CHUNK
    return numbers[first - start : last - start]


def _locate_record(reader: Reader, question: Question) -> Located:
    publication = _current(reader)
    with connection.cursor() as cursor:
        position = record_position(cursor, reader, question, publication) if publication else None
    if position is None:
        raise NotVisible(question.parents[-1])
    one = replace(question, limit=1)
    return Located(reader, one, publication, 1, range(position, position + 1), publication)
