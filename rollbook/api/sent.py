"""The JSON that operators' programs send under /api/v1, and the JSON they get."""

import csv
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.dateparse import parse_datetime

from rollbook.refusal import Refusal

MOST_BODY = 2_000_000

Json = dict[str, Any]


class BadBody(Refusal):
    """Send one JSON object of at most 2 MB; the document of the API says what may stand in it."""


def sent(request: HttpRequest, *known: str) -> Json:
    """The JSON object that was sent. Raises BadBody, also for a name that means nothing here: it would be a wish passed over."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > MOST_BODY:
        raise BadBody
    try:
        found = orjson.loads(request.body)
    except (orjson.JSONDecodeError, UnreadablePostError, RawPostDataException) as fault:
        raise BadBody from fault
    if not isinstance(found, dict):
        raise BadBody
    for name in found:
        if name not in known:
            raise BadBody(name[:100])
    return found


def text(sent: Json, name: str) -> str:
    """Raises BadBody."""
    value = sent.get(name)
    if value is not None and not isinstance(value, str):
        raise BadBody(name)
    return (value or "").replace("\0", "")[:5_000]


def texts(sent: Json, name: str) -> list[str]:
    """Raises BadBody."""
    found = sent.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadBody(name)
    return found


def moment(sent: Json, name: str) -> datetime | None:
    """A dateTime with a zone, or none. Raises BadBody."""
    written = text(sent, name)
    if not written:
        return None
    try:
        at = parse_datetime(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadBody(name)
    return at


def answered(told: Json, status: int = 200) -> HttpResponse:
    """`told` as the answer, which nobody keeps."""
    response = HttpResponse(orjson.dumps(told), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def csv_answer(rows: Iterable[Iterable[object]], name: str) -> HttpResponse:
    """The rows as a file of this name, which nobody keeps."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    csv.writer(response).writerows(rows)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
