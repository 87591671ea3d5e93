"""From the report of an import down to the line of the file: by collection, by school, change by change; shown plans and ways back."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.console.plans import shown_line
from rollbook.engine.lines import DeliveredLine
from rollbook.flows.connections import add_connection
from rollbook.flows.districts import add_district
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import work_off
from rollbook.flows.previews import preview
from rollbook.flows.snapshots import remove_snapshot
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run, User
from rollbook.store.plans import Narrow, find_changes
from tests import cast
from tests.connectors.provider import STATIC, Provider, serving
from tests.console.test_dashboard import text_of
from tests.kept import kept

pytestmark = pytest.mark.django_db
LATER = {
    "users": {cast.AMARA: {"middleName": "Ngozi"}, cast.KOFI: {"email": "not an address"}},
    "demographics": {cast.AMARA: {"sex": "unspecified"}},
}


def bring(district: District, package: Path) -> Run:
    return carry_out(prepare(Connection.objects.get(district=district), package, "a test"))


def one_night(folder: Path) -> District:
    district = add_district("Riverbend Unified School District", "America/Chicago")
    bring(district, cast.riverbend(folder / "first"))
    return district


def two_nights(folder: Path) -> District:
    """The night after: two people, one enrollment and one student's demographics."""
    district = one_night(folder)
    edits = {**LATER, "enrollments": {"enrollment-new": new_enrollment()}}
    bring(district, cast.riverbend(folder / "next", edits))
    return district


after_one = kept(one_night)
after_two = kept(two_nights)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Empty, unless the test is about its `first` run or the `run` of the night after."""
    for wanted, state in (("run", "after_two"), ("first", "after_one")):
        if wanted in request.fixturenames:
            return request.getfixturevalue(state)
    return add_district("Riverbend Unified School District", "America/Chicago")


@pytest.fixture
def first(district: District) -> Run:
    return Run.objects.filter(district=district).earliest("pk")


@pytest.fixture
def run(district: District) -> Run:
    """The night after."""
    return Run.objects.filter(district=district).latest("pk")


def new_enrollment() -> dict[str, str]:
    row = next(iter(cast.demo.rows("1.2")["enrollments"]))
    return {**row, "userSourcedId": cast.NOAH, "sourcedId": "enrollment-new"}


def path_of(page: str, run: Run, **rest: int) -> str:
    return reverse(page, kwargs={"tenant": run.district_id, "run_id": run.pk, **rest})


def number_of(run: Run, **narrow: str) -> int:
    [change] = find_changes(shelf.place(run.plan.shelf_name), Narrow(**narrow))
    return change.number


def test_every_figure_of_the_report_leads_to_what_it_counts(console: Client, run: Run):
    page = console.get(path_of("import", run)).content.decode()
    links = re.findall(
        r'<a class="figure" href="([^"]+)">.*?<span class="number">([\d,]+)</span> (\w+)', page, re.DOTALL
    )
    told = [(link.replace("&amp;", "&"), int(number), word) for link, number, word in links]
    assert {word for _, _, word in told} >= {"added", "changed"}
    for link, number, word in told:
        if word in ("added", "changed", "removed"):
            shown = console.get(link).content.decode()
            assert shown.count('data-label="Record"') == number, link


def test_a_change_is_followed_to_its_line(console: Client, run: Run):
    number = number_of(run, collection="users", search=cast.AMARA)
    text = text_of(console.get(path_of("import-change", run, number=number)))
    assert "Middle name" in text
    assert "Ngozi" in text
    line = re.search(r"Line (\d+) of users.csv, as it was delivered", text)
    assert line
    assert "givenName Amara" in text
    alone = text_of(console.get(path_of("import-line", run), {"file": "users.csv", "line": line[1]}))
    assert "givenName Amara" in alone


def test_demographics_stay_hidden_on_the_way_down(console: Client, run: Run):
    number = number_of(run, collection="demographics")
    page = console.get(path_of("import-change", run, number=number)).content.decode()
    assert "•••" in page
    assert "unspecified" not in page
    assert cast.AMARA in page


def test_a_plan_is_counted_by_school_and_narrowed_to_one(console: Client, run: Run):
    text = text_of(console.get(path_of("import-schools", run)))
    assert re.search(r"Riverbend High School org-high Changes.* 1 changed", text) or "Riverbend High" in text
    listed = console.get(
        path_of("import-changes", run), {"school": cast.RIVERBEND_HIGH, "collection": "users"}
    )
    assert cast.AMARA in text_of(listed)
    assert cast.KOFI not in text_of(listed)
    nobody = text_of(console.get(path_of("import-changes", run), {"school": "-"}))
    assert "No change like this" in nobody
    csv_rows = b"".join(
        console.get(path_of("import-changes-csv", run), {"school": cast.RIVERBEND_HIGH}).streaming_content
    )
    assert cast.KOFI.encode() not in csv_rows


def test_no_line_is_shown_that_is_not_of_the_delivery(console: Client, first: Run):
    for asked in ({"file": "../secret.key", "line": "1"}, {"file": "users.csv", "line": "99999"}, {}):
        assert console.get(path_of("import-line", first), asked).status_code == 404


def test_a_change_outlives_its_package(console: Client, first: Run, run: Run):
    remove_snapshot(first.snapshot, "a test")
    number = number_of(first, collection="users", search=cast.LI_WU)
    text = text_of(console.get(path_of("import-change", first, number=number)))
    assert "in a package that is no longer kept" in text
    shelf.delete(shelf.run_folder(first))
    text = text_of(console.get(path_of("import", first)))
    assert "the changes themselves are no longer kept" in text
    assert "66 added" in text


@pytest.mark.django_db(transaction=True)
def test_a_shown_plan_is_applied_by_a_button(console: Client, district, first, tmp_path):
    package = cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}})
    shown = preview(prepare(first.connection, package, "a test"))
    assert "This plan is only shown" in text_of(console.get(path_of("import", shown)))
    assert "being applied" in text_of(console.post(path_of("import-apply", shown), follow=True))
    work_off()
    assert User.objects.get(district=district, source_id=cast.AMARA).middle_name == "Ngozi"
    assert "This import is no preview" in text_of(console.post(path_of("import-apply", shown), follow=True))


def test_a_stale_plan_says_so_and_has_no_button(console: Client, district, first, tmp_path):
    package = cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}})
    shown = preview(prepare(first.connection, package, "a test"))
    between = bring(district, cast.riverbend(tmp_path / "x", {"users": {cast.KOFI: {"middleName": "Yaw"}}}))
    text = text_of(console.get(path_of("import", shown)))
    assert f"run {between.pk} was applied after it was made" in text
    assert "Apply this plan" not in text


@pytest.mark.django_db(transaction=True)
def test_the_way_back_is_shown_before_it_is_gone(console: Client, district, first, run):
    assert "Go back" in text_of(console.get(path_of("import", first)))
    shown = console.post(path_of("import-back", first), {"to": "after"}, follow=True)
    assert "The way back is planned" in text_of(shown)
    work_off()
    back = Run.objects.latest("pk")
    assert "This plan is only shown" in text_of(console.get(path_of("import", back)))
    assert User.objects.get(district=district, source_id=cast.AMARA).middle_name == "Ngozi", "not yet"
    console.post(path_of("import-apply", back))
    work_off()
    assert User.objects.get(district=district, source_id=cast.AMARA).middle_name != "Ngozi"
    assert console.post(path_of("import-back", first), {"to": "nowhere"}).status_code == 404


def test_another_districts_changes_are_not_there(console: Client, run: Run, elsewhere):
    Run.objects.filter(pk=run.pk).update(district=elsewhere)
    for page in ("import-changes", "import-schools", "import-line", "import-changes-csv"):
        assert console.get(path_of(page, run)).status_code == 404
    assert console.get(path_of("import-change", run, number=1)).status_code == 404
    for page in ("import-apply", "import-back"):
        assert console.post(path_of(page, run), {"to": "before"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_asked_and_only_shown(console: Client, district):
    with serving(Provider("1.2")) as provider:
        filled = {"url": provider.settings["url"], "sign_in": "bearer", "token": STATIC, "insecure": "yes"}
        connection = add_connection(district, "oneroster_rest", "SIS", filled)
        path = reverse("connection-run", kwargs={"tenant": district.pk, "connection_id": connection.pk})
        console.post(path, {"preview": "1"})
        work_off()
    run = connection.runs.get()
    assert (run.outcome, run.plan.counts["orgs"]) == ("previewed", {"create": 4})
    assert not User.objects.filter(district=district).exists()


@pytest.mark.parametrize(
    ("file", "fields", "fits", "shown"),
    [
        ("users.csv", [("sourcedId", "u1"), ("password ", "TOPSECRET")], True, ["u1", "•••"]),
        ("users.csv", [("sourcedId", "u1"), ("Password", "TOPSECRET")], True, ["u1", "•••"]),
        (
            "users.csv",
            [("sourcedId", "u1"), ("name", "Cher"), ("password", " PhD"), ("", "TOPSECRET")],
            False,
            ["u1", "•••", "•••", "•••"],
        ),
        (
            "users.csv",
            [("name", "u1"), ("sourcedId", "TOPSECRET"), ("password", "")],
            False,
            ["•••", "•••", ""],
        ),
        ("orgs.csv", [("sourcedId", "o1"), ("name", "North"), ("", "x")], False, ["o1", "North", "x"]),
        ("demographics.csv", [("birthDate", "2012-05-01"), ("sourcedId", "u1")], True, ["•••", "u1"]),
        ("demographics.csv", [("sex", "x"), ("sourcedId", "2012-05-01"), ("", "u1")], False, ["•••"] * 3),
    ],
)
def test_a_password_is_never_shown_whatever_its_column_is_called_or_the_line_looks_like(
    file, fields, fits, shown
):
    line = DeliveredLine(file, 2, tuple(fields), fits)
    assert [value for _, value in shown_line(line).fields] == shown
