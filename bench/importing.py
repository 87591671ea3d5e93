"""Importing, timed: a district's first load, its next night, and the same records once more in another order, each in a fresh process.

The floor is what parsing and hashing alone cost. On SQLite two clients read through the server all the while, a district of their own.
"""

import contextlib
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.districts import made
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
        floor = floor_of(installation, first, scale.rounds)
        district = json.loads(installation.rollbook("district", "add", "Bench", "--json").stdout)["tenantId"]
        found: list[Row] = []
        peak = 0.0
        with _readers(installation) as readers:
            for name, package in (("first load", first), ("next night", night), ("no change", shuffled)):
                told = _imported(installation, district, package)
                found += _told(name, told, floor)
                peak = max(peak, told["peak"])
        found.append(row(DATABASE, "peak memory of an import", peak, "MB", scale.megabytes))
        if readers:
            found += _waits(readers)
        found += _sizes(first, floor)
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


def floor_of(installation: Installation, package: Path, rounds: int) -> dict[str, float]:
    """The median of some runs."""
    runs = [run_module(installation, "bench.import_floor", str(package)) for _ in range(rounds)]
    return {name: statistics.median(run[name] for run in runs) for name in ("wall", "cpu")}


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
def _readers(installation: Installation) -> Any:
    """On SQLite, readers of a district of their own for as long as the block runs; on PostgreSQL none, to leave the figures alone."""
    if ON_POSTGRESQL:
        yield None
        return
    key, _ = made(installation, READ_MEANWHILE)
    with installation.serving(workers=1) as url, Readers(url, key) as readers:
        yield readers


def _waits(readers: Readers) -> list[Row]:
    if readers.errors:
        raise AssertionError(
            f"{len(readers.errors)} readers' errors during an import, first: {readers.errors[0]}"
        )
    return [
        row(DATABASE, "answers read during the imports", len(readers.waits), "requests"),
        row(DATABASE, "usual wait of a reader during an import", statistics.median(readers.waits), "s"),
        row(DATABASE, "longest wait of a reader during an import", max(readers.waits), "s", LONGEST_WAIT),
    ]


def _sizes(package: Path, floor: dict[str, float]) -> list[Row]:
    records = sum(
        file.read_bytes().count(b"\n") - 1 for file in package.glob("*.csv") if file.name != "manifest.csv"
    )
    return [
        row(DATABASE, "records of the package", records, "records"),
        row(DATABASE, "records parsed and hashed by the floor", records / floor["wall"], "records/s"),
    ]
