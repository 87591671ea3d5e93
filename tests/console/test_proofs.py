"""The certificate of completeness in an import's report, after real pulls from a server that has its moods."""

import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import enqueue_fetch, work_off
from rollbook.store.models import Connection, District
from tests.connectors.provider import STATIC, Provider, Reply, at, serving
from tests.console.test_dashboard import text_of


def report(console: Client, district: District, provider: Provider) -> str:
    """What the page says of an import from this provider."""
    connection = Connection.objects.create(
        district=district,
        kind="oneroster_rest",
        name="SIS",
        settings=provider.settings,
        secrets=json.dumps({"token": STATIC}),
    )
    run = enqueue_fetch(connection, "a test")
    work_off()
    return text_of(console.get(reverse("import", kwargs={"tenant": district.pk, "run_id": run.pk})))


@pytest.mark.django_db(transaction=True)
def test_what_was_proved_is_shown_with_its_figures(console: Client, district: District):
    with serving(Provider()) as provider:
        text = report(console, district, provider)
    assert "Succeeded" in text
    assert f"Read from OneRoster 1.1 at {provider.settings['url']}" in text
    assert "Enrollments Proved 165 165" in text
    assert "Not proved" not in text


@pytest.mark.django_db(transaction=True)
def test_what_was_not_proved_says_why(console: Client, district: District):
    fault = at("enrollments", 2, then=lambda reply: Reply(200, {}))
    with serving(Provider(spoil=fault)) as provider:
        text = report(console, district, provider)
    assert "Applied, not proved complete" in text
    assert "Enrollments Not proved 20 165 1 the answer is no page of records: it has no" in text
    assert "People Proved 66 66" in text


@pytest.mark.django_db(transaction=True)
def test_resources_that_a_provider_does_not_share_are_no_fault(console: Client, district: District):
    with serving(Provider(missing={"resources": 403})) as provider:
        text = report(console, district, provider)
    assert "Succeeded" in text
    assert "Resources Not shared 0 not said 0 This provider does not share resources" in text


@pytest.mark.django_db(transaction=True)
def test_a_package_that_was_handed_in_has_no_certificate(console: Client, district: District, tmp_path: Path):
    with serving(Provider()) as provider:
        package = provider.pulled(tmp_path).path
    connection = Connection.objects.get(district=district, kind="upload")
    run = carry_out(prepare(connection, package, "a test"))
    page = console.get(reverse("import", kwargs={"tenant": district.pk, "run_id": run.pk}))
    assert "Completeness" not in text_of(page)
