"""One page of an answer: the records inside whatever they were wrapped in, and what the server says of the whole.

The status decides what an answer is; a 200 without the records' wrapper is none (a login page, an error with a friendly status).
Source: OneRoster 1.1 REST §3.4, RFC 8288 for Link; the rest is what servers do.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from rollbook.connectors.oneroster_rest.address import joined
from rollbook.connectors.oneroster_rest.wire import Answer
from rollbook.oneroster.operations import SINGULAR

SYNONYMS = {
    "orgs": ("schools", "school"),
    "users": ("students", "teachers", "student", "teacher"),
    "academicSessions": ("terms", "gradingPeriods", "term", "gradingPeriod"),
    "demographics": ("demographic",),
}
"""Wrappers met where the collection's own belongs."""

TOTALS = ("X-Total-Count", "x-count")
TOTALS_INSIDE = ("totalCount", "total")
NULL = "null for an empty collection"
REVISION = "x-perm-rev"
"""A header that says which state of the data is served."""

_link = re.compile(r"<([^>]*)>([^<]*)")
_rel = re.compile(r"""rel\s*=\s*"?([^";,]+)""", re.IGNORECASE)


class NoEnvelope(ValueError):
    """The answer holds no page of records; the message says what it is instead."""


@dataclass(frozen=True)
class Page:
    """The records as they came. `total` is None where nothing sensible is said; `next_url` is absolute. `quirks` are for the report."""

    records: list[dict[str, Any]]
    total: int | None
    next_url: str
    revision: str
    quirks: frozenset[str] = field(default_factory=frozenset)


def page_of(answer: Answer, collection: str) -> Page:
    """The page in an answer of status 200. Raises NoEnvelope."""
    said = _json(answer)
    quirks: set[str] = set()
    found = _unwrapped(said, collection, quirks)
    records = [record for record in found if isinstance(record, dict)]
    if len(records) != len(found):
        raise NoEnvelope("some of the records are none")
    links = _links(answer, quirks)
    total = _total(answer, said, quirks)
    return Page(records, total, links.get("next", ""), answer.header(REVISION), frozenset(quirks))


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        kind = "an HTML page" if answer.body.lstrip()[:1] == b"<" else "no JSON"
        raise NoEnvelope(f"it is {kind}") from None


def _unwrapped(said: Any, collection: str, quirks: set[str]) -> list[Any]:
    """The list inside the answer: under its own name, under another's, or bare; one object alone is a list of one."""
    if isinstance(said, list):
        quirks.add("bare array")
        return said
    if not isinstance(said, dict):
        raise NoEnvelope("it is neither an object nor a list")
    if _tells_an_error(said):
        raise NoEnvelope("it is an error in spite of its status")
    key = next(
        (key for key in (collection, SINGULAR[collection], *SYNONYMS.get(collection, ())) if key in said),
        None,
    )
    if key is None:
        raise NoEnvelope(f"it has no “{collection}”")
    if key != collection:
        quirks.add(f"wrapped as {key}")
    found = said[key]
    if found is None:
        quirks.add(NULL)
        return []
    if isinstance(found, dict):
        quirks.add("an object where a list belongs")
        return [found]
    if not isinstance(found, list):
        raise NoEnvelope(f"“{key}” is no list")
    return found


def _tells_an_error(said: dict[str, Any]) -> bool:
    """Whether a status in the body is a failure (`imsx_codeMajor`, 1.1 in a statusInfoSet, 1.2 bare)."""
    told = said.get("statusInfoSet") or said.get("statusInfo") or said.get("imsx_StatusInfo") or said
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict):
            words = {
                str(one.get(name, "")).casefold() for name in ("imsx_codeMajor", "imsx_severity", "severity")
            }
            if words & {"failure", "error"}:
                return True
    return False


def _total(answer: Answer, said: Any, quirks: set[str]) -> int | None:
    """How many records there are by the server's word; what is no number is no word."""
    inside = said if isinstance(said, dict) else {}
    given = [answer.header(name) for name in TOTALS] + [inside.get(name) for name in TOTALS_INSIDE]
    for value in given:
        text = "" if value is None else str(value).strip()
        if text.isdecimal():
            return int(text)
        if text:
            quirks.add("a total that is no number")
    return None


def _links(answer: Answer, quirks: set[str]) -> dict[str, str]:
    """{rel: absolute address} of the Link header (RFC 8288)."""
    found: dict[str, str] = {}
    for target, parameters in _link.findall(answer.header("Link")):
        rel = _rel.search(parameters)
        if rel:
            found[rel[1].strip().casefold()] = joined(answer.url, target)
            if "://" not in target:
                quirks.add("relative links")
    return found
