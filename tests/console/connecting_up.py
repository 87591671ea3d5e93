"""Two customers of a product that is registered at a roster hub, made in one process of an installation: a command each would take longer."""

from rollbook.flows import administrators, directory
from rollbook.flows.sync import hubs
from tests.console.conftest import PASSWORD
from tests.console.oidc import CLIENT_ID, SECRET
from tests.installation import Installation

INES, OTTO = "ines@northwind.example", "otto@southwind.example"
CODE = "import sys; from tests.console.connecting_up import fill; fill(*sys.argv[1:])"


def customers_in(installation: Installation, issuer: str, listing: str, key: str) -> None:
    """Northwind (Ines) and Southwind (Otto), and a hub with this issuer, list and partner's key."""
    installation.python("-c", CODE, issuer, listing, key)


def fill(issuer: str, listing: str, key: str) -> None:
    """What the process does."""
    product = directory.add_product("Reader")
    hubs.register(
        product, "classlink", name="School", issuer=issuer, client_id=CLIENT_ID, client_secret=SECRET, listing=listing, partner_key=key
    )  # fmt: skip
    for name, email in (("Northwind", INES), ("Southwind", OTTO)):
        organization = directory.add_organization(product, f"{name} Schools", entitlements=["rostering"])
        administrators.employ(product, organization, email, password=PASSWORD)
