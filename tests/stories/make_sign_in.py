"""Makes what the story of signing in begins with: Riverbend, a product whose app it shares, an organization in step with it, two ways in.

    python -m tests.stories.make_sign_in START REDIRECT ISSUER

Prints the client's id and secret as JSON.
"""

import json
import os
import sys
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.engine.scope import FULL  # noqa: E402  # settings can be asked only once Django is set up
from rollbook.flows.applications import add_application  # noqa: E402  # as above
from rollbook.flows.broker.clients import add_client  # noqa: E402  # as above
from rollbook.flows.catalogue import enter  # noqa: E402  # as above
from rollbook.flows.connections import upload_of  # noqa: E402  # as above
from rollbook.flows.directory import ROLES, add_organization, add_product, set_app  # noqa: E402  # as above
from rollbook.flows.districts import add_district  # noqa: E402  # as above
from rollbook.flows.ingest import carry_out, prepare  # noqa: E402  # as above
from rollbook.flows.launching import pads, passwords  # noqa: E402  # as above
from rollbook.flows.signing_in import providers  # noqa: E402  # as above
from rollbook.flows.sync import connections, holds, own, runs  # noqa: E402  # as above
from rollbook.generator.riverbend import PATH  # noqa: E402  # as above
from rollbook.store.models import District, Organization, SyncConnection, User  # noqa: E402  # as above
from tests import cast  # noqa: E402  # as above

PASSWORD = "violet tractor"
PRODUCT, SEATS = "Reading Garden", 1


def main(start: str, redirect: str, issuer: str) -> None:
    district = add_district("Riverbend Unified School District", "America/Chicago")
    carry_out(prepare(upload_of(district), PATH, "a test"))
    app = enter({"name": PRODUCT, "start_url": start, "redirect_uris": [redirect]}, None)
    add_application(district, app, FULL, enabled=True, by="a test")
    organization = add_organization(
        set_app(add_product(PRODUCT, ROLES), app), "Riverbend Reading", seats=SEATS
    )
    roster = in_step(organization)
    ways_in(district, organization, roster, issuer)
    pads.switch(district, True)
    amara = User.objects.get(district=district, sourced_id=cast.AMARA)
    passwords.give_password(amara, PASSWORD, datetime.now(UTC), must_change=False)
    made = add_client(product=organization.product, tells=["name", "email", "roles", "sites", "sourced-id"])
    print(json.dumps({"id": made.client.client_id, "secret": made.secret}))


def in_step(organization: Organization) -> SyncConnection:
    """The organization has Riverbend's people, and nobody of them a seat."""
    made = connections.connect(
        organization, "Roster", "folder", {"path": str(PATH)}, settings="classes-and-licences"
    )
    connections.test(made)
    connection = connections.activate(made, "The story begins.")
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(connection, "a test", process=process), lambda _: None)
        own.walk_here(holds.approve(shown, "a test", process=process), lambda _: None)
    return connection


def ways_in(district: District, organization: Organization, roster: SyncConnection, issuer: str) -> None:
    """The district's launch pad, and an identity provider of the school's."""
    pad = providers.add_provider(
        organization, "launch-pad", "Launch pad", tenants=[str(district.pk)], connection=roster
    )
    about = {"issuer": issuer, "client_id": "rollbook", "client_secret": "a secret between two processes"}
    school = providers.add_provider(organization, "any", "School account", connection=roster, **about)
    for one in (pad, school):
        providers.switch(one, True)


if __name__ == "__main__":
    main(*sys.argv[1:])
