"""Held plans in the console: what is said about them, looking at every change, deciding; and the limits."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows.districts import add_district
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import work_off
from rollbook.flows.limits import limits_of
from rollbook.flows.undo import prepare_undo
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, District, Hold, Run
from tests.console.test_dashboard import text_of
from tests.flows.rekeyed import rekey
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


def bring(district: District, package: Path) -> Run:
    return carry_out(prepare(Connection.objects.get(district=district), package, "a test"))


def cut_short(folder: Path) -> Run:
    """Riverbend is served; a delivery with ten enrollments, and without birth dates, is held."""
    district = add_district("Riverbend Unified School District", "America/Chicago")
    bring(district, RIVERBEND)
    short = folder / "short"
    shutil.copytree(RIVERBEND, short)
    for file, keep in (("enrollments.csv", 10), ("demographics.csv", 5)):
        lines = (short / file).read_text(encoding="utf-8").splitlines(keepends=True)
        (short / file).write_text("".join(lines[: keep + 1]), encoding="utf-8")
    run = bring(district, short)
    assert run.outcome == "held"
    return run


held = kept(cut_short)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """An empty one, unless the test is about what is held."""
    if "held" in request.fixturenames:
        return request.getfixturevalue("held").district
    return add_district("Riverbend Unified School District", "America/Chicago")


def path_of(page: str, run: Run) -> str:
    return reverse(page, kwargs={"tenant": run.district_id, "run_id": run.pk})


def decide(console: Client, run: Run, decision: str, why: str = "the office said so"):
    return console.post(path_of("import-decide", run), {"decision": decision, "why": why}, follow=True)


def test_the_dashboard_and_the_list_say_that_an_import_waits(console: Client, held: Run):
    dashboard = text_of(console.get(reverse("dashboard", kwargs={"tenant": held.district_id})))
    assert f"Look at import {held.pk} and decide" in dashboard
    listed = text_of(console.get(reverse("imports", kwargs={"tenant": held.district_id})))
    assert "Held, waits for you" in listed


def test_the_page_says_why_and_what_would_change(console: Client, held: Run):
    text = text_of(console.get(path_of("import", held)))
    assert "enrollments would be removed: the limit is 10 %." in text
    assert "missing from the file" in text
    removed = held.plan.counts["enrollments"]["delete"]
    assert f"Enrollments {removed + 10} 0 0 {removed} 0 10" in text


def test_every_change_is_found_field_by_field_and_downloaded(console: Client, held: Run):
    listed = path_of("import-changes", held)
    everything = text_of(console.get(listed))
    assert "Next" in everything
    found = text_of(
        console.get(listed, {"collection": "enrollments", "action": "delete", "search": "STUDENT-001"})
    )
    assert "student-001" in found
    assert "student-002" not in found
    assert "No change like this" in text_of(console.get(listed, {"search": "zzzz"}))
    answer = console.get(path_of("import-changes-csv", held), {"collection": "enrollments"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert {row["collection"] for row in rows} == {"enrollments"}
    assert len({row["sourcedId"] for row in rows}) == held.plan.counts["enrollments"]["delete"]
    assert {row["field"] for row in rows} >= {"classSourcedId", "userSourcedId", "role"}


def test_demographics_are_named_and_not_told(console: Client, held: Run):
    listed = console.get(path_of("import-changes", held), {"collection": "demographics"}).content.decode()
    assert "Date of birth" in listed
    assert "•••" in listed
    assert "2009-" not in listed
    answer = console.get(path_of("import-changes-csv", held), {"collection": "demographics"})
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert {row["before"] for row in rows} == {"•••"}


def test_a_decision_is_kept_with_who_when_and_why(console: Client, held: Run, administrator):
    assert "The plan is being applied." in text_of(decide(console, held, "apply"))
    work_off()
    text = text_of(console.get(path_of("import", held)))
    assert f"Applied once · {administrator.email}" in text
    assert "“the office said so”" in text
    again = text_of(decide(console, held, "reject"))
    assert "Somebody has decided about this plan already" in again


def test_without_a_reason_nothing_is_decided(console: Client, held: Run):
    assert "Say why" in text_of(decide(console, held, "apply", " "))
    assert Hold.objects.get(run=held).decision == ""


def test_rejecting_leaves_what_is_served(console: Client, held: Run):
    assert "What is served stays" in text_of(decide(console, held, "reject"))
    assert Run.objects.get(pk=held.pk).outcome == "rejected"


def test_a_rekeyed_delivery_is_relinked_in_two_looks(console: Client, district, tmp_path):
    bring(district, RIVERBEND)
    run = bring(district, rekey(RIVERBEND, tmp_path / "rekeyed"))
    assert "Re-link plans the delivery anew" in text_of(console.get(path_of("import", run)))
    assert "The delivery is planned anew." in text_of(decide(console, run, "relink"))
    work_off()
    again = Run.objects.latest("pk")
    assert "were re-linked to new sourcedIds" in text_of(console.get(path_of("import", again)))
    decide(console, again, "apply")
    work_off()
    assert Run.objects.latest("pk").outcome == "success"


def test_a_plan_that_another_import_made_stale_offers_to_be_planned_anew(
    console: Client, held: Run, district
):
    District.objects.filter(pk=district.pk).update(generation=99)
    page = console.get(path_of("import", held)).content.decode()
    assert "This plan is stale" in page
    assert 'value="apply"' not in page
    assert 'value="reject"' in page
    answer = console.post(path_of("import-anew", held), follow=True)
    assert "It is planned anew" in text_of(answer)
    anew = Run.objects.latest("pk")
    assert (anew.snapshot, anew.task["preview"]) == (held.snapshot, False)
    refused = console.post(path_of("import-anew", Run.objects.earliest("pk")), follow=True)
    assert "Only a plan that waits" in text_of(refused)


def test_a_held_way_back_says_that_it_is_one_and_what_to_decide(console: Client, held: Run, district):
    first = Run.objects.earliest("pk")
    back = carry_out(prepare_undo(first, "Helen"))
    assert back.outcome == "held"
    page = text_of(console.get(path_of("import", back)))
    assert f"it takes back import {first.pk}" in page
    assert "apply it once" in page


def test_another_districts_hold_is_not_there(console: Client, held: Run, elsewhere):
    theirs = reverse("import-decide", kwargs={"tenant": elsewhere.pk, "run_id": held.pk})
    assert console.post(theirs, {"decision": "apply", "why": "x"}).status_code == 404
    Run.objects.filter(pk=held.pk).update(district=elsewhere)
    assert decide(console, held, "apply").status_code == 404


# --- Limits ---------------------------------------------------------------------------------------------------------------------------------


def limits_path(district: District) -> str:
    return reverse("limits-of", kwargs={"tenant": district.pk, "collection": "users"})


def test_limits_are_set_and_put_back(console: Client, district):
    given = {"delete_percent": "5", "delete_number": "40", "floor": "0", "to_zero": "on"}
    assert "The limits are set" in text_of(console.post(limits_path(district), given, follow=True))
    own = limits_of(district)["users"]
    assert (own.delete_percent, own.delete_number, own.create_percent, own.floor) == (5, 40, None, 0)
    assert own.to_zero
    console.post(limits_path(district), {"reset": "1"})
    assert limits_of(district)["users"].create_percent == 25


@pytest.mark.parametrize("wrong", ["0", "101", "-3", "five", "9" * 30])
def test_a_limit_that_is_none_is_refused_in_words(console: Client, district, wrong):
    answer = console.post(limits_path(district), {"delete_percent": wrong, "floor": "20"})
    assert answer.status_code == 422
    assert "A limit is a whole number" in text_of(answer)
    assert limits_of(district)["users"].delete_percent == 10
