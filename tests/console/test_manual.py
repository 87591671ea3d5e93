"""Manual records in the console: typed, looked at, confirmed; told beside the field what is wrong; and who owns what."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows.manual import acts
from rollbook.store.models import District, Enrollment, Run, User
from tests.cast import AMARA, ART, MS_TANAKA, RIVERBEND_HIGH, RIVERBEND_MIDDLE

pytestmark = pytest.mark.django_db

ADA = {
    "sourcedId": "ada",
    "givenName": "Ada",
    "familyName": "Reyes",
    "username": "areyes",
    "enabledUser": "true",
    "role-0-role": "siteAdministrator",
    "role-0-orgSourcedId": RIVERBEND_HIGH,
}


@pytest.fixture
def imported(ids, district: District) -> District:
    """Riverbend is in the roster, and owned by the connection for uploads."""
    return district


def path(district: District, name: str, **rest) -> str:
    return reverse(name, kwargs={"tenant": district.pk, **rest})


def text_of(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def add_path(district: District, collection: str = "users") -> str:
    return path(district, "manual-add", collection=collection)


def seen_in(answer) -> str:
    return re.search(r'name="seen" value="([0-9a-f]{64})"', answer.content.decode()).group(1)


def carried_by(answer) -> dict[str, list[str]]:
    """What the page that shows the plan sends on with the confirmation."""
    typed: dict[str, list[str]] = {}
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.content.decode()
    ):
        typed.setdefault(unescape(name), []).append(unescape(value))
    typed.pop("csrfmiddlewaretoken", None)
    return typed


def add_ada(console: Client, district: District):
    shown = console.post(add_path(district), {**ADA, "step": "show"})
    return console.post(add_path(district), {**carried_by(shown), "step": "do"}, follow=True)


def test_a_person_is_typed_looked_at_and_added(console: Client, imported):
    shown = console.post(add_path(imported), {**ADA, "step": "show"})
    told = text_of(shown)
    assert "People: Added" in told
    assert "Riverbend High School (org-high)" in told
    assert not User.objects.filter(district=imported, sourced_id="ada").exists()
    done = console.post(add_path(imported), {**carried_by(shown), "step": "do"}, follow=True)
    assert "The record was added" in text_of(done)
    assert "kept by hand" in text_of(done)
    assert "brandt@riverbend.example" in text_of(done)
    assert Run.objects.get(district=imported, flow="manual").outcome == "success"


def test_where_there_is_no_organization_yet_the_form_says_where_they_come_from(console: Client, district):
    assert "They come with a first import." in text_of(console.get(add_path(district)))


def test_what_is_missing_is_said_beside_the_field_and_what_was_typed_stays(console: Client, imported):
    answer = console.post(
        add_path(imported), {**ADA, "familyName": "", "role-0-orgSourcedId": "", "step": "show"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert re.search(r'id="e-familyName"><div>This is needed', page)
    assert re.search(r'id="e-role-0"><div>Organization: This is needed', page)
    assert 'value="areyes"' in page


def test_back_to_the_form_brings_all_that_was_typed(console: Client, imported):
    shown = console.post(add_path(imported), {**ADA, "step": "show"})
    form = console.post(add_path(imported), {**carried_by(shown), "step": "back"})
    assert 'value="Reyes"' in form.content.decode()
    assert re.search(r'value="org-high" selected', form.content.decode())


def test_an_id_that_is_taken_is_said_at_the_id(console: Client, imported):
    answer = console.post(add_path(imported), {**ADA, "sourcedId": AMARA, "step": "show"})
    assert "Another record of this district has this id" in text_of(answer)
    assert 'id="e-sourcedId"' in answer.content.decode()


def test_a_record_is_edited_and_its_history_tells_before_and_after(console: Client, imported):
    add_ada(console, imported)
    ada = User.objects.get(district=imported, sourced_id="ada")
    edit = path(imported, "manual-edit", collection="users", record_id=ada.id)
    form = console.get(edit).content.decode()
    assert 'name="role-0-sourcedId" value="ada-role-1"' in form
    typed = {**ADA, "familyName": "Lund", "role-0-sourcedId": "ada-role-1"}
    shown = console.post(edit, {**typed, "step": "show"})
    assert "Reyes Lund" in text_of(shown)
    done = console.post(edit, {**carried_by(shown), "step": "do"}, follow=True)
    assert "Family name: Reyes → Lund" in text_of(done)


def test_deleting_is_confirmed_and_restoring_brings_back(console: Client, imported):
    add_ada(console, imported)
    ada = User.objects.get(district=imported, sourced_id="ada")
    for verb, status in (("delete", "tobedeleted"), ("restore", "active")):
        turn = path(imported, "manual-turn", collection="users", record_id=ada.id, verb=verb)
        asked = console.get(turn)
        ada.refresh_from_db()
        assert ada.status != status
        console.post(turn, {"seen": seen_in(asked), "step": "do"})
        ada.refresh_from_db()
        assert ada.status == status


def test_somebody_is_enrolled_by_searching_for_a_class(console: Client, imported):
    choices = path(imported, "manual-choices", field="classSourcedId")
    found = console.get(choices, {"find-classSourcedId": "art studio"})
    assert 'value="class-art"' in found.content.decode()
    assert "Riverbend High School" in text_of(found)
    typed = {"sourcedId": "seat", "userSourcedId": MS_TANAKA, "classSourcedId": ART, "role": "teacher"}
    shown = console.post(add_path(imported, "enrollments"), {**typed, "step": "show"})
    assert "Art Studio (class-art)" in text_of(shown)
    console.post(add_path(imported, "enrollments"), {**carried_by(shown), "step": "do"})
    assert Enrollment.objects.get(district=imported, sourced_id="seat").status == "active"


def test_a_search_keeps_what_is_chosen_and_says_when_nothing_fits(console: Client, imported):
    choices = path(imported, "manual-choices", field="agentSourcedIds")
    found = console.get(choices, {"find-agentSourcedIds": "okonkwo", "agentSourcedIds": [MS_TANAKA]})
    page = found.content.decode()
    assert re.search(rf'value="{MS_TANAKA}" checked', page)
    assert 'value="student-001"' in page
    assert "Nothing fits" in text_of(console.get(choices, {"find-agentSourcedIds": "zzzz"}))


def test_what_an_import_owns_has_no_form_and_says_whose_it_is(console: Client, imported):
    amara = User.objects.get(district=imported, sourced_id=AMARA)
    page = console.get(path(imported, "record", collection="users", record_id=amara.id))
    assert "came in by the connection Uploaded packages" in text_of(page)
    assert "Edit" not in re.sub("Enroll by hand", "", text_of(page)).split()
    edit = path(imported, "manual-edit", collection="users", record_id=amara.id)
    assert console.get(edit).status_code == 302
    assert console.post(edit, {**ADA, "step": "do", "seen": "0" * 64}).status_code == 302
    assert User.objects.get(pk=amara.pk).family_name == amara.family_name


def test_while_an_import_runs_the_confirmation_waits_with_all_that_was_typed(console: Client, imported):
    shown = console.post(add_path(imported), {**ADA, "step": "show"})
    importing = Run.objects.create(district=imported, flow="ingest", turn_at=timezone.now())
    waits = console.post(add_path(imported), {**carried_by(shown), "step": "do"})
    assert waits.status_code == 409
    assert "confirm again when it is done" in text_of(waits)
    Run.objects.filter(pk=importing.pk).update(outcome="success")
    console.post(add_path(imported), {**carried_by(waits), "step": "do"})
    assert User.objects.filter(district=imported, sourced_id="ada").exists()


def test_the_list_is_searched_narrowed_and_begins_by_saying_what_to_do(console: Client, imported):
    assert "Nothing is kept by hand" in text_of(console.get(path(imported, "manual")))
    add_ada(console, imported)
    assert "Reyes" in text_of(console.get(path(imported, "manual"), {"q": "areyes"}))
    assert "Nothing fits" in text_of(console.get(path(imported, "manual"), {"status": "deleted"}))
    manual = acts.manual_connection(imported)
    page = text_of(console.get(path(imported, "connection", connection_id=manual.pk)))
    assert "Manual records" in page


def test_another_districts_records_are_not_there(console: Client, imported, elsewhere):
    assert console.get(path(elsewhere, "manual")).status_code == 404
    assert console.get(path(imported, "manual-edit", collection="users", record_id=987654)).status_code == 404
    assert console.get(path(imported, "manual-choices", field="password")).status_code == 404


def test_a_second_role_gets_a_row_of_its_own(console: Client, imported):
    more = console.post(add_path(imported), {**ADA, "step": "more"}).content.decode()
    assert 'name="role-1-role"' in more
    both = {**ADA, "role-1-role": "teacher", "role-1-orgSourcedId": RIVERBEND_MIDDLE}
    told = text_of(console.post(add_path(imported), {**both, "step": "show"}))
    assert told.count("Roles: Added") == 2
