"""A directory kept in step with a OneRoster server: all of it, what changed, and one person now."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollbook.flows.sync import connections, holds, own, runs
from rollbook.store.models import Member, SyncConnection, SyncRun
from tests import cast
from tests.connectors.provider import STATIC, Provider, serving
from tests.flows.sync.organizations import an_organization
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)

EARLIER = "2026-11-19T13:00:00.000Z"
"""After what the provider has at first, and long before it is asked."""
LATER = "2030-01-01T00:00:00.000Z"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider(version="1.2")) as found:
        yield found


def synced_from_a_server(_: Path) -> SyncConnection:
    with serving(Provider(version="1.2")) as provider:
        return synced_with(provider)


begun = kept(synced_from_a_server)


@pytest.fixture
def connection(begun: SyncConnection, provider: Provider) -> SyncConnection:
    """The server of the test's own has all that was read of the one before."""
    begun.source_settings["url"] = str(provider.settings["url"])
    begun.save()
    return begun


def synced_with(provider: Provider) -> SyncConnection:
    organization = an_organization(domains=["riverbend.example"])
    settings = {"url": str(provider.settings["url"]), "sign_in": "bearer", "token": STATIC}
    made = connections.connect(
        organization, "Server", "oneroster_rest", settings, settings="classes-and-licences",
        changes={"classes": {"terms": "all"}},
    )  # fmt: skip
    made.source_settings |= {"first_wait": 0.001, "longest_wait": 0.05}
    made.save()
    connections.test(made)
    connections.activate(made)
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(made, "somebody", process=process), lambda _: None)
        own.walk_here(holds.approve(shown, "somebody", process=process), lambda _: None)
    made.refresh_from_db()
    return made


def sync(connection: SyncConnection, kind: str = runs.FULL, **task: Any) -> SyncRun:
    with own.own_process() as process:
        return own.walk_here(
            runs.enqueue(connection, "somebody", kind, process=process, **task), lambda _: None
        )


def renamed(provider: Provider, source_id: str, name: str) -> None:
    [one] = [one for one in provider.records["users"] if one["sourcedId"] == source_id]
    one["givenName"], one["dateLastModified"] = name, LATER


def name_of(connection: SyncConnection, source_id: str) -> str:
    found = Member.objects.get(organization=connection.organization_id, source_id=source_id)
    return str(found.given_name)


def test_a_delta_brings_what_changed_and_takes_nothing_that_is_only_not_there(
    connection: SyncConnection, provider: Provider
) -> None:
    assert connection.cursor > EARLIER
    SyncConnection.objects.filter(pk=connection.pk).update(cursor=EARLIER)
    people = Member.objects.filter(organization=connection.organization_id, state="inactive").count()
    assert people >= 50
    renamed(provider, cast.AMARA, "Amarachi")
    provider.records["users"] = [one for one in provider.records["users"] if one["sourcedId"] != cast.KOFI]
    provider.seen.clear()
    run = sync(connection, runs.DELTA)
    assert (run.outcome, run.statistics) == ("success", {"members": {"update": 1}})
    assert all("filter=" in target or "limit=1&" in target for target, _ in provider.seen)
    assert name_of(connection, cast.AMARA) == "Amarachi"
    assert Member.objects.filter(organization=connection.organization_id, state="inactive").count() == people
    connection.refresh_from_db()
    assert connection.cursor > EARLIER


def test_one_person_is_read_and_synced_with_a_few_questions(
    connection: SyncConnection, provider: Provider
) -> None:
    renamed(provider, cast.AMARA, "Amarachi")
    renamed(provider, cast.NOAH, "Noe")
    provider.asked.clear()
    provider.seen.clear()
    run = sync(connection, runs.FOCUS, focus={"people": [cast.AMARA]})
    assert (run.outcome, run.statistics) == ("success", {"members": {"update": 1}})
    assert (name_of(connection, cast.AMARA), name_of(connection, cast.NOAH)) == ("Amarachi", "Noah")
    assert provider.asked == []
    assert len(provider.seen) <= 20
    connection.refresh_from_db()
    assert connection.read_run < run.pk


def test_what_a_run_about_a_person_heard_is_not_forgotten_by_one_that_hears_nothing_of_them(
    connection: SyncConnection, provider: Provider
) -> None:
    """Their server does not say when it opened the account again."""
    [one] = [one for one in provider.records["users"] if one["sourcedId"] == cast.AMARA]
    state = Member.objects.filter(organization=connection.organization_id, source_id=cast.AMARA)
    one["enabledUser"] = False
    assert sync(connection).outcome == "success"
    assert state.get().state == "archived"
    one["enabledUser"] = True
    sync(connection, runs.FOCUS, focus={"people": [cast.AMARA]})
    assert state.get().state == "inactive"
    assert sync(connection, runs.DELTA).outcome == "empty"
    assert state.get().state == "inactive"
    one["enabledUser"] = False
    sync(connection)
    one["enabledUser"] = True
    sync(connection, runs.FOCUS, focus={"people": [cast.AMARA]})
    provider.spoil = lambda ask, reply: reply if ask.collection != "users" else type(reply)(500, {}, {})
    assert sync(connection).outcome == "incomplete"
    assert state.get().state == "inactive"


def test_a_page_that_is_lost_removes_nobody_and_is_no_success(
    connection: SyncConnection, provider: Provider
) -> None:
    provider.totals = ""
    provider.spoil = lambda ask, reply: (
        reply if ask.collection != "users" else type(reply)(200, {"users": []}, {})
    )
    run = sync(connection)
    assert run.outcome == "incomplete"
    assert "archived" not in Member.objects.filter(organization=connection.organization_id).values_list(
        "state", flat=True
    )
    connection.refresh_from_db()
    assert connection.read_run < run.pk
