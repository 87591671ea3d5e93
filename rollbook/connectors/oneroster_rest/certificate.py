"""The completeness certificate: fact by fact, with the values it rests on, whether what was read of a collection is all there is.

Without it the absence of a record means nothing. A fact is true, false, or null where the server says nothing of it; one that is false
is enough to refuse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rollbook.connectors.oneroster_rest.paging import AT_THE_END, Walk
from rollbook.oneroster.collections import COLLECTIONS
from rollbook.oneroster.csv_rows import LINKS

OPTIONAL = frozenset({"courses", "demographics"})
"""What a server need not offer, if it never did."""

NOT_SHARED = "this provider does not share resources"
"""What is said where it keeps resources to itself, whether it ever shared them or not: that is no fault, and takes nothing away."""

ABSENT = "absent"
"""The mode of what no file is written for."""

REASONS = {
    "offered": "it is not offered",
    "permitted": "this sign-in may not read it",
    "envelope": "an answer was no page of records",
    "pages_complete": "its end was not reached",
    "totals_agree": "the total announced is not what came",
    "no_id_twice": "ids came twice",
    "every_record_named": "records came without an id",
    "stable": "it changed while it was read",
    "not_suddenly_empty": "nothing came, and there was something before",
}


@dataclass(frozen=True)
class Part:
    """What is said of one collection. What is not `shared` is left out of the package, and the rest is no less complete for it."""

    facts: dict[str, bool | None]
    values: dict[str, Any]
    trouble: str = ""
    shared: bool = True

    @property
    def complete(self) -> bool:
        return False not in self.facts.values()

    @property
    def read(self) -> bool:
        """Whether there is anything to write at all."""
        return bool(self.values["records"])

    @property
    def reasons(self) -> list[str]:
        """Why it is not complete, in words: what stopped the reading, or else what speaks against it."""
        if self.trouble:
            return [self.trouble]
        if not self.shared:
            return [NOT_SHARED]
        return [REASONS[fact] for fact, holds in self.facts.items() if holds is False]


def certified(collection: str, walk: Walk, records: int, active: int, accepted: int) -> Part:
    """What a walk proves. `records` and `active` count different ids, `accepted` what is stored from the last time."""
    read = walk.offered and walk.permitted
    may_lack = collection == "resources" or (collection in OPTIONAL and not accepted)
    facts: dict[str, bool | None] = {
        "offered": walk.offered or (None if may_lack else False),
        "permitted": walk.permitted or (None if may_lack else False),
    }
    if read:
        facts |= {
            "envelope": walk.envelope,
            "pages_complete": walk.ended in AT_THE_END and not walk.trouble,
            "totals_agree": _totals_agree(walk, records),
            "no_id_twice": not walk.twice,
            "every_record_named": not walk.nameless,
            "stable": not walk.moved,
            "not_suddenly_empty": bool(active) or not accepted,
        }
    values = _values(walk, records, active, accepted)
    return Part(facts, values, walk.trouble, read or collection != "resources")


def _totals_agree(walk: Walk, records: int) -> bool | None:
    """Null only where no total was ever announced."""
    if walk.totals <= {None}:
        return None
    return walk.total == records == walk.received


def _values(walk: Walk, records: int, active: int, accepted: int) -> dict[str, Any]:
    return {
        "records": records,
        "active": active,
        "accepted_before": accepted,
        "received": walk.received,
        "twice": walk.twice,
        "without_id": walk.nameless,
        "pages": walk.pages,
        "smallest_limit": walk.smallest_limit,
        "totals": sorted(total for total in walk.totals if total is not None),
        "revisions": sorted(filter(None, walk.revisions)),
        "first_page_again": walk.first_again,
        "places_again": walk.seams_again,
        "attempts": walk.attempts,
        "ended_by": walk.ended,
    }


def modes(parts: Mapping[str, Part]) -> dict[str, str]:
    """`bulk` or `delta` by collection: absence counts where all of a collection was seen, and all of those that refer to it, so that
    nothing is taken away from under a record that was only not seen. What is not shared is `absent`.
    """
    return {collection: _mode(collection, parts) for collection in parts}


def _mode(collection: str, parts: Mapping[str, Part]) -> str:
    if not parts[collection].shared:
        return ABSENT
    seen = (collection, *_referring(collection))
    return "bulk" if all(parts[one].complete for one in seen if one in parts) else "delta"


def _referring(collection: str) -> set[str]:
    """The collections whose records may refer to this one's, directly or through others; to resources, those that name them."""
    if collection == "resources":
        return set(LINKS)
    found: set[str] = set()
    waiting = [collection]
    while waiting:
        target = waiting.pop()
        further = {one.name for one in COLLECTIONS if target in one.needs} - found
        found |= further
        waiting += further
    return found


def certificate(
    parts: Mapping[str, Part], chosen: Mapping[str, str], about: Mapping[str, Any], quirks: Iterable[str]
) -> dict[str, Any]:
    """The whole as JSON: complete only if every collection is."""
    return {
        "complete": all(part.complete for part in parts.values()),
        **about,
        "quirks": sorted(quirks),
        "collections": {
            name: {
                "complete": part.complete,
                "mode": chosen[name],
                "facts": part.facts,
                "values": part.values,
                "why": part.reasons,
            }
            for name, part in parts.items()
        },
    }
