"""A package is uploaded in the console, and every refusal is said in words. Then the tokens with which a program does the same."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rollbook.flows.connections import add_connection
from rollbook.flows.jobs import work_off
from rollbook.flows.spans import BLACKOUT, add_span, today_of
from rollbook.flows.tokens import tokens_of
from rollbook.store.models import Connection, District, Run
from tests.cast import riverbend_zip
from tests.console.test_dashboard import text_of


@pytest.fixture
def address(district: District) -> str:
    return reverse("upload", kwargs={"tenant": district.pk})


@pytest.fixture
def zipped(tmp_path: Path) -> bytes:
    return riverbend_zip(tmp_path / "riverbend.zip").read_bytes()


def form(body: bytes, **fields: str) -> dict[str, object]:
    return {"package": SimpleUploadedFile("district.zip", body)} | fields


@pytest.mark.django_db(transaction=True)
def test_an_uploaded_package_becomes_a_run(console: Client, address, zipped, settings):
    answer = console.post(address, form(zipped))
    run = Run.objects.get()
    assert answer.url == reverse("import", kwargs={"tenant": run.district_id, "run_id": run.pk})
    work_off()
    run.refresh_from_db()
    assert (run.outcome, run.started_by) == ("success", "brandt@riverbend.example")
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_package_may_only_be_shown(console: Client, address, zipped):
    console.post(address, form(zipped, only_preview="on"))
    work_off()
    assert Run.objects.get().outcome == "previewed"


@pytest.mark.django_db(transaction=True)
def test_in_a_blackout_a_package_is_kept_unless_it_is_asked_for_all_the_same(
    console: Client, address, zipped, district: District
):
    assert "despite the blackout" not in text_of(console.get(address))
    today = today_of(district)
    add_span(district, BLACKOUT, today, today, "Helen")
    assert "Import it despite the blackout" in text_of(console.get(address))
    console.post(address, form(zipped))
    work_off()
    assert Run.objects.latest("pk").outcome == "kept"
    console.post(address, form(zipped, despite="on"))
    work_off()
    assert Run.objects.latest("pk").outcome == "success"


def test_the_page_with_scripts_is_told_where_to_go(console: Client, address, zipped):
    answer = console.post(address, form(zipped), headers={"Accept": "application/json"})
    assert answer.json() == {
        "to": reverse("import", args=[Run.objects.get().district_id, Run.objects.get().pk])
    }


@pytest.mark.parametrize(
    ("body", "words"), [(b"", "No package was sent"), (b"a letter", "This is not a zip file")]
)
def test_what_is_no_package_is_refused_in_words(console: Client, address, body, words):
    answer = console.post(address, form(body))
    assert answer.status_code == 422
    assert words in text_of(answer)
    told = console.post(address, form(body), headers={"Accept": "application/json"})
    assert words in told.json()["wrong"]
    assert not Run.objects.exists()


def test_what_is_too_large_is_refused_with_the_limit(console: Client, address, zipped, settings):
    settings.UPLOAD_LIMIT = 1_000_000
    for body in (b"x" * 1_000_001, b"x" * 1_100_000):
        answer = console.post(address, form(body))
        assert answer.status_code == 413
        assert "at most 1 MB" in text_of(answer)


def test_another_connection_can_be_chosen_and_one_that_is_off_says_so(console, address, zipped, district):
    other = add_connection(district, "upload", "Charter schools", {}, prefix="charter-")
    assert "Charter schools" in text_of(console.get(address))
    console.post(address, form(zipped, connection=str(other.pk)))
    assert Run.objects.get().connection == other
    Connection.objects.filter(pk=other.pk).update(enabled=False)
    answer = console.post(address, form(zipped, connection=str(other.pk)))
    assert answer.status_code == 409
    assert "switched off" in text_of(answer)


def test_no_foreign_page_can_upload(administrator, address, zipped):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert client.post(address, form(zipped)).status_code == 403
    token = client.get(address).context["csrf_token"]
    assert client.post(address, form(zipped, csrfmiddlewaretoken=str(token))).status_code == 302
    assert Run.objects.count() == 1


def test_nothing_of_a_strangers_package_is_read(client: Client, address, zipped, settings):
    answer = client.post(address, form(zipped))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
    assert not (settings.DATA_DIR / "uploads").exists()


def test_a_token_is_shown_once_and_can_be_revoked(console: Client, district: District):
    place = {"tenant": district.pk}
    assert "No tokens yet" in text_of(console.get(reverse("tokens", kwargs=place)))
    refused = console.post(reverse("token-add", kwargs=place), {"name": "Nightly", "days": "9999"})
    assert refused.status_code == 422
    made = console.post(reverse("token-add", kwargs=place), {"name": "Nightly", "days": "30"})
    secret = made.context["secret"]
    assert secret in made.content.decode()
    listed = console.get(reverse("tokens", kwargs=place)).content.decode()
    assert secret not in listed
    assert "Nightly" in listed
    runs = Client().get("/api/v1/runs", headers={"Authorization": f"Bearer {secret}"})
    assert runs.status_code == 200
    [(token, used)] = tokens_of(district)
    assert used is not None
    console.post(reverse("token-revoke", kwargs=place | {"token_id": token.pk}))
    assert Client().get("/api/v1/runs", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
