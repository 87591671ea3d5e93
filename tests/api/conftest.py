"""Fixtures of the REST door: an empty district with one app that may read all of it, and a small roster to read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rollbook.api import access_log, callers
from rollbook.flows import apps
from rollbook.flows.districts import add_district
from rollbook.store.models import District, Grant
from tests.api.calls import token_of
from tests.api.roster import Roster, fill
from tests.kept import kept


class Read(NamedTuple):
    """A small roster of two schools, published; and a key of an app that may read all of it."""

    roster: Roster
    grant: Grant
    key: apps.Key


def riverbend() -> District:
    return add_district("Riverbend Unified School District", "America/Chicago")


def reading_app(district: District) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading App"), "full", [])


def only_filled(_: Path) -> Roster:
    return fill(riverbend())


def filled_and_granted(_: Path) -> Read:
    roster = fill(riverbend())
    grant = reading_app(roster.district)
    return Read(roster, grant, apps.add_key(grant, oauth1=True))


kept_roster = kept(only_filled)
kept_read = kept(filled_and_granted)


@pytest.fixture
def begun(request: pytest.FixtureRequest, db: None) -> Any:
    """What was kept of all that the test wants; None where it begins with nothing."""
    if "token" in request.fixturenames:
        return request.getfixturevalue("kept_read")
    return request.getfixturevalue("kept_roster") if "roster" in request.fixturenames else None


@pytest.fixture
def district(begun: Read | Roster | None) -> District:
    if begun is None:
        return riverbend()
    return begun.roster.district if isinstance(begun, Read) else begun.district


@pytest.fixture
def grant(begun: Read | Roster | None, district: District) -> Grant:
    return begun.grant if isinstance(begun, Read) else reading_app(district)


@pytest.fixture
def key(begun: Read | Roster | None, grant: Grant) -> apps.Key:
    """A key that may also sign by OAuth 1."""
    return begun.key if isinstance(begun, Read) else apps.add_key(grant, oauth1=True)


@pytest.fixture
def roster(begun: Read | Roster) -> Roster:
    """A small roster of two schools, published."""
    return begun.roster if isinstance(begun, Read) else begun


@pytest.fixture
def token(key: apps.Key) -> str:
    """A token with every scope, for an app that may read all of `roster`."""
    return token_of(key)


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """A test's rows are rolled back and their ids used again: nothing may be remembered of them, nor wait to be written."""
    yield
    callers._tokens.clear()
    access_log._waiting.clear()
    access_log._waiting_use.clear()
