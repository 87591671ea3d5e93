"""Operators' programs bring packages and look at runs, with a token that opens one district."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rollbook.api import intake, rate, sync_calls
from rollbook.api.intake_routes import ROOT, ROUTES, SCHEMAS, openapi
from rollbook.flows import operators
from rollbook.flows.jobs import work_off
from rollbook.flows.tokens import make_token, revoke_token, tokens_of
from rollbook.store.models import Connection, District, OperatorToken, Run, Snapshot, User
from tests.cast import COUNTS, riverbend_zip
from tests.delivered import a_district

pytestmark = pytest.mark.django_db
worked_off = pytest.mark.django_db(transaction=True)
"""For tests that walk a run, which begins each step with fresh connections."""


@pytest.fixture
def district() -> District:
    return a_district()


@pytest.fixture
def secret(district: District) -> str:
    account = operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district).account
    return make_token(account, district, "Nightly", datetime.now(UTC))[1]


@pytest.fixture
def zipped(tmp_path: Path) -> bytes:
    return riverbend_zip(tmp_path / "riverbend.zip").read_bytes()


@pytest.fixture
def way_in(district: District) -> str:
    return f"{ROOT}/connections/{Connection.objects.get(district=district).pk}/delivery"


def ask(method: str, path: str, secret: str = "", body: bytes = b"", **extra: Any) -> Any:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client().generic(method, path, body, "application/zip", headers=headers, **extra)


def fits(schema: str, told: Any) -> None:
    """Fails unless the answer is as the document says."""
    jsonschema.validate(told, {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}})


@worked_off
def test_a_package_is_brought_and_its_run_is_followed_to_its_end(secret, zipped, way_in, district):
    answer = ask("PUT", way_in, secret, zipped)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    fits("Run", told)
    assert told["state"] == "waiting"
    assert answer["Location"] == told["href"]
    work_off()
    told = ask("GET", told["href"].removeprefix("http://testserver"), secret).json()
    fits("Run", told)
    assert (told["state"], told["outcome"]) == ("ended", "success")
    assert told["changes"]["users"] == {"create": COUNTS["users"]}
    assert told["startedBy"] == "brandt@riverbend.example (Nightly)"
    assert told["page"].endswith(f"/districts/{district.pk}/imports/{told['id']}")
    [run] = ask("GET", f"{ROOT}/runs", secret).json()["runs"]
    assert run == told


@worked_off
def test_a_preview_changes_nothing(secret, zipped, way_in):
    run = ask("PUT", f"{way_in}?dry_run=1", secret, zipped).json()["id"]
    work_off()
    told = ask("GET", f"{ROOT}/runs/{run}", secret).json()
    assert told["outcome"] == "previewed"
    assert told["changes"]["users"] == {"create": COUNTS["users"]}
    assert not User.objects.exists()


@worked_off
def test_a_form_brings_a_package_too(secret, zipped, way_in):
    file = SimpleUploadedFile("riverbend.zip", zipped)
    answer = Client().post(way_in, {"package": file}, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 202
    work_off()
    assert Run.objects.get().outcome == "success"


def test_what_was_brought_is_the_snapshot_byte_for_byte_and_nothing_else_is_left(
    secret, zipped, way_in, settings
):
    ask("PUT", way_in, secret, zipped)
    snapshot = Snapshot.objects.get()
    assert (settings.DATA_DIR / "shelf" / snapshot.shelf_name).read_bytes() == zipped
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [(b"", 400, "No package was sent"), (b"PK\x03\x04 and no more", 422, "not a zip file")],
)
def test_what_is_no_package_is_refused_in_words(secret, way_in, settings, body, status, words):
    answer = ask("PUT", way_in, secret, body, CONTENT_LENGTH=str(len(body)))
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    fits("Problem", answer.json())
    assert words in answer.json()["detail"]
    assert not Run.objects.exists()
    assert list((settings.DATA_DIR / "uploads").glob("*")) == []


def test_what_is_too_large_is_refused_before_it_is_read(secret, zipped, way_in, settings):
    settings.UPLOAD_LIMIT = len(zipped) - 1
    answer = ask("PUT", way_in, secret, zipped)
    assert answer.status_code == 413
    form = {"package": SimpleUploadedFile("riverbend.zip", zipped * 8)}
    by_form = Client().post(way_in, form, headers={"Authorization": f"Bearer {secret}"})
    assert by_form.status_code == 413
    assert not Run.objects.exists()


def test_an_upload_that_breaks_off_is_no_delivery(secret, zipped, way_in, settings):
    cut = {"wsgi.input": io.BytesIO(zipped), "CONTENT_LENGTH": str(len(zipped) + 1)}
    answer = ask("PUT", way_in, secret, zipped, **cut)
    assert answer.status_code == 400
    assert "broke off" in answer.json()["detail"]
    assert not Run.objects.exists()
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


def test_chunks_without_a_length_are_taken_to_their_end_and_no_further(secret, zipped, way_in, settings):
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert ask("PUT", way_in, secret, **chunked, **{"wsgi.input": io.BytesIO(zipped)}).status_code == 202
    assert Snapshot.objects.get().size == len(zipped)
    cut = ask("PUT", way_in, secret, **chunked, **{"wsgi.input": io.BytesIO(zipped[:-30])})
    assert cut.status_code == 422, "a zip that broke off has no end"
    assert ask("PUT", way_in, secret, **chunked, **{"wsgi.input": io.BytesIO()}).status_code == 400
    settings.UPLOAD_LIMIT, endless = len(zipped) - 1, io.BytesIO(zipped * 4)
    assert ask("PUT", way_in, secret, **chunked, **{"wsgi.input": endless}).status_code == 413
    assert endless.tell() == len(zipped)
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


def test_other_ways_of_asking_are_refused(secret, zipped, way_in, settings):
    of_no_length = ask("PUT", way_in, secret, zipped, CONTENT_LENGTH="")
    assert of_no_length.status_code == 411
    form = Client().generic(
        "PUT", way_in, b"x", "multipart/form-data; boundary=x", headers={"Authorization": f"Bearer {secret}"}
    )
    assert form.status_code == 415
    broken = Client().generic(
        "POST", way_in, b"x", "multipart/form-data", headers={"Authorization": f"Bearer {secret}"}
    )
    assert broken.status_code == 400
    removed = ask("DELETE", way_in, secret)
    assert (removed.status_code, removed["Allow"]) == (405, "PUT, POST")
    assert ask("GET", f"{ROOT}/nothing", secret).status_code == 404


def test_without_a_token_that_holds_nothing_opens(secret, zipped, way_in, district):
    for wrong in ("", "x", secret[:-1]):
        answer = ask("PUT", way_in, wrong, zipped)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
    [(token, _)] = tokens_of(district)
    OperatorToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert ask("GET", f"{ROOT}/runs", secret).status_code == 401
    OperatorToken.objects.update(expires_at=datetime.now(UTC) + timedelta(days=1))
    assert ask("GET", f"{ROOT}/runs", secret).status_code == 200
    revoke_token(token, "brandt@riverbend.example", datetime.now(UTC))
    assert ask("GET", f"{ROOT}/runs", secret).status_code == 401


def test_another_district_is_not_there(secret, zipped, district):
    other = a_district("Cedar Falls")
    theirs = Connection.objects.get(district=other)
    run = Run.objects.create(district=other, connection=theirs, flow="ingest")
    assert ask("PUT", f"{ROOT}/connections/{theirs.pk}/delivery", secret, zipped).status_code == 404
    for path in (f"runs/{run.pk}", f"runs/{run.pk}/findings", f"runs/{run.pk}/findings.csv"):
        assert ask("GET", f"{ROOT}/{path}", secret).status_code == 404
    told = ask("GET", f"{ROOT}/connections", secret).json()
    fits("Connections", told)
    assert [one["name"] for one in told["connections"]] == ["Uploaded packages"]


def test_a_connection_that_is_off_takes_nothing(secret, zipped, way_in):
    Connection.objects.update(enabled=False)
    assert ask("PUT", way_in, secret, zipped).status_code == 409


@worked_off
def test_findings_are_told_with_exact_totals_masked_and_narrowed(secret, way_in, tmp_path):
    edits = {"users": {"student-001": {"email": "amara at home", "grades": "09,,10"}}}
    ask("PUT", way_in, secret, riverbend_zip(tmp_path / "edited.zip", edits).read_bytes())
    work_off()
    run = Run.objects.get()
    told = ask("GET", f"{ROOT}/runs/{run.pk}/findings", secret).json()
    fits("Findings", told)
    [finding] = [one for one in told["findings"] if one["code"] == "list-empty-item"]
    assert (finding["file"], finding["field"], finding["sourcedId"]) == ("users.csv", "grades", "student-001")
    [total] = [one for one in told["totals"] if one["code"] == "list-empty-item"]
    assert (total["total"], total["listed"], total["file"]) == (1, 1, "users.csv")
    assert "amara at home" not in json.dumps(told)
    narrowed = ask("GET", f"{ROOT}/runs/{run.pk}/findings.csv?code=list-empty-item", secret)
    rows = list(csv.DictReader(io.StringIO(narrowed.content.decode())))
    assert [row["code"] for row in rows] == ["list-empty-item"]
    assert not ask("GET", f"{ROOT}/runs/{run.pk}/findings?severity=fatal", secret).json()["findings"]


def test_too_many_requests_are_told_when_to_come_again(secret, monkeypatch):
    monkeypatch.setattr(rate, "BUCKETS", rate.Buckets(1))
    assert ask("GET", f"{ROOT}/runs", secret).status_code == 200
    answer = ask("GET", f"{ROOT}/runs", secret)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_the_document_is_open_and_describes_every_address():
    told = ask("GET", f"{ROOT}/openapi.json").json()
    assert told == json.loads(openapi("http://testserver"))
    assert set(told["paths"]) == {route.path for route in ROUTES}
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told))
    assert set(references) <= set(told["components"]["schemas"])
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name in told["components"]["schemas"]


def test_every_refusal_of_a_delivery_is_documented():
    [deliver] = [route for route in ROUTES if route.name == "deliver"]
    assert set(intake.STATUS.values()) - {405} <= set(deliver.answers)
    assert {route.name for route in ROUTES if not route.is_open} == set(intake.HANDLES) | set(
        sync_calls.HANDLES
    )
