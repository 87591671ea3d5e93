"""A district and an organization that can invite it, made in one process of an installation: a command each would take longer."""

from pathlib import Path

from rollbook.flows import administrators, apps, directory, operators
from rollbook.flows.districts import add_district
from tests.console.conftest import PASSWORD
from tests.delivered import deliver
from tests.installation import Installation

INES, BRANDT = "ines@northwind.example", "brandt@riverbend.example"
SITES = ("Riverbend High School", "Riverbend Elem.", "Harbour Annex")

CODE = "import sys; from tests.console.northwind import fill; fill(sys.argv[1])"


def northwind_in(installation: Installation, package: Path) -> None:
    """The installation has Riverbend with this package, and Northwind Schools, a customer of Reading Garden."""
    installation.python("-c", CODE, str(package))


def fill(package: str) -> None:
    """What the process does."""
    district = add_district("Riverbend Unified School District", "America/Chicago")
    deliver(district, Path(package))
    operators.add_operator(BRANDT, operators.DISTRICT, district, "Helen Brandt", PASSWORD)
    product = directory.add_product("Reading Garden")
    directory.set_app(product, apps.add_app("Reading Garden", "Garden Ltd"))
    northwind = directory.add_organization(product, "Northwind Schools", time_zone="America/Chicago")
    for site in SITES:
        directory.add_site(northwind, site)
    administrators.employ(product, northwind, INES, password=PASSWORD)
