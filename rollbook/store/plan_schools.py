"""The schools of a plan's changes: made when first asked for, and kept beside the plan. With them, a plan is counted by school."""

from dataclasses import dataclass, field
from pathlib import Path

from rollbook.engine.reading import reader
from rollbook.engine.schools import write_schools
from rollbook.store import shelf
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import District, Plan
from rollbook.store.plans import NO_SCHOOL

Counts = dict[str, dict[str, int]]


@dataclass
class SchoolCounts:
    """What a plan does in one school. `school` is the delivered id, NO_SCHOOL and a name that is empty for what belongs to none."""

    school: str
    name: str
    counts: Counts = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(sum(actions.values()) for actions in self.counts.values())


def schools_of(plan: Plan) -> Path:
    """The Parquet file with number, school and name of every change."""
    path = shelf.place(plan.shelf_name)
    target = path.with_name(f"schools-{plan.fingerprint[:16]}.parquet")
    if not target.exists():
        district = District.objects.get(pk=plan.district_id)
        connection = plan.run.connection
        accepted = accepted_for(connection, district.generation) if connection else None
        write_schools(path, accepted, target)
    return target


def count_by_school(plan: Plan) -> list[SchoolCounts]:
    """By school, collection and action; the schools with the most changes first, no school last."""
    changes, schools = str(shelf.place(plan.shelf_name)), str(schools_of(plan))
    with reader("512MB", 2) as db:
        rows = db.execute(
            "SELECT coalesce(s.school, ?), coalesce(any_value(s.name), ''), p.collection, p.action, count(*)"
            " FROM read_parquet(?) p JOIN read_parquet(?) s USING (number) GROUP BY 1, 3, 4",
            [NO_SCHOOL, changes, schools],
        ).fetchall()
    found: dict[str, SchoolCounts] = {}
    for school, name, collection, action, number in rows:
        counts = found.setdefault(school, SchoolCounts(school, name)).counts
        counts.setdefault(collection, {})[action] = number
    return sorted(found.values(), key=lambda one: (one.school == NO_SCHOOL, -one.total, one.name, one.school))
