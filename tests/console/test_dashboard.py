"""The dashboard: the Tenant ID, figures that are those of the roster, the last import, who read lately, and where to begin."""

import re
import time

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows import apps
from rollbook.store.models import AccessRow, District, Plan, Run, User
from tests import cast


def dashboard(district: District) -> str:
    return reverse("dashboard", kwargs={"tenant": district.pk})


def text_of(page) -> str:
    """What the page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def access(grant, collection: str, status: int, records: int, seconds_ago: int) -> AccessRow:
    return AccessRow.objects.create(
        district_id=grant.district_id, grant_id=grant.pk, grant_version=1, credential_id=1, publication=1, version="1.1",
        at=int((time.time() - seconds_ago) * 1000), collection=collection, status=status, records=records,
    )  # fmt: skip


@pytest.fixture
def grant(district: District):
    return apps.grant_app(district, apps.add_app("Reading Garden"), "full", [])


def test_it_shows_the_tenant_id_with_a_button_that_copies_it(ids, console: Client, district):
    page = console.get(dashboard(district)).content.decode()
    assert f'<dd id="tenant-id">{district.pk}</dd>' in page
    assert f'data-copy="{district.pk}"' in page


def test_the_figures_are_those_of_the_roster(ids, console: Client, district):
    text = text_of(console.get(dashboard(district)))
    for figure in ("45 Students", "8 Teachers", "3 Schools", "19 Classes"):
        assert figure in text
    for figure in ("People 66", "Enrollments 165", "Courses 16", "Academic sessions 15", "Demographics 45"):
        assert figure in text


def test_a_deleted_record_is_counted_no_more(ids, console: Client, district):
    User.objects.filter(district=district, sourced_id=cast.NOAH).update(status="tobedeleted")
    assert "People 65" in text_of(console.get(dashboard(district)))


def test_every_figure_leads_to_the_records_it_counts(ids, console: Client, district):
    page = console.get(dashboard(district)).content.decode()
    for number, url in re.findall(r'class="tile" href="([^"]+)".*?<b>(\d+)</b>', page, re.S):
        found = re.search(r"of (\d+)", console.get(number).content.decode())
        assert found[1] == url


def test_an_empty_district_says_what_to_do_first(console: Client, district):
    text = text_of(console.get(dashboard(district)))
    assert "What to do first" in text
    assert f"rollbook import {district.pk} package.zip" in text
    assert "Nothing was imported yet" in text


def test_the_last_import_is_told_in_words(ids, console: Client, district):
    Run.objects.create(district=district, flow="ingest", phase="done", outcome="failed")
    run = Run.objects.create(
        district=district,
        flow="ingest",
        phase="done",
        outcome="success",
        findings={"warning": 3, "note": 1, "error": 0},
    )
    counts = {
        "users": {"create": 66, "update": 2, "delete": 0},
        "enrollments": {"delete": 3},
        "orgs": {"create": 0},
    }
    Plan.objects.create(district=district, run=run, shelf_name="p", fingerprint="f", basis="b", counts=counts)
    text = text_of(console.get(dashboard(district)))
    assert "Succeeded" in text
    assert "3 warnings" in text
    assert "1 note " in text
    assert "People 66 2 0" in text
    assert "Enrollments 0 0 3" in text
    assert "Organizations 4" in text, "only among the figures: nothing of them changed"
    assert "Organizations 0" not in text


def test_an_import_with_records_held_back_is_no_plain_success(ids, console: Client, district):
    Run.objects.create(
        district=district, flow="ingest", phase="done", outcome="success", findings={"error": 2}
    )
    text = text_of(console.get(dashboard(district)))
    assert "Applied, parts held back" in text
    assert "2 errors" in text


def test_recent_access_says_who_took_what_and_how_it_went(ids, console: Client, district, grant):
    access(grant, "users", 200, 66, seconds_ago=60)
    access(grant, "demographics", 403, 0, seconds_ago=30)
    text = text_of(console.get(dashboard(district)))
    assert re.search(r"Reading Garden .{10,40} Demographics 0 Refused: not allowed", text)
    assert re.search(r"Reading Garden .{10,40} People 66 Delivered", text)
    assert text.index("Demographics 0 Refused") < text.index("People 66 Delivered")


def test_the_access_of_another_district_is_not_shown(ids, console: Client, district, elsewhere):
    access(apps.grant_app(elsewhere, apps.add_app("Other"), "full", []), "users", 200, 1, seconds_ago=60)
    assert "No app has read the roster yet" in text_of(console.get(dashboard(district)))


def test_times_are_told_in_the_districts_zone(ids, console: Client, district, grant):
    row = access(grant, "users", 200, 1, seconds_ago=0)
    AccessRow.objects.filter(pk=row.pk).update(at=1_770_000_000_000)
    assert "2026-02-01T20:40:00-06:00" in console.get(dashboard(district)).content.decode()


def test_it_takes_a_fixed_number_of_queries(
    ids, console: Client, district, grant, django_assert_max_num_queries
):
    for second in range(5):
        access(grant, "users", 200, 1, seconds_ago=second)
    console.get(dashboard(district))
    with django_assert_max_num_queries(14):  # one asks whether a second step is required
        console.get(dashboard(district))


def test_the_settings_give_the_addresses_an_app_needs(console: Client, district):
    text = text_of(console.get(reverse("settings", kwargs={"tenant": district.pk})))
    for path in ("/ims/oneroster/v1p1", "/ims/oneroster/rostering/v1p2", "/oauth2/token"):
        assert f"http://testserver{path}" in text
