"""Judging in a process of its own, for packages of strangers: `python -m rollbook.engine.aside PACKAGE FOLDER MOST_BYTES`.

It judges both ways, and leaves what it found in FOLDER/letter and FOLDER/import. Exit 0; or 2, with the reason on stderr, for no package.
It takes second place to whatever else the machine does.
"""

import os
import sys
import tempfile
from pathlib import Path

from rollbook.engine.judgement import judge
from rollbook.engine.package import Limits, NotAPackage

WAYS = {"letter": False, "import": True}
"""The two ways of judging, and whether each is lenient."""

FINDINGS, TALLIES = "findings.json", "findings-totals.json"
MEMORY = "256MB"
NOT_A_PACKAGE = 2
NICE = 10


def judge_both_ways(package: Path, folder: Path, most_bytes: int) -> None:
    """Writes the findings of each way, and their totals. Raises NotAPackage."""
    for way, lenient in WAYS.items():
        out = folder / way
        out.mkdir()
        with (
            tempfile.TemporaryDirectory(dir=folder) as work,
            judge(
                package, Path(work), lenient=lenient, accepted=None, limits=Limits(size=most_bytes), memory=MEMORY,
                threads=1,
            ) as judgement,
        ):  # fmt: skip
            judgement.findings.write(out / FINDINGS)
            judgement.findings.write_tallies(out / TALLIES)


def main(arguments: list[str]) -> int:
    os.nice(NICE)
    package, folder, most_bytes = arguments
    try:
        judge_both_ways(Path(package), Path(folder), int(most_bytes))
    except NotAPackage as refusal:
        sys.stderr.write(refusal.words)
        return NOT_A_PACKAGE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
