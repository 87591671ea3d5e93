"""`rollbook sync change`, `settings`, `withdraw`, `help` and `reconnect`: what the console's pages of a sync's settings do, by commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollbook.store.models import SyncConnection
from tests.command import rollbook
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection(tmp_path: Path) -> SyncConnection:
    deliver(tmp_path, school())
    return connected(an_organization(), tmp_path)


def told(*arguments: object, expect: int = 0) -> Any:
    return json.loads(rollbook("sync", *map(str, arguments), "--json", expect=expect).stdout)


def test_a_change_is_shown_first_and_is_either_withdrawn_or_counts(connection: SyncConnection) -> None:
    number = connection.pk
    assert told("change", number, "--with", "grace.reads=3") == {"connection": number, "kept": True}
    told("approve", told("preview", number)["run"])
    ceiling = ("--with", "people.archive=false")
    shown = told("change", number, *ceiling)
    assert shown["outcome"] == "previewed"
    assert told("withdraw", shown["run"])["outcome"] == "cancelled"
    again = told("change", number, *ceiling)["run"]
    told("approve", again)
    connection.refresh_from_db()
    assert (connection.policy["people"]["archive"], connection.policy["grace"]["reads"]) == (False, 3)
    assert [(one["setting"], one["old"], one["new"]) for one in told("settings", number)] == [
        ("people.archive", True, False),
        ("grace.reads", 1, 3),
    ]


def test_a_request_for_help_waits_until_it_is_answered(connection: SyncConnection) -> None:
    organization = connection.organization_id
    asked = told("help", "ask", organization, "Which key is it?", "--connection", connection.pk)
    assert [one["request"] for one in told("help", "list")] == [asked["request"]]
    told("help", "answer", asked["request"], "The newer one.")
    assert told("help", "list") == []
    assert told("help", "list", "--organization", organization)[0]["answer"] == "The newer one."
    rollbook("sync", "help", "answer", str(asked["request"]), "Again.", expect=1)


def test_one_that_was_disconnected_is_requested_again(connection: SyncConnection) -> None:
    rollbook("sync", "reconnect", str(connection.pk), expect=1)
    told("disconnect", connection.pk)
    assert told("reconnect", connection.pk)["state"] == "requested"
