"""Preparation in the console: steps are added, moved, tried, shown as a plan, and saved with who and why."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.preparation.steps import steps_of
from rollbook.flows.jobs import work_off
from rollbook.flows.preparation import draft_of, draft_steps, drafted_steps, mark_of, steps_for, versions_of
from rollbook.store.models import Connection, District, Run
from tests.console.test_dashboard import text_of
from tests.delivered import deliver
from tests.engine.packages import orgs, write_package

UPPER = {"do": "upper", "file": "orgs", "field": "name"}
MAP = {
    "do": "map",
    "file": "orgs",
    "field": "identifier",
    "words": "a = 1\n b=2 \n\nc = ",
    "case": "any",
    "others": "keep",
}


@pytest.fixture
def connection(district: District) -> Connection:
    return Connection.objects.get(district=district)


@pytest.fixture
def delivered(district: District, tmp_path: Path) -> Run:
    return deliver(district, write_package(tmp_path / "package", {"orgs": orgs("o1", "o2")}))


def path_of(page: str, connection: Connection, **more) -> str:
    return reverse(page, kwargs={"tenant": connection.district_id, "connection_id": connection.pk, **more})


def post(console: Client, page: str, connection: Connection, filled: dict, **more):
    seen = {"seen": mark_of(drafted_steps(connection))}
    return console.post(path_of(page, connection, **more), seen | filled, follow=True)


def drafted(connection: Connection) -> list[str]:
    return [step.kind for step in drafted_steps(connection)]


def test_steps_are_added_changed_moved_and_removed(console: Client, connection: Connection):
    assert "No steps: deliveries are taken as they come" in text_of(
        console.get(path_of("preparation", connection))
    )
    page = console.get(path_of("preparation-add", connection), {"do": "map", "file": "orgs"}).content.decode()
    assert '<option value="">Choose</option>' in page
    assert "selected" not in page
    page = text_of(post(console, "preparation-add", connection, MAP))
    assert "a → 1, b → 2, c → (empty)" in page
    assert "These steps are not saved yet" in page
    where = {"where-field": "type", "where-test": "equals", "where-value": "school", "where-case": "exact"}
    assert "type is “school”, case counts" in text_of(
        post(console, "preparation-add", connection, UPPER | where)
    )
    assert drafted(connection) == ["map", "upper"]
    post(console, "preparation-move", connection, {"how": "up"}, number=2)
    assert drafted(connection) == ["upper", "map"]
    assert "every row" in text_of(post(console, "preparation-step", connection, UPPER, number=1))
    post(console, "preparation-move", connection, {"how": "remove"}, number=1)
    assert drafted(connection) == ["map"]
    post(console, "preparation-move", connection, {"how": "remove"}, number=1)
    assert draft_of(connection) is None
    for page in ("preparation-step", "preparation-move"):
        assert post(console, page, connection, {"how": "down"}, number=1).status_code == 404


@pytest.mark.parametrize(
    ("filled", "words"),
    [
        (UPPER | {"field": "nmae"}, "orgs.csv has no column &#x27;nmae&#x27;"),
        (
            UPPER | {"where-field": "type", "where-test": "equals", "where-value": "x"},
            "<code>case</code> is missing",
        ),
        (MAP | {"words": "a: 1"}, "Write one pair a line, with = between: a: 1"),
        (MAP | {"words": "a = 1\na = 2"}, "a stands twice in the table"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    console: Client, connection: Connection, filled, words: str
):
    answer = post(console, "preparation-add", connection, filled)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert filled["field"] in page
    assert draft_of(connection) is None


def test_a_page_that_is_out_of_date_changes_nothing(console: Client, connection: Connection):
    filled = UPPER | {"seen": mark_of(())}
    post(console, "preparation-add", connection, UPPER)
    answer = console.post(path_of("preparation-add", connection), filled, follow=True)
    assert "Somebody else has changed these steps meanwhile" in text_of(answer)
    assert drafted(connection) == ["upper"]


@pytest.mark.django_db(transaction=True)
def test_rows_are_shown_before_and_after(console: Client, connection: Connection, delivered: Run):
    draft_steps(connection, steps(), "a test")
    asked = console.post(path_of("preparation-try", connection))
    assert "Under way" in text_of(console.get(asked.url))
    work_off()
    answer = console.get(asked.url, follow=True)
    page = text_of(answer)
    assert "2 of 2 records change" in page
    assert "orgs.csv:2" in page
    assert "Org o1 → ORG O1" in page
    draft_steps(connection, [], "a test")
    assert "The steps were changed since" in text_of(console.get(answer.redirect_chain[-1][0]))


def steps():
    return steps_of([UPPER])


@pytest.mark.django_db(transaction=True)
def test_a_change_is_shown_as_a_plan_saved_and_applied(
    console: Client, connection: Connection, delivered: Run
):
    draft_steps(connection, steps(), "a test")
    page = text_of(post(console, "preparation-decide", connection, {"decision": "show"}))
    assert "being planned anew" in page
    assert "Save and apply now" not in page
    work_off()
    page = text_of(console.get(path_of("preparation", connection)))
    assert "What they would change, with the last delivery" in page
    assert "Save and apply now" in page
    assert "Say why" in text_of(post(console, "preparation-decide", connection, {"decision": "apply"}))
    assert not versions_of(connection).exists()
    shown = draft_of(connection).preview
    assert "not those that hold" in text_of(
        console.get(reverse("import", kwargs={"tenant": connection.district_id, "run_id": shown.pk}))
    )
    post(console, "preparation-decide", connection, {"decision": "apply", "why": "capitals"})
    work_off()
    shown.refresh_from_db()
    assert shown.outcome == "success"
    page = text_of(console.get(path_of("preparation", connection)))
    assert "capitals" in page
    assert "brandt@riverbend.example" in page
    report = reverse("import", kwargs={"tenant": connection.district_id, "run_id": shown.pk})
    assert "version 1 of the steps" in text_of(console.get(report))


def test_steps_are_saved_for_the_next_import_dropped_and_brought_back(
    console: Client, connection: Connection
):
    draft_steps(connection, steps(), "a test")
    assert "hold from the next import on" in text_of(
        post(console, "preparation-decide", connection, {"decision": "next", "why": "capitals"})
    )
    assert steps_for(connection) == steps()
    draft_steps(connection, (), "a test")
    assert "dropped" in text_of(post(console, "preparation-decide", connection, {"decision": "drop"}))
    draft_steps(connection, (), "a test")
    post(console, "preparation-decide", connection, {"decision": "next", "why": "no more"})
    assert steps_for(connection) == ()
    post(console, "preparation-back", connection, {}, number=1)
    assert drafted_steps(connection) == steps()
