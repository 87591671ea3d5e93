"""Importing, timed: a district's first load, its next night, and the same records once more in another order, each in a fresh process.

The floor is what parsing and hashing alone cost, before each of them and behind it. On SQLite two clients read through the server while one is
imported, a district of their own.
"""

import contextlib
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.districts import Key, made
from bench.processes import cpu_seconds, postmaster
from bench.readers import Readers
from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
LONGEST_WAIT = 1.0
READ_MEANWHILE = 500  # students of the readers' own district


def rows(scale: Scale) -> list[Row]:
    """Everything timed about importing, on the database of this run."""
    with fresh_installation() as installation:
        first, night, shuffled = packages(installation, scale.imported)
        district = json.loads(installation.rollbook("district", "add", "Bench", "--json").stdout)["tenantId"]
        found: list[Row] = []
        peak, waits = 0.0, list[float]()
        key = None if ON_POSTGRESQL else made(installation, READ_MEANWHILE)[0]
        floor = Floor(installation, first, scale.rounds)
        for name, package in (("first load", first), ("next night", night), ("no change", shuffled)):
            with _readers(installation, key, waits):
                told = _imported(installation, district, package)
            found += _told(name, told, floor.around())
            peak = max(peak, told["peak"])
        found.append(row(DATABASE, "peak memory of an import", peak, "MB", scale.megabytes))
        if key:
            found += _waits(waits)
        found += _sizes(first, floor.usual)
    return found


def packages(installation: Installation, students: int) -> tuple[Path, Path, Path]:
    """The district, the same a night later, and that night's records in another order."""
    first, night, shuffled = (installation.data_dir / name for name in ("first", "night", "shuffled"))
    for folder, number in ((first, 0), (night, 1)):
        installation.rollbook("generate", str(folder), "--students", str(students), "--night", str(number))
    shuffled.mkdir()
    for file in night.glob("*.csv"):
        head, *records = file.read_bytes().splitlines(keepends=True)
        if file.name != "manifest.csv":
            random.Random(1).shuffle(records)
        (shuffled / file.name).write_bytes(b"".join([head, *records]))
    return first, night, shuffled


class Floor:
    """What parsing and hashing a package alone cost, in wall and CPU seconds: medians of some rounds before what is measured, and as many
    behind it. A machine that others use too is not as fast at every minute.
    """

    def __init__(self, installation: Installation, package: Path, rounds: int) -> None:
        self._installation, self._package, self._rounds = installation, package, rounds
        self._before = self._measured()
        self._all = list(self._before)

    def around(self) -> dict[str, float]:
        """The floor of what was done since the last rounds."""
        before, self._before = self._before, self._measured()
        self._all += self._before
        return _medians(before + self._before)

    @property
    def usual(self) -> dict[str, float]:
        """That of all rounds."""
        return _medians(self._all)

    def _measured(self) -> list[dict[str, float]]:
        """The first one is not counted: it may have to read the files from the disk."""
        module = "bench.import_floor"
        return [run_module(self._installation, module, str(self._package)) for _ in range(1 + self._rounds)][
            1:
        ]


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in ("wall", "cpu")}


def _imported(installation: Installation, district: int, package: Path) -> dict[str, Any]:
    """One import; its CPU seconds with those that PostgreSQL spent meanwhile."""
    database = postmaster(installation.environ.get("ROLLBOOK_DATABASE_URL", ""))
    before = cpu_seconds(database) if database else 0.0
    told = run_module(installation, "bench.import_once", str(district), str(package))
    told["database cpu"] = (cpu_seconds(database) if database else 0.0) - before
    return told


def run_module(installation: Installation, module: str, *arguments: str) -> dict[str, Any]:
    """What it prints as JSON, run in a process of its own."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=installation.environ, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def _told(name: str, told: dict[str, Any], floor: dict[str, float]) -> list[Row]:
    cpu = told["cpu"] + told["database cpu"]
    phases = [
        row(DATABASE, f"{name}: {phase}{kind}", seconds, "s")
        for phase, pair in told["phases"].items()
        for kind, seconds in zip(("", ", CPU"), pair, strict=True)
    ]
    return [
        row(DATABASE, name, told["wall"], "s", floor["wall"]),
        row(DATABASE, f"{name}, CPU", cpu, "s", floor["cpu"]),
        *(
            [row(DATABASE, f"{name}, CPU of the database", told["database cpu"], "s")]
            if ON_POSTGRESQL
            else []
        ),
        row(DATABASE, f"{name}: changes", told["changes"], "records"),
        *phases,
    ]


@contextlib.contextmanager
def _readers(installation: Installation, key: Key | None, waits: list[float]) -> Iterator[None]:
    """On SQLite, readers for as long as the block runs, whose waits are added; on PostgreSQL, without a key, none, to leave the figures alone.

    Raises AssertionError where one of them got an error.
    """
    if not key:
        yield
        return
    with installation.serving(workers=1) as url, Readers(url, key) as readers:
        yield
    if readers.errors:
        raise AssertionError(
            f"{len(readers.errors)} readers' errors during an import, first: {readers.errors[0]}"
        )
    waits += readers.waits


def _waits(waits: list[float]) -> list[Row]:
    return [
        row(DATABASE, "answers read during the imports", len(waits), "requests"),
        row(DATABASE, "usual wait of a reader during an import", statistics.median(waits), "s"),
        row(DATABASE, "longest wait of a reader during an import", max(waits), "s", LONGEST_WAIT),
    ]


def _sizes(package: Path, floor: dict[str, float]) -> list[Row]:
    records = sum(
        file.read_bytes().count(b"\n") - 1 for file in package.glob("*.csv") if file.name != "manifest.csv"
    )
    return [
        row(DATABASE, "records of the package", records, "records"),
        row(DATABASE, "records parsed and hashed by the floor", records / floor["wall"], "records/s"),
    ]
