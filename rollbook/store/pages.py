"""Pages: from a question to the texts served for it. Every read names its reader; what the reader's view does not hold does not exist.

A page in default order is a range of positions. Any other question is answered once per (publication, view, query) and its positions are kept.
`offset` 0 takes the current publication and pins the walk to it; later pages read that publication until 30 minutes after the last one.
"""

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rollbook.oneroster.json_binding import ADDRESS
from rollbook.oneroster.query import Question
from rollbook.store.models import PageChunk, PageList, Pin, Publication
from rollbook.store.models.publication import NUMBER_OF
from rollbook.store.prepared import fetch
from rollbook.store.querysets import positions, record_position
from rollbook.store.visibility import WHOLE_ROSTER, NotVisible, Reader

PIN_MINUTES = 30
TOUCH_EVERY = 60_000
CHUNK = 5_000


@dataclass(frozen=True)
class Located:
    """Where the answer to a question lies. `positions` is a range, or the positions kept for the question; `total` counts all pages."""

    reader: Reader
    question: Question
    publication: int
    total: int
    positions: range | Sequence[int]
    changed: int

    @property
    def etag(self) -> str:
        """Names the answer: it stays while nothing of it can have changed."""
        question = self.question
        asked = (self.reader.view_id, self.reader.district_id, self.changed, question.digest, question.fields)
        return sha256(repr((*asked, question.limit, question.offset)).encode()).hexdigest()[:32]


def locate(reader: Reader, question: Question, now_ms: int) -> Located:
    """Find the page, or the one record, that `question` asks for. Raises NotVisible for an unknown record or parent."""
    if question.operation.kind == "single":
        return _locate_record(reader, question)
    pin = _pin_of(reader, question)
    is_held = pin is not None and pin.last_page_at >= now_ms - PIN_MINUTES * 60_000
    publication = pin.publication if pin and is_held and question.offset else _current(reader)
    located = _locate_page(reader, question, publication)
    if located.total > question.offset + question.limit or (
        question.offset and question.offset < located.total
    ):
        _keep_pin(reader, question, pin, located.publication, now_ms)
    return located


def read(located: Located, address: str) -> tuple[bytes, int]:
    """The JSON texts of the located records joined by commas, and how many they are. `address` is the service's base address."""
    if not located.positions:
        return b"", 0
    text, count = (_read_postgresql if connection.vendor == "postgresql" else _read_sqlite)(located)
    if located.question.fields is not None:
        text = _selected(text, located.question.fields)
    # Bytes, because they are replaced in a sixth of the time that a str takes.
    return text.encode().replace(ADDRESS.encode(), address.encode()), count


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
        [reader.credential_id, question.digest],
    )
    return _Walk(*found[0]) if found else None


def _keep_pin(reader: Reader, question: Question, pin: _Walk | None, publication: int, now_ms: int) -> None:
    """Keep the walk at its publication; written only where it says something new, or once a minute."""
    if pin is not None and pin.publication == publication and pin.last_page_at > now_ms - TOUCH_EVERY:
        return
    with _reading().cursor() as cursor:
        cursor.execute(
            """INSERT INTO store_pin (district_id, credential_id, query, publication, last_page_at) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (credential_id, query) DO UPDATE SET publication = excluded.publication, last_page_at = excluded.last_page_at""",
            [reader.district_id, reader.credential_id, question.digest, publication, now_ms],
        )


@lru_cache(maxsize=256)
def _state(district_id: int, publication: int) -> dict[str, dict[str, list[int]]]:
    """{view: {collection: [total, changed]}} of a publication; publications never change."""
    found: dict[str, dict[str, list[int]]] = Publication.objects.values_list("state", flat=True).get(
        district_id=district_id, number=publication
    )
    return found


@lru_cache(maxsize=4096)
def _instant(district_id: int, publication: int) -> str:
    text: str = Publication.objects.values_list("instant_text", flat=True).get(
        district_id=district_id, number=publication
    )
    return text


def forget_publications() -> None:
    """Let go of what is kept of publications in memory; only who makes districts again under old ids needs this."""
    _state.cache_clear()
    _instant.cache_clear()


# --- Locating -----------------------------------------------------------------------------------------------------------------------------


def _locate_page(reader: Reader, question: Question, publication: int) -> Located:
    if not publication:
        return Located(reader, question, 0, 0, (), 0)
    total, changed = (
        _state(reader.district_id, publication)
        .get(str(reader.view_id), {})
        .get(str(question.operation.collection), (0, 0))
    )
    first, last = question.offset, question.offset + question.limit
    if _is_plain(question):
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


# --- Reading ------------------------------------------------------------------------------------------------------------------------------


def _columns(located: Located) -> tuple[str, str]:
    """Expressions of the stamp and the text served, in the version asked and by the view's own text where it has one."""
    version = "v1p1" if located.question.operation.version == "1.1" else "v1p2"
    base = "b.text_v1p1" if version == "v1p1" else "COALESCE(b.text_v1p2, b.text_v1p1)"
    if located.reader.view_id == WHOLE_ROSTER:
        return f"b.stamp_{version}", base
    own = "v.text_v1p1" if version == "v1p1" else "COALESCE(v.text_v1p2, v.text_v1p1)"
    later = (
        f"CASE WHEN b.stamp_{version} > v.stamp_{version} THEN b.stamp_{version} ELSE v.stamp_{version} END"
    )
    stamp = f"CASE WHEN v.text_v1p1 IS NULL THEN {later} ELSE v.stamp_{version} END"
    return stamp, f"CASE WHEN v.text_v1p1 IS NULL THEN {base} ELSE {own} END"


def _source(located: Located, wanted: str) -> tuple[str, list[Any]]:
    """FROM and WHERE of the rows of the page; `wanted` is the condition on `{}.position`."""
    # The + keeps SQLite, which knows no figures about its tables, from looking records up by the publication.
    reader, at = located.reader, located.publication
    collection = NUMBER_OF[str(located.question.operation.collection)]
    if reader.view_id == WHOLE_ROSTER:
        return (
            f"""store_served b WHERE b.district_id = %s AND b.collection = %s AND {wanted.format("b")}
                AND b.from_publication <= %s AND b.to_publication > %s""",
            [reader.district_id, collection, at, at],
        )
    return (
        f"""store_viewrow v LEFT JOIN store_served b ON v.text_v1p1 IS NULL AND b.district_id = v.district_id
                AND b.collection = v.collection AND b.record_id = v.record_id
                AND +b.from_publication <= %s AND b.to_publication > %s
            WHERE v.district_id = %s AND v.view_id = %s AND v.collection = %s AND {wanted.format("v")}
                AND v.from_publication <= %s AND v.to_publication > %s""",
        [at, at, reader.district_id, reader.view_id, collection, at, at],
    )


def _span(located: Located) -> tuple[int, int, int]:
    """The first and last position of the page, and how many positions between them are not wanted; -1 where they do not ascend."""
    wanted = located.positions
    first, last = wanted[0], wanted[-1]
    if isinstance(wanted, range):
        return first, last, 0
    ascends = all(a < b for a, b in pairwise(wanted))
    return first, last, last - first + 1 - len(wanted) if ascends else -1


def _read_postgresql(located: Located) -> tuple[str, int]:
    first, last, gaps = _span(located)
    stamp, text = _columns(located)
    place = "b" if located.reader.view_id == WHOLE_ROSTER else "v"
    if 0 <= gaps <= len(located.positions):
        # One walk along the index, even where it passes what is not wanted.
        sieve = " AND +{0}.position = ANY(%s::bigint[])" if gaps else ""
        source, parameters = _source(located, "{0}.position BETWEEN %s AND %s" + sieve)
        parameters[-2:-2] = [first, last, *([list(located.positions)] if gaps else [])]
        rows = fetch(
            connection, f"SELECT {stamp}, {text} FROM {source} ORDER BY {place}.position", parameters
        )
    else:
        source, parameters = _source(located, "{}.position = ANY(%s::bigint[])")
        parameters[-2:-2] = [list(located.positions)]
        unordered = fetch(connection, f"SELECT {place}.position, {stamp}, {text} FROM {source}", parameters)
        found = {position: (stamped, body) for position, stamped, body in unordered}
        rows = [found[position] for position in located.positions]
    opening = _openings(located.reader.district_id, {stamped for stamped, _ in rows})
    return ",".join([opening[stamped] + body for stamped, body in rows]), len(rows)


def _openings(district_id: int, stamps: Iterable[int]) -> dict[int, str]:
    return {stamp: f'{{"dateLastModified":"{_instant(district_id, stamp)}"' for stamp in stamps}


def _read_sqlite(located: Located) -> tuple[str, int]:
    """The page joined in SQL: one row comes back instead of one a record."""
    first, last, gaps = _span(located)
    stamp, text = _columns(located)
    place = "b" if located.reader.view_id == WHOLE_ROSTER else "v"
    if gaps == 0:
        source, parameters = _source(located, "{}.position BETWEEN %s AND %s")
        parameters[-2:-2] = [first, last]
        inner, order = f"SELECT {stamp} AS stamp, {text} AS body FROM {source}", f"{place}.position"
    else:
        source, parameters = _source(located, "{}.position = wanted.value")
        inner, order = (
            f"SELECT {stamp} AS stamp, {text} AS body FROM json_each(%s) AS wanted CROSS JOIN {source}",
            "wanted.key",
        )
        parameters.insert(0, json.dumps(list(located.positions)))
    [(joined, count)] = fetch(
        connection,
        f"""SELECT group_concat('{{"dateLastModified":"' || p.instant_text || '"' || page.body, ','), count(*)
            FROM ({inner} ORDER BY {order}) AS page
            CROSS JOIN store_publication p ON p.district_id = %s AND p.number = page.stamp""",
        [*parameters, located.reader.district_id],
    )
    return joined or "", count


def _selected(text: str, fields: tuple[str, ...]) -> str:
    """The records with the chosen members only, in the members' order."""
    records = json.loads(f"[{text}]")
    chosen = [{name: record[name] for name in fields if name in record} for record in records]
    return ",".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in chosen)
