"""Fixtures of the REST door: an empty district with one app that may read all of it."""

from collections.abc import Iterator

import pytest

from rollbook.api import access_log, callers
from rollbook.flows import apps
from rollbook.flows.districts import add_district
from rollbook.store.models import District, Grant
from tests.api.calls import token_of
from tests.api.roster import Roster, fill


@pytest.fixture
def district(db: None) -> District:
    return add_district("Riverbend Unified School District", "America/Chicago")


@pytest.fixture
def grant(district: District) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading App"), "full", [])


@pytest.fixture
def key(grant: Grant) -> apps.Key:
    """A key that may also sign by OAuth 1."""
    return apps.add_key(grant, oauth1=True)


@pytest.fixture
def roster(district: District) -> Roster:
    """A small roster of two schools, published."""
    return fill(district)


@pytest.fixture
def token(roster: Roster, key: apps.Key) -> str:
    """A token with every scope, for an app that may read all of `roster`."""
    return token_of(key)


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """A test's rows are rolled back and their ids used again: nothing may be remembered of them, nor wait to be written."""
    yield
    callers._tokens.clear()
    access_log._waiting.clear()
    access_log._waiting_use.clear()
