"""One sync of a folder in a process of its own, with what each phase took: `python -m bench.sync_once PACKAGE` prints it as JSON.

The first is only shown, as always, and then approved: both count. Run where ROLLBOOK_… name the installation.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.db.models import Count, Sum  # noqa: E402  # models can be named only once Django is set up

from bench.processes import peak_megabytes  # noqa: E402  # as below
from rollbook.flows import directory  # noqa: E402  # as above
from rollbook.flows.sync import acting, connections, holds, own, planning, reading, runs  # noqa: E402  # as above
from rollbook.store.models import Group, Link, Member, Membership, Site, SyncBatch, SyncConnection, SyncRun  # noqa: E402  # as above

PHASES = {
    "reading": (reading, "read"),
    "planning": (planning, "plan"),
    "applying": (acting, "carry_out"),
    "verifying": (acting, "verify"),
}
ROLES = ["administrator", "teacher", "aide", "proctor", "student"]
DIRECTORY = {"sites": Site, "members": Member, "groups": Group, "memberships": Membership}
NO_LIMIT = {"percent": 0, "site_percent": 0, "group_percent": 0, "weekly_percent": 0}

_wall = dict.fromkeys(PHASES, 0.0)
_cpu = dict.fromkeys(PHASES, 0.0)


def _timed(phase: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def act_and_time(*arguments: Any, **named: Any) -> Any:
        began, began_cpu = time.perf_counter(), time.process_time()
        try:
            return act(*arguments, **named)
        finally:
            _wall[phase] += time.perf_counter() - began
            _cpu[phase] += time.process_time() - began_cpu

    return act_and_time


def main(package: Path) -> dict[str, Any]:
    for phase, (module, name) in PHASES.items():
        setattr(module, name, _timed(phase, getattr(module, name)))
    connection = _connection(package)
    before = _written()
    began, began_cpu = time.perf_counter(), time.process_time()
    run = _synced(connection)
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    if run.outcome not in ("success", "empty"):
        raise AssertionError(f"The sync ended as {run.outcome}: {run.message}")
    _wall["the rest"] = wall - sum(_wall.values())
    _cpu["the rest"] = cpu - sum(_cpu.values())
    return {
        "wall": wall,
        "cpu": cpu,
        "peak": peak_megabytes(os.getpid()),
        "operations": sum(sum(of_kind.values()) for of_kind in run.counts["operations"].values()),
        "made": {kind: model._default_manager.count() for kind, model in DIRECTORY.items()},
        "written": sum(abs(now - then) for now, then in zip(_written(), before, strict=True)),
        "phases": {phase: (_wall[phase], _cpu[phase]) for phase in _wall},
    }


def _connection(package: Path) -> SyncConnection:
    """The only one, made if there is none; it reads this package from now on."""
    found = SyncConnection.objects.first()
    if found:
        return connections.edit(found, {"path": str(package)}, {})
    organization = directory.add_organization(
        directory.add_product("Bench", ROLES), "Bench", entitlements=["rostering"]
    )
    limits = dict.fromkeys(("sites", "members", "groups", "memberships", "teachers"), NO_LIMIT)
    changes = {"classes": {"terms": "all"}, "limits": limits}
    filled = {"path": str(package)}
    made = connections.connect(
        organization, "Bench", "folder", filled, settings="classes-and-licences", changes=changes
    )
    return connections.activate(made)


def _synced(connection: SyncConnection) -> SyncRun:
    with own.own_process() as process:
        run = own.walk_here(runs.enqueue(connection, "bench", process=process), _say)
        if run.outcome == "previewed" or holds.holds_of(run, only_open=True):
            run = own.walk_here(holds.approve(run, "bench", "It is made up.", process=process), _say)
        return run


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _written() -> list[int]:
    """Numbers that grow with every row of the directory, of its links and of the journal that is made or changed."""
    found = [SyncBatch.objects.count(), Link.objects.count(), Link.objects.exclude(ended_at=None).count()]
    for model in DIRECTORY.values():
        sums = model._default_manager.aggregate(rows=Count("id"), versions=Sum("version"))
        found += [sums["rows"], sums["versions"] or 0]
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
