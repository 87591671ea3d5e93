"""The rostering pages of an organization: its state at a glance, Auto-sync, asking for help, settings; and who is told why not."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import administrators, directory
from rollbook.flows.sync import connections, helping, holds, own, runs
from rollbook.store.models import HelpRequest, Organization, SyncConnection, SyncRun
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ines@northwind.example"


@pytest.fixture
def organization(db: None) -> Organization:
    return an_organization(time_zone="America/Chicago", seats_bought=40)


@pytest.fixture
def connection(organization: Organization, tmp_path: Path) -> SyncConnection:
    deliver(tmp_path, school())
    return connected(organization, tmp_path)


@pytest.fixture
def office(organization: Organization, signed_in) -> Client:
    return signed_in(administrators.employ(organization.product, organization, EMAIL).account)


@pytest.fixture
def one_site(organization: Organization, signed_in) -> Client:
    """A site administrator: may look, and change nothing."""
    site = directory.add_site(organization, "North School")
    made = administrators.employ(
        organization.product, organization, "site@northwind.example", administrators.SITE, sites=[site.id]
    )
    return signed_in(made.account)


def at(connection: SyncConnection, route: str = "sync-overview", **more: object) -> str:
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    return reverse(route, kwargs=where | more)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def synced(connection: SyncConnection) -> SyncRun:
    """The first sync, begun, shown and approved."""
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(connection, "somebody", process=process), lambda _: None)
        done = own.walk_here(holds.approve(shown, "somebody", process=process), lambda _: None)
    connection.refresh_from_db()
    return done


def test_without_a_roster_the_page_says_what_to_do_first(office: Client, organization):
    page = office.get(reverse("rostering", kwargs={"organization_id": organization.pk}))
    assert "No roster is connected yet" in words(page)


def test_one_roster_is_come_to_straight_and_several_are_listed(office: Client, organization, connection):
    listed = reverse("rostering", kwargs={"organization_id": organization.pk})
    assert office.get(listed).url == at(connection)
    connected(organization, Path(connection.source_settings["path"]))
    page = words(office.get(listed))
    assert page.count("CSV files on this server") == 2
    assert connection.source_settings["path"] not in page


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("requested", "You test the connection"),
        ("waiting", "Product support activates it"),
        ("active", "You begin the first sync"),
        ("paused", "You let it go on"),
        ("disconnected", "If you connect it again"),
    ],
)
def test_each_state_says_what_happens_next_and_who_does_it(office: Client, connection, state, says):
    SyncConnection.objects.filter(pk=connection.pk).update(state=state)
    assert says in words(office.get(at(connection)))


def test_after_the_first_sync_the_page_has_its_figures(office: Client, connection):
    before = words(office.get(at(connection)))
    assert "Auto-sync" not in before.split('aria-labelledby="state"')[1]
    synced(connection)
    page = words(office.get(at(connection)))
    assert "5 inactive" in page
    assert "0 of 40 bought" in page
    assert "Every night at 2 a.m." in page
    assert "0 holds" in page
    assert "5 created" in page
