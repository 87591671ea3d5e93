"""Makes what the pictures of docs/screens.md are taken of: the demo, and beside it what only somebody who tries sign-in out would bring.

    python -m tests.house.make_screens URL ISSUER

Prints the demo's card as JSON.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.cli.demo import card_of  # noqa: E402  # settings can be asked only once Django is set up
from rollbook.flows.administrators import employ  # noqa: E402  # as above
from rollbook.flows.demo import set_up  # noqa: E402  # as above
from rollbook.flows.demo_catalogue import PARTNER  # noqa: E402  # as above
from rollbook.flows.demo_organizations import ADMINISTRATOR, DOMAINS  # noqa: E402  # as above
from rollbook.flows.directory import add_organization  # noqa: E402  # as above
from rollbook.flows.partners import find_partner, make_key  # noqa: E402  # as above
from rollbook.flows.signing_in import providers  # noqa: E402  # as above
from rollbook.flows.sync import hubs, inviting  # noqa: E402  # as above
from rollbook.generator.riverbend import PATH  # noqa: E402  # as above
from rollbook.store.models import Organization, SyncConnection  # noqa: E402  # as above
from tests.console.oidc import CLIENT_ID, SECRET  # noqa: E402  # as above
from tests.house.screens import CONNECTING, HUB, SERVICE, WAITING  # noqa: E402  # as above

DISTRICT = "Riverbend Unified School District"


def main(url: str, issuer: str) -> None:
    made = set_up(DISTRICT, PATH)
    first = Organization.objects.select_related("product").get(pk=made.organizations[0].number)
    numbers = {name: _customer(first, name).pk for name in (CONNECTING, WAITING)}
    waiting = Organization.objects.select_related("product").get(pk=numbers[WAITING])
    inviting.invite(waiting, str(made.district.pk), ADMINISTRATOR, tells=False)
    _service(first, issuer)
    _hub(first, issuer, f"{url}/applications")
    print(json.dumps(card_of(made, url) | {"first": first.pk, "product": first.product_id, **numbers}))


def _customer(other: Organization, name: str) -> Organization:
    made = add_organization(other.product, name, time_zone="America/Chicago", domains=DOMAINS)
    employ(made.product, made, ADMINISTRATOR)
    return made


def _service(organization: Organization, issuer: str) -> None:
    """A sign-in service of the first organization's, which goes with its roster."""
    roster = SyncConnection.objects.get(organization=organization, target_kind="directory")
    about = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "domains": list(DOMAINS)}
    providers.switch(providers.add_provider(organization, "any", SERVICE, connection=roster, **about), True)


def _hub(organization: Organization, issuer: str, listing: str) -> None:
    """The product is a partner of this very server's, as if it were another."""
    _, key = make_key(find_partner(PARTNER), HUB, "Demo developer")
    about = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "partner_key": key}
    hubs.register(organization.product, "classlink", name=HUB, listing=listing, **about)


if __name__ == "__main__":
    main(*sys.argv[1:])
