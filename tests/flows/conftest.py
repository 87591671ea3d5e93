"""Riverbend delivered once for all tests of a file, each of which goes back to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from rollbook.store.models import District
from tests import cast
from tests.delivered import a_district, deliver, rolled_back


@pytest.fixture(scope="module")
def delivered_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files that are kept of `delivered`."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def delivered(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    delivered_shelf: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[int]:
    """Riverbend's Tenant ID. Its snapshot is not on the shelf of a test: who wants to deliver again takes `riverbend`."""
    with django_db_blocker.unblock(), rolled_back(), override_settings(DATA_DIR=delivered_shelf):
        district = a_district()
        deliver(district, cast.riverbend(tmp_path_factory.mktemp("riverbend")))
        yield district.pk


@pytest.fixture
def riverbend(delivered: int, delivered_shelf: Path, db: None, settings: Settings) -> District:
    """Riverbend, delivered once for the file, with its snapshot on the shelf of this test. Not where a test ends transactions."""
    shutil.copytree(delivered_shelf, settings.DATA_DIR, dirs_exist_ok=True)
    return District.objects.get(pk=delivered)
