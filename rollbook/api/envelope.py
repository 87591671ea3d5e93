"""What an answer is wrapped in: the key, the count, the links to the other pages, the ETag, compression. All addresses are public ones."""

from urllib.parse import quote, urlencode

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.utils.http import parse_etags
from isal import igzip_lib

from rollbook.api.call import Call
from rollbook.oneroster import errors
from rollbook.store.pages import Located

LEAST_GZIP = 1_000
"""Bytes below which compressing an answer costs more than it saves."""


def public(path: str) -> str:
    """The absolute address of a path."""
    return f"{settings.PUBLIC_URL}{path}"


def base(call: Call) -> str:
    """The absolute address below which this caller finds all records: what they refer to is read the same way."""
    assert call.match
    return public(call.prefix + call.match.base)


def page(call: Call, located: Located, records: bytes) -> HttpResponse:
    """The answer with the records of one page, or with one record."""
    assert call.question
    is_one = call.question.operation.kind == "single"
    before = f'{{{_warnings(call)}"{call.question.operation.key}":{"" if is_one else "["}'
    body = b"".join((before.encode(), records, b"}" if is_one else b"]}"))
    response = HttpResponse(content_type="application/json")
    _describe(response, call, located)
    _fill(response, call, body)
    return response


def is_known(call: Call, located: Located) -> bool:
    """Whether the client holds this answer already (RFC 9110 §13.1.2)."""
    asked = call.request.META.get("HTTP_IF_NONE_MATCH", "")
    if not asked:
        return False
    known = parse_etags(asked)
    return known == ["*"] or located.etag in (tag.removeprefix("W/").strip('"') for tag in known)


def not_modified(call: Call, located: Located) -> HttpResponse:
    response = HttpResponse(status=304)
    del response["Content-Type"]
    _describe(response, call, located)
    return response


def _describe(response: HttpResponse, call: Call, located: Located) -> None:
    assert call.question
    # Weak: the same records may travel compressed or not.
    response["ETag"] = f'W/"{located.etag}"'
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Accept-Encoding, Authorization"
    response["X-Total-Count"] = str(located.total)
    if call.question.operation.kind != "single":
        response["Link"] = _links(call, located)


def _warnings(call: Call) -> str:
    """What 1.1 says beside the data, as the members in front of it; 1.2 has no place for it."""
    assert call.question
    if call.version != "1.1" or not call.question.warnings:
        return ""
    infos = [
        errors.warning(remark.code, remark.text, call.id, call.operation_id)
        for remark in call.question.warnings
    ]
    return f'"statusInfoSet":{orjson.dumps(infos).decode()},'


def _links(call: Call, located: Located) -> str:
    """RFC 8288. First and last always, next and prev where there is one; the rest of the query is kept."""
    assert call.question
    rest = [(name, value) for name, value in call.query if name not in ("limit", "offset")]
    start = f"{public(_path(call))}?{urlencode(rest, quote_via=quote, safe='')}{'&' if rest else ''}"
    limit, offsets = (
        call.question.limit,
        page_offsets(located.total, call.question.limit, call.question.offset),
    )
    return ", ".join(
        f'<{start}limit={limit}&offset={offset}>; rel="{relation}"' for relation, offset in offsets.items()
    )


def _path(call: Call) -> str:
    """The address of this collection, its ids percent-encoded whole."""
    assert call.match
    return call.prefix + call.match.path(safe="")


def page_offsets(total: int, limit: int, offset: int) -> dict[str, int]:
    """Where the other pages begin, by relation."""
    last = (total - 1) // limit * limit if total else 0
    offsets = {"first": 0, "last": last}
    if offset + limit < total:
        offsets["next"] = offset + limit
    if offset > 0:
        offsets["prev"] = min(max(0, offset - limit), last)
    return offsets


def _fill(response: HttpResponse, call: Call, body: bytes) -> None:
    if len(body) >= LEAST_GZIP and takes_gzip(call.request.META.get("HTTP_ACCEPT_ENCODING", "")):
        response["Content-Encoding"] = "gzip"
        body = igzip_lib.compress(body, level=1, flag=igzip_lib.COMP_GZIP)
    response.content = body
    response["Content-Length"] = str(len(body))


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding lets gzip in (RFC 9110 §12.5.3)."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        weights[coding.strip()] = parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))
