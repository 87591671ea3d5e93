"""One operation of the API for operators' programs, under /api/v1, as data; and the small schemas that all of them share."""

import re
from dataclasses import dataclass
from typing import Any

from rollbook.flows.roles import Act

ROOT = "/api/v1"

Schema = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """One operation. `path` stands below `ROOT`; what is in braces is a number. `answers` are {status: what it says}.

    `act` is what the token's operator must be allowed to do in its district; only an open route has none. `body` names the schema of the
    JSON that is sent, where JSON is. An address may stand in several routes, with other methods in each.
    """

    methods: tuple[str, ...]
    path: str
    name: str
    says: str
    answers: dict[int, str]
    query: tuple[tuple[str, Schema, str], ...] = ()
    schema: str = ""
    is_open: bool = False
    act: Act | None = None
    body: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(
            ROOT
            + re.sub(
                r"\{(\w+)\}",
                r"(?P<\1>[0-9]{1,18})",
                re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}"),
            )
        )


REFUSED = {
    401: "No token, or one that no longer holds.",
    403: "The role of the token's operator does not allow it.",
    429: "Too many requests in a minute.",
}
NOT_THERE = {404: "There is no such thing in the district of this token."}

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
