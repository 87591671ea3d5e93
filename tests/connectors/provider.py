"""A OneRoster server that can be told to misbehave: Riverbend in both versions, and a switch for everything servers were seen to do."""

import base64
import contextlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from rollbook.connectors.contract import Fetched
from rollbook.connectors.oneroster_rest.pull import fetch
from rollbook.generator import riverbend
from rollbook.oneroster.collections import COLLECTION, SERVED
from rollbook.oneroster.csv_binding import parsed
from rollbook.oneroster.csv_rows import LINKS
from rollbook.oneroster.json_binding import opened, render
from rollbook.oneroster.operations import BASES, SINGULAR
from rollbook.oneroster.tables import V1P2

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TODAY = "2026-11-20"
CLIENT, SECRET, STATIC = "a client", "a secret / of + signs", "a token that stays"

LISTING, PARTNER_KEY = "/applications", "a partner's key"

Json = dict[str, Any]


@dataclass
class Reply:
    """What goes back; `cut` leaves the connection after half of the body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Ask:
    """One question for a page: the how-manieth of its collection (0: of a part of it), from where, how many."""

    collection: str
    number: int
    offset: int
    limit: int


@dataclass
class Provider:
    """Its records and its habits. `spoil` may take a page's reply and give another; `records` may be changed while it runs."""

    version: str = "1.1"
    records: dict[str, list[Json]] = field(default_factory=dict)
    cap: int = 10_000
    totals: str = "X-Total-Count"
    links: str = "absolute"
    prefix: str = ""
    wrapper: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    spoil: Callable[[Ask, Reply], Reply] = lambda ask, reply: reply
    token: Callable[[Json, dict[str, str]], Reply | None] = lambda form, headers: None
    token_lasts: int = 1_000_000
    expires_in: Any = 3600
    needs_cookie: bool = False
    refuses_to_choose: bool = False
    filters: bool = True
    listing: list[Json] = field(default_factory=list)
    port: int = 0
    asked: list[Ask] = field(default_factory=list)
    tokens: list[Json] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def settings(self) -> Json:
        """A connection's settings to it, patient for milliseconds instead of minutes."""
        return {
            "url": self.address + BASES[self.version, "rostering"],
            "sign_in": "bearer",
            "demographics": "yes",
            "page_size": "20",
            "first_wait": 0.001,
            "longest_wait": 0.05,
        }

    def pulled(self, folder: Path, **settings: Any) -> Fetched:
        """A pull of everything, with other settings where given."""
        folder.mkdir(parents=True, exist_ok=True)
        secrets = {"token": STATIC, "client_secret": SECRET}
        return fetch({**self.settings, **settings}, secrets, folder, NOW, lambda words: None)

    # --- Answering ---

    def reply(self, method: str, target: str, headers: dict[str, str], form: Json) -> Reply:
        parts = urlsplit(self._at_one_service(target))
        self.seen.append((target, headers))
        if parts.path.startswith(f"{self.prefix}/token"):
            return self._token(
                form | {name: values[0] for name, values in parse_qs(parts.query).items()}, headers
            )
        if self.listing and parts.path == LISTING:
            return self._list(headers, parse_qs(parts.query))
        base = self.prefix + BASES[self.version, "rostering"] + "/"
        collection = parts.path.removeprefix(base)
        if method != "GET" or not parts.path.startswith(base):
            return Reply(404, {"error": "no such place"})
        if (refused := self._refused(headers)) is not None:
            return refused
        if "/" in collection:
            return self._nested([unquote(one) for one in collection.split("/")], parse_qs(parts.query))
        if collection not in SERVED:
            return Reply(404, {"error": "no such place"})
        return self._page(collection, parse_qs(parts.query), target)

    def _list(self, headers: dict[str, str], query: dict[str, list[str]]) -> Reply:
        if headers.get("authorization") != f"Bearer {PARTNER_KEY}":
            return Reply(401, {"message": "no key"})
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        return Reply(200, {"status": 1, "applications": self.listing[offset : offset + limit]})

    def _token(self, form: Json, headers: dict[str, str]) -> Reply:
        self.tokens.append(form)
        if (other := self.token(form, headers)) is not None:
            return other
        basic = headers.get("authorization", "").removeprefix("Basic ")
        given = (
            base64.b64decode(basic).decode()
            if basic
            else f"{form.get('client_id')}:{form.get('client_secret')}"
        )
        if (unquote(given) if basic else given) != f"{CLIENT}:{SECRET}":
            return Reply(401, {"error": "invalid_client"})
        body = {
            "access_token": f"token-{len(self.tokens)}",
            "token_type": "bearer",
            "expires_in": self.expires_in,
        }
        return Reply(200, body, {"Set-Cookie": "node=7; Path=/"})

    def _refused(self, headers: dict[str, str]) -> Reply | None:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        used = sum(
            1 for _, earlier in self.seen if earlier.get("authorization") == headers.get("authorization")
        )
        if token != STATIC and (token != f"token-{len(self.tokens)}" or used > self.token_lasts):
            return Reply(401, {"message": "Unauthorized"})
        if self.needs_cookie and "node=7" not in headers.get("cookie", ""):
            return Reply(401, {"message": "another node"})
        return None

    def _path(self, collection: str) -> str:
        """Where a collection lies; 1.2 has resources at a service of their own."""
        service = "resources" if collection == "resources" else "rostering"
        return f"{self.prefix}{BASES[self.version, service]}/{collection}"

    def _at_one_service(self, target: str) -> str:
        """The address as if all services were one, which they are in 1.1; in 1.2 rostering has no resources."""
        resources, rostering = BASES[self.version, "resources"], BASES[self.version, "rostering"]
        if resources == rostering:
            return target
        return target.replace(f"{rostering}/resources", "/nowhere").replace(resources, rostering)

    def _page(self, collection: str, query: dict[str, list[str]], target: str) -> Reply:
        offset, limit = int(query.get("offset", ["0"])[0]), int(query.get("limit", ["100"])[0])
        number = sum(1 for ask in self.asked if ask.collection == collection) + 1
        ask = Ask(collection, number, offset, limit)
        self.asked.append(ask)
        if collection in self.missing:
            return Reply(self.missing[collection], {"statusInfoSet": [{"imsx_codeMajor": "failure"}]})
        if self.refuses_to_choose and {"filter", "fields"} & set(query):
            return Reply(400, {"error": "no such parameter"})
        asked = query if self.filters else {name: query[name] for name in query if name != "filter"}
        every = _chosen(self.records[collection], asked)
        page = every[offset : offset + min(limit, self.cap)]
        body: Json = {self.wrapper.get(collection, collection): page}
        headers = self._headers(collection, offset, limit, len(page), body, len(every))
        chosen = urlencode({name: query[name][0] for name in ("filter", "fields") if name in query})
        if "Link" in headers and chosen:
            headers["Link"] = headers["Link"].replace(">", f"&{chosen}>")
        return self.spoil(ask, Reply(200, body, headers))

    def _nested(self, path: list[str], query: dict[str, list[str]]) -> Reply:
        """One record, or what belongs to it: classes of a user, people and enrollments of a class, classes and people of a school."""
        collection, source_id = path[-3 if path[-1] == "enrollments" else 0], path[-2 if len(path) > 2 else 1]
        if len(path) == 2:
            found = [one for one in self.records[collection] if one["sourcedId"] == source_id]
            return Reply(200, {SINGULAR[collection]: found[0]}) if found else Reply(404, {"error": "unknown"})
        enrollments = self.records["enrollments"]
        if path[-1] == "enrollments":
            inside = [one for one in enrollments if one["class"]["sourcedId"] == source_id]
            return self._some("enrollments", inside, query)
        if path[-1] == "classes":
            taught = {
                one["class"]["sourcedId"] for one in enrollments if one["user"]["sourcedId"] == source_id
            }
            all_classes = self.records["classes"]
            belongs = [
                one
                for one in all_classes
                if one["sourcedId"] in taught or one["school"]["sourcedId"] == source_id
            ]
            return self._some("classes", belongs, query)
        role = path[-1].removesuffix("s")
        people = {
            one["user"]["sourcedId"]
            for one in enrollments
            if source_id in (one["class"]["sourcedId"], one["school"]["sourcedId"]) and one["role"] == role
        }
        return self._some(
            "users", [one for one in self.records["users"] if one["sourcedId"] in people], query
        )

    def _some(self, collection: str, found: list[Json], query: dict[str, list[str]]) -> Reply:
        offset, limit = int(query.get("offset", ["0"])[0]), int(query.get("limit", ["100"])[0])
        page = Reply(200, {collection: found[offset : offset + limit]}, {"X-Total-Count": str(len(found))})
        return self.spoil(Ask(collection, 0, offset, limit), page)

    def _headers(
        self, collection: str, offset: int, limit: int, given: int, body: Json, total: int
    ) -> dict[str, str]:
        headers = {}
        if self.totals == "body":
            body["totalCount"] = total
        elif self.totals:
            headers[self.totals] = str(total)
        more = offset + given < total
        if self.links and more:
            path = f"{self._path(collection)}?limit={limit}&offset={offset + given}"
            start = {"absolute": self.address.removesuffix(self.prefix), "elsewhere": "http://localhost:9"}
            headers["Link"] = f'<{start.get(self.links, "")}{path}>; rel="next"'
        return headers


def _chosen(records: list[Json], query: dict[str, list[str]]) -> list[Json]:
    """Those a filter by date of change leaves, with the fields that are asked for."""
    _, _, since = query.get("filter", [""])[0].partition(">")
    found = [one for one in records if not since or one["dateLastModified"] > since.strip("'")]
    fields = query.get("fields", [""])[0].split(",")
    return [{name: one[name] for name in one if name in fields} for one in found] if fields != [""] else found


class Talk(BaseHTTPRequestHandler):
    """HTTP for a Provider."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    provider: Provider

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        headers = {name.casefold(): value for name, value in self.headers.items()}
        reply = self.provider.reply(self.command, self.path, headers, form)
        content = reply.content
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if reply.cut else content)
        if reply.cut:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """The provider on a port of its own while the block runs; with Riverbend, unless it has records."""
    provider.records = provider.records or riverbend_in_json(provider.version)
    talk = type("TalkOfOne", (Talk,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), talk) as server:
        provider.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


# --- Riverbend ---


def riverbend_in_json(version: str) -> dict[str, list[Json]]:
    """Every record as REST shows it, by collection, in the order of their ids."""
    return in_json(riverbend.rows(), version)


def in_json(tables: riverbend.Tables, version: str) -> dict[str, list[Json]]:
    """The same of any tables of 1.2."""
    rows = {name: [_canonical(name, row) for row in tables.get(name, ())] for name in COLLECTION}
    for collection in ("orgs", "academicSessions"):
        for row in rows[collection]:
            row["children"] = [
                one["sourcedId"] for one in rows[collection] if one["parentSourcedId"] == row["sourcedId"]
            ]
    for owner, links in LINKS.items():
        ends = [(_owner(owner, row), row["resourceSourcedId"]) for row in rows[links]]
        for row in rows[owner]:
            row["resources"] = [resource for one, resource in ends if one == row["sourcedId"]]
    for user in rows["users"]:
        for inside in ("roles", "userProfiles"):
            user[inside] = [row for row in rows[inside] if row["userSourcedId"] == user["sourcedId"]]
    return {
        collection: [
            json.loads(
                opened(
                    render(collection, row, version, TODAY),
                    collection,
                    "2026-11-19T12:00:00.000Z",
                    "https://there.example/x",
                )
            )
            for row in sorted(rows[collection], key=lambda row: row["sourcedId"])
        ]
        for collection in SERVED
    }


def _owner(collection: str, link: Json) -> str:
    """The sourcedId of the class, course or user of a row of links."""
    return str(
        link[
            {"classes": "classSourcedId", "courses": "courseSourcedId", "users": "userSourcedId"}[collection]
        ]
    )


def _canonical(table: str, row: dict[str, str]) -> Json:
    fields = V1P2.table(table).fields
    found = {field.name: parsed(field, row.get(field.name, "")) for field in fields}
    extra = {
        name.removeprefix("metadata."): text
        for name, text in row.items()
        if name.startswith("metadata.") and text
    }
    return {**found, "metadata": extra}


# --- Faults ---


def at(collection: str, *numbers: int, then: Callable[[Reply], Reply]) -> Callable[[Ask, Reply], Reply]:
    """A fault at the pages of these numbers of one collection."""
    return lambda ask, reply: then(reply) if ask.collection == collection and ask.number in numbers else reply


def pages_asked(provider: Provider) -> Counter[str]:
    return Counter(ask.collection for ask in provider.asked)


def loosely(text: str) -> str:
    """camelCase as some servers write it: `School Year`."""
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", text).title()
