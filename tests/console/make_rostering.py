"""An organization with rosters in several states, in one process: `python -m tests.console.make_rostering PASSWORD`.

Prints numbers of its own as JSON. Run where ROLLBOOK_… name the installation.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.flows import administrators, directory  # noqa: E402  # models can be named only once Django is set up
from rollbook.flows.sync import connections, helping, holds, own, runs, settings, spans  # noqa: E402  # as above
from rollbook.generator.riverbend import PATH as RIVERBEND  # noqa: E402  # as above
from rollbook.store.models import Organization, SyncConnection, SyncRun  # noqa: E402  # as above

NAME, OFFICE, NORTH = "Riverbend Schools", "ines@riverbend.example", "nora@riverbend.example"
ZONE = "America/Chicago"


def main(password: str) -> dict[str, int]:
    product = directory.add_product("Reader")
    organization = directory.add_organization(product, NAME, seats=500, time_zone=ZONE)
    empty = directory.add_organization(product, "Cedar Valley Schools", seats=20)
    annex = directory.add_site(organization, "North Annex")
    for where in (organization, empty):
        administrators.employ(product, where, OFFICE, name="Ines Ruiz", password=password)
    administrators.employ(
        product, organization, NORTH, administrators.SITE, sites=[annex.id], password=password
    )
    roster = _connected(organization, "Roster")
    done = _walked(_approved(_walked(runs.enqueue(roster, OFFICE, process=PROCESS))))
    if done.outcome != "success":
        raise AssertionError(f"The roster did not come in: {done.outcome}, {done.message}")
    roster.refresh_from_db()
    today = datetime.now(ZoneInfo(ZONE)).date()
    spans.add_span(roster, "blackout", today + timedelta(1), today + timedelta(9), OFFICE, "Exams")
    spans.add_span(roster, "additions-only", today, today, OFFICE)
    asked = helping.ask(
        organization, OFFICE, "Why do some teachers have no class?", connection=roster, run=done
    )
    helping.answer(asked.pk, "support@reader.example", "Their classes begin next term.", product)
    shown = settings.change(roster, {"people": {"who": "staff"}, "grace": {"reads": 3}}, OFFICE, PROCESS)
    waiting = connections.connect(
        organization, "Server of the district", "oneroster_rest",
        {"url": "https://sis.riverbend.example", "client_id": "reader", "client_secret": "no secret at all"},
        settings="teachers-groups",
    )  # fmt: skip
    paused = connections.pause(_connected(organization, "Second roster"), "Until the summer is over")
    return {
        "organization": organization.pk,
        "empty": empty.pk,
        "roster": roster.pk,
        "waiting": waiting.pk,
        "paused": paused.pk,
        "first": done.pk,
        "shown": _walked(shown).pk if shown else 0,
    }


def _connected(organization: Organization, name: str) -> SyncConnection:
    made = connections.connect(
        organization, name, "folder", {"path": str(RIVERBEND)}, settings="classes-and-licences"
    )
    return connections.activate(made)


def _approved(shown: SyncRun) -> SyncRun:
    return holds.approve(shown, OFFICE, process=PROCESS)


def _walked(run: SyncRun) -> SyncRun:
    return own.walk_here(run, lambda _: None)


if __name__ == "__main__":
    with own.own_process() as PROCESS:
        print(json.dumps(main(sys.argv[1])))
