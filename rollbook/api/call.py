"""One request as the REST door sees it, and what is learnt of it on the way to its answer."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest

from rollbook.api.endpoints import Match, version_of
from rollbook.client_address import client_address
from rollbook.oneroster.query import BadQuery, Question
from rollbook.oneroster.spec import Operation
from rollbook.store.visibility import Reader

MOST_PARAMETERS = 100

APPLICATIONS = "/applications"
"""Where the partner API stands."""


@dataclass
class Call:
    """`now` is in milliseconds UTC. `match`, `reader`, `question`, `publication` and `records` are known once it came that far.

    `application` is the number of the grant that is read through the partner API, below `prefix`; None for all other reads.
    """

    request: HttpRequest
    version: str
    application: int | None = None
    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    began: float = field(default_factory=time.perf_counter)
    match: Match | None = None
    reader: Reader | None = None
    question: Question | None = None
    publication: int = 0
    records: int = 0
    _id: str = ""

    @property
    def id(self) -> str:
        """Names this call in a log line and in the answer."""
        self._id = self._id or str(uuid.uuid4())
        return self._id

    @property
    def operation(self) -> Operation | None:
        return self.match.operation if self.match else None

    @property
    def operation_id(self) -> str:
        return self.operation.operation_id if self.operation else ""

    @property
    def method(self) -> str:
        return str(self.request.method)

    @property
    def path(self) -> str:
        """The path, decoded, as it is without the partner API."""
        return self.request.path_info.removeprefix(self.prefix)

    @property
    def prefix(self) -> str:
        """What stands before every path of this call."""
        return "" if self.application is None else f"{APPLICATIONS}/{self.application}"

    @property
    def authorization(self) -> str:
        return _text(self.request.META.get("HTTP_AUTHORIZATION", ""))

    @property
    def query_string(self) -> str:
        """The query as it came, percent-encoding and all."""
        return _text(self.request.META.get("QUERY_STRING", ""))

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded, in order. Raises BadQuery."""
        try:
            pairs = parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        except ValueError as fault:
            raise BadQuery("invaliddata", f"More than {MOST_PARAMETERS} parameters.", "The query") from fault
        for name, value in pairs:
            # No text in a roster has one, and PostgreSQL would refuse to look for it.
            if "\0" in value:
                raise BadQuery("invaliddata", "A NUL character.", name, value.index("\0"))
        return pairs

    @property
    def client(self) -> str | None:
        """The client's IP address."""
        return client_address(self.request.META)

    @property
    def milliseconds(self) -> int:
        """How long it has taken so far."""
        return round((time.perf_counter() - self.began) * 1000)


def begin(request: HttpRequest, application: int | None = None) -> Call:
    call = Call(request, "", application)
    call.version = version_of(call.path)
    return call


def _text(value: Any) -> str:
    """A WSGI string (bytes in Latin-1 disguise) as the UTF-8 it should be."""
    return str(value).encode("latin-1", "replace").decode("utf-8", "replace")
