"""script/bench: times Rollbook against its floors, on SQLite and on PostgreSQL, and says which goals hold.

Exits with 1 when a goal fails. Runs beside a PostgreSQL, which script/bench starts; each database has a process of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.performance import write
from bench.rows import Row, as_json, as_table, from_json
from bench.scales import SCALES

ROOT = Path(__file__).parent.parent
PARTS = ("reading", "importing", "scoping", "syncing", "directories")
ASKED_FOR = ("meanwhile",)
"""A part that runs only where it is named."""


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    databases = ("sqlite", "postgresql") if asked.database == "both" else (asked.database,)
    parts = asked.only or PARTS
    rows = [row for part in parts for database in databases for row in _rows_of(database, asked.scale, part)]
    print(as_json(rows) if asked.json else as_table(rows))
    if asked.write:
        write(rows, asked.scale)
    return 1 if any(row.holds is False for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="small", help="how big the districts are")
    parser.add_argument(
        "--only", choices=(*PARTS, *ASKED_FOR), action="append", help="one part; repeat for more"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md from the rows")
    return parser


def _rows_of(database: str, scale: str, part: str) -> list[Row]:
    """The rows of one part on one database."""
    print(f"· {part} on {database}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="rollbook-bench-") as folder:
        environ = {name: text for name, text in os.environ.items() if not name.startswith("ROLLBOOK_")}
        environ["ROLLBOOK_TEST_DATA"] = folder
        if database == "postgresql":
            environ["ROLLBOOK_DATABASE_URL"] = os.environ["ROLLBOOK_DATABASE_URL"]
        command = [sys.executable, "-m", "bench.one_database", scale, part]
        done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return from_json(done.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
