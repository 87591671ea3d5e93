"""What data an app needs, as its vendor says: collections and fields of OneRoster, each required or optional, with the reason.

It decides nothing: what an app gets is the district's grant. It is compared with the grant, and shown beside it.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rollbook.oneroster.entities import ENTITIES
from rollbook.refusal import Refusal

COLLECTIONS = (
    "orgs", "academicSessions", "courses", "classes", "users", "enrollments", "demographics", "resources",
)  # fmt: skip
MOST = 200
MOST_REASON = 500

LINE = re.compile(r"(required|optional)\s+(\w+)(?:\.([\w.]+))?\s*:\s*(.+)")


class BadNeed(Refusal):
    """A need is a line like `required users.email: pupils sign in with it`: required or optional, a collection of OneRoster, with or
    without one of its fields, a colon, and the reason.
    """


@dataclass(frozen=True)
class Need:
    """One thing an app needs. `field` is empty for the collection as such; `metadata.x` is a field of the metadata."""

    collection: str
    field: str
    is_required: bool
    reason: str

    @property
    def name(self) -> str:
        """`users`, or `users.email`."""
        return f"{self.collection}.{self.field}" if self.field else self.collection

    @property
    def line(self) -> str:
        """As a person writes it."""
        return f"{'required' if self.is_required else 'optional'} {self.name}: {self.reason}"


def parse_line(text: str) -> Need:
    """The need written in one line. Raises BadNeed, which says what is wrong with it."""
    found = LINE.fullmatch(text.strip())
    if found is None:
        raise BadNeed(f"not understood: “{text.strip()[:100]}”")
    word, collection, field, reason = found.groups()
    if collection not in COLLECTIONS:
        raise BadNeed(f"“{collection}” is none of {', '.join(COLLECTIONS)}")
    if field and field not in fields_of(collection) and not field.startswith("metadata."):
        raise BadNeed(f"{collection} have no field “{field}”")
    return Need(collection, field or "", word == "required", reason[:MOST_REASON])


def parse_lines(text: str) -> tuple[Need, ...]:
    """The needs written one a line; empty lines are no matter, of two for one name the last counts. Raises BadNeed."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST:
        raise BadNeed(f"more than {MOST} lines")
    return _ordered(parse_line(line) for line in lines)


def _ordered(needs: Iterable[Need]) -> tuple[Need, ...]:
    """As the standard orders the collections, a collection before its fields, once each."""
    by_name = {need.name: need for need in needs}
    return tuple(sorted(by_name.values(), key=lambda need: (COLLECTIONS.index(need.collection), need.field)))


def fields_of(collection: str) -> frozenset[str]:
    """The members of a collection's records, of both versions."""
    return frozenset(
        member.name
        for (_, name), entity in ENTITIES.items()
        if name == collection
        for member in entity.members
    )


def canonical(needs: Iterable[Need]) -> str:
    """The needs as text to be stored: JSON, the same for the same needs."""
    return json.dumps([asdict(need) for need in _ordered(needs)], ensure_ascii=False)


def parse(text: str) -> tuple[Need, ...]:
    """What `canonical` wrote."""
    return tuple(Need(**stored) for stored in json.loads(text))


def lines(needs: Iterable[Need]) -> str:
    """The needs as `parse_lines` reads them."""
    return "\n".join(need.line for need in needs)


def wants(needs: Iterable[Need], collection: str) -> bool:
    """Whether an app with these needs has a use for a collection. One that says nothing of its needs may have one for each."""
    named = {need.collection for need in needs}
    return not named or collection in named


def required_of(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Those without which the app does not work."""
    return tuple(need for need in needs if need.is_required)
