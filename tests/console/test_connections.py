"""Connections in the console: added by kind, tested in words, edited without showing secrets, switched off, removed."""

import json

from django.test import Client
from django.urls import reverse

from rollbook.flows.timetable import set_schedule
from rollbook.store.models import Connection, District
from tests.console.test_dashboard import text_of
from tests.installation import free_port

SECRET = "tulips-and-thunder-42"


def path_of(page: str, district: District, **more) -> str:
    return reverse(page, kwargs={"tenant": district.pk, **more})


def add_drop(console: Client, district: District, **changes: str):
    given = {
        "name": "Nightly", "login": "riverbend", "password": SECRET, "keys": "", "allow": "203.0.113.0/24",
        "most_megabytes": "100", "quiet_seconds": "60", "prefix": "n-", "every": "26",
    } | changes  # fmt: skip
    return console.post(path_of("connection-add", district, kind="sftp_drop"), given, follow=True)


def test_a_connection_is_added_by_its_kind(console: Client, district):
    assert "SFTP: they bring it" in text_of(console.get(path_of("connections", district)))
    text = text_of(add_drop(console, district))
    assert "The connection was added" in text
    made = Connection.objects.get(district=district, kind="sftp_drop")
    assert (made.prefix, made.expected_every_hours, made.settings["login"]) == ("n-", 26, "riverbend")
    assert "Nightly" in text_of(console.get(path_of("connections", district)))


def test_a_setting_with_few_words_is_chosen(console: Client, district):
    page = console.get(reverse("connection-add", args=[district.pk, "oneroster_rest"])).content.decode()
    assert '<option value="oauth2" selected>' in page
    assert '<option value="bearer">' in page


def test_what_is_wrong_is_said_and_what_was_typed_stays(console: Client, district):
    answer = add_drop(console, district, allow="everywhere")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "neither an address nor a network" in page
    assert "everywhere</textarea>" in page
    assert not Connection.objects.filter(kind="sftp_drop").exists()


def test_a_prefix_that_would_break_ids_is_refused_in_words(console: Client, district):
    answer = add_drop(console, district, prefix="a,b-")
    assert answer.status_code == 422
    assert "letters from A to Z, digits, and . - _ / @" in text_of(answer)
    assert not Connection.objects.filter(kind="sftp_drop").exists()


def test_a_secret_is_kept_encrypted_and_never_shown_again(console: Client, district):
    add_drop(console, district)
    made = Connection.objects.get(kind="sftp_drop")
    page = console.get(path_of("connection", district, connection_id=made.pk)).content.decode()
    assert SECRET not in page
    assert "One is kept" in page
    before = json.loads(made.secrets)
    given = {"name": "Nightly two", "login": "riverbend", "most_megabytes": "100", "quiet_seconds": "60",
             "prefix": "n-", "enabled": "on"}  # fmt: skip
    assert "was changed" in text_of(
        console.post(path_of("connection", district, connection_id=made.pk), given, follow=True)
    )
    made.refresh_from_db()
    assert json.loads(made.secrets) == before
    assert (made.name, made.expected_every_hours, made.enabled) == ("Nightly two", None, True)


def test_testing_says_what_is_wrong_in_words(console: Client, district):
    port = free_port()
    given = {"name": "Pull", "host": "127.0.0.1", "port": str(port), "login": "x", "password": "y", "path": "/out.zip",
             "host_key": "", "most_megabytes": "10", "timeout_seconds": "2"}  # fmt: skip
    console.post(path_of("connection-add", district, kind="sftp_pull"), given)
    made = Connection.objects.get(kind="sftp_pull")
    answer = console.post(path_of("connection-test", district, connection_id=made.pk))
    assert answer.status_code == 200
    assert str(port) in text_of(answer)
    assert 'role="alert"' in answer.content.decode()


def test_an_upload_connection_is_not_fetched_from(console: Client, district):
    made = Connection.objects.get(district=district)
    page = console.get(path_of("connection", district, connection_id=made.pk)).content.decode()
    assert "Import now" not in page
    answer = console.post(path_of("connection-run", district, connection_id=made.pk), follow=True)
    assert "there is nothing to fetch" in text_of(answer)


def test_a_connection_without_records_is_removed(console: Client, district, ids):
    add_drop(console, district)
    made = Connection.objects.get(kind="sftp_drop")
    console.post(path_of("connection-remove", district, connection_id=made.pk))
    assert not Connection.objects.filter(pk=made.pk).exists()
    first = Connection.objects.get(district=district)
    answer = console.post(path_of("connection-remove", district, connection_id=first.pk), follow=True)
    assert "has records in the roster" in text_of(answer)
    assert Connection.objects.filter(pk=first.pk).exists()


def test_its_deliveries_come_another_way_from_now_on(console: Client, district, ids):
    made = Connection.objects.get(district=district)
    page = text_of(console.get(path_of("connection", district, connection_id=made.pk)))
    assert "Another way in" in page
    path = path_of("connection-way", district, connection_id=made.pk, kind="sftp_drop")
    page = text_of(console.get(path))
    assert "Uploaded packages → SFTP: they bring it" in page
    assert "stay" in page
    given = {
        "login": "River Bend",
        "password": SECRET,
        "keys": "",
        "allow": "",
        "most_megabytes": "100",
        "quiet_seconds": "60",
    }
    answer = console.post(path, given)
    assert answer.status_code == 422
    assert "River Bend" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    answer = console.post(path, given | {"login": "riverbend"}, follow=True)
    assert "come this way from now on" in text_of(answer)
    made.refresh_from_db()
    assert (made.kind, made.settings["login"]) == ("sftp_drop", "riverbend")
    again = text_of(console.post(path, given | {"login": "riverbend"}))
    assert "this way already" in again


def test_a_schedule_that_goes_with_the_way_is_told_before(console: Client, district):
    given = {"name": "Pull", "host": "sis.example", "login": "x", "password": "y", "path": "/out.zip"}
    console.post(path_of("connection-add", district, kind="sftp_pull"), given)
    made = Connection.objects.get(kind="sftp_pull")
    set_schedule(made, ["02:30"], ["mon"], "a test")
    for kind, told in (("upload", True), ("oneroster_rest", False)):
        page = text_of(console.get(path_of("connection-way", district, connection_id=made.pk, kind=kind)))
        assert ("So is its schedule" in page) is told


def test_another_districts_connection_is_not_there(console: Client, district, elsewhere):
    theirs = Connection.objects.get(district=elsewhere)
    assert console.get(path_of("connection", district, connection_id=theirs.pk)).status_code == 404
    for page in ("connection-test", "connection-run", "connection-remove"):
        assert console.post(path_of(page, district, connection_id=theirs.pk)).status_code == 404
    for kind in ("sftp_drop", "manual", "none"):
        page = path_of("connection-way", district, connection_id=theirs.pk, kind=kind)
        assert console.get(page).status_code == console.post(page).status_code == 404
