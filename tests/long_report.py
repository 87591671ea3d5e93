"""docs/long-report.md: written by script/test --long, and judged for its age by script/check."""

import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "long-report.md"
COVERS = ("rollbook", "bench")
OLD = datetime.timedelta(days=14)


def write(figures: Path, named: list[str], passed: int, failed: int, seconds: float) -> None:
    """Writes the report from the figures the tests left (one JSON object a line; the file may be missing). `named` are the tests
    that were asked for; none named means all.
    """
    rows = (
        [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
        if figures.exists()
        else []
    )
    lines = [
        "# The last long run",
        "",
        "Tests at the sizes of real districts, by `script/test --long`, which writes this page.",
        "",
        f"- Commit: {_git('rev-parse', 'HEAD')} of {_git('log', '-1', '--format=%cI')}",
        f"- Run on: {datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        f"- Machine: {os.cpu_count()} cores, {_memory()} GiB of memory, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}",
        f"- Tests: {', '.join(named) or 'all'}",
        f"- Result: {passed} passed, {failed} failed in {seconds:.0f} s",
        "",
        "| what | database | figure | unit |",
        "|---|---|---:|---|",
        *(f"| {row['name']} | {row['database']} | {row['value']:,.6g} | {row['unit']} |" for row in rows),
        "",
    ]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines), encoding="utf-8")


def age() -> str:
    """One sentence: whether the report still speaks of the code as it is."""
    if not REPORT.exists():
        return "There is no docs/long-report.md yet: run script/test --long and commit it."
    written = re.search(r"^- Commit: \w+ of (\S+)", REPORT.read_text(encoding="utf-8"), re.MULTILINE)
    newest = _git("log", "-1", "--format=%cI", "--", *COVERS)
    if written is None or not newest:
        return "docs/long-report.md names no commit: run script/test --long and commit it."
    behind = datetime.datetime.fromisoformat(newest) - datetime.datetime.fromisoformat(written[1])
    if behind > OLD:
        return f"docs/long-report.md is {behind.days} days of changes behind: run script/test --long and commit it."
    return "docs/long-report.md is recent enough."


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


if __name__ == "__main__":
    sys.stdout.write(age() + "\n")
