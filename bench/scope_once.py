"""Rules worked out in one process by the flows that the commands call: `python -m bench.scope_once STUDENTS FOLDER`, told as JSON.

Run where ROLLBOOK_… name the installation. Prints the seconds of a working and of its floor, the workings of fifty apps, and two keys.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402  # models can be named only once Django is set up

from rollbook.engine.scope import ALL, FULL, Choice, Rule, Scope, basic  # noqa: E402  # as above
from rollbook.flows import apps  # noqa: E402  # as above
from rollbook.flows.districts import add_district  # noqa: E402  # as above
from rollbook.flows.ingest import carry_out, prepare  # noqa: E402  # as above
from rollbook.flows.publish import publish  # noqa: E402  # as above
from rollbook.generator.generate import generate  # noqa: E402  # as above
from rollbook.store.models import Connection, Course, District, Grant, Org  # noqa: E402  # as above

SCHOOLS, COURSES = 0.3, 0.5
APPS, RULES = 50, 10
VIEW_ROWS = (
    "district_id, collection, position, from_publication, to_publication, record_id, place, gone, kind, stamp_v1p1, stamp_v1p2,"
    " text_v1p1, text_v1p2"
)
NOBODYS_VIEW = -1


def main(students: int, folder: Path) -> dict[str, Any]:
    generate(folder, students, seed=1)
    district = add_district("Bench")
    run = carry_out(prepare(Connection.objects.get(district=district), folder, "bench"))
    if run.outcome != "success":
        raise AssertionError(f"The district did not come in: {run.outcome}, {run.message}")
    full = apps.set_permissions(district, apps.add_app("All"), FULL)
    scoped, seconds = _worked_out(district)
    return {
        "seconds": seconds,
        "floor": _bare_insert(scoped),
        "rows": _rows(scoped),
        "workings": _workings(district),
        "full": dataclasses.asdict(apps.add_key(full)),
        "scoped": dataclasses.asdict(apps.add_key(scoped)),
    }


def _worked_out(district: District) -> tuple[Grant, float]:
    """A grant to three schools in ten and half the courses, and the seconds until it could be read."""
    app, rule = apps.add_app("Some schools and courses"), _rule(district)
    started = time.perf_counter()
    grant = apps.set_permissions(district, app, rule)
    return grant, time.perf_counter() - started


def _rule(district: District) -> Rule:
    schools = list(
        Org.objects.filter(district=district, type="school").order_by("id").values_list("id", flat=True)
    )
    courses = list(Course.objects.filter(district=district).order_by("id").values_list("id", flat=True))
    chosen = schools[: max(1, int(len(schools) * SCHOOLS))]
    return basic(Scope(Choice(ids=tuple(chosen)), Choice(ids=tuple(courses[:: int(1 / COURSES)]))))


def _bare_insert(grant: Grant) -> float:
    """Seconds to write the same rows once more, and nothing else."""
    with connection.cursor() as cursor:
        started = time.perf_counter()
        with transaction.atomic():
            cursor.execute(
                f"INSERT INTO store_viewrow (view_id, {VIEW_ROWS}) SELECT %s, {VIEW_ROWS} FROM store_viewrow WHERE view_id = %s",
                [NOBODYS_VIEW, grant.view_id],
            )
        seconds = time.perf_counter() - started
        cursor.execute("DELETE FROM store_viewrow WHERE view_id = %s", [NOBODYS_VIEW])
    return seconds


def _rows(grant: Grant) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store_viewrow WHERE view_id = %s", [grant.view_id])
        return int(cursor.fetchone()[0])


def _workings(district: District) -> int:
    """How often sets are worked out when fifty more apps with ten rules are brought up to the roster; half of them were edited."""
    orgs = list(Org.objects.filter(district=district).order_by("id").values_list("id", flat=True))
    toggles = ("unenrolled", "demographics", "resources", "guardians")
    rules = [
        basic(
            Scope(
                Choice(ids=(orgs[0],)),
                ALL,
                **{name: bool(one & 1 << place) for place, name in enumerate(toggles)},
            )
        )
        for one in range(RULES)
    ]
    distinct = list({rule.working: rule for rule in rules}.values())
    for number in range(APPS):
        app = apps.add_app(f"App {number}")
        if number % 2:
            apps.set_permissions(district, app, distinct[(number + 1) % len(distinct)])
        apps.set_permissions(district, app, distinct[number % len(distinct)])
    Grant.objects.filter(district=district, app__name__in=("All", "Some schools and courses")).update(
        removed_at="2000-01-01T00:00Z"
    )
    with _counted() as made:
        publish(district.pk, {}, "a night in which nothing changed")
    Grant.objects.filter(district=district).update(removed_at=None)
    if len(distinct) != RULES:
        raise AssertionError(f"The bench has {len(distinct)} rules.")
    return made[0]


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Counts the tables that workings are made in."""
    made = [0]

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        made[0] += "EXISTS seen (" in sql
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        yield made


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
