"""The imports as the console tells them, after real ones."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.package import NotAPackage
from rollbook.flows.ingest import carry_out, decline, prepare
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, District, Run
from tests import cast
from tests.console.test_dashboard import text_of


@pytest.fixture
def connection(district: District) -> Connection:
    return Connection.objects.get(district=district)


def report(district: District, run: Run) -> str:
    return reverse("import", kwargs={"tenant": district.pk, "run_id": run.pk})


def imports(district: District) -> str:
    return reverse("imports", kwargs={"tenant": district.pk})


@pytest.mark.django_db(transaction=True)
def test_an_import_is_told_with_what_it_changed(console: Client, district, connection):
    run = carry_out(prepare(connection, RIVERBEND, "command line"))
    text = text_of(console.get(report(district, run)))
    assert "Succeeded" in text
    assert f"People {cast.COUNTS['users']} added" in text
    assert "command line" in text
    listed = text_of(console.get(imports(district)))
    assert "added, 0 changed, 0 removed" in listed
    dashboard = text_of(console.get(reverse("dashboard", kwargs={"tenant": district.pk})))
    assert "45 Students" in dashboard
    assert f"People {cast.COUNTS['users']} 0 0" in dashboard


@pytest.mark.django_db(transaction=True)
def test_findings_are_listed_with_their_place_and_what_to_do(
    console: Client, district, connection, tmp_path: Path
):
    package = tmp_path / "package"
    package.mkdir()
    for file in RIVERBEND.glob("*.csv"):
        text = file.read_text(encoding="utf-8")
        (package / file.name).write_text(text.replace(",homeroom,", ",playground,", 1), encoding="utf-8")
    run = carry_out(prepare(connection, package, "command line"))
    text = text_of(console.get(report(district, run)))
    assert "classes.csv:2" in text
    assert "playground" in text
    assert "Applied, parts held back" in text


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_was_declined_is_not_called_a_success(console: Client, district, connection):
    run = decline(prepare(connection, RIVERBEND, "command line"))
    text = text_of(console.get(report(district, run)))
    assert "Not applied" in text
    assert "Succeeded" not in text


@pytest.mark.django_db(transaction=True)
def test_what_was_no_package_is_told_as_refused(console: Client, district, connection, tmp_path: Path):
    stray = tmp_path / "letter.zip"
    stray.write_bytes(b"not a zip at all")
    with pytest.raises(NotAPackage):
        prepare(connection, stray, "command line")
    text = text_of(console.get(report(district, Run.objects.get())))
    assert "Refused" in text
    assert "It came to no plan" in text


def test_another_districts_import_is_not_there(console: Client, district, elsewhere):
    run = Run.objects.create(district=elsewhere, flow="ingest")
    assert console.get(report(district, run)).status_code == 404


def test_a_district_without_imports_says_how_to_make_one(console: Client, district):
    assert f"rollbook import {district.pk} package.zip" in text_of(console.get(imports(district)))


def test_older_imports_are_a_page_away(console: Client, district):
    runs = [
        Run.objects.create(district=district, flow="ingest", outcome="success", phase="done")
        for _ in range(30)
    ]
    first = console.get(imports(district)).content.decode()
    assert first.count("Succeeded</span>") == 25
    older = console.get(imports(district), {"before": runs[5].pk}).content.decode()
    assert report(district, runs[0]) in older
    assert report(district, runs[5]) not in older


def test_listing_many_imports_takes_few_queries(console: Client, district, django_assert_max_num_queries):
    for _ in range(30):
        Run.objects.create(district=district, flow="ingest", outcome="success", phase="done")
    with django_assert_max_num_queries(7):  # one asks whether a second step is required
        console.get(imports(district))


def test_an_import_says_by_which_connection_it_came(console: Client, district):
    connection = Connection.objects.create(district=district, kind="sftp_drop", name="Nightly from the SIS")
    run = Run.objects.create(
        district=district, connection=connection, flow="ingest", outcome="success", phase="done"
    )
    assert "Nightly from the SIS" in text_of(console.get(imports(district)))
    assert (
        reverse("connection", args=[district.pk, connection.pk])
        in console.get(report(district, run)).content.decode()
    )
