"""A district fed by a provider, one night after the other."""

import shutil
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Self

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from rollbook.flows.districts import add_district
from rollbook.flows.fetch import fetched
from rollbook.flows.ingest import Prepared, carry_out, prepare
from rollbook.store.models import Connection, Run
from tests.connectors.provider import NOW, STATIC, Ask, Provider, Reply, serving
from tests.delivered import rolled_back


class Night:
    """A district fed by a provider, one night after the other."""

    def __init__(self, provider: Provider, folder: Path) -> None:
        self.provider = provider
        self.folder = folder
        self.nights = 0
        self.district = add_district("Riverbend", "America/Chicago")
        self.connection = Connection.objects.create(
            district=self.district, kind="oneroster_rest", name="SIS", settings=provider.settings,
            secrets=f'{{"token": "{STATIC}"}}',
        )  # fmt: skip
        self.package = folder

    def again(self, provider: Provider, folder: Path) -> Self:
        """The same district, fed by another provider from the night after on."""
        later = copy(self)
        later.provider, later.folder = provider, folder
        later.connection = Connection.objects.get(pk=self.connection.pk)
        later.connection.settings = provider.settings
        later.connection.save()
        return later

    def prepared(self) -> Prepared:
        self.nights += 1
        work = self.folder / str(self.nights)
        work.mkdir()
        came = fetched(self.connection, work, NOW, lambda words: None)
        self.package = came.path
        return prepare(self.connection, came.path, "a test", came.certificate)

    def over(self) -> Run:
        return carry_out(self.prepared())


@pytest.fixture(scope="module")
def first_night(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Night, Path]]:
    """A district after a first night that went well, and the shelf of its files; each test goes back to it."""
    shelf = tmp_path_factory.mktemp("shelf")
    with (
        django_db_blocker.unblock(),
        rolled_back(),
        override_settings(DATA_DIR=shelf),
        serving(Provider()) as provider,
    ):
        fed = Night(provider, tmp_path_factory.mktemp("first"))
        first = fed.over()
        assert (first.outcome, first.message) == ("success", "")
        yield fed, shelf


@pytest.fixture(name="night")
def a_first_night(
    first_night: tuple[Night, Path], db: None, settings: Settings, tmp_path: Path
) -> Iterator[Night]:
    """After a first night that went well, with a provider of the test's own."""
    fed, shelf = first_night
    shutil.copytree(shelf, settings.DATA_DIR, dirs_exist_ok=True)
    with serving(Provider()) as provider:
        yield fed.again(provider, tmp_path)


def deletions(prepared: Prepared) -> int:
    assert prepared.summary is not None
    return sum(actions.get("delete", 0) for actions in prepared.summary.counts.values())


def lost_last_page(ask: Ask, reply: Reply) -> Reply:
    """The total is right and the last page comes empty."""
    last = ask.collection == "enrollments" and ask.offset + ask.limit >= 165
    return Reply(200, {"enrollments": []}, {"X-Total-Count": "165"}) if last else reply
