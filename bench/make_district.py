"""A district to be read, made in one process by the flows that the commands call: `python -m bench.make_district STUDENTS FOLDER`.

Prints the keys of a full grant and of one to every fourth school as JSON. Run where ROLLBOOK_… name the installation.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.flows import apps  # noqa: E402  # models can be named only once Django is set up
from rollbook.flows.districts import add_district  # noqa: E402  # as above
from rollbook.flows.ingest import carry_out, prepare  # noqa: E402  # as above
from rollbook.generator.generate import generate  # noqa: E402  # as above
from rollbook.store.models import Connection, District, Org  # noqa: E402  # as above

EVERY_NTH_SCHOOL = 4


def main(students: int, folder: Path) -> dict[str, object]:
    generate(folder, students, seed=1)
    district = add_district("Bench")
    run = carry_out(prepare(Connection.objects.get(district=district), folder, "bench"))
    if run.outcome != "success":
        raise AssertionError(f"The district did not come in: {run.outcome}, {run.message}")
    schools = Org.objects.filter(district=district, type="school").order_by("sourced_id")
    chosen = list(schools.values_list("sourced_id", flat=True))[::EVERY_NTH_SCHOOL]
    return {
        "full": _key(district, "All", "full", []),
        "limited": _key(district, "Some schools", "basic", chosen),
    }


def _key(district: District, name: str, permission: str, schools: list[str]) -> dict[str, object]:
    grant = apps.grant_app(district, apps.add_app(name), permission, schools)
    return dataclasses.asdict(apps.add_key(grant, oauth1=True))


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
