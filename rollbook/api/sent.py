"""The JSON that operators' programs send under /api/v1, and the JSON they get."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError

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


def answered(told: Json, status: int = 200) -> HttpResponse:
    """`told` as the answer, which nobody keeps."""
    response = HttpResponse(orjson.dumps(told), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
