"""Disclosure: which apps received a person's records, since when, and which fields; and what apps may read and do not.

It follows from who lay in a view in which publications and from what the app asked for in those. A list counts for everybody whom it
could hold at the time: nobody is left out, and somebody may be told of a list whose filter passed them over.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, Max, Min, Q

from rollbook.engine.scope import Rule
from rollbook.flows import audit
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.operations import OPERATIONS
from rollbook.oneroster.spec import Member, Operation
from rollbook.store.models import (
    AccessRow,
    Delivery,
    District,
    Enrollment,
    Grant,
    GrantVersion,
    Publication,
    User,
)
from rollbook.store.models.publication import COLLECTIONS, FOREVER
from rollbook.store.shown import Span, spans_of
from rollbook.store.visibility import WHOLE_ROSTER

OF_A_PERSON = ("users", "enrollments", "demographics")
"""The collections that say something of a person."""

PERSON_PARAMETERS = ("userSourcedId", "studentSourcedId", "teacherSourcedId")
"""What a path calls the person whose classes it answers with."""

UNREAD_DAYS = 90
BACK = timedelta(days=730)
"""So far back a disclosure is looked for."""

Fields = dict[str, dict[str, str]]
"""{collection: {field: treatment}}, the field as the app reads it."""


@dataclass
class Disclosure:
    """What one app had to do with one person. Times are in milliseconds UTC.

    `since` is when the person first lay in its view, `until` when they left it for good; None while they are in it. `reads` are the calls
    that could hold them, `deliveries` the packages. `received` is whether there was any.
    """

    grant: Grant
    since: int
    until: int | None
    reads: int = 0
    deliveries: int = 0
    first: int | None = None
    last: int | None = None
    fields: Fields = field(default_factory=lambda: defaultdict(dict))

    @property
    def received(self) -> bool:
        return bool(self.reads or self.deliveries)

    def add(self, at: int, last: int) -> None:
        self.first = at if self.first is None else min(self.first, at)
        self.last = last if self.last is None else max(self.last, last)


@dataclass(frozen=True)
class Unused:
    """What an app may read of a collection and did not within the last 90 days; `fields` None is the whole collection."""

    collection: str
    records: int
    fields: tuple[str, ...] | None


def disclosures(district: District, person: User, now: datetime) -> list[Disclosure]:
    """Every app in whose view this person ever lay, removed ones too, by name. Who asked is kept in the audit log."""
    found = [_disclosure(grant, person, now) for grant in _grants(district)]
    audit.record(district.pk, "disclosure.show", "users", person.sourced_id)
    return sorted((one for one in found if one), key=lambda one: (one.grant.title.lower(), one.grant.pk))


def _grants(district: District) -> list[Grant]:
    return list(Grant.objects.filter(district=district).select_related("app"))


def _disclosure(grant: Grant, person: User, now: datetime) -> Disclosure | None:
    spans = spans_of(grant, person.id)
    if not spans:
        return None
    begun = int(grant.created_at.timestamp() * 1000)
    last = spans[-1][1]
    found = Disclosure(
        grant=grant,
        since=max(begun, _instant(grant.district_id, spans[0][0])),
        until=None if last == FOREVER else _instant(grant.district_id, last),
    )
    rules = _rules(grant)
    _add_reads(found, person, spans, rules, now)
    _add_deliveries(found, spans, rules)
    return found


def _instant(district_id: int, number: int) -> int:
    """When that publication, or the first kept one after it, was switched on."""
    later = Publication.objects.filter(district_id=district_id, number__gte=number).order_by("number")
    return later.values_list("instant", flat=True).first() or 0


def _rules(grant: Grant) -> dict[int, Rule]:
    """The rule of every version of the grant that is known; 0 stands for the one it has now."""
    known = dict(GrantVersion.objects.filter(grant=grant).values_list("number", "rule"))
    return {
        number: Rule.parse(rule)
        for number, rule in {**known, grant.version: grant.rule, 0: grant.rule}.items()
    }


def _add_reads(
    found: Disclosure, person: User, spans: list[Span], rules: dict[int, Rule], now: datetime
) -> None:
    within = Q()
    for first, until in spans:
        within |= Q(publication__gte=first, publication__lt=until)
    rows = AccessRow.objects.filter(
        within, grant_id=found.grant.pk, status=200, at__gte=int((now - BACK).timestamp() * 1000)
    )
    answers = rows.order_by().values("version", "collection", "fields", "grant_version")
    for one in answers.filter(collection__in=_lists()).annotate(n=Count("id"), a=Min("at"), z=Max("at")):
        _count_read(found, one, rules)
    for path, texts in _named(person):
        named = Q(query__in=texts)
        for text in texts:
            named |= Q(query__startswith=f"{text}&")
        for one in answers.filter(named, collection=path).annotate(n=Count("id"), a=Min("at"), z=Max("at")):
            _count_read(found, one, rules)


def _named(person: User) -> Iterator[tuple[str, list[str]]]:
    """(path, what an access row says was asked for) of every call that names this person or an enrollment of theirs."""
    enrollments = Enrollment.objects.filter(district=person.district_id, user_id=person.id)
    own = {"enrollments": list(enrollments.values_list("sourced_id", flat=True))}
    for path, collection, parameter in _naming():
        ids = own.get(collection, [person.sourced_id])
        if ids:
            yield path, [f"{parameter}={sourced_id}" for sourced_id in ids]


def _count_read(found: Disclosure, answers: dict[str, Any], rules: dict[int, Rule]) -> None:
    if not answers["n"]:
        return
    found.reads += answers["n"]
    found.add(answers["a"], answers["z"])
    operation = _operations()[answers["version"], answers["collection"]]
    asked = tuple(name for name in answers["fields"].split(",") if name)
    rule = rules.get(answers["grant_version"], rules[0])
    _show(found.fields, operation.version, str(operation.collection), asked, rule)


def _add_deliveries(found: Disclosure, spans: list[Span], rules: dict[int, Rule]) -> None:
    for one in Delivery.objects.filter(grant_id=found.grant.pk, outcome="success", publication__isnull=False):
        if not any(first <= (one.publication or 0) < until for first, until in spans):
            continue
        at = int((one.ended_at or one.started_at).timestamp() * 1000)
        found.deliveries += 1
        found.add(at, at)
        rule = rules.get(one.grant_version, rules[0])
        for collection in OF_A_PERSON:
            if f"{collection}.csv" in one.counts:
                _show(found.fields, "1.2", collection, (), rule)


def _show(fields: Fields, version: str, collection: str, asked: Iterable[str], rule: Rule) -> None:
    """Notes what an answer held; the frankest treatment a field ever had is the one that is told."""
    treated = rule.treatments.get(collection, {})
    members = _rendered(version, collection)
    wanted = set(asked) or {member.name for member in members}
    for member in members:
        treatment = str(treated.get(member.source, "share"))
        if member.name in wanted and treatment != "omit":
            before = fields[collection].get(member.name)
            fields[collection][member.name] = "share" if "share" in (before, treatment) else treatment


def _rendered(version: str, collection: str) -> list[Member]:
    """The members an answer can hold: what has no source, such as a password, is known and never told."""
    told = ("status", "dateLastModified")
    return [one for one in ENTITIES[version, collection].members if one.source or one.name in told]


@cache
def _operations() -> dict[tuple[str, str], Operation]:
    """What an access row's (version, path) asked for."""
    return {
        (one.version, one.path.lstrip("/")): one
        for one in OPERATIONS
        if one.method == "GET" and one.collection in COLLECTIONS
    }


@cache
def _lists() -> tuple[str, ...]:
    """Every path whose answer may hold many people's records."""
    return tuple(
        sorted(
            {
                path
                for (_, path), one in _operations().items()
                if one.kind != "single" and one.collection in OF_A_PERSON
            }
        )
    )


@cache
def _naming() -> tuple[tuple[str, str, str], ...]:
    """(path, collection, parameter) of what answers about one person, whom its path names."""
    found = set()
    for (_, path), one in _operations().items():
        is_single = one.kind == "single" and one.collection in OF_A_PERSON
        if len(one.parameters) == 1 and (is_single or one.parameters[0] in PERSON_PARAMETERS):
            found.add((path, str(one.collection), one.parameters[0]))
    return tuple(sorted(found))


# --- What is shared and not read ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Used:
    """Of one collection: its records, the fields that the app may read, and those of them it asked for; None where it never asked at all."""

    collection: str
    records: int
    shown: frozenset[str]
    read: frozenset[str] | None

    @property
    def unread(self) -> frozenset[str]:
        return self.shown - (self.read or frozenset())


def use(grant: Grant, now: datetime) -> list[Used]:
    """What the app made within 90 days of what it may read of the district now; nothing while it has been there for less."""
    since = now - timedelta(days=UNREAD_DAYS)
    if grant.created_at > since:
        return []
    read, rule = _read_since(grant, since), Rule.parse(grant.rule)
    return [
        Used(
            collection,
            records,
            frozenset(_shown_fields(collection, rule)),
            frozenset(read[collection]) if collection in read else None,
        )
        for collection, records in _totals(grant).items()
    ]


def unused(grant: Grant, now: datetime) -> list[Unused]:
    """What the app may read of the district now and did not ask for within 90 days; nothing while it has been there for less."""
    return [
        Unused(one.collection, one.records, None if one.read is None else tuple(sorted(one.unread)))
        for one in use(grant, now)
        if one.unread
    ]


def _totals(grant: Grant) -> dict[str, int]:
    """{collection: how many records its view has}, of those that have any."""
    last = Publication.objects.filter(district=grant.district_id).order_by("-number").first()
    state = last.state.get(str(grant.view_id or WHOLE_ROSTER), {}) if last else {}
    return {collection: entry[0] for collection, entry in state.items() if entry[0]}


def _read_since(grant: Grant, since: datetime) -> dict[str, set[str]]:
    """{collection: the fields that were read}."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = AccessRow.objects.filter(
        grant_id=grant.pk, at__gte=int(since.timestamp() * 1000), status__in=(200, 304)
    )
    for version, path, fields in rows.order_by().values_list("version", "collection", "fields").distinct():
        if operation := _operations().get((version, path)):
            collection = str(operation.collection)
            found[collection] |= set(fields.split(",")) - {""} or _members(collection)
    for counts in Delivery.objects.filter(
        grant_id=grant.pk, outcome="success", started_at__gte=since
    ).values_list("counts", flat=True):
        for file in counts:
            collection = file.removesuffix(".csv")
            if collection in COLLECTIONS:
                found[collection] |= _members(collection)
    return found


def _shown_fields(collection: str, rule: Rule) -> set[str]:
    treated = rule.treatments.get(collection, {})
    omitted = {name for name, treatment in treated.items() if treatment == "omit"}
    return {
        member.name
        for version in ("1.1", "1.2")
        for member in _rendered(version, collection)
        if member.source not in omitted and member.name in _common(collection)
    }


def _common(collection: str) -> set[str]:
    """The members that both versions have: who reads by one cannot be blamed for what only the other knows."""
    first, second = ({member.name for member in _rendered(one, collection)} for one in ("1.1", "1.2"))
    return first & second


def _members(collection: str) -> set[str]:
    return {member.name for version in ("1.1", "1.2") for member in _rendered(version, collection)}


# --- For a parent's or an auditor's request -----------------------------------------------------------------------------------------

HEADER = (
    "app",
    "vendor",
    "shared_since",
    "shared_until",
    "calls_that_could_hold_it",
    "packages",
    "first_received",
    "last_received",
    "collection",
    "fields_as_they_are",
    "fields_masked_or_replaced",
)


def rows(found: Iterable[Disclosure]) -> Iterator[list[str]]:
    """The disclosures of one person as rows of a file, a row for each app and collection; nobody is named in it."""
    yield list(HEADER)
    for one in found:
        about = [
            one.grant.title, one.grant.app.vendor, moment(one.since), moment(one.until), str(one.reads),
            str(one.deliveries), moment(one.first), moment(one.last),
        ]  # fmt: skip
        for collection, fields in one.fields.items() or [("", {})]:
            frank = sorted(name for name, treatment in fields.items() if treatment == "share")
            hidden = sorted(name for name, treatment in fields.items() if treatment != "share")
            yield [*about, collection, " ".join(frank), " ".join(hidden)]


def moment(milliseconds: int | None) -> str:
    """As a dateTime of ISO 8601 in UTC; empty for none."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
