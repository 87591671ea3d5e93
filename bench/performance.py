"""docs/performance.md, written from the rows of a run: `script/bench --scale issue --write`, or this module with the rows as JSON.

`python -m bench.performance SCALE < rows.json` writes the page from rows that were printed earlier.
"""

import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path

from bench.rows import Row, from_json, number
from bench.scales import SCALES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"

INTRODUCTION = """# Performance

Every figure is taken beside its *floor*, in one run on one machine, and goals are about the ratio of the two: machines differ, ratios stay.
`script/bench` runs all of it at a small size in under three minutes; this page is written by `script/bench --scale issue --write`.
The goals stand in `bench/goals.py` and are only ever tightened. A million students are told of in
[Performance of a state](performance-of-a-state.md).

## What is timed

**Reading**: the server of `rollbook serve`, one process of four threads, asked over eight connections for random pages of the enrollments.
Its floor is the fastest way we know to send the same bytes under the same settings: a WSGI application without framework, token, grant,
paging or totals, whose records are stored as they are sent, addresses and dates filled in (`bench/floor_app.py`); on PostgreSQL one prepared
statement whose rows are joined, on SQLite rows joined in SQL. Plain and gzip answers are each compared with the floor's own. Rounds of
Rollbook and of the floor take turns, and medians are compared. A far page and a page of a sorted walk are compared with page 0 of the
default order, both asked in turns over one connection; the walk by status counts its first page, which works out all positions.
The school-limited grant sees every fourth school.

**Importing**: `rollbook import` of a made-up district into an empty one, of the same district a night later (about one record in a hundred
differs), and of that night's records once more in another order, each in a fresh process, with the CPU seconds of PostgreSQL added to our
own. The floor is DuckDB parsing the same files and hashing each record twice: the median of some rounds before each import and as many behind
it. On SQLite two clients, one with OAuth 2 and one that signs with OAuth 1.0a, read another district while one is imported, twenty requests a
second each; an error ends the bench.

**Scoping**: a grant to three schools in ten and half the courses of the district that is imported, from the act to its commit, beside one
bare INSERT … SELECT of the same rows; random pages of it and of the full grant, asked in turns over one connection; and how often sets are
worked out for fifty apps with ten rules, half of which were edited.

**Syncing**: the first sync of a folder into an organization's empty directory (shown, approved and carried out), the sync of the same district a
night later, and one of that night's records once more in another order, each in a fresh process, with the CPU seconds of PostgreSQL added to our
own. The floor is again DuckDB parsing the same files and hashing each record twice, before and behind. The last writes no row; else the bench
ends. Rows are members, memberships, groups and sites; 115 rows a second is what the log of a large learning platform's import of 144,359 rows
tells.

**Directories**: an administrator's pages of the members of a large organization, each beside the same page of one with 500 members, asked in
turns: the first, one behind nine tenths of all, those of one site, those with a rare role, and a search by name.
"""

NOTES = """## How to read it

- Everything runs on the machine named above, the client that asks too: it takes its share of the processors from both sides alike.
- *the rest* of an import is what lies between the phases: reading the basis, looking at tables anew, the commit.
- The memory of a server on SQLite counts the pages of the database file that are mapped into it; the system takes them back when it likes.
"""


def write(rows: list[Row], scale: str) -> None:
    """Writes the page."""
    PAGE.write_text(
        "\n".join([INTRODUCTION, _circumstances(scale), _goals(rows), _everything(rows), NOTES]),
        encoding="utf-8",
    )


def _circumstances(scale: str) -> str:
    size = SCALES[scale]
    memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return f"""## This run

- {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit {commit}, {os.cpu_count()} cores, {memory} GiB of memory, {platform.system()}
  {platform.machine()}, Python {platform.python_version()}; load of the machine at the end {os.getloadavg()[1]:.1f}
- Read: a district of {size.readers:,} students, pages of {size.page:,} records. Imported: {size.imported:,} students. Synced: {size.synced:,}
  students and their teachers.
"""


def _goals(rows: list[Row]) -> str:
    lines = [_goal(row, row.ratio) for row in rows if row.goal and row.ratio is not None]
    head = [
        "## The goals",
        "",
        "| what | measured | floor | ratio | goal | holds |",
        "|---|---:|---:|---:|---|---|",
    ]
    return "\n".join([*head, *lines, ""])


def _goal(row: Row, ratio: float) -> str:
    measured = f"{number(row.value)} {row.unit}"
    return f"| {row.name} | {measured} | {number(row.floor)} | {ratio:.2f} | {row.goal} | {'yes' if row.holds else '**no**'} |"


def _everything(rows: list[Row]) -> str:
    lines = [
        f"| {row.name} | {number(row.value)} | {row.unit} | {number(row.floor)} | {'' if row.ratio is None else f'{row.ratio:.2f}'} |"
        for row in rows
        if not row.goal
    ]
    return "\n".join(
        [
            "## All other figures",
            "",
            "| what | value | unit | floor | ratio |",
            "|---|---:|---|---:|---:|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    write(from_json(sys.stdin.read()), sys.argv[1])
