"""Scoping, timed: a grant to three schools in ten and half the courses, worked out beside one bare INSERT … SELECT of the same rows, and its
pages beside the full grant's; and how often the rules of fifty apps are worked out.
"""

import json
import random
import statistics
import subprocess
import sys
import time
from typing import Any

from bench.districts import V1P1, Key, fetch, token
from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
COLLECTION = f"{V1P1}/enrollments"
PAGES = 40
RULES = 10


def rows(scale: Scale) -> list[Row]:
    """Everything timed about scoping, on the database of this run."""
    with fresh_installation() as installation:
        told = _told(installation, scale)
        with installation.serving(workers=1) as url:
            full, scoped = _waits(url, told, scale)
    return [
        row(DATABASE, "rows of a scoped grant", told["rows"], "rows"),
        row(DATABASE, "a rule worked out", told["seconds"], "s", told["floor"]),
        row(DATABASE, "a page of a scoped grant", 1000 * scoped, "ms", 1000 * full),
        row(DATABASE, "workings of fifty apps with ten rules", told["workings"], "workings", RULES),
    ]


def _told(installation: Installation, scale: Scale) -> dict[str, Any]:
    folder = installation.data_dir / "package"
    command = [sys.executable, "-m", "bench.scope_once", str(scale.imported), str(folder)]
    done = subprocess.run(command, env=installation.environ, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _waits(url: str, told: dict[str, Any], scale: Scale) -> tuple[float, float]:
    """The median seconds of random pages of the full grant and of the scoped one, in turns."""
    readers = []
    for name in ("full", "scoped"):
        bearer = token(url, Key(told[name]["client_id"], told[name]["client_secret"]))
        _, total = fetch(f"{url}{COLLECTION}?limit=1", bearer)
        readers.append((bearer, max(1, total - scale.page)))
    waits: list[list[float]] = [[], []]
    chance = random.Random(1)
    for _ in range(PAGES):
        for kept, (bearer, last) in zip(waits, readers, strict=True):
            started = time.perf_counter()
            fetch(f"{url}{COLLECTION}?limit={scale.page}&offset={chance.randrange(last)}", bearer)
            kept.append(time.perf_counter() - started)
    full, scoped = (statistics.median(kept) for kept in waits)
    return full, scoped
