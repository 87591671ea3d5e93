"""Syncing, timed: a district into an empty directory, the same a night later, and the same records once more, each in a fresh process.

The floor is what parsing and hashing the source's files alone cost, before each of them and behind it. What a sync without a change writes is
counted: it has to be nothing.
"""

from pathlib import Path
from typing import Any

from bench.importing import DATABASE, Floor, packages, run_module
from bench.processes import cpu_seconds, postmaster
from bench.rows import Row, row
from bench.scales import Scale
from tests.installation import ON_POSTGRESQL, Installation, fresh_installation

MOST_MEGABYTES = 1000
SEEN_ELSEWHERE = 115.0
"""Rows a second of a large learning platform's own import, as its log of 144,359 rows tells it."""


def rows(scale: Scale) -> list[Row]:
    """Everything timed about syncs into the organization's own directory, on the database of this run."""
    with fresh_installation() as installation:
        first, night, shuffled = packages(installation, scale.synced)
        floor = Floor(installation, first, scale.rounds)
        found: list[Row] = []
        peak = 0.0
        for name, package in (
            ("first sync", first),
            ("a night's sync", night),
            ("a sync without a change", shuffled),
        ):
            told = _synced(installation, package)
            found += _told(name, told, floor.around())
            peak = max(peak, told["peak"])
            if name == "first sync":
                found += _sizes(told)
        found.append(row(DATABASE, "rows written by a sync without a change", told["written"], "rows"))
        if told["written"] or told["operations"]:
            raise AssertionError(f"A sync without a change wrote {told['written']} rows.")
        found.append(row(DATABASE, "peak memory of a sync", peak, "MB", MOST_MEGABYTES))
        return found


def _synced(installation: Installation, package: Path) -> dict[str, Any]:
    """One sync; its CPU seconds with those that PostgreSQL spent meanwhile."""
    database = postmaster(installation.environ.get("ROLLBOOK_DATABASE_URL", ""))
    before = cpu_seconds(database) if database else 0.0
    told = run_module(installation, "bench.sync_once", str(package))
    told["database cpu"] = (cpu_seconds(database) if database else 0.0) - before
    return told


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
        row(DATABASE, f"{name}: operations", told["operations"], "operations"),
        *phases,
    ]


def _sizes(told: dict[str, Any]) -> list[Row]:
    made: dict[str, int] = told["made"]
    rate = sum(made.values()) / told["wall"]
    return [
        row(DATABASE, "members of the first sync", made["members"], "rows"),
        row(DATABASE, "memberships of the first sync", made["memberships"], "rows"),
        row(DATABASE, "rows a second of the first sync", rate, "rows/s", SEEN_ELSEWHERE),
    ]
