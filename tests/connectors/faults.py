"""What servers were seen to do wrong, each at a place drawn by chance; and a school that changes by chance behind such a server."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.provider import Ask, Json, Provider, Reply, in_json
from tests.engine.sync.schools import Row, Tables, school

Spoil = Callable[[Ask, Reply], Reply]
Fault = Callable[[Provider, str, random.Random], Spoil]

PAGE = 5
"""Records a page that the school is read by: its larger collections have several."""

FAILED = {"statusInfoSet": [{"imsx_codeMajor": "failure", "imsx_severity": "error"}]}


# --- Faults ---------------------------------------------------------------------------------------------------------------------------------


@dataclass
class Spoiling:
    """A fault under way; `hits` counts the answers that were other ones than they should have been."""

    fault: Spoil
    hits: int = 0

    def __call__(self, ask: Ask, reply: Reply) -> Reply:
        given = self.fault(ask, reply)
        told = (given.status, given.cut, given.content, given.headers.get("X-Total-Count"))
        self.hits += told != (reply.status, reply.cut, reply.content, reply.headers.get("X-Total-Count"))
        return given


def _all(then: Callable[[Ask, Reply], Reply]) -> Fault:
    """Every page of the collection."""
    return lambda _, collection, __: (
        lambda ask, reply: then(ask, reply) if ask.collection == collection else reply
    )


def _behind(then: Callable[[Reply], Reply]) -> Fault:
    """The collection from some page on, for good: what is asked for once more too."""

    def fault(_: Provider, collection: str, chance: random.Random) -> Spoil:
        first = chance.randrange(3) * PAGE
        return lambda ask, reply: (
            then(reply) if ask.collection == collection and ask.offset >= first else reply
        )

    return fault


def _once(then: Callable[[Reply], Reply]) -> Fault:
    """One answer of the collection."""

    def fault(_: Provider, collection: str, chance: random.Random) -> Spoil:
        waiting = [chance.randrange(3)]

        def spoil(ask: Ask, reply: Reply) -> Reply:
            if ask.collection != collection or not waiting:
                return reply
            waiting[0] -= 1
            return then(reply) if waiting[0] < 0 and waiting.pop() < 0 else reply

        return spoil

    return fault


def _status(number: int, body: Any = None, **headers: str) -> Callable[[Reply], Reply]:
    return lambda reply: Reply(
        number, body or {}, {name.replace("_", "-"): text for name, text in headers.items()}
    )


def _said(body: Any) -> Callable[[Reply], Reply]:
    return lambda reply: Reply(200, body, reply.headers)


def _counted(number: int) -> Callable[[Ask, Reply], Reply]:
    return lambda ask, reply: Reply(200, reply.body, {"X-Total-Count": str(number)})


def _emptied(ask: Ask, reply: Reply) -> Reply:
    return Reply(200, {ask.collection: []}, {"X-Total-Count": "0"})


def _of_the_page(ask: Ask, reply: Reply) -> Reply:
    return Reply(200, reply.body, {"X-Total-Count": str(len(reply.body.get(ask.collection, ())))})


def _cut(reply: Reply) -> Reply:
    return Reply(reply.status, reply.body, reply.headers, cut=True)


def _last_page_lost(provider: Provider, collection: str, _: random.Random) -> Spoil:
    def spoil(ask: Ask, reply: Reply) -> Reply:
        total = len(provider.records[collection])
        is_last = ask.collection == collection and ask.number and ask.offset < total <= ask.offset + ask.limit
        return Reply(200, {collection: []}, {"X-Total-Count": str(total)}) if is_last else reply

    return spoil


def _a_page_again(provider: Provider, collection: str, _: random.Random) -> Spoil:
    """In the place of the second page the first comes once more."""

    def spoil(ask: Ask, reply: Reply) -> Reply:
        if ask.collection != collection or not ask.number or not PAGE <= ask.offset < 2 * PAGE:
            return reply
        return Reply(200, {collection: provider.records[collection][: ask.limit]}, reply.headers)

    return spoil


def _without_offsets(provider: Provider, collection: str, _: random.Random) -> Spoil:
    """Whatever is asked for, the first page comes. Where it is the only one, that is no matter."""

    def spoil(ask: Ask, reply: Reply) -> Reply:
        if ask.collection != collection or not ask.number or len(provider.records[collection]) <= PAGE:
            return reply
        return Reply(200, {collection: provider.records[collection][: ask.limit]}, reply.headers)

    return spoil


def _shuffled(provider: Provider, collection: str, chance: random.Random) -> Spoil:
    """Each page is of another order of the records."""

    def spoil(ask: Ask, reply: Reply) -> Reply:
        if ask.collection != collection or not ask.number:
            return reply
        every = chance.sample(provider.records[collection], len(provider.records[collection]))
        return Reply(200, {collection: every[ask.offset : ask.offset + ask.limit]}, reply.headers)

    return spoil


def _sharing_less(provider: Provider, collection: str, chance: random.Random) -> Spoil:
    """Somebody takes records away while they are read, and the total goes along."""
    kept = {one["sourcedId"] for one in provider.records[collection] if chance.random() < 0.5}
    asked: list[int] = []

    def spoil(ask: Ask, reply: Reply) -> Reply:
        if ask.collection != collection or not ask.number:
            return reply
        asked.append(ask.offset)
        if len(asked) == 1:
            return reply
        left = [one for one in provider.records[collection] if one["sourcedId"] in kept]
        page = left[ask.offset : ask.offset + ask.limit]
        return Reply(200, {collection: page}, {"X-Total-Count": str(len(provider.records[collection]))})

    return spoil


HARMFUL: dict[str, Fault] = {
    "last page lost": _last_page_lost,
    "a total too high": _all(_counted(4000)),
    "a total too low": _all(_counted(1)),
    "a total that is the page's": _all(_of_the_page),
    "200 with an empty object": _behind(_said({})),
    "200 with an error": _behind(_said(FAILED)),
    "200 with an error of 1.2": _behind(_said({"imsx_codeMajor": "failure", "imsx_severity": "error"})),
    "200 with a message": _behind(_said({"message": "Endpoint request timed out"})),
    "200 with a page of HTML": _behind(_said(b"<!doctype html><title>Sign in</title>")),
    "half an array": _behind(_said(b'{"users": [{"sourcedId": "x"}')),
    "a list of something else": _behind(_said({"users": ["x", None]})),
    "nothing of a collection": _all(_emptied),
    "null for a collection": _all(lambda ask, reply: Reply(200, {ask.collection: None})),
    "a page again": _a_page_again,
    "pages in another order each time": _shuffled,
    "the first page again and again": _without_offsets,
    "less is shared while it is read": _sharing_less,
    "a cut connection": _behind(_cut),
    "a storm of 429 that says for how long": _behind(_status(429, Retry_After="3600")),
    "a storm of 429 that says nothing": _behind(_status(429)),
    "500": _behind(_status(500)),
    "400": _behind(_status(400, {"error": "invalid_data"})),
    "404": _behind(_status(404)),
    "no longer permitted": _behind(_status(403)),
    "no longer signed in": _behind(_status(401)),
}
"""What keeps a read from being whole, wherever it happens."""


def _capped(provider: Provider, _: str, chance: random.Random) -> Spoil:
    provider.cap = chance.randrange(2, PAGE)
    return lambda ask, reply: reply


def _unfiltered(provider: Provider, _: str, __: random.Random) -> Spoil:
    provider.filters = False
    return lambda ask, reply: reply


def _refusing_filters(provider: Provider, _: str, __: random.Random) -> Spoil:
    provider.refuses_to_choose = True
    return lambda ask, reply: reply


def _without_totals_and_links(provider: Provider, _: str, __: random.Random) -> Spoil:
    provider.totals = provider.links = ""
    return lambda ask, reply: reply


def _signs_in_often(provider: Provider, _: str, __: random.Random) -> Spoil:
    provider.token_lasts = 5
    return lambda ask, reply: reply


HARMLESS: dict[str, Fault] = {
    "nothing": lambda *_: lambda ask, reply: reply,
    "a cap on pages": _capped,
    "no totals and no links": _without_totals_and_links,
    "filters are ignored": _unfiltered,
    "filters are refused": _refusing_filters,
    "a token that lasts for five questions": _signs_in_often,
    "one 429": _once(_status(429, Retry_After="0")),
    "one 502": _once(_status(502)),
    "one cut connection": _once(_cut),
}
"""What a patient reader gets over: the read is as whole as any."""

COLLECTIONS = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")


def misbehave(provider: Provider, name: str, collection: str, chance: random.Random) -> Spoiling:
    """The provider does so from now on."""
    spoiling = Spoiling({**HARMFUL, **HARMLESS}[name](provider, collection, chance))
    provider.spoil = spoiling
    return spoiling


def behave(provider: Provider) -> None:
    """It does all well again."""
    fresh = Provider()
    for name in ("spoil", "cap", "totals", "links", "filters", "refuses_to_choose", "token_lasts"):
        setattr(provider, name, getattr(fresh, name))


# --- Clocks ---------------------------------------------------------------------------------------------------------------------------------

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

CLOCKS: dict[str, Callable[[datetime], datetime]] = {
    "right": lambda now: now,
    "ten minutes slow": lambda now: now - timedelta(minutes=10),
    "ten minutes fast": lambda now: now + timedelta(minutes=10),
    "whole days": lambda now: now.replace(hour=0, minute=0, second=0, microsecond=0),
    "never moving": lambda now: LONG_AGO,
}
"""How a server stamps what changes."""


def stamped(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


# --- A school that changes ------------------------------------------------------------------------------------------------------------------


@dataclass
class Source:
    """What is true of a school, as rows of 1.2, and what its server has: the same, its stamps, and records that it says are deleted."""

    chance: random.Random
    clock: Callable[[datetime], datetime]
    version: str = "1.2"
    tables: Tables = field(default_factory=school)
    stamps: dict[str, str] = field(default_factory=dict)
    marked: dict[str, dict[str, Json]] = field(default_factory=dict)
    left: list[Row] = field(default_factory=list)
    joined: int = 0

    def __post_init__(self) -> None:
        for _ in range(8):
            self.join()

    def records(self) -> dict[str, list[Json]]:
        """What its server has now."""
        found = in_json(self.tables, self.version)
        for collection, some in found.items():
            for one in some:
                one["dateLastModified"] = self.stamps.get(one["sourcedId"], stamped(LONG_AGO))
            living = {one["sourcedId"] for one in some}
            some += [one for key, one in self.marked.get(collection, {}).items() if key not in living]
        return found

    @property
    def people(self) -> set[str]:
        """Who is to be there."""
        return {row["sourcedId"] for row in self.tables["users"] if row["enabledUser"] == "true"}

    @property
    def classes(self) -> set[str]:
        return {row["sourcedId"] for row in self.tables["classes"]}

    @property
    def memberships(self) -> set[tuple[str, str]]:
        """(class, person)."""
        rows = self.tables["enrollments"]
        return {
            (row["classSourcedId"], row["userSourcedId"])
            for row in rows
            if row["userSourcedId"] in self.people
        }

    def change(self) -> None:
        """One change such as a school makes."""
        self.chance.choice(
            (
                self.join,
                self.leave,
                self.come_back,
                self.rename,
                self.swap,
                self.move,
                self.open,
                self.close,
                self.shut,
            )
        )()

    def join(self) -> None:
        """Somebody new comes, and into a class."""
        self.joined += 1
        pattern = self.chance.choice(("p1", "p3", "t1"))
        name = f"n{self.joined}"
        [user] = [row for row in school()["users"] if row["sourcedId"] == pattern]
        [role] = [row for row in school()["roles"] if row["userSourcedId"] == pattern]
        self._put("users", {**user, "sourcedId": name, "username": name, "email": f"{name}@school.example"})
        self._put("roles", {**role, "sourcedId": f"r-{name}", "userSourcedId": name})
        self._enroll(name, role["role"])

    def leave(self) -> None:
        if len(self.tables["users"]) > 3:
            user = self.chance.choice(self.tables["users"])
            self.left.append(user)
            self._drop("enrollments", "userSourcedId", user["sourcedId"])
            self._drop("roles", "userSourcedId", user["sourcedId"])
            self._drop("users", "sourcedId", user["sourcedId"])

    def come_back(self) -> None:
        if self.left:
            user = self.left.pop(self.chance.randrange(len(self.left)))
            self._put("users", user)
            role = {
                "userSourcedId": user["sourcedId"],
                "roleType": "primary",
                "role": "student",
                "orgSourcedId": "north",
            }
            self._put("roles", {"sourcedId": f"r-{user['sourcedId']}", **role})
            self._enroll(user["sourcedId"], "student")

    def rename(self) -> None:
        user = self.chance.choice(self.tables["users"])
        self._put("users", {**user, "givenName": self.chance.choice(("Ada", "Bo", "Cy"))})

    def swap(self) -> None:
        """Two have each other's address."""
        one, other = self.chance.sample(self.tables["users"], 2)
        self._put("users", {**one, "email": other["email"]})
        self._put("users", {**other, "email": one["email"]})

    def shut(self) -> None:
        """An account is closed, or opened again."""
        user = self.chance.choice(self.tables["users"])
        self._put("users", {**user, "enabledUser": "false" if user["enabledUser"] == "true" else "true"})

    def move(self) -> None:
        """Somebody goes into another class."""
        if self.tables["enrollments"]:
            one = self.chance.choice(self.tables["enrollments"])
            self._drop("enrollments", "sourcedId", one["sourcedId"])
            self._enroll(one["userSourcedId"], one["role"])

    def open(self) -> None:
        self.joined += 1
        [pattern] = [row for row in school()["classes"] if row["sourcedId"] == "c1"]
        self._put("classes", {**pattern, "sourcedId": f"k{self.joined}", "title": f"Class {self.joined}"})
        for row in self.chance.sample(self.tables["users"], 2):
            self._enroll(row["sourcedId"], "student", f"k{self.joined}")

    def close(self) -> None:
        if len(self.tables["classes"]) > 2:
            taught = self.chance.choice(self.tables["classes"])["sourcedId"]
            self._drop("enrollments", "classSourcedId", taught)
            self._drop("classes", "sourcedId", taught)

    def _enroll(self, person: str, role: str, taught: str = "") -> None:
        found = (
            self.chance.choice(self.tables["classes"])
            if not taught
            else {"sourcedId": taught, "schoolSourcedId": "north"}
        )
        about = {
            "classSourcedId": found["sourcedId"],
            "schoolSourcedId": found["schoolSourcedId"],
            "userSourcedId": person,
        }
        self._put("enrollments", {"sourcedId": f"e-{person}-{found['sourcedId']}", "role": role, **about})

    def _put(self, table: str, row: Row) -> None:
        rows = [one for one in self.tables[table] if one["sourcedId"] != row["sourcedId"]]
        self.tables[table] = sorted([*rows, row], key=lambda one: one["sourcedId"])
        self.stamps[row.get("userSourcedId", "") if table == "roles" else row["sourcedId"]] = self._now()

    def _drop(self, table: str, column: str, value: str) -> None:
        """What is gone is not there any more, or said to be deleted."""
        says_so = table != "roles" and self.chance.random() < 0.5
        for one in self._gone(table, column, value) if says_so else ():
            self.marked.setdefault(table, {})[one["sourcedId"]] = one
        self.tables[table] = [row for row in self.tables[table] if row[column] != value]

    def _gone(self, table: str, column: str, value: str) -> Iterator[Json]:
        ids = {row["sourcedId"] for row in self.tables[table] if row[column] == value}
        for one in in_json(self.tables, self.version)[table]:
            if one["sourcedId"] in ids:
                yield {**one, "status": "tobedeleted", "dateLastModified": self._now()}

    def _now(self) -> str:
        return stamped(self.clock(datetime.now(UTC)))
