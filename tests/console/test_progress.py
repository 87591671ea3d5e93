"""An import under way, as the console shows it: the step, the bar, the time that is left, cancelling."""

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.flows import jobs
from rollbook.flows.jobs import steps
from rollbook.flows.jobs.turns import give_turns
from rollbook.flows.progress import close_to_cancelling, note, of
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, District, Progress, Run
from tests.console.test_dashboard import text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(district: District) -> Run:
    """A delivery that waits for a worker."""
    return jobs.enqueue_delivery(Connection.objects.get(district=district), RIVERBEND, "a test")


def path_of(page: str, run: Run) -> str:
    return reverse(page, kwargs={"tenant": run.district_id, "run_id": run.pk})


def test_the_page_and_the_list_show_the_step_and_ask_again(console: Client, run: Run):
    give_turns()
    note(run.pk, "planning", 30, 120)
    page = console.get(path_of("import", run))
    assert "Comparing with the roster" in text_of(page)
    assert "30 of 120 rows in this step" in text_of(page)
    assert f'hx-get="{path_of("import-progress", run)}?step=' in page.content.decode()
    listed = console.get(reverse("imports", kwargs={"tenant": run.district_id}))
    assert "Comparing with the roster" in text_of(listed)


def test_a_stale_preview_offers_to_be_shown_anew(console: Client, district: District):
    connection = Connection.objects.get(district=district)
    shown = jobs.enqueue_delivery(connection, RIVERBEND, "a test", only_preview=True)
    jobs.work_off()
    assert "Preview anew" not in text_of(console.get(path_of("import", shown)))
    District.objects.filter(pk=district.pk).update(generation=99)
    assert "Preview anew" in text_of(console.get(path_of("import", shown)))
    console.post(path_of("import-anew", shown))
    anew = Run.objects.latest("pk")
    assert (anew.snapshot_id, anew.task["preview"]) == (Run.objects.get(pk=shown.pk).snapshot_id, True)


def test_a_step_is_said_aloud_once(console: Client, run: Run):
    give_turns()
    note(run.pk, "planning", 30, 120)
    answer = console.get(path_of("import-progress", run), {"step": "Reading the package"})
    assert 'role="status"' in answer.content.decode()
    answer = console.get(path_of("import-progress", run), {"step": "Comparing with the roster"})
    assert 'role="status"' not in answer.content.decode()


def test_once_it_has_ended_the_page_is_loaded_anew(console: Client, run: Run):
    jobs.work_off()
    assert console.get(path_of("import-progress", run))["HX-Refresh"] == "true"
    assert "Under way" not in text_of(console.get(path_of("import", run)))


def test_what_waits_says_how_many_come_first(console: Client, run: Run, district: District):
    second = jobs.enqueue_delivery(Connection.objects.get(district=district), RIVERBEND, "a test")
    give_turns()
    assert "1 other import of this district comes first" in text_of(console.get(path_of("import", second)))


def test_the_time_left_is_told_by_how_long_the_last_one_took(console: Client, run: Run, district: District):
    jobs.work_off()
    of(run.pk).update(durations={"reading": 60, "planning": 120, "applying": 200, "publishing": 100})
    second = jobs.enqueue_delivery(Connection.objects.get(district=district), RIVERBEND, "a test")
    give_turns()
    note(second.pk, "applying")
    Progress.objects.filter(pk=second.pk).update(durations={"reading": 60, "planning": 120})
    text = text_of(console.get(path_of("import", second)))
    assert "About 5 minutes left" in text
    assert "37 %" in text or "38 %" in text


def test_an_import_is_cancelled_by_a_button(console: Client, run: Run):
    text = text_of(console.post(path_of("import-cancel", run), follow=True))
    assert "The import is cancelled." in text
    assert Run.objects.get(pk=run.pk).outcome == "cancelled"
    assert "come to its end" in text_of(console.post(path_of("import-cancel", run), follow=True))


def test_once_the_roster_is_changed_there_is_no_button_and_it_says_that_it_is_too_late(
    console: Client, run: Run
):
    give_turns()
    assert steps.plan(run.pk)
    close_to_cancelling(run)
    page = console.get(path_of("import", run))
    assert "Cancel this import" not in text_of(page)
    assert "too late to cancel" in text_of(console.post(path_of("import-cancel", run), follow=True))


def test_another_districts_run_is_not_there(console: Client, run: Run, elsewhere: District):
    Run.objects.filter(pk=run.pk).update(district=elsewhere)
    assert console.get(path_of("import-progress", run)).status_code == 404
    assert console.post(path_of("import-cancel", run)).status_code == 404
