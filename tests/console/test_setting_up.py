"""Setting up a sync in the console: the wizard, the mapping, and an invitation answered by the district; who is told why not."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.sync.read import make_read
from rollbook.flows import administrators, directory
from rollbook.flows.apps import add_app
from rollbook.flows.sync import connections, inviting, reading, runs
from rollbook.flows.sync.connections import policy_of
from rollbook.store.models import Organization, SyncConnection, SyncDecision, SyncRun
from rollbook.store.sync_shelf import read_folder
from tests.connectors.provider import STATIC, Provider, serving
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db
EMAIL = "ines@northwind.example"


@pytest.fixture
def organization() -> Organization:
    made = an_organization()
    directory.set_app(made.product, add_app("Reader"))
    return made


@pytest.fixture
def office(organization: Organization, signed_in) -> Client:
    return signed_in(administrators.employ(organization.product, organization, EMAIL).account)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `roster` of a source, and beside it `read`, as a run would have read it."""
    place = tmp_path_factory.mktemp("source")
    deliver(place / "roster", school())
    make_read(place / "roster", place / "work", None, place / "read")
    return place


@pytest.fixture
def connection(organization: Organization, source: Path) -> SyncConnection:
    directory.add_site(organization, "North School")
    directory.add_site(organization, "Harbour Annex")
    made = connected(organization, source / "roster")
    shutil.copytree(source / "read", read_folder(made, 1))
    return made


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider(version="1.2")) as found:
        yield found


def path(where: Organization | SyncConnection, route: str, **more: object) -> str:
    if isinstance(where, SyncConnection):
        return reverse(
            route, kwargs={"organization_id": where.organization_id, "connection_id": where.pk} | more
        )
    return reverse(route, kwargs={"organization_id": where.pk} | more)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def filled(provider: Provider, **other: str) -> dict[str, str]:
    address = {"name": "District", "url": provider.address}
    return address | {"sign_in": "bearer", "token": STATIC} | other


# --- The wizard -------------------------------------------------------------------------------------------------------------------------


def test_nothing_is_stored_before_the_first_form_and_a_bad_one_stores_nothing(office: Client, organization):
    assert "Something else" in words(office.get(path(organization, "sync-setup")))
    form = path(organization, "sync-connect", source="oneroster")
    assert office.get(form).status_code == 200
    answer = office.post(form, {"name": "District", "url": "not an address", "client_id": "a"})
    assert answer.status_code == 422
    assert "needs a client id and a client secret" in words(answer)
    assert SyncConnection.objects.count() == 0
    assert office.get(path(organization, "sync-connect", source="nowhere")).status_code == 404


def test_a_server_that_answers_is_connected_and_waits_for_activation(
    office: Client, organization, provider: Provider
):
    form = path(organization, "sync-connect", source="oneroster")
    answer = office.post(form, filled(provider), follow=True)
    assert "Connected successfully" in words(answer)
    [made] = connections.connections(organization)
    assert made.state == "waiting"
    assert answer.redirect_chain[0][0] == path(made, "sync-preset")
    answer = office.post(path(made, "sync-preset"), {"preset": "teachers-groups"})
    assert answer.url == path(made, "sync-first")
    page = words(office.get(answer.url))
    assert "Automatically create users" in page
    assert "Assignments" in page
    answer = office.post(answer.url, {"who": "teachers", "role": "teacher"}, follow=True)
    assert "Waiting for activation." in words(answer)
    made.refresh_from_db()
    policy = policy_of(made)
    assert (policy.people.create, policy.people.who, policy.roles.default_for_new) == (
        False,
        "teachers",
        "teacher",
    )


def test_a_server_that_refuses_says_why_and_keeps_the_secret_for_the_next_try(
    office: Client, organization, provider: Provider
):
    form = path(organization, "sync-connect", source="oneroster")
    answer = office.post(form, filled(provider, token="a wrong one"), follow=True)
    assert "does not accept this sign-in (401)" in words(answer)
    [made] = connections.connections(organization)
    page = words(office.get(path(made, "sync-test")))
    assert "One is kept: leave this empty to keep it." in page
    assert "a wrong one" not in page
    answer = office.post(path(made, "sync-test"), filled(provider, token=""))
    assert answer.status_code == 422
    assert path(organization, "sync-setup-help") in words(answer)
    answer = office.post(path(made, "sync-test"), filled(provider))
    assert answer.url == path(made, "sync-preset")


def test_another_source_can_be_chosen_before_the_first_answered(office: Client, organization, provider):
    office.post(path(organization, "sync-connect", source="oneroster"), filled(provider, token="a wrong one"))
    [made] = connections.connections(organization)
    assert office.post(path(made, "sync-drop")).url == path(organization, "sync-setup")
    assert connections.connections(organization) == []


def test_a_folder_of_this_server_is_chosen_filled_and_connected(
    office: Client, organization, source: Path, tmp_path: Path, settings
):
    form = path(organization, "sync-connect", source="folder")
    assert "has opened no place for folders" in words(office.get(path(organization, "sync-setup")))
    assert office.get(form).status_code == 404
    settings.SOURCE_FOLDERS = tmp_path
    assert "has opened no place" not in words(office.get(path(organization, "sync-setup")))
    place = tmp_path / str(organization.pk)
    assert f'Put the CSV files or a zip here</div><p class="mb-1"><code class="said">{place}' in words(
        office.get(form)
    )
    answer = office.post(form, {"name": "Files", "path": "/etc", "root": "/", "name_": ".."}, follow=True)
    assert "no CSV file and no zip" in words(answer)
    [made] = connections.connections(organization)
    assert (made.state, made.source_settings) == ("requested", {})
    assert oct(place.stat().st_mode & 0o777) in ("0o750", "0o700")
    shutil.copytree(source / "roster", place, dirs_exist_ok=True)
    answer = office.post(path(made, "sync-test"), {"name": "Files"}, follow=True)
    assert "Connected successfully" in words(answer)
    run = runs.enqueue(connections.activate(connections.find_connection(made.pk)), EMAIL)
    reading.read(run)
    assert read_folder(run.connection, run.pk).exists()
    settings.SOURCE_FOLDERS = None
    assert "has closed the place" in words(office.get(path(made, "sync-source")))
    assert "opened no place" in words(office.post(path(made, "sync-source-test")))
    assert "has closed the place" in words(office.get(path(made, "sync-test")))


def test_a_place_that_leads_elsewhere_is_no_source(office: Client, organization, tmp_path: Path, settings):
    settings.SOURCE_FOLDERS = tmp_path / "root"
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / str(organization.pk)).symlink_to(tmp_path / "elsewhere")
    answer = office.post(path(organization, "sync-connect", source="folder"), {"name": "Files"})
    assert answer.status_code == 422
    assert "is not a folder of its own" in words(answer)
    assert SyncConnection.objects.count() == 0


def test_who_needs_nobody_comes_straight_to_the_reading_of_the_schools(
    office: Client, organization, provider: Provider
):
    directory.edit_organization(organization, entitlements=["rostering", connections.SELF_ACTIVATION])
    office.post(path(organization, "sync-connect", source="oneroster"), filled(provider))
    [made] = connections.connections(organization)
    office.post(path(made, "sync-preset"), {"preset": "classes-and-licences"})
    answer = office.post(path(made, "sync-first"), {"create": "on", "who": "everyone"}, follow=True)
    assert "The roster is being read" in words(answer)
    assert [run.task["kind"] for run in SyncRun.objects.all()] == ["look"]
    piece = office.get(path(made, "sync-schools"), headers={"HX-Request": "true"})
    assert "<progress" in words(piece)
    assert "<html" not in words(piece)


@pytest.mark.parametrize("route", ["sync-setup", "sync-invite"])
def test_without_the_plan_one_is_told_why_and_can_change_nothing(office: Client, organization, route):
    directory.edit_organization(organization, entitlements=[])
    page = office.get(path(organization, route))
    assert "plan of this organization does not include rostering" in words(page)
    form = path(organization, "sync-connect", source="oneroster")
    assert office.post(form, {"name": "x"}).status_code == 403
    assert office.post(path(organization, "sync-invite"), {"tenant": "1"}).status_code == 403


# --- Mapping ----------------------------------------------------------------------------------------------------------------------------


def test_schools_of_one_name_are_mapped_and_the_others_are_mapped_by_a_person(
    office: Client, organization, connection: SyncConnection
):
    page = words(office.get(path(connection, "sync-schools")))
    assert "Automatic: the same name" in page
    assert "Will be created as South School." in page
    assert "No school of the roster: it is left alone." in page
    annex = directory.find_site(organization, "Harbour Annex")
    answer = office.post(
        path(connection, "sync-schools-map"),
        {"school": "south", "site": str(annex.id), "act": "map"},
        follow=True,
    )
    assert f"Mapped by {EMAIL}" in words(answer)
    assert SyncDecision.objects.get(connection=connection).target == str(annex.id)
    answer = office.post(path(connection, "sync-schools-map"), {"unmap": "south"}, follow=True)
    assert "Will be created as South School." in words(answer)


def test_map_schools_with_nothing_ticked_says_what_to_do(office: Client, connection: SyncConnection):
    answer = office.post(path(connection, "sync-schools-map"), {"act": "map"}, follow=True)
    assert "Tick at least one at the left" in words(answer)
    assert not SyncDecision.objects.exists()


def test_a_search_narrows_each_side_by_itself(office: Client, connection: SyncConnection):
    page = words(office.get(path(connection, "sync-schools"), {"left": "nowhere", "right": "annex"}))
    assert "Will be created as" not in page
    assert "Harbour Annex" in page


def test_a_school_is_split_by_grade(office: Client, organization, connection: SyncConnection):
    rest, annex = (
        str(directory.find_site(organization, one).id) for one in ("North School", "Harbour Annex")
    )
    form = f"{path(connection, 'sync-schools-split')}?school=south"
    assert "Grade 06" in words(office.get(form))
    assert office.post(form, {"rest": "", "grade-06": annex}).status_code == 422
    office.post(form, {"rest": rest, "grade-06": annex})
    assert SyncDecision.objects.get(connection=connection).by_grade == {"06": annex}
    assert office.get(f"{path(connection, 'sync-schools-split')}?school=no").status_code == 404


def test_roles_are_kept_as_they_were_chosen(office: Client, connection: SyncConnection):
    page = words(office.get(path(connection, "sync-roles")))
    assert "Principal" in page
    chosen = {"role-student": "student", "role-teacher": "aide", "ceiling": "teacher"}
    office.post(path(connection, "sync-roles"), chosen)
    connection.refresh_from_db()
    assert dict(policy_of(connection).roles.map) == {"student": "student", "teacher": "aide"}
    assert office.post(path(connection, "sync-roles"), chosen | {"ceiling": "emperor"}).status_code == 422


def test_classes_are_left_out_taken_back_and_taken_over(
    office: Client, organization, connection: SyncConnection
):
    listed = path(connection, "sync-classes")
    assert "Mathematics 5" in words(office.get(listed))
    office.post(listed, {"class": ["c1", "c2"], "act": "ignore"})
    assert SyncDecision.objects.filter(kind="groups", action="ignore").count() == 2
    assert "Left out" in words(office.get(listed))
    office.post(listed, {"forget": "c2"})
    assert SyncDecision.objects.filter(kind="groups").count() == 1
    office.post(listed, {"settings": "1", "adopt": "on"})
    connection.refresh_from_db()
    policy = policy_of(connection)
    assert (policy.match.adopt_classes, policy.classes.sync) == (True, False)
    assert "Nothing found" in words(office.get(f"{path(connection, 'sync-classes-group')}?class=c1"))


def test_done_mapping_begins_a_preview_and_shows_it(office: Client, connection: SyncConnection):
    answer = office.post(path(connection, "sync-mapped"))
    run = SyncRun.objects.get(connection=connection)
    assert (run.task["kind"], run.task["preview"]) == ("full", True)
    assert answer.url == path(connection, "sync-run", run_id=run.pk)


# --- The invitation ---------------------------------------------------------------------------------------------------------------------


def test_an_invitation_is_seen_on_the_dashboard_and_accepted_with_what_it_may_see(
    office: Client, organization, district, console: Client
):
    answer = office.post(path(organization, "sync-invite"), {"tenant": str(district.pk)}, follow=True)
    page = words(answer)
    assert "Waits for the district" in page
    assert district.name not in page
    [invitation] = inviting.open_for(district)
    board = words(console.get(reverse("dashboard", args=[district.pk])))
    where = reverse("roster-invitation", args=[district.pk, invitation.pk])
    assert where in board
    link = inviting.link_of(invitation).removeprefix("http://testserver")
    assert console.get(link).url == where
    assert office.get(link).status_code == 404
    assert console.get(f"{link}x").status_code == 404
    assert "What a roster sync needs" in words(console.get(where))
    assert console.post(where, {"accept": "1", "lets": "roster"}).url == where
    assert "Accepted" in words(console.get(reverse("roster-invitations", args=[district.pk])))
    assert f"{district.name} (Tenant ID {district.pk})" in words(
        office.get(path(organization, "sync-invite"))
    )
    assert "not open any more" in words(console.post(where, {"decline": "1"}))


def test_a_district_declines_and_an_organization_withdraws(
    office: Client, organization, district, elsewhere, console: Client
):
    for tenant in (district.pk, elsewhere.pk):
        office.post(path(organization, "sync-invite"), {"tenant": str(tenant)})
    [first] = inviting.open_for(district)
    [second] = inviting.open_for(elsewhere)
    console.post(reverse("roster-invitation", args=[district.pk, first.pk]), {"decline": "1"})
    office.post(path(organization, "sync-invitation-withdraw", invitation_id=second.pk))
    page = words(office.get(path(organization, "sync-invite")))
    assert "Declined" in page
    assert "Withdrawn" in page
    assert console.get(reverse("roster-invitation", args=[district.pk, second.pk])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_connect_after_the_yes_tests_the_connection_and_says_what_is_wrong_until_it_answers(
    office: Client, organization, district, console: Client, provider: Provider, settings
):
    settings.PUBLIC_URL = provider.address
    invitation = inviting.invite(organization, str(district.pk), EMAIL)
    button = path(organization, "sync-invitation-connect", invitation_id=invitation.pk)
    assert "has not accepted yet" in words(office.post(button, follow=True))
    inviting.accept(invitation, "roster", "brandt@riverbend.example")
    answer = office.post(button)
    [made] = connections.connections(organization)
    assert answer.url == path(made, "sync-test")
    assert "there is nothing to fill in" in words(office.get(answer.url))
    made.source_settings |= {"sign_in": "bearer"}
    made.source_secrets = json.dumps({"token": STATIC})
    made.save()
    answer = office.post(button, follow=True)
    assert "Connected successfully" in words(answer)
    assert connections.find_connection(made.pk).state == "active"
