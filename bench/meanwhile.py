"""Reading while a night is imported: readers who ask at half of the rate that the server could answer at most, of another district.

Measured on a quiet server, before and behind, and while the worker of `rollbook serve` imports a night; on one machine all of it shares the
processors.
"""

import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from bench.districts import V1P1, fetch, made, token
from bench.importing import run_module
from bench.load import Tally, drive, pace, request
from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

CONNECTIONS = 8
DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
SHARE = 0.5
QUIET = 5
"""So many rounds' time the quiet server is asked before the import, and behind it for at least as long, and for as long as the import took: what
one answer in a hundred takes is decided by few pauses, of the machine too, and they come minutes apart.
"""


def rows(scale: Scale) -> list[Row]:
    """What readers notice of an import, on the database of this run."""
    with fresh_installation() as installation:
        key, _ = made(installation, scale.readers)
        district = json.loads(installation.rollbook("district", "add", "Bench", "--json").stdout)["tenantId"]
        first, night = (_package(installation, scale, number) for number in (0, 1))
        run_module(installation, "bench.import_once", str(district), str(first))
        _let_the_day_pass(installation)
        with installation.serving(worker=True) as url:
            bearer = token(url, key)
            _, total = fetch(f"{url}{V1P1}/enrollments?limit=1", bearer)
            pages = _pages(bearer, scale.page, total)
            peak = max(
                drive(installation.port, pages, CONNECTIONS, scale.seconds).per_second
                for _ in range(scale.rounds)
            )
            rate, least = SHARE * peak, QUIET * scale.seconds * scale.rounds
            quiet = _paced(installation, pages, rate, _for(least))
            importing = subprocess.Popen(
                [sys.executable, "-m", "bench.import_queued", str(district), str(night)],
                env=installation.environ,
                # Who brings a delivery is not who reads: Linux shares the processors out among sessions first.
                start_new_session=True,
            )
            beside = _paced(installation, pages, rate, lambda: importing.poll() is None)
            if importing.returncode:
                raise AssertionError(f"The import ended with {importing.returncode}.")
            quiet += _paced(installation, pages, rate, _for(max(least, beside.seconds)))
    return [
        row(DATABASE, "the most pages a second of a quiet server", peak, "requests/s"),
        row(DATABASE, "pages a second while a night is imported", beside.per_second, "requests/s", rate),
        row(
            DATABASE, "wait of one reader in a hundred while a night is imported", beside.slowest_hundredth, "s",
            quiet.slowest_hundredth,
        ),
        row(DATABASE, "the longest wait while a night is imported", max(beside.latencies), "s"),
        row(DATABASE, "the import beside the readers", beside.seconds, "s"),
    ]  # fmt: skip


def _let_the_day_pass(installation: Installation) -> None:
    """A night comes a day after: what PostgreSQL does behind a first load, beside whatever else it is asked, is over by then."""
    if ON_POSTGRESQL:
        with psycopg.connect(installation.environ["ROLLBOOK_DATABASE_URL"], autocommit=True) as server:
            server.execute("VACUUM (ANALYZE)")
            server.execute("CHECKPOINT")


def _package(installation: Installation, scale: Scale, night: int) -> Path:
    folder = installation.data_dir / f"night-{night}"
    installation.rollbook("generate", str(folder), "--students", str(scale.imported), "--night", str(night))
    return folder


def _pages(bearer: str, page: int, total: int) -> Iterator[bytes]:
    """Random pages, for ever."""
    chosen = random.Random(1)
    for _ in itertools.count():
        offset = chosen.randrange(max(1, total - page))
        yield request(f"{V1P1}/enrollments?limit={page}&offset={offset}", bearer)


def _paced(
    installation: Installation, pages: Iterator[bytes], rate: float, goes_on: Callable[[], bool]
) -> Tally:
    return pace(installation.port, pages, CONNECTIONS, rate, goes_on)


def _for(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() < until
