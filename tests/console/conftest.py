"""Fixtures of the console: Riverbend in the database, its administrator, an installation operator, and clients signed in as them."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import caches
from django.test import Client

from rollbook.flows import operators
from rollbook.flows.districts import add_district
from rollbook.store.models import Account, District
from tests.console.roster import Ids, load_riverbend

PASSWORD = "seven quiet herons at noon"


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """Ids are used again after a test's rows are rolled back."""
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def district(db: None) -> District:
    return add_district("Riverbend Unified School District", "America/Chicago")


@pytest.fixture
def elsewhere(db: None) -> District:
    return add_district("Cedar Valley Schools")


@pytest.fixture
def ids(district: District) -> Ids:
    """Riverbend's records are in the database; their ids by collection and sourcedId."""
    return load_riverbend(district)


@pytest.fixture
def administrator(district: District) -> Account:
    return operators.add_operator(
        "brandt@riverbend.example", operators.DISTRICT, district, "Helen Brandt", PASSWORD
    ).account


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
