"""Anybody may check a package: judged both ways, told in words and as CSV, and forgotten."""

import base64
import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rollbook.engine.catalogue import CATALOGUE
from rollbook.flows import validation
from rollbook.store.models import Run, Snapshot
from tests.cast import riverbend_zip
from tests.console.test_dashboard import text_of

EDITS = {"users": {"student-001": {"enabledUser": "TRUE", "email": "amara at home", "userIds": "LDAP:amara"}}}


@pytest.fixture
def zipped(tmp_path: Path) -> bytes:
    return riverbend_zip(tmp_path / "riverbend.zip", EDITS).read_bytes()


def check(client: Client, body: bytes, **extra: Any) -> Any:
    return client.post("/validate", {"package": SimpleUploadedFile("district.zip", body)}, **extra)


def test_a_package_is_judged_by_the_letter_and_as_an_import(client: Client, zipped, settings):
    answer = check(client, zipped)
    assert answer.status_code == 200
    letter, as_import = answer.context["verdicts"]
    assert [(one.code, one.mark.words) for one in letter.groups if one.code == "boolean-case"] == [
        ("boolean-case", "error")
    ]
    assert [(one.code, one.mark.words) for one in as_import.groups if one.code == "boolean-case"] == [
        ("boolean-case", "warning")
    ]
    text = text_of(answer)
    assert "users.csv:" in text
    assert "LDAP:amara" not in text


def test_the_findings_come_as_csv_in_the_page_itself(client: Client, zipped):
    page = check(client, zipped).content.decode()
    files = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="([^"]+)"', page)
    assert [name for _, name in files] == ["by-the-letter.csv", "as-import.csv"]
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(files[0][0]).decode())))
    assert {"boolean-case", "list-item"} <= {row["code"] for row in rows}
    assert "amara" not in {row["value"] for row in rows}


def test_nothing_is_kept(db, client: Client, zipped, settings):
    check(client, zipped)
    assert [path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file()] == []
    assert not list((Path(settings.DATA_DIR) / "uploads").iterdir())
    assert not Run.objects.exists()
    assert not Snapshot.objects.exists()


def test_nothing_is_kept_after_a_fault(client: Client, zipped, settings, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(validation, "JUDGE", "rollbook.engine.no_such_module")
    assert check(client, zipped).status_code == 500
    assert not list((Path(settings.DATA_DIR) / "uploads").iterdir())
    monkeypatch.undo()
    assert check(client, zipped).status_code == 200, "the turn was given back"


@pytest.mark.parametrize(
    ("body", "words"), [(b"", "No package was sent"), (b"a letter", "What came is not a zip")]
)
def test_what_is_no_package_is_said_in_words(client: Client, body, words):
    answer = check(client, body)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert "tmp" not in text_of(answer)


def test_what_is_too_large_is_refused(client: Client, settings):
    settings.VALIDATE_LIMIT = 1_000_000
    for body in (b"x" * 1_000_001, b"x" * 1_100_000):
        answer = check(client, body)
        assert answer.status_code == 413
        assert "larger than 1 MB" in text_of(answer)


def test_one_address_may_not_come_too_often_and_others_may(client: Client, settings):
    settings.VALIDATE_PER_HOUR = 1
    assert check(client, b"a letter").status_code == 422
    again = check(client, b"a letter")
    assert again.status_code == 429
    assert "within an hour" in text_of(again)
    assert check(client, b"a letter", REMOTE_ADDR="192.0.2.7").status_code == 422
    assert check(client, b"a letter", REMOTE_ADDR="2001:db8::1").status_code == 422
    assert check(client, b"a letter", REMOTE_ADDR="2001:db8::2").status_code == 429, (
        "one network is one address"
    )


def test_what_takes_too_long_is_given_up(client: Client, zipped, settings, monkeypatch):
    monkeypatch.setattr(validation, "LONGEST", 0.01)
    answer = check(client, zipped)
    assert answer.status_code == 422
    assert "takes longer to check" in text_of(answer)
    assert not list((Path(settings.DATA_DIR) / "uploads").iterdir())


def test_one_package_at_a_time_is_checked(client: Client, zipped, monkeypatch):
    monkeypatch.setattr(validation, "PATIENCE", 0.01)
    with validation._turn():
        answer = check(client, zipped)
    assert answer.status_code == 503
    assert "Another package is being checked" in text_of(answer)


def test_where_it_is_switched_off_there_is_no_such_page(db, client: Client, settings):
    settings.VALIDATE = False
    for path in ("/validate", "/validate/findings", "/validate/findings/duplicate"):
        assert client.get(path).status_code == 404
    assert check(client, b"x").status_code == 404
    assert not (Path(settings.DATA_DIR) / "uploads").exists()


def test_the_meaning_of_every_finding_is_open(client: Client):
    listed = client.get("/validate/findings").content.decode()
    for code in CATALOGUE:
        assert f"/validate/findings/{code}" in listed
    assert CATALOGUE["guid"].why in text_of(client.get("/validate/findings/guid"))
    assert client.get("/validate/findings/no-such-code").status_code == 404
