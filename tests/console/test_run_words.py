"""What a sync run wrote of its end is said in the reader's language, sentence by sentence; what is unknown stays as it is."""

import pytest
from django.utils import translation

from rollbook.console.organization.run_words import run_words
from rollbook.flows import directory
from rollbook.store.models import SyncConnection, SyncHold, SyncRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> SyncRun:
    organization = directory.add_organization(directory.add_product("Reader"), "Northwind")
    connection = SyncConnection.objects.create(organization=organization, name="Roster", source_kind="folder")
    return SyncRun.objects.create(organization=organization, connection=connection)


@pytest.mark.parametrize(
    ("message", "in_english", "in_spanish"),
    [
        ("Nothing changed.", "Nothing changed.", "Nada cambió."),
        (
            "204 operations done. 3 were not taken. 2 were left out.",
            "204 operations done. 3 were not taken. 2 were left out.",
            "Se hicieron 204 operaciones. 3 no se aceptaron. Se omitieron 2.",
        ),
        (
            "Cancelled by ines@northwind.example. Nothing of it was applied.",
            "Cancelled by ines@northwind.example. Nothing of it was applied.",
            "Cancelado por ines@northwind.example. No se aplicó nada.",
        ),
        (
            "The server said: what it wants.",
            "The server said: what it wants.",
            "The server said: what it wants.",
        ),
    ],
)
def test_sentences_are_said_in_the_readers_language(
    run: SyncRun, message: str, in_english: str, in_spanish: str
):
    run.message = message
    with translation.override("en"):
        assert run_words(run) == in_english
    with translation.override("es"):
        assert run_words(run) == in_spanish


def test_what_waits_is_told_by_the_first_hold(run: SyncRun):
    SyncHold.objects.create(
        organization=run.organization, connection=run.connection, run=run, code="percent", level="organization",
        kind="members", count=7, population=57, limit=10, operations=7,
    )  # fmt: skip
    run.message = (
        "0 operations done. 7 wait for a person: 7 of 57 members would be removed: the limit is 10 %."
    )
    with translation.override("en"):
        assert run_words(run) == (
            "0 operations done. 7 wait for a person: 7 of 57 members would be removed. The limit is 10 %."
        )
