"""Makes what the browser's tests of refusals begin with: an organization in step with a roster, in which one child has had two ids, and people
of every kind who may not come in.

    python -m tests.console.make_kept_out ISSUER PASSWORD
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.conf import settings  # noqa: E402  # settings can be asked only once Django is set up

from rollbook.engine.sync.operations import PENDING  # noqa: E402  # as above
from rollbook.flows import administrators, members  # noqa: E402  # as above
from rollbook.flows.directory import add_organization, add_product  # noqa: E402  # as above
from rollbook.flows.signing_in import providers  # noqa: E402  # as above
from rollbook.store.models import Member, Organization, SyncConnection  # noqa: E402  # as above
from tests.console.make_sync_runs import approved, shown  # noqa: E402  # as above
from tests.engine.sync.schools import Row, Tables, school  # noqa: E402  # as above
from tests.flows.sync.organizations import NO_LIMITS, connected, deliver  # noqa: E402  # as above

FIRST, SECOND = "p1", "p1-2026"
"""The ids of one child, the second of which followed the first."""


def main(issuer: str, password: str) -> None:
    """One seat. `School` goes with the roster; `Other` takes no seats."""
    organization = add_organization(
        add_product("Reader"), "Riverbend", seats=1, domains=["school.example"], time_zone="America/Chicago"
    )
    administrators.employ(
        organization.product, organization, "ines@riverbend.example", name="Ines", password=password
    )
    roster = in_step(organization)
    by_hand(organization)
    members.archive(Member.objects.get(organization=organization, source_id="p4"))
    members.suspend(Member.objects.get(organization=organization, source_id="p5"), datetime.now(UTC))
    about = {"issuer": issuer, "client_id": "rollbook", "client_secret": "a secret between two processes"}
    its_own = {"tenants": ["2170"], "names": {"identifier": "identifier"}, "connection": roster}
    for preset, name, more in (("classlink", "School", its_own), ("any", "Other", {"seats": "never"})):
        providers.switch(providers.add_provider(organization, preset, name, **about, **more), True)


def in_step(organization: Organization) -> SyncConnection:
    """Two nights: in the second, the child has the second id."""
    folder = Path(settings.DATA_DIR) / "roster"
    folder.mkdir()
    deliver(folder, rows())
    connection = connected(organization, folder, limits={**NO_LIMITS, "rekey_percent": 0})
    for tables in (rows(), under_another_id(rows(), FIRST, SECOND)):
        deliver(folder, tables)
        done = approved(shown(connection))
        if done.outcome != "success":
            raise AssertionError(f"The roster did not come in: {done.outcome}, {done.message}")
    connection.refresh_from_db()
    return connection


def rows() -> Tables:
    """The small school, two more pupils, and a guardian, who becomes nobody in a directory."""
    tables = school()
    for number, given, role in (
        ("p4", "Gus", "student"),
        ("p5", "Sue", "student"),
        ("g1", "Gil", "guardian"),
    ):
        names = {"givenName": given, "familyName": "Finn", "username": number}
        tables["users"].append(
            {"sourcedId": number, "enabledUser": "true", "email": f"{number}@school.example", **names}
        )
        held = {"userSourcedId": number, "roleType": "primary", "role": role, "orgSourcedId": "north"}
        tables["roles"].append({"sourcedId": f"r-{number}", **held})
    return tables


def under_another_id(tables: Tables, before: str, after: str) -> Tables:
    def renamed(row: Row) -> Row:
        return {
            name: after if name in ("sourcedId", "userSourcedId") and value == before else value
            for name, value in row.items()
        }

    return {name: [renamed(row) for row in some] for name, some in tables.items()}


def by_hand(organization: Organization) -> None:
    """Two who have one number, and one who was not accepted yet."""
    for given in ("Ada", "Ida"):
        members.add_member(organization, {"given_name": given, "identifier": "7001"}, ["student"])
    penny = {"given_name": "Penny", "email": "penny@school.example"}
    members.add_member(organization, penny, ["student"], state=PENDING)


if __name__ == "__main__":
    main(*sys.argv[1:])
