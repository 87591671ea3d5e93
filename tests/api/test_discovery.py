"""Service discovery: an OpenAPI document of exactly what is served."""

import pytest
from django.test import Client
from jsonschema import Draft4Validator

from rollbook.api.discovery import FILES
from rollbook.oneroster.operations import BASES, operations
from tests.api.calls import PUBLIC, V1P1, V1P2, get
from tests.api.test_reading import filled

FILE = FILES["rostering"][0]
SERVICES = pytest.mark.parametrize("service", FILES)


def document(service: str = "rostering"):
    return get(f"{BASES['1.2', service]}/discovery/{FILES[service][0]}").json()


@SERVICES
def test_both_published_names_are_answered_without_a_token(db, service):
    for file in FILES[service]:
        answer = get(f"{BASES['1.2', service]}/discovery/{file}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer.json() == document(service)


@SERVICES
def test_it_names_exactly_what_is_served(db, service):
    paths = document(service)["paths"]
    assert {path: set(item) for path, item in paths.items()} == {
        operation.path: {"get"} for operation in operations("1.2", service)
    }
    assert {item["get"]["operationId"] for item in paths.values()} == {
        operation.operation_id for operation in operations("1.2", service)
    }


def test_a_client_finds_its_way_by_it(key):
    told = document()
    assert told["servers"] == [{"url": f"{PUBLIC}{V1P2}"}]
    flow = told["components"]["securitySchemes"]["OAuth2CC"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == f"{PUBLIC}/oauth2/token"
    assert {scope.rsplit("/", 1)[1] for scope in flow["scopes"]} == {
        "roster-core.readonly",
        "roster.readonly",
        "roster-demographics.readonly",
    }


@SERVICES
def test_every_answer_is_what_the_document_says(token, service):
    told = document(service)
    for path, item in told["paths"].items():
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        checker = Draft4Validator({**schema, "components": told["components"]})
        answer = get(filled(BASES["1.2", service] + path), token)
        assert [fault.message for fault in checker.iter_errors(answer.json())] == [], path


def test_resources_have_scopes_of_their_own(db):
    scopes = document("resources")["components"]["securitySchemes"]["OAuth2CC"]["flows"]["clientCredentials"][
        "scopes"
    ]
    assert {scope.rsplit("/", 1)[1] for scope in scopes} == {"resource.readonly", "resource-core.readonly"}


def test_every_refusal_is_what_the_document_says(token):
    schema = {**document()["components"]["schemas"]["StatusInfo"], "additionalProperties": False}
    for answer in (get(f"{V1P2}/users"), get(f"{V1P2}/users/x", token), get(f"{V1P2}/users?limit=0", token)):
        assert answer.status_code in (400, 401, 404)
        assert [fault.message for fault in Draft4Validator(schema).iter_errors(answer.json())] == []


def test_it_is_for_reading_and_of_1_2_alone(db):
    assert Client().post(f"{V1P2}/discovery/{FILE}").status_code == 405
    assert Client().head(f"{V1P2}/discovery/{FILE}").status_code == 200
    assert get(f"{V1P2}/discovery/nothing.json").status_code == 404
    assert get(f"{V1P1}/discovery/{FILE}").status_code == 404
