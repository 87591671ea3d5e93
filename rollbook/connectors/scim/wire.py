"""Requests to a SCIM server, one at a time: what came back, or the trouble there was. Repeats only what changes nothing."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx2
from scim2_models import Error

from rollbook.connectors.contract import CannotFetch, Secrets, Settings
from rollbook.connectors.oneroster_rest.address import refuse_forbidden_host
from rollbook.connectors.oneroster_rest.wire import retry_after

MEDIA_TYPE = "application/scim+json"
TIME_OUT = httpx2.Timeout(60.0, connect=20.0)
ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 5, 1.0, 60.0
LARGEST_ANSWER = 64 << 20
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

Raw = dict[str, Any]

for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ServerRefuses(CannotFetch):
    """The server does not let us in: the token is another, or has no right to this."""


@dataclass(frozen=True)
class Answer:
    """What came back; `status` 0: nothing whole did. `wait` is what the server asks for, in seconds."""

    status: int = 0
    body: Raw = field(default_factory=dict)
    wait: float = 0.0
    trouble: str = ""

    @property
    def is_well(self) -> bool:
        return 200 <= self.status < 300

    @property
    def passing(self) -> bool:
        """Whether the same may be answered otherwise in a moment."""
        return self.status in PASSING or self.status == 0

    @property
    def scim_type(self) -> str:
        """The kind of a refusal (RFC 7644 §3.12); empty where the server says none, or says it in another way."""
        try:
            return Error.model_validate(self.body).scim_type or ""
        except ValueError:
            return ""

    @property
    def words(self) -> str:
        """What happened, without anything of the body: a server may tell in it what is nobody's business."""
        kind = f" ({self.scim_type})" if self.scim_type.isalpha() else ""
        return self.trouble or f"the server answered {self.status}{kind}"


class Wire:
    """One server, with the token it knows us by."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = str(settings["url"])
        self.page_size = int(settings.get("page_size") or 200)
        self._sleep = sleep
        if transport is None:
            refuse_forbidden_host(self.base)
        self._client = httpx2.Client(
            timeout=TIME_OUT,
            follow_redirects=False,
            transport=transport,
            headers={
                "Authorization": f"Bearer {secrets['token']}",
                "Accept": MEDIA_TYPE,
                "User-Agent": "Rollbook",
            },
        )

    def send(
        self,
        method: str,
        path: str,
        body: Raw | None = None,
        etag: str = "",
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One request, one answer. Raises ServerRefuses."""
        headers = {"Content-Type": MEDIA_TYPE} if body is not None else {}
        if etag:
            headers["If-Match"] = etag
        content = None if body is None else json.dumps(body).encode()
        try:
            response = self._client.request(
                method, f"{self.base}{path}", params=query, headers=headers, content=content
            )
        except (httpx2.TimeoutException, httpx2.TransportError, httpx2.DecodingError):
            return Answer(trouble="the server did not answer, or not whole")
        if response.status_code in (401, 403):
            raise ServerRefuses(f"The SCIM server answered {response.status_code}: look at the token.")
        return _read(response)

    def ask(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        """An answer that is more than a passing trouble; with patience. Raises CannotFetch, ServerRefuses."""
        for attempt in range(ATTEMPTS):
            answer = self.send("GET", path, query=query)
            if not answer.passing:
                return answer
            if attempt + 1 < ATTEMPTS:
                self._sleep(min(answer.wait or FIRST_WAIT * 2**attempt, LONGEST_WAIT))
        raise CannotFetch(f"The SCIM server was asked {ATTEMPTS} times; the last time {answer.words}.")

    def every(self, path: str) -> Iterator[Raw]:
        """All resources at a path, page by page (RFC 7644 §3.4.2.4). Raises CannotFetch where not all came that there are said to be."""
        seen: set[str] = set()
        start, total = 1, 1
        while start <= total:
            answer = self.ask(path, {"startIndex": start, "count": self.page_size})
            if not answer.is_well:
                raise CannotFetch(f"The SCIM server cannot be read: {answer.words}.")
            page = [one for one in answer.body.get("Resources") or [] if isinstance(one, dict)]
            total = int(answer.body.get("totalResults") or 0)
            for raw in page:
                if str(raw.get("id")) not in seen:
                    seen.add(str(raw.get("id")))
                    yield raw
            if not page:
                break
            start += len(page)
        if len(seen) < total:
            raise CannotFetch(f"The SCIM server says that it has {total} at {path}, and gave {len(seen)}.")


def place(collection: str, number: str) -> str:
    """The path of one resource: an id may hold anything."""
    return f"/{collection}/{quote(number, safe='')}"


def _read(response: httpx2.Response) -> Answer:
    body: Any = {}
    if response.content and len(response.content) <= LARGEST_ANSWER:
        try:
            body = response.json()
        except ValueError:
            body = {}
    wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC)) or 0.0
    return Answer(response.status_code, body if isinstance(body, dict) else {}, wait)
