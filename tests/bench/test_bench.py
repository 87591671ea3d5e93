"""The bench runs at its smallest scale, and what it says has the right shape. No time is asserted: this machine may be doing anything.

Each part runs on one database: how reading is timed differs by a way to connect, and imports are timed beside readers on SQLite alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.goals import GOALS, REPORTED, Goal
from bench.performance import write
from bench.rows import NAMES, Row, as_json, as_table, from_json, row
from tests.installation import ON_POSTGRESQL

ROOT = Path(__file__).parent.parent.parent
DATABASE = "PostgreSQL" if ON_POSTGRESQL else "SQLite"


LONG_ONE = pytest.param("syncing", marks=pytest.mark.long)
"""That a sync without a change writes nothing, other tests ask in a tenth of the time."""


def run(part: str) -> list[Row]:
    """The rows of one part on the database of this run."""
    command = [sys.executable, "-m", "bench.one_database", "tiny", part]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("DJANGO_")}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert all(tuple(one) == NAMES for one in json.loads(done.stdout))
    return from_json(done.stdout)


def named(rows: list[Row]) -> dict[str, Row]:
    return {one.name.removeprefix(f"{DATABASE}: "): one for one in rows}


@pytest.mark.parametrize(
    "part", ["reading", "meanwhile", "scoping"] if ON_POSTGRESQL else ["importing", LONG_ONE, "directories"]
)
def test_a_run_tells_every_figure_that_has_a_goal(part: str):
    rows = named(run(part))
    asked = {name for name in GOALS if part_of(name) == part and (name != WAIT or not ON_POSTGRESQL)}
    assert asked <= set(rows)
    assert all(one.value >= 0 and one.unit for one in rows.values())
    judged = {name for name, one in rows.items() if one.goal}
    assert judged == {name for name in asked if not (part in ("importing", "syncing") and reported(name))}
    assert all(isinstance(rows[name].holds, bool) and rows[name].ratio is not None for name in judged)


SCOPING = ("a rule worked out", "a page of a scoped grant", "workings of fifty apps with ten rules")
WAIT = "longest wait of a reader during an import"


def part_of(name: str) -> str:
    if name.endswith("while a night is imported"):
        return "meanwhile"
    if name in SCOPING:
        return "scoping"
    if "sync" in name:
        return "syncing"
    if name.endswith("members"):
        return "directories"
    return (
        "importing"
        if name.startswith(("first load", "next night", "no change")) or "import" in name
        else "reading"
    )


def reported(name: str) -> bool:
    """On SQLite the times of an import are told without a goal."""
    return not ON_POSTGRESQL and name.startswith(REPORTED)


def test_a_row_is_judged_by_the_goal_of_its_name():
    assert row("PostgreSQL", "a page", 600, "requests/s", 1000).holds is True
    assert row("PostgreSQL", "a page", 400, "requests/s", 1000).holds is False
    assert row("PostgreSQL", "no change", 4, "s", 1).goal == "≤ 5"
    assert row("SQLite", "no change", 4, "s", 1).goal is None
    assert row("SQLite", "something else", 4, "s").holds is None


def test_a_goal_is_kept_at_its_very_bound():
    assert Goal("≥", 0.5).holds(0.5)
    assert Goal("≤", 2).holds(2)
    assert not Goal("≤", 2).holds(2.01)


def test_rows_come_back_from_json_as_they_were():
    rows = [row("SQLite", "a page", 600.5, "requests/s", 1000), row("SQLite", "texts of its own", 3, "texts")]
    assert from_json(as_json(rows)) == rows
    assert "holds" in as_table(rows)


def test_the_page_is_written_from_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bench.performance.PAGE", tmp_path / "performance.md")
    write(
        [row("SQLite", "a page", 600, "requests/s", 1000), row("SQLite", "users served", 28_011, "records")],
        "tiny",
    )
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| SQLite: a page | 600 requests/s | 1,000 | 0.60 | ≥ 0.5 | yes |" in page
    assert "| SQLite: users served | 28,011 | records |" in page
