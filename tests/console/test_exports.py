"""How an app gets packages, in the console: chosen, set, tested, one made now, looked at, downloaded, and taken away again."""

import io
import zipfile

import pytest
from django.test import Client

from rollbook.flows import export_tests
from rollbook.flows.handing_over import walk
from rollbook.store.models import Account, Delivery, District, Export, ExportTest, Grant
from tests.delivered import a_grant

HOST_KEY = f"ssh-ed25519 SHA256:{'A' * 43}"
FILLED = {
    "way": "pickup",
    "login": "reading-app",
    "password": "correct horse battery",
    "mode": "delta",
    "version": "1.1",
    "enabled": "on",
}


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.fixture
def grant(district: District) -> Grant:
    grant = a_grant(district, app="Reading app")
    Grant.objects.filter(pk=grant.pk).update(enabled=True)
    return grant


def at(grant: Grant, path: str = "export") -> str:
    return f"/districts/{grant.district_id}/apps/{grant.pk}/{path}"


def test_an_app_without_packages_is_asked_how_it_gets_them(console: Client, grant: Grant):
    page = console.get(at(grant)).content.decode()
    assert "This app gets no packages" in page
    assert "?way=push" in page
    assert 'name="private_key"' in console.get(at(grant) + "?way=push").content.decode()


def test_settings_are_kept_and_what_is_wrong_is_said_beside_them(console: Client, grant: Grant):
    wrong = console.post(at(grant), FILLED | {"times": "25:00"})
    assert wrong.status_code == 422
    assert "one to eight times of the day" in wrong.content.decode()
    assert 'value="reading-app"' in wrong.content.decode(), "what was filled in is not lost"
    assert not Export.objects.exists()
    assert console.post(at(grant), FILLED | {"times": "03:00"}).status_code == 302
    page = console.get(at(grant)).content.decode()
    assert "One is kept" in page
    assert "correct horse" not in page
    assert "Next package:" in page
    console.post(at(grant, "export/remove"))
    assert not Export.objects.exists()


def test_a_test_is_followed_to_its_end_by_the_page(console: Client, grant: Grant):
    assert (
        "set up its SFTP export first" in console.post(at(grant, "export/test"), follow=True).content.decode()
    )
    console.post(at(grant), FILLED)
    page = console.post(at(grant, "export/test"), follow=True).content.decode()
    [test] = ExportTest.objects.all()
    assert "It waits for a worker" in page
    assert f"export/tests/{test.pk}" in page
    ExportTest.objects.update(phase="running", known=4, done=1)
    now = console.get(at(grant, f"export/tests/{test.pk}")).content.decode()
    assert "It looks for the folder" in now
    assert 'value="1"' in now
    test.refresh_from_db()
    export_tests.walk(test)
    assert console.get(at(grant, f"export/tests/{test.pk}"))["HX-Refresh"] == "true"
    page = console.get(at(grant)).content.decode()
    assert "It works" in page
    assert "its password" in page
    assert "The settings were changed since" not in page
    console.post(at(grant), FILLED | {"login": "another-app"})
    assert "The settings were changed since" in console.get(at(grant)).content.decode()


def test_why_a_server_cannot_be_written_to_is_said_on_the_page(console: Client, grant: Grant):
    pushed = {
        "way": "push",
        "host": "127.0.0.1",
        "port": "1",
        "login": "a",
        "password": "b",
        "host_key": HOST_KEY,
    }
    console.post(at(grant), pushed)
    export_tests.test_here(grant, "Helen")
    page = console.get(at(grant)).content.decode()
    assert "It does not work" in page
    assert "nothing listens there" in page
    assert console.get(at(grant, "export/tests/999999"))["HX-Refresh"] == "true"


def test_a_package_is_made_now_followed_and_downloaded(console: Client, grant: Grant):
    console.post(at(grant), FILLED)
    asked = console.post(at(grant, "deliveries/add"), {"download": "1", "version": "1.2"})
    [made] = Delivery.objects.all()
    assert asked.url.endswith(f"/deliveries/{made.pk}")
    assert "It waits for a worker" in console.get(asked.url).content.decode()
    assert "It waits for a worker" in console.get(f"{asked.url}/progress").content.decode()
    walk(made.pk)
    assert console.get(f"{asked.url}/progress")["HX-Refresh"] == "true"
    page = console.get(asked.url).content.decode()
    assert "Succeeded" in page
    assert "users.csv" in page
    package = b"".join(console.get(f"{asked.url}/package").streaming_content)
    assert "users.csv" in zipfile.ZipFile(io.BytesIO(package)).namelist()
    console.post(at(grant, "deliveries/add"))
    for_the_app = Delivery.objects.latest("pk")
    walk(for_the_app.pk)
    assert console.get(at(grant, f"deliveries/{for_the_app.pk}/package")).status_code == 404, (
        "it is the app's"
    )
    page = console.get(at(grant)).content.decode()
    assert "What waits for the app" in page
    assert "no package to which changes could be added" in page


def test_one_that_waits_can_be_cancelled(console: Client, grant: Grant):
    asked = console.post(at(grant, "deliveries/add"), {"download": "1"})
    console.post(f"{asked.url}/cancel")
    assert "Cancelled" in console.get(asked.url).content.decode()


def test_packages_of_another_district_are_not_there(
    console: Client, grant: Grant, elsewhere: District, administrator: Account
):
    other = Grant.objects.create(district=elsewhere, app=grant.app, permission="full", rule=grant.rule)
    made = Delivery.objects.create(
        district_id=elsewhere.pk, grant_id=other.pk, way="download", version="1.2", mode="bulk"
    )
    assert console.get(f"/districts/{elsewhere.pk}/apps/{other.pk}/export").status_code == 404
    assert console.get(at(grant, f"deliveries/{made.pk}")).status_code == 404
