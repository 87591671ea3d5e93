"""Every route of the REST door, derived from the standard's operations: what is served, and what is known but not served yet.

The server hands us paths decoded, so an id's own slashes look like those between segments; `matches` gives every reading of a path.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from rollbook.oneroster.operations import BASES, OPERATIONS
from rollbook.oneroster.spec import Operation

ROOT = "/ims/oneroster"

# The services that answer, by their base address.
SERVICES: dict[str, str] = {
    BASES[("1.1", "rostering")]: "1.1",
    BASES[("1.2", "rostering")]: "1.2",
    BASES[("1.2", "resources")]: "1.2",
}

Shape = tuple[int, tuple[str, ...]]


@dataclass(frozen=True)
class Match:
    """One reading of a path: the operations there by method, and the ids in the path, parents first."""

    base: str
    methods: dict[str, Operation]
    ids: tuple[str, ...]

    @property
    def operation(self) -> Operation | None:
        """What GET does here, where it is served."""
        found = self.methods.get("GET")
        return found if found and found.served else None

    def path(self, safe: str) -> str:
        """The path with its ids percent-encoded but for the characters in `safe`."""
        ids = iter(self.ids)
        path = next(iter(self.methods.values())).path
        return self.base + re.sub(r"{\w+}", lambda _: quote(next(ids), safe), path)


def _shape(path: str) -> Shape:
    """Literal segments and ids take turns, so a path's shape is its length and its literals."""
    segments = path.strip("/").split("/")
    return len(segments), tuple(segments[0::2])


def _routes(base: str) -> dict[Shape, dict[str, Operation]]:
    routes: dict[Shape, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        if BASES[(operation.version, operation.service)] == base:
            routes.setdefault(_shape(operation.path), {})[operation.method] = operation
    return routes


def _pattern(operation: Operation) -> re.Pattern[str]:
    literal_or_id = (
        "(.+)" if part.startswith("{") else re.escape(part) for part in operation.path.split("/")
    )
    return re.compile("/".join(literal_or_id), re.DOTALL)


ROUTES = {base: _routes(base) for base in SERVICES}

# For ids with slashes: the more a pattern spells out, the earlier it is tried.
PATTERNS = {
    base: [
        (_pattern(methods["GET"]), methods)
        for _, methods in sorted(routes.items(), key=lambda item: -item[0][0])
        if "GET" in methods and methods["GET"].served and "{" in methods["GET"].path
    ]
    for base, routes in ROUTES.items()
}

WORDS = frozenset(word for operation in OPERATIONS for word in _shape(operation.path)[1])
"""Every literal segment the standard knows, in any service."""

ENDPOINTS = tuple(
    (base + methods["GET"].path, methods["GET"])
    for base, routes in ROUTES.items()
    for methods in routes.values()
    if "GET" in methods and methods["GET"].served
)
"""(path template, operation) of everything served."""


def version_of(path: str) -> str:
    """The version whose words an answer to this path speaks, known address or not."""
    return "1.1" if f"{path}/".startswith(f"{BASES[('1.1', 'rostering')]}/") else "1.2"


def base_of(path: str) -> str | None:
    """The service this path belongs to."""
    return next((base for base in SERVICES if path.startswith(f"{base}/")), None)


def matches(path: str) -> Iterator[Match]:
    """Every reading of this decoded path, the likeliest first; one slash too many at the end is no matter."""
    base = base_of(path)
    if base is None:
        return
    rest = path.removeprefix(base)
    segments = rest.removesuffix("/")[1:].split("/")
    straight = _straight(base, segments)
    if straight:
        yield straight
        if straight.operation is None:
            return
    elif len(segments) > 2 and WORDS.issuperset(segments[0::2]):
        # A path of the standard's that this service does not have, such as another's; not an id that looks like one.
        return
    seen = {straight.ids if straight else None}
    for text in dict.fromkeys((rest.removesuffix("/"), rest)):
        for pattern, methods in PATTERNS[base]:
            found = pattern.fullmatch(text)
            if found and found.groups() not in seen:
                seen.add(found.groups())
                yield Match(base, methods, found.groups())


def _straight(base: str, segments: list[str]) -> Match | None:
    """The reading in which no id has a slash."""
    methods = ROUTES[base].get((len(segments), tuple(segments[0::2])))
    ids = tuple(segments[1::2])
    return Match(base, methods, ids) if methods and all(ids) else None
