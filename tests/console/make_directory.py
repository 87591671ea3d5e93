"""Riverbend's roster synced into an organization's directory, in one process: `python -m tests.console.make_directory PASSWORD`.

Prints numbers of the organization's as JSON. Run where ROLLBOOK_… name the installation.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.flows import administrators, directory, groups, members  # noqa: E402  # models can be named only once Django is set up
from rollbook.flows.sync import connections, holds, own, runs  # noqa: E402  # as above
from rollbook.generator.riverbend import PATH as RIVERBEND  # noqa: E402  # as above
from rollbook.store.models import Member, SyncConnection, SyncRun  # noqa: E402  # as above

NAME, OFFICE, NORTH = "Riverbend Schools", "ines@riverbend.example", "nora@riverbend.example"
SEATS = 2


def main(password: str) -> dict[str, int]:
    product = directory.add_product("Reader")
    organization = directory.add_organization(product, NAME, seats=SEATS, time_zone="America/Chicago")
    annex = directory.add_site(organization, "North Annex")
    administrators.employ(product, organization, OFFICE, name="Ines Ruiz", password=password)
    administrators.employ(
        product, organization, NORTH, administrators.SITE, sites=[annex.id], password=password
    )
    connection = connections.connect(
        organization, "Roster", "folder", {"path": str(RIVERBEND)}, settings="classes-and-licences"
    )
    _synced(connections.activate(connection))
    amara = Member.objects.filter(organization=organization, given_name="Amara").order_by("id")[0]
    members.set_field(amara, "grade", "09", "Skipped a year", "2027-06-30")
    club = groups.add_group(organization, "Chess club", annex)
    groups.put_in(club, amara)
    return {
        "organization": organization.pk,
        "member": amara.id,
        "group": club.id,
        "site": annex.id,
    }


def _synced(connection: SyncConnection) -> SyncRun:
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(connection, "test", preview=True, process=process), _quiet)
        done = own.walk_here(holds.approve(shown, "test", "First.", process=process), _quiet)
    if done.outcome not in ("success", "partly"):
        raise AssertionError(f"The roster did not come in: {done.outcome}, {done.message}")
    return done


def _quiet(_words: str) -> None:
    """Nobody sits here."""


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
