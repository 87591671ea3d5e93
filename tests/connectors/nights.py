"""A district fed by a provider, one night after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.flows.districts import add_district
from rollbook.flows.fetch import fetched
from rollbook.flows.ingest import Prepared, carry_out, prepare
from rollbook.store.models import Connection, Run
from tests.connectors.provider import NOW, STATIC, Ask, Provider, Reply, serving


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

    def prepared(self) -> Prepared:
        self.nights += 1
        work = self.folder / str(self.nights)
        work.mkdir()
        came = fetched(self.connection, work, NOW, lambda words: None)
        self.package = came.path
        return prepare(self.connection, came.path, "a test", came.certificate)

    def over(self) -> Run:
        return carry_out(self.prepared())


@pytest.fixture(name="night")
def a_first_night(db: None, tmp_path: Path) -> Iterator[Night]:
    """After a first night that went well."""
    with serving(Provider()) as provider:
        fed = Night(provider, tmp_path)
        first = fed.over()
        assert (first.outcome, first.message) == ("success", "")
        provider.asked.clear()
        yield fed


def deletions(prepared: Prepared) -> int:
    assert prepared.summary is not None
    return sum(actions.get("delete", 0) for actions in prepared.summary.counts.values())


def lost_last_page(ask: Ask, reply: Reply) -> Reply:
    """The total is right and the last page comes empty."""
    last = ask.collection == "enrollments" and ask.offset + ask.limit >= 165
    return Reply(200, {"enrollments": []}, {"X-Total-Count": "165"}) if last else reply
