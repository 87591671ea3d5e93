"""Reading, timed: pages of a district through the real server over eight connections, beside the floor under the same settings.

The two servers stand side by side, one process of four threads each; rounds take turns, and the medians of rounds are compared.
"""

import contextlib
import itertools
import random
import sqlite3
import statistics
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from bench import floor
from bench.districts import V1P1, fetch, made, token
from bench.load import Tally, alternate, drive, request, walk
from bench.processes import cpu_seconds, peak_megabytes, postmaster
from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

CONNECTIONS = 8
WORKERS, THREADS = 1, 4
DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
TURNS = 20

COLLECTION = f"{V1P1}/enrollments"
USERS = f"{V1P1}/users"


@dataclass
class Bench:
    """What is read: the two servers, a token of the full grant and one of the school-limited, and what has been found so far."""

    scale: Scale
    installation: Installation
    floor: floor.Floor
    full: str
    limited: str
    enrollments: int
    limited_enrollments: int
    rows: list[Row] = field(default_factory=list)

    def say(
        self, name: str, value: float, unit: str, floor: float | None = None, ratio: float | None = None
    ) -> None:
        self.rows.append(row(DATABASE, name, value, unit, floor, ratio))

    def ours(self, path: str, limit: int, offset: int, bearer: str = "", gzip: bool = False) -> bytes:
        """A request to Rollbook. `path` may have a query."""
        mark = "&" if "?" in path else "?"
        return request(f"{path}{mark}limit={limit}&offset={offset}", bearer or self.full, gzip)


@dataclass(frozen=True)
class Load:
    """One of the loads that take turns: where to, what, and whose CPU seconds it costs."""

    port: int
    messages: Iterator[bytes]
    pid: int


def rows(scale: Scale) -> list[Row]:
    """Everything timed about reading, on the database of this run."""
    with fresh_installation() as installation, contextlib.ExitStack() as stack:
        keys = made(installation, scale.readers)
        url = stack.enter_context(installation.serving(workers=WORKERS))
        full, limited = (token(url, key) for key in keys)
        floor.lay(installation, url, full, "enrollments")
        beside = stack.enter_context(floor.serving(installation, WORKERS, THREADS))
        total, limited_total = (fetch(f"{url}{COLLECTION}?limit=1", bearer)[1] for bearer in (full, limited))
        bench = Bench(scale, installation, beside, full, limited, total, limited_total)
        _timed(bench)
    return bench.rows


def _timed(bench: Bench) -> None:
    users = fetch(f"{bench.installation.url}{USERS}?limit=1", bench.full)[1]
    bench.say("users served", users, "records")
    bench.say("enrollments served", bench.enrollments, "records")
    _sends_the_same(bench)
    _pages(bench)
    _far_offset(bench)
    _active_walk(bench)
    _sorted_walk(bench)
    _own_texts(bench)
    _whole_collection(bench)
    bench.say(
        "peak memory of a server process", peak_megabytes(_pid(bench)), "MB", peak_megabytes(bench.floor.pid)
    )


def _sends_the_same(bench: Bench) -> None:
    """A comparison is worth something only when both send the same bytes."""
    limit, offset = bench.scale.page, bench.scale.far
    ours, _ = fetch(f"{bench.installation.url}{COLLECTION}?limit={limit}&offset={offset}", bench.full)
    theirs = urllib.request.urlopen(
        f"http://127.0.0.1:{bench.floor.port}/enrollments/{limit}/{offset}"
    ).read()
    if ours != theirs:
        raise AssertionError("The floor sends other bytes than Rollbook.")


# --- Pages --------------------------------------------------------------------------------------------------------------------------------


def _pages(bench: Bench) -> None:
    """Random pages of the enrollments, as they are and compressed, of the full grant, of the floor and of the school-limited grant."""
    found = _in_turns(
        bench,
        {
            "floor": _floor_load(bench),
            "ours": _our_load(bench, bench.full, bench.enrollments),
            "limited": _our_load(bench, bench.limited, bench.limited_enrollments),
            "floor, gzip": _floor_load(bench, gzip=True),
            "ours, gzip": _our_load(bench, bench.full, bench.enrollments, gzip=True),
        },
    )
    speed = {
        name: statistics.median(tally.per_second for tally, _ in rounds) for name, rounds in found.items()
    }
    cpu = {
        name: 1000 * statistics.median(seconds / len(tally.latencies) for tally, seconds in rounds)
        for name, rounds in found.items()
    }
    for kind in ("", ", gzip"):
        bench.say(f"a page{kind}", speed[f"ours{kind}"], "requests/s", speed[f"floor{kind}"])
        bench.say(f"records{kind}", speed[f"ours{kind}"] * bench.scale.page, "records/s")
        bench.say(f"CPU of a page{kind}", cpu[f"ours{kind}"], "ms", cpu[f"floor{kind}"])
    waits = sorted(seconds for tally, _ in found["ours"] for seconds in tally.latencies)
    bench.say("wait for a page, one in a hundred waits longer", 1000 * waits[len(waits) * 99 // 100], "ms")
    bench.say(
        "a page of a school-limited grant",
        speed["limited"],
        "requests/s",
        speed["ours"],
        speed["ours"] / speed["limited"],
    )


def _our_load(bench: Bench, bearer: str, total: int, gzip: bool = False) -> Load:
    messages = (
        bench.ours(COLLECTION, bench.scale.page, offset, bearer, gzip) for offset in _offsets(bench, total)
    )
    return Load(bench.installation.port, messages, _pid(bench))


def _floor_load(bench: Bench, gzip: bool = False) -> Load:
    messages = (
        request(f"/enrollments/{bench.scale.page}/{offset}", gzip=gzip)
        for offset in _offsets(bench, bench.enrollments)
    )
    return Load(bench.floor.port, messages, bench.floor.pid)


def _offsets(bench: Bench, total: int) -> Iterator[int]:
    """Offsets of whole pages without end, at random, the same in every run."""
    dice = random.Random(1)
    while True:
        yield dice.randrange(max(total // bench.scale.page, 1)) * bench.scale.page


def _in_turns(bench: Bench, loads: dict[str, Load]) -> dict[str, list[tuple[Tally, float]]]:
    """Every load once a round, with the CPU seconds that its server and the database spent on it; after one round to warm up."""
    found: dict[str, list[tuple[Tally, float]]] = {name: [] for name in loads}
    database = postmaster(bench.installation.environ.get("ROLLBOOK_DATABASE_URL", ""))
    for turn, (name, load) in itertools.product(range(bench.scale.rounds + 1), loads.items()):
        pids = [load.pid, *([database] if database else [])]
        before = sum(map(cpu_seconds, pids))
        tally = drive(
            load.port, load.messages, CONNECTIONS, bench.scale.seconds if turn else bench.scale.seconds / 4
        )
        if turn:
            found[name].append((tally, sum(map(cpu_seconds, pids)) - before))
    return found


def _pid(bench: Bench) -> int:
    return bench.installation.servers[-1].pid


# --- Walks --------------------------------------------------------------------------------------------------------------------------------


def _far_offset(bench: Bench) -> None:
    near, far = (bench.ours(COLLECTION, bench.scale.page, offset) for offset in (0, bench.scale.far))
    _compare_latencies(bench, "a page at a far offset", near, far)


def _sorted_walk(bench: Bench) -> None:
    """A page deep in a walk through users by family name; its positions are worked out by the walk's first page."""
    path, limit = f"{USERS}?sort=familyName", bench.scale.page
    first = walk(bench.installation.port, iter([bench.ours(path, limit, 0)]))
    bench.say("the first page with sort=familyName", 1000 * first.seconds, "ms")
    plain, deep = bench.ours(USERS, limit, 0), bench.ours(path, limit, bench.scale.sort_offset)
    _compare_latencies(bench, "a page far into the walk with sort=familyName", plain, deep)


def _compare_latencies(bench: Bench, name: str, usual: bytes, asked: bytes) -> None:
    port = bench.installation.port
    alternate(port, usual, asked, 3)
    base, found = alternate(port, usual, asked, TURNS * bench.scale.rounds)
    bench.say(name, 1000 * found.median, "ms", 1000 * base.median)


def _active_walk(bench: Bench) -> None:
    """The whole walk, page after page, the first one, which works out its positions, counted in."""
    limit, path = bench.scale.active_page, f"{COLLECTION}?filter=status%3D%27active%27"
    pages = range(0, bench.enrollments, limit)
    usual, found = Tally(), []
    for _ in range(bench.scale.rounds):
        _forget_positions(bench)
        usual.latencies += walk(
            bench.installation.port, iter([bench.ours(COLLECTION, limit, 0)] * 5)
        ).latencies
        found.append(walk(bench.installation.port, (bench.ours(path, limit, offset) for offset in pages)))
    of_a_page = statistics.median(tally.seconds for tally in found) / (bench.enrollments / limit)
    bench.say(
        "the first page with status='active'",
        1000 * statistics.median(one.latencies[0] for one in found),
        "ms",
    )
    bench.say("a page of the walk with status='active'", 1000 * of_a_page, "ms", 1000 * usual.median)


def _whole_collection(bench: Bench) -> None:
    limit = bench.scale.page
    offsets = range(0, bench.enrollments, limit)
    ours, theirs = [], []
    for _ in range(bench.scale.rounds):
        theirs.append(
            walk(bench.floor.port, (request(f"/enrollments/{limit}/{offset}") for offset in offsets)).seconds
        )
        messages = (bench.ours(COLLECTION, limit, offset) for offset in offsets)
        ours.append(walk(bench.installation.port, messages).seconds)
    bench.say("every enrollment over one connection", statistics.median(ours), "s", statistics.median(theirs))


# --- The database -------------------------------------------------------------------------------------------------------------------------


def _forget_positions(bench: Bench) -> None:
    """What was kept of earlier questions, so that the next is worked out anew."""
    with _reading_database(bench.installation) as connection:
        connection.execute("DELETE FROM store_pagechunk")
        connection.execute("DELETE FROM store_pagelist")
        connection.commit()


def _own_texts(bench: Bench) -> None:
    """Of how many records the school-limited grant needs texts of its own, and of how many it shows everybody's."""
    with _roster_database(bench.installation) as connection:
        counts = "SELECT count(*), count(text_v1p1) FROM store_viewrow WHERE NOT gone"
        [(visible, own)] = connection.execute(counts).fetchall()
    bench.say("records seen by the school-limited grant", visible, "records")
    bench.say("texts of its own", own, "texts", visible)


def _roster_database(
    installation: Installation, file: str = "roster.db"
) -> contextlib.AbstractContextManager["psycopg.Connection | sqlite3.Connection"]:
    url = installation.environ.get("ROLLBOOK_DATABASE_URL")
    return (
        psycopg.connect(url)
        if url
        else contextlib.closing(sqlite3.connect(installation.data_dir / file, timeout=30))
    )


def _reading_database(
    installation: Installation,
) -> contextlib.AbstractContextManager["psycopg.Connection | sqlite3.Connection"]:
    return _roster_database(installation, "reading.db")
