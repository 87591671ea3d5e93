import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys
from pathlib import Path
from rollbook.generator.generate import generate
counts = generate(Path(sys.argv[1]), int(sys.argv[2]), seed=1)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"counts": counts, "memory": used.ru_maxrss / 1024, "seconds": used.ru_utime + used.ru_stime}))
"""


def measured(folder: Path, students: int) -> dict:
    """Peak memory in MiB and CPU seconds of a process that does nothing but generate."""
    command = [sys.executable, "-c", PROGRAM, str(folder), str(students)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_memory_does_not_grow_with_the_district(tmp_path):
    small, large = measured(tmp_path / "small", 4_000), measured(tmp_path / "large", 20_000)
    assert large["counts"]["enrollments"] > 4.5 * small["counts"]["enrollments"]
    assert large["memory"] < small["memory"] + 16


@pytest.mark.long
def test_a_hundred_thousand_students_take_less_than_a_minute(
    tmp_path: Path, long_report: Callable[[str, float, str], None]
):
    figures = measured(tmp_path / "district", 100_000)
    long_report("generate 100,000 students", figures["seconds"], "CPU s")
    assert 820_000 < figures["counts"]["enrollments"] < 840_000
    assert figures["seconds"] < 60


@pytest.mark.long
def test_a_million_students_fit_into_half_a_gigabyte(
    tmp_path: Path, long_report: Callable[[str, float, str], None]
):
    figures = measured(tmp_path / "district", 1_000_000)
    long_report("generate 1,000,000 students", figures["memory"], "MiB")
    assert figures["memory"] < 500
