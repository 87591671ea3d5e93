"""The files of an app's own, in the console: chosen by a form or written as text, shown before they are kept."""

import re
from html import unescape

import pytest
from django.test import Client

from rollbook.engine.scope import ALL, Rule, Scope, Treatment, basic
from rollbook.flows import exports
from rollbook.flows.publish import set_rule
from rollbook.store.models import District, Export, Grant
from tests.delivered import a_grant

PICKUP = {"login": "reading-app", "password": "correct horse battery"}
PUPILS = "pupils.csv from users\nkeep enabledUser is true\nNumber = sourcedId\nFirst name = givenName"


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.fixture
def grant(district: District) -> Grant:
    return a_grant(district, app="Reading app")


@pytest.fixture
def export(grant: Grant) -> Export:
    return exports.set_export(grant, "pickup", PICKUP | {"template": PUPILS}, "Helen")


def at(grant: Grant, path: str = "") -> str:
    return f"/districts/{grant.district_id}/apps/{grant.pk}/export/files{path}"


def form_of(page: str) -> dict[str, str]:
    """The form as a browser would send it."""
    form: dict[str, str] = {}
    body = page[page.index('<form id="tailor"') :]
    for tag in re.findall(r"<input[^>]*>", body):
        said = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if said.get("type") != "checkbox" or " checked" in tag:
            form[said["name"]] = said.get("value", "on")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        form[name] = next(iter(re.findall(r'value="([^"]*)" selected', options)), "")
    return form


def place_of(form: dict[str, str], path: str) -> str:
    [found] = [
        name for name, value in form.items() if value == path and name.endswith("-path") and name[0] == "c"
    ]
    return found.removesuffix("-path")


def test_how_packages_reach_the_app_is_asked_first(console: Client, grant: Grant):
    assert console.get(at(grant)).url.endswith("/export")
    assert console.get(at(grant, "/add?from=users")).status_code == 404


def test_a_file_is_chosen_column_by_column(console: Client, grant: Grant):
    exports.set_export(grant, "pickup", PICKUP, "Helen")
    assert "This app gets OneRoster packages" in console.get(at(grant)).content.decode()
    url = at(grant, "/add?from=roles")
    page = console.get(url).content.decode()
    assert "tick at least one column" in page
    form = form_of(page)
    form[f"{place_of(form, 'role')}-on"] = "on"
    form |= {"file": "pupils.csv", "join": "userSourcedId.givenName", "act": "join"}
    page = console.post(url, form).content.decode()
    assert "<td>Amara</td>" in page or "givenName" in page
    form = form_of(page)
    name = place_of(form, "userSourcedId.givenName")
    form |= {f"{name}-title": "First  name", "act": f"up:{name.removeprefix('c-')}"}
    form = form_of(console.post(url, form).content.decode())
    form = form_of(console.post(url, form | {"act": "more"}).content.decode())
    form |= {"k-0-path": "orgSourcedId.name", "k-0-relation": "begins with", "k-0-value": "Riverbend High"}
    assert not Export.objects.get(grant=grant).template, "nothing is kept before Save"
    assert console.post(url, form | {"act": "save"}).url == at(grant)
    assert Export.objects.get(grant=grant).template == (
        "pupils.csv from roles\nkeep orgSourcedId.name begins with Riverbend High\n"
        "First name = userSourcedId.givenName\nrole = role"
    )
    page = console.get(at(grant)).content.decode()
    assert "Organization → Name begins with “Riverbend High”" in page
    assert (
        "pupils.csv" in console.get(f"/districts/{grant.district_id}/apps/{grant.pk}/export").content.decode()
    )


def test_a_kept_file_is_changed_and_shows_its_first_rows(console: Client, grant: Grant, export: Export):
    page = console.get(at(grant, "/1")).content.decode()
    assert '<th scope="col">First name</th>' in page
    assert page.count("<td>", page.index('<th scope="col">First name</th>')) == 10
    form = form_of(page)
    assert form[f"{place_of(form, 'givenName')}-title"] == "First name"
    assert form["k-0-value"] == "true"
    form = form_of(console.post(at(grant, "/1"), form | {"act": "drop:0"}).content.decode())
    assert "k-0-path" not in form
    del form[f"{place_of(form, 'sourcedId')}-on"]
    console.post(at(grant, "/1"), form | {"act": "save"})
    export.refresh_from_db()
    assert export.template == "pupils.csv from users\nFirst name = givenName"
    seen = re.search(r'name="seen" value="(\w+)"', console.get(at(grant)).content.decode())
    assert seen is not None
    console.post(at(grant, "/1/drop"), {"seen": seen[1]})
    export.refresh_from_db()
    assert export.template == ""


def test_what_is_wrong_is_said_and_what_was_typed_stays(console: Client, grant: Grant, export: Export):
    form = form_of(console.get(at(grant, "/1")).content.decode())
    form[f"{place_of(form, 'givenName')}-title"] = "Number"
    wrong = console.post(at(grant, "/1"), form | {"act": "save"})
    assert wrong.status_code == 422
    assert "two columns called “Number”" in wrong.content.decode()
    assert form_of(wrong.content.decode())[f"{place_of(form, 'givenName')}-title"] == "Number"
    hash_first = form | {f"{place_of(form, 'givenName')}-title": "# one", "act": "save"}
    assert "“# one” cannot be a title" in unescape(console.post(at(grant, "/1"), hash_first).content.decode())
    assert (
        "is no file name"
        in console.post(at(grant, "/1"), form | {"file": "a b", "act": "save"}).content.decode()
    )
    Export.objects.update(template=PUPILS + "\nMail = email")
    moved = console.post(
        at(grant, "/1"), form_of(console.get(at(grant, "/1")).content.decode()) | {"seen": "x", "act": "save"}
    )
    assert "Somebody has changed the files" in moved.content.decode()
    export.refresh_from_db()
    assert export.template == PUPILS + "\nMail = email"


def test_what_the_app_does_not_see_is_not_offered_and_not_taken(
    console: Client, grant: Grant, export: Export
):
    exports.set_export(grant, "pickup", {"template": f"{PUPILS}\nMail = email"}, "Helen")
    omitted = (("users", "email", Treatment.OMIT), ("users", "familyName", Treatment.MASK))
    set_rule(grant, basic(Scope(ALL, ALL, demographics=False), fields=omitted), "a test")
    page = console.get(at(grant)).content.decode()
    assert 'value="demographics"' not in page
    assert console.get(at(grant, "/add?from=demographics")).status_code == 404
    page = console.get(at(grant, "/add?from=enrollments")).content.decode()
    assert 'value="userSourcedId.familyName"' in page
    assert 'value="userSourcedId.email"' not in page
    page = console.get(at(grant, "/1")).content.decode()
    assert "permissions keep this back" in page, "it was chosen while the app saw it"
    assert "The app sees it masked" in page
    assert "@students.riverbend.example" not in page
    forced = form_of(page) | {"act": "save"}
    assert "keep back email of users.csv" in console.post(at(grant, "/1"), forced).content.decode()
    set_rule(grant, Rule(), "a test")
    assert "permissions are None" in console.get(at(grant)).content.decode()


def test_the_text_is_kept_or_refused_with_its_line(console: Client, grant: Grant, export: Export):
    seen = re.search(r'name="seen" value="(\w+)"', console.get(at(grant)).content.decode())
    assert seen is not None
    sent = {"seen": seen[1], "template": "a.csv from users\nA = nothing"}
    wrong = console.post(at(grant, "/text"), sent)
    assert wrong.status_code == 422
    assert "Line 2 of the template" in wrong.content.decode()
    assert "A = nothing" in wrong.content.decode(), "what was written is not lost"
    console.post(at(grant, "/text"), sent | {"template": "a.csv from users\r\nA = email"})
    export.refresh_from_db()
    assert export.template == "a.csv from users\nA = email"


def test_the_settings_of_an_export_leave_its_files_alone(console: Client, grant: Grant, export: Export):
    console.post(
        f"/districts/{grant.district_id}/apps/{grant.pk}/export",
        {"way": "pickup", **PICKUP, "times": "03:00"},
    )
    export.refresh_from_db()
    assert (export.template, export.times) == (PUPILS, ["03:00"])


def test_none_of_many_may_not_be_none_of_all(console: Client, grant: Grant, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rollbook.flows.samples.BATCHES", (2, 3))
    exports.set_export(
        grant, "pickup", PICKUP | {"template": "a.csv from users\nkeep email is x\nA = email"}, "Helen"
    )
    assert "Of the first 5 records none meets" in console.get(at(grant, "/1")).content.decode()


def test_files_of_another_district_are_not_there(
    console: Client, grant: Grant, elsewhere: District, export: Export
):
    other = Grant.objects.create(
        district=elsewhere, app=grant.app, permission="full", rule=basic().canonical()
    )
    assert console.get(f"/districts/{elsewhere.pk}/apps/{other.pk}/export/files").status_code == 404
    assert console.get(f"/districts/{grant.district_id}/apps/{other.pk}/export/files").status_code == 404
    assert console.get(at(grant, "/2")).status_code == 404


def test_a_template_that_can_no_longer_be_read_is_mended_as_text(
    console: Client, grant: Grant, export: Export
):
    Export.objects.update(template="pupils.csv out of users")
    page = console.get(at(grant)).content.decode()
    assert "can no longer be read" in page
    assert "pupils.csv out of users" in page
    assert (
        "can no longer be read"
        in console.get(f"/districts/{grant.district_id}/apps/{grant.pk}/export").content.decode()
    )
    assert console.get(at(grant, "/1")).status_code == 404


def test_where_the_app_sees_no_such_records_the_page_says_so(console: Client, grant: Grant):
    exports.set_export(grant, "pickup", PICKUP | {"template": "a.csv from users\nA = email"}, "Helen")
    set_rule(grant, basic(Scope(classes=())), "a test")
    assert "The app sees no such records now" in console.get(at(grant, "/1")).content.decode()
