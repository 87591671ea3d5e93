"""A directory's pages, timed: the members of an organization with very many beside those of one with 500, asked in turns over HTTP."""

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
FEW = 500
TURNS = 15

ASKED = {
    "a page of members": "",
    "a page far into the members": "?after={far}&from=401",
    "a page of the members of a site": "?site={site}",
    "a page of members with a rare role": "?role=administrator",
    "a page of members found by name": "?q=smith",
}


@dataclass(frozen=True)
class Asker:
    """Who administers an organization, and what its addresses hold."""

    organization: int
    cookie: str
    far: int
    site: int

    def seconds(self, url: str, query: str) -> float:
        """How long the page takes to come."""
        address = (
            f"{url}/organizations/{self.organization}/members{query.format(far=self.far, site=self.site)}"
        )
        request = urllib.request.Request(address, headers={"Cookie": self.cookie})
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        took = time.perf_counter() - started
        if b'id="found"' not in text:
            raise AssertionError(f"{address} is no list of members.")
        return took


def rows(scale: Scale) -> list[Row]:
    """Everything timed about directories, on the database of this run."""
    with fresh_installation() as installation:
        many, few = _made(installation, scale.members)
        with installation.serving(workers=1) as url:
            found = [_compared(name, query, url, many, few) for name, query in ASKED.items()]
    return [row(DATABASE, "members of the directory", scale.members, "members", FEW), *found]


def _made(installation: Installation, members: int) -> tuple[Asker, Asker]:
    command = [sys.executable, "-m", "bench.make_directories", str(members), str(FEW)]
    done = subprocess.run(command, env=installation.environ, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    return Asker(**told["many"]), Asker(**told["few"])


def _compared(name: str, query: str, url: str, many: Asker, few: Asker) -> Row:
    """The medians of pages that are asked in turns, after one of each to warm up."""
    waits: dict[Asker, list[float]] = {many: [], few: []}
    for turn in range(TURNS + 1):
        for asker, kept in waits.items():
            took = asker.seconds(url, query)
            if turn:
                kept.append(took)
    ours, floor = (1000 * statistics.median(waits[asker]) for asker in (many, few))
    return row(DATABASE, name, ours, "ms", floor)
