"""Safeguards: the numbers above which a plan is not applied unasked. Pure arithmetic on counts; what is counted comes from `stakes`.

Every comparison is `>=` on whole numbers. docs/reference/limits.md tells the same in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rollbook.oneroster.collections import CALLED, LOAD_ORDER

Counts = Mapping[str, Mapping[str, int]]

IDENTIFYING = ("username", "identifier", "email")
"""The fields of users by which products recognise a person."""

FIELDS_CALLED = {"email": "e-mail address"}

REKEYED = ("users", "classes", "courses", "academicSessions", "orgs")
"""The collections whose change of ids hurts: products keep accounts, groups and schools under them."""

FEWEST_PAIRS = 10
"""Fewer pairs than these are corrections, not a re-keying."""

COMES, STAYS, GOES = ("create", "restore"), ("update",), ("delete",)
NEW = ("create",)


@dataclass(frozen=True)
class Limits:
    """The limits of one collection; None is no limit. A percentage counts only where at least `floor` records are stored.

    `weekly_percent` is the share deleted within seven days, `identifying_percent` the share of values of one identifying field that
    change, `rekey_percent` the share of records that seem to be the same under another id.
    """

    create_percent: int | None = 25
    create_number: int | None = None
    update_percent: int | None = 75
    update_number: int | None = None
    delete_percent: int | None = 10
    delete_number: int | None = None
    weekly_percent: int | None = 10
    identifying_percent: int | None = 30
    rekey_percent: int | None = 1
    floor: int = 20
    to_zero: bool = True
    last_administrator: bool = True


DEFAULTS = Limits()


@dataclass(frozen=True)
class Hazard:
    """One reason not to apply a plan unasked: `count` of `population`, and the limit it reached (0 where there is no number).

    `field` is the identifying field it is about, else empty.
    """

    code: str
    collection: str
    count: int
    population: int
    limit: int
    field: str = ""

    @property
    def words(self) -> str:
        return SENTENCES[self.code].format(
            **asdict(self)
            | {"count": f"{self.count:,}", "population": f"{self.population:,}", "limit": f"{self.limit:,}"}
            | {
                "collection": CALLED.get(self.collection, ""),
                "field": FIELDS_CALLED.get(self.field, self.field),
            }
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"words": self.words}


SENTENCES = {
    "create-percent": "{count} {collection} would be added to {population}: the limit is {limit} %.",
    "create-number": "{count} {collection} would be added: the limit is {limit}.",
    "update-percent": "{count} of {population} {collection} would change: the limit is {limit} %.",
    "update-number": "{count} {collection} would change: the limit is {limit}.",
    "delete-percent": "{count} of {population} {collection} would be removed: the limit is {limit} %.",
    "delete-number": "{count} {collection} would be removed: the limit is {limit}.",
    "weekly-percent": "With this plan, {count} of {population} {collection} would have been removed within seven days: the limit is {limit} %.",
    "to-zero": "All {population} {collection} would be gone.",
    "identifying": "The {field} of {count} of {population} {collection} would change: the limit is {limit} %.",
    "last-administrator": "The last of {population} administrators would be gone.",
    "rekey": "{count} {collection} seem to come back under another sourcedId: re-link them, and apps keep the ids they know.",
    "relinked": "{count} records were re-linked to new sourcedIds on request. Look at what is left to change.",
}
"""What each hazard says. A hazard never names a person."""

MEANINGS = {
    "create-percent": "The plan adds at least this share of what is stored (records brought back count as added, unless it goes back)."
    " Not on a first load.",
    "create-number": "The plan adds at least this many. Not on a first load.",
    "update-percent": "The plan changes at least this share of what is stored.",
    "update-number": "The plan changes at least this many.",
    "delete-percent": "The plan removes at least this share of what is stored.",
    "delete-number": "The plan removes at least this many.",
    "weekly-percent": "What was removed within the last seven days and what the plan removes are this share of what was stored seven days ago.",
    "to-zero": "Records are stored, and none would be left. The floor does not matter.",
    "identifying": "At least this share of the stored values of username, identifier or e-mail change or vanish; one hazard for each field.",
    "last-administrator": "There are people with an administrator's role, and none would be left.",
    "rekey": "At least ten records, and this share of what is stored, are removed and come back under other ids.",
    "relinked": "A re-link was asked for: the plan that comes of it always waits to be looked at.",
}


@dataclass(frozen=True)
class Stakes:
    """What a plan puts at stake, counted. All of it is of one connection. `returning`: it goes back to what was there before.

    `totals` are the active records stored by collection; `values` and `changed` count, by identifying field, stored values and those
    that change; `pairs` counts records that come back under another id; `relinked` those that this plan re-links.
    """

    counts: Counts
    totals: Mapping[str, int]
    values: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[str, int] = field(default_factory=dict)
    administrators: int = 0
    administrators_left: int = 0
    relinked: int = 0
    returning: bool = False


def hazards(stakes: Stakes, week: Sequence[Counts], limits: Mapping[str, Limits]) -> list[Hazard]:
    """Every limit that a plan reaches. `week` are the counts of the plans applied in the last seven days, the oldest first.

    A collection that `limits` does not name has the defaults.
    """
    found = [*_relinked(stakes), *_rekeyed(stakes, limits)]
    for collection in LOAD_ORDER:
        own = limits.get(collection, DEFAULTS)
        counts, total = stakes.counts.get(collection, {}), stakes.totals.get(collection, 0)
        found += _to_zero(collection, counts, total, own)
        found += _shares(collection, counts, total, own, stakes.returning)
        found += _weekly(collection, counts, total, [one.get(collection, {}) for one in week], own)
    return [*found, *_identifying(stakes, limits), *_last_administrator(stakes, limits)]


def reached(count: int, population: int, percent: int | None, floor: int) -> bool:
    """Whether `count` is at least that share of a population that is not below the floor."""
    return percent is not None and count > 0 and population >= floor and 100 * count >= percent * population


def _of(counts: Mapping[str, int], actions: Sequence[str]) -> int:
    return sum(counts.get(action, 0) for action in actions)


def _relinked(stakes: Stakes) -> list[Hazard]:
    return [Hazard("relinked", "", stakes.relinked, 0, 0)] if stakes.relinked else []


def _rekeyed(stakes: Stakes, limits: Mapping[str, Limits]) -> list[Hazard]:
    """One hazard at most: for the collection with the most pairs."""
    found = []
    for collection in REKEYED:
        pairs, total = stakes.pairs.get(collection, 0), stakes.totals.get(collection, 0)
        percent = limits.get(collection, DEFAULTS).rekey_percent
        if pairs >= FEWEST_PAIRS and reached(pairs, total, percent, 0):
            found.append(Hazard("rekey", collection, pairs, total, percent or 0))
    return sorted(found, key=lambda hazard: -hazard.count)[:1]


def _to_zero(collection: str, counts: Mapping[str, int], total: int, own: Limits) -> list[Hazard]:
    left = total + _of(counts, COMES) - _of(counts, GOES)
    return [Hazard("to-zero", collection, total, total, 0)] if own.to_zero and total and left <= 0 else []


def _shares(
    collection: str, counts: Mapping[str, int], total: int, own: Limits, returning: bool
) -> list[Hazard]:
    """What going back brings back was there before, and is no growth that anybody should be asked about."""
    found = []
    for code, actions, percent, number in (
        ("create", NEW if returning else COMES, own.create_percent, own.create_number),
        ("update", STAYS, own.update_percent, own.update_number),
        ("delete", GOES, own.delete_percent, own.delete_number),
    ):
        count = _of(counts, actions)
        if not total:  # a first load, which can only add
            continue
        if percent is not None and reached(count, total, percent, own.floor):
            found.append(Hazard(f"{code}-percent", collection, count, total, percent))
        if number is not None and 0 < number <= count:
            found.append(Hazard(f"{code}-number", collection, count, total, number))
    return found


def _weekly(
    collection: str, counts: Mapping[str, int], total: int, week: Sequence[Mapping[str, int]], own: Limits
) -> list[Hazard]:
    """Removals in slow steps. Where the first load lies within the week, what it brought is the population, and counting begins behind it."""
    population = total - sum(_of(one, COMES) - _of(one, GOES) for one in week)
    removed = _of(counts, GOES)
    if not removed or own.weekly_percent is None:
        return []
    before = 0
    for one in week:
        if population <= 0:
            population, before = _of(one, COMES), 0
        else:
            before += _of(one, GOES)
    if before and reached(before + removed, population, own.weekly_percent, own.floor):
        return [Hazard("weekly-percent", collection, before + removed, population, own.weekly_percent)]
    return []


def _identifying(stakes: Stakes, limits: Mapping[str, Limits]) -> list[Hazard]:
    own = limits.get("users", DEFAULTS)
    return [
        Hazard(
            "identifying", "users", changed, stakes.values.get(name, 0), own.identifying_percent or 0, name
        )
        for name, changed in stakes.changed.items()
        if reached(changed, stakes.values.get(name, 0), own.identifying_percent, own.floor)
    ]


def _last_administrator(stakes: Stakes, limits: Mapping[str, Limits]) -> list[Hazard]:
    wanted = limits.get("roles", DEFAULTS).last_administrator
    if not wanted or not stakes.administrators or stakes.administrators_left > 0:
        return []
    return [Hazard("last-administrator", "roles", stakes.administrators, stakes.administrators, 0)]
