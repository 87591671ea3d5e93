"""Operators' programs say how apps get packages, have some made, and download them."""

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from django.test import Client

from rollbook.api.intake_routes import ROOT, SCHEMAS
from rollbook.flows import export_tests, operators
from rollbook.flows.handing_over import walk
from rollbook.flows.tokens import make_token
from rollbook.store.models import District, ExportTest, Grant
from tests.delivered import a_district, a_grant

pytestmark = pytest.mark.django_db
SETTINGS = {"login": "reading-app", "password": "correct horse battery"}


@pytest.fixture
def grant(riverbend: District) -> Grant:
    grant = a_grant(riverbend)
    Grant.objects.filter(pk=grant.pk).update(enabled=True)
    return grant


@pytest.fixture
def secret(grant: Grant) -> str:
    account = operators.add_operator("brandt@riverbend.example", operators.DISTRICT, grant.district).account
    return make_token(account, grant.district, "Nightly", datetime.now(UTC))[1]


def ask(method: str, path: str, secret: str, **sent: Any) -> Any:
    body = json.dumps(sent).encode() if sent else b"{}" if method in ("POST", "PUT") else b""
    return Client().generic(
        method, f"{ROOT}{path}", body, "application/json", headers={"Authorization": f"Bearer {secret}"}
    )


def fits(schema: str, told: Any) -> None:
    jsonschema.validate(told, {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}})


def test_a_program_sets_up_an_export_and_has_packages_made(grant, secret):
    export = f"/apps/{grant.pk}/export"
    assert ask("GET", export, secret).status_code == 409, "there is none yet"
    assert ask("PUT", export, secret, way="post").status_code == 422
    assert ask("PUT", export, secret, way="pickup", settings={"login": 1}).status_code == 400
    answer = ask("PUT", export, secret, way="pickup", enabled=True, settings=SETTINGS)
    assert answer.status_code == 200, answer.content
    fits("Export", answer.json())
    assert "password" not in answer.json()
    answer = ask("POST", f"{export}/test", secret)
    assert (answer.status_code, answer.json()["phase"]) == (202, "waiting")
    fits("Tested", answer.json())
    export_tests.walk(ExportTest.objects.get(pk=answer.json()["test"]))
    ended = ask("GET", answer["Location"].partition(ROOT)[2], secret).json()
    fits("Tested", ended)
    assert (ended["outcome"], "its password" in ended["found"][0]) == ("success", True)
    assert ask("GET", f"{export}/tests/999999", secret).status_code == 404
    made = ask("POST", f"/apps/{grant.pk}/deliveries", secret)
    assert made.status_code == 202
    assert made["Location"].endswith(f"/deliveries/{made.json()['delivery']}")
    walk(made.json()["delivery"])
    [listed] = ask("GET", f"/apps/{grant.pk}/deliveries", secret).json()["deliveries"]
    fits("Delivery", listed)
    assert (listed["outcome"], listed["way"]) == ("success", "pickup")
    assert ask("GET", f"/deliveries/{listed['delivery']}/package.zip", secret).status_code == 404, (
        "it is the app's"
    )
    assert ask("DELETE", export, secret).status_code == 204


def test_a_program_downloads_what_an_app_sees(grant, secret):
    made = ask("POST", f"/apps/{grant.pk}/deliveries", secret, download=True, version="1.1").json()
    path = f"/deliveries/{made['delivery']}"
    assert ask("GET", f"{path}/package.zip", secret).status_code == 409, "it is not made yet"
    walk(made["delivery"])
    assert ask("GET", path, secret).json()["rows"]["users.csv"]
    answer = ask("GET", f"{path}/package.zip", secret)
    assert answer["Content-Type"] == "application/zip"
    assert "users.csv" in zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()
    other = a_district("Elsewhere")
    account = operators.add_operator("else@elsewhere.example", operators.DISTRICT, other).account
    stranger = make_token(account, other, "Theirs", datetime.now(UTC))[1]
    assert ask("GET", path, stranger).status_code == 404
    assert ask("GET", f"/apps/{grant.pk}/deliveries", stranger).status_code == 404


def test_a_program_looks_at_an_apps_own_files_before_it_sets_them(grant, secret):
    columns = ask("GET", f"/apps/{grant.pk}/export/columns", secret).json()
    fits("PackageColumns", columns)
    assert "password" not in columns["files"]["users"]
    template = "pupils.csv from users\nName = familyName"
    shown = ask("POST", f"/apps/{grant.pk}/export/sample", secret, template=template).json()
    fits("Samples", shown)
    [file] = shown["files"]
    assert (file["titles"], len(file["rows"])) == (["Name"], 5)
    wrong = ask("POST", f"/apps/{grant.pk}/export/sample", secret, template="pupils.csv from users\nName = x")
    assert wrong.status_code == 422
    assert ask("POST", f"/apps/{grant.pk}/export/sample", secret).status_code == 409, "none is set"
