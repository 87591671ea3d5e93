"""Riverbend delivered once for all tests of a file, each of which goes back to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import cast
from tests.delivered import a_district, deliver, rolled_back


@pytest.fixture(scope="module")
def delivered(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Riverbend's Tenant ID. Its snapshot is not on the shelf of a test: who wants to deliver again makes a district of their own."""
    with django_db_blocker.unblock(), rolled_back():
        district = a_district()
        deliver(district, cast.riverbend(tmp_path_factory.mktemp("riverbend")))
        yield district.pk
