"""Makes what the browser test of a sync's runs looks at: one that succeeded, one of which something was not taken, one under way that stands
still, one that waits to be approved. Prints their numbers as JSON.

    python -m tests.console.make_sync_runs PASSWORD
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.conf import settings  # noqa: E402  # settings can be asked only once Django is set up
from django.utils import timezone  # noqa: E402  # as above

from rollbook.flows import administrators, members  # noqa: E402  # as above
from rollbook.flows.sync import holds, own, runs  # noqa: E402  # as above
from rollbook.store.models import Member, SyncConnection, SyncRun  # noqa: E402  # as above
from tests.engine.sync.schools import changed, school  # noqa: E402  # as above
from tests.flows.sync.organizations import an_organization, connected, deliver  # noqa: E402  # as above


def main(password: str) -> None:
    organization = an_organization(time_zone="America/Chicago", seats_bought=20)
    administrators.employ(organization.product, organization, "ines@riverbend.example", password=password)
    roster = Path(settings.DATA_DIR) / "roster"
    roster.mkdir()
    numbers = {"organization": organization.pk}
    deliver(roster, school())
    connection = connected(organization, roster)
    numbers["first"] = connection.pk
    numbers["done"] = approved(shown(connection)).pk
    deliver(roster, changed(school(), "users", "p1", givenName="Philippa"))
    failed = shown(connection)
    Member.objects.filter(source_id="p1").update(version=9)
    numbers["failed"] = approved(failed).pk
    numbers["still"] = still(connection).pk
    other = an_organization(seats_bought=20)
    administrators.employ(other.product, other, "ines@riverbend.example")
    members.add_member(
        other, {"given_name": "Olga", "family_name": "Hand", "email": "o@school.example"}, ["teacher"]
    )
    second = connected(other, roster, "teachers-and-schools", limits={"unowned": {"to_zero": False}})
    numbers |= {"other": other.pk, "second": second.pk, "preview": shown(second).pk}
    print(json.dumps(numbers))


def shown(connection: SyncConnection) -> SyncRun:
    with own.own_process() as process:
        connection.refresh_from_db()
        run = runs.enqueue(connection, "ines@riverbend.example", preview=True, process=process)
        return own.walk_here(run, lambda _: None)


def approved(run: SyncRun) -> SyncRun:
    with own.own_process() as process:
        return own.walk_here(holds.approve(run, "ines@riverbend.example", process=process), lambda _: None)


def still(connection: SyncConnection) -> SyncRun:
    """One that has its turn, and has not come on for six minutes."""
    run = runs.enqueue(connection, "ines@riverbend.example")
    ago = timezone.now() - timedelta(minutes=6)
    told = {"turn_at": ago, "phase_at": ago, "moved_at": ago, "phase": "applying", "done": 200, "known": 800}
    SyncRun.objects.filter(pk=run.pk).update(started_at=ago, **told)
    return run


if __name__ == "__main__":
    main(sys.argv[1])
