"""Fixtures of the REST door: an empty district with one app that may read all of it."""

import pytest

from rollbook.flows import apps
from rollbook.flows.districts import add_district
from rollbook.store.models import District, Grant


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
