"""One import in a process of its own, with what each phase took: `python -m bench.import_once DISTRICT PACKAGE` prints it as JSON.

The clock starts when the interpreter and Django are up, as it does for the floor. Run where ROLLBOOK_… name the installation.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from bench.processes import peak_megabytes  # noqa: E402  # as below
from rollbook.flows import ingest  # noqa: E402  # models can be named only once Django is set up
from rollbook.store import shelf  # noqa: E402  # as above
from rollbook.store.models import Connection  # noqa: E402  # as above

PHASES = {
    "keeping": (shelf, "keep_delivery"),
    "judging": (ingest, "judge"),
    "planning": (ingest, "make_plan"),
    "applying": (ingest, "apply"),
    "publishing": (ingest, "publish"),
}

_wall = dict.fromkeys(PHASES, 0.0)
_cpu = dict.fromkeys(PHASES, 0.0)


def _cpu_seconds() -> float:
    """Of this process, and of those it began and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _timed(phase: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def act_and_time(*arguments: Any, **named: Any) -> Any:
        began, began_cpu = time.perf_counter(), _cpu_seconds()
        try:
            return act(*arguments, **named)
        finally:
            _wall[phase] += time.perf_counter() - began
            _cpu[phase] += _cpu_seconds() - began_cpu

    return act_and_time


def main(district: str, package: Path) -> dict[str, Any]:
    for phase, (module, name) in PHASES.items():
        setattr(module, name, _timed(phase, getattr(module, name)))
    connection = Connection.objects.get(district_id=int(district))
    began, began_cpu = time.perf_counter(), _cpu_seconds()
    prepared = ingest.prepare(connection, package, "bench")
    run = ingest.carry_out(prepared)
    wall, cpu = time.perf_counter() - began, _cpu_seconds() - began_cpu
    if run.outcome != "success":
        raise AssertionError(f"The import ended as {run.outcome}: {run.message}")
    _wall["the rest"] = wall - sum(_wall.values())
    _cpu["the rest"] = cpu - sum(_cpu.values())
    peak = peak_megabytes(os.getpid())
    return {
        "wall": wall,
        "cpu": cpu,
        "peak": peak,
        "changes": prepared.changes,
        "phases": {phase: (_wall[phase], _cpu[phase]) for phase in _wall},
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
