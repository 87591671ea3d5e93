"""Fixtures of the console: Riverbend in the database, its administrator, an installation operator, and clients signed in as them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client

from rollbook.flows import operators
from rollbook.flows.districts import add_district
from rollbook.store.models import Account, District, User
from tests.console.roster import Ids, ids_of_riverbend, load_riverbend
from tests.kept import kept

BRANDT = "brandt@riverbend.example"
PASSWORD = "seven quiet herons at noon"


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """Ids are used again after a test's rows are rolled back."""
    caches["memory"].clear()
    yield
    caches["memory"].clear()


def with_an_administrator(_: Path) -> District:
    district = add_district("Riverbend Unified School District", "America/Chicago")
    operators.add_operator(BRANDT, operators.DISTRICT, district, "Helen Brandt", PASSWORD)
    return district


def with_records(folder: Path) -> District:
    district = with_an_administrator(folder)
    load_riverbend(district)
    return district


staffed = kept(with_an_administrator)
filled = kept(with_records)


@pytest.fixture
def district(request: pytest.FixtureRequest, db: None) -> District:
    """Riverbend: with its administrator and its records already, where the test wants them."""
    for wanted, begun in (("ids", "filled"), ("administrator", "staffed")):
        if wanted in request.fixturenames:
            found: District = request.getfixturevalue(begun)
            return found
    return add_district("Riverbend Unified School District", "America/Chicago")


@pytest.fixture
def elsewhere(db: None) -> District:
    return add_district("Cedar Valley Schools")


@pytest.fixture
def ids(district: District) -> Ids:
    """Riverbend's records are in the database; their ids by collection and sourcedId."""
    return ids_of_riverbend() if User.objects.filter(district=district).exists() else load_riverbend(district)


@pytest.fixture
def administrator(district: District) -> Account:
    """Came with the district, unless the test has a district of its own."""
    if came := Account.objects.filter(email=BRANDT).first():
        return came
    return operators.add_operator(BRANDT, operators.DISTRICT, district, "Helen Brandt", PASSWORD).account


@pytest.fixture
def installer(db: None) -> Account:
    return operators.add_operator("root@example.org", operators.INSTALLATION, None, password=PASSWORD).account


@pytest.fixture
def signed_in() -> Callable[[Account], Client]:
    """`signed_in(account)`: a client that is."""

    def sign_in(account: Account) -> Client:
        client = Client()
        client.force_login(account)
        return client

    return sign_in


@pytest.fixture
def console(administrator: Account, signed_in: Callable[[Account], Client]) -> Client:
    """A client signed in as Riverbend's administrator."""
    return signed_in(administrator)
