"""The addresses under /api/v1, for operators' own programs: those that bring packages and look at runs, as data, and the OpenAPI
document of all.
"""

import re
from functools import cache
from typing import Any

import orjson

from rollbook.api.app_routes import APP_ROUTES, APP_SCHEMAS
from rollbook.api.approval_routes import APPROVAL_ROUTES, APPROVAL_SCHEMAS
from rollbook.api.audit_routes import AUDIT_ROUTES, AUDIT_SCHEMAS
from rollbook.api.catalogue_routes import CATALOGUE_ROUTES, CATALOGUE_SCHEMAS
from rollbook.api.delivery_routes import DELIVERY_ROUTES, DELIVERY_SCHEMAS
from rollbook.api.key_routes import KEY_ROUTES, KEY_SCHEMAS
from rollbook.api.look_routes import LOOK_ROUTES, LOOK_SCHEMAS
from rollbook.api.operator_routes import OPERATOR_ROUTES, OPERATOR_SCHEMAS
from rollbook.api.partners_routes import PARTNERS_ROUTES, PARTNERS_SCHEMAS
from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, ROOT, TEXT, Route, Schema
from rollbook.api.sync_routes import OF_SYNC, SYNC_ROUTES, SYNC_SCHEMAS
from rollbook.engine.codes import SEVERITIES
from rollbook.flows.roles import Act

__all__ = ["ROOT", "ROUTES", "Route", "openapi"]

NARROW: tuple[tuple[str, Schema, str], ...] = (
    ("code", {"type": "string"}, "Only findings of this code."),
    ("severity", {"type": "string", "enum": list(SEVERITIES)}, "Only findings of this severity."),
    ("file", {"type": "string"}, "Only findings in this file, such as users.csv."),
)

DRY_RUN = (
    "dry_run",
    {"type": "string", "enum": ["1"]},
    "Only a preview: the plan is made and shown, nothing is applied.",
)

ROUTES = (
    Route(("GET",), "/openapi.json", "document", "This document.", {200: "The document."}, is_open=True),
    Route(
        ("GET",), "/connections", "connections", "The connections of the token's district.",
        {200: "All of them.", **REFUSED}, schema="Connections", act=Act.SEE_IMPORTS,
    ),
    Route(
        ("PUT", "POST"), "/connections/{connection}/delivery", "deliver",
        "Bring a package: the body is the zip itself, or (by POST) a form of multipart/form-data with one file in it.",
        {
            202: "It is kept, and its run waits for its turn; Location is the run's address.",
            400: "Nothing was sent, or the upload broke off before its end.",
            409: "The connection takes no packages, or is switched off.",
            411: "A form without a Content-Length.",
            413: "Larger than this installation takes.",
            415: "A form by PUT; send it by POST.",
            422: "Not a zip file.",
            **NOT_THERE, **REFUSED,
        },
        query=(DRY_RUN,), schema="Run", act=Act.MANAGE_CONNECTIONS,
    ),
    Route(
        ("GET",), "/runs", "runs", "The latest 25 runs of the district.", {200: "The latest first.", **REFUSED},
        schema="Runs", act=Act.SEE_IMPORTS,
    ),
    Route(
        ("GET",), "/runs/{run}", "run", "A run: how far it is, what it came to, what it changed.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="Run", act=Act.SEE_IMPORTS,
    ),
    Route(
        ("GET",), "/runs/{run}/findings", "findings",
        "What a run found: exact totals, and up to 100 findings of each code in each file. What is personal is masked.",
        {200: "The gravest first.", **NOT_THERE, **REFUSED}, query=NARROW, schema="Findings",
        act=Act.SEE_IMPORTS,
    ),
    Route(
        ("GET",), "/runs/{run}/findings.csv", "findings_csv", "The same findings as CSV.",
        {200: "A header, then a row for each.", **NOT_THERE, **REFUSED}, query=NARROW, act=Act.SEE_IMPORTS,
    ),
    *APP_ROUTES,
    *APPROVAL_ROUTES,
    *KEY_ROUTES,
    *LOOK_ROUTES,
    *DELIVERY_ROUTES,
    *CATALOGUE_ROUTES,
    *PARTNERS_ROUTES,
    *AUDIT_ROUTES,
    *OPERATOR_ROUTES,
    *SYNC_ROUTES,
)  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    **APP_SCHEMAS,
    **APPROVAL_SCHEMAS,
    **KEY_SCHEMAS,
    **LOOK_SCHEMAS,
    **CATALOGUE_SCHEMAS,
    **PARTNERS_SCHEMAS,
    **DELIVERY_SCHEMAS,
    **AUDIT_SCHEMAS,
    **OPERATOR_SCHEMAS,
    **SYNC_SCHEMAS,
    "Connection": {
        "type": "object",
        "required": ["id", "name", "kind", "enabled"],
        "properties": {"id": NUMBER, "name": TEXT, "kind": TEXT, "enabled": {"type": "boolean"}},
    },
    "Connections": {
        "type": "object",
        "required": ["connections"],
        "properties": {"connections": {"type": "array", "items": {"$ref": "#/components/schemas/Connection"}}},
    },
    "Run": {
        "type": "object",
        "required": ["id", "state", "phase", "outcome", "message", "counts", "changes", "href"],
        "properties": {
            "id": NUMBER,
            "connection": {"type": ["integer", "null"]},
            "state": {"type": "string", "enum": ["waiting", "running", "ended"]},
            "phase": TEXT,
            "outcome": {**TEXT, "description": "Empty while it runs; then success, held, refused, failed and others."},
            "message": TEXT,
            "startedBy": TEXT,
            "startedAt": MOMENT,
            "endedAt": MOMENT,
            "publication": {"type": ["integer", "null"]},
            "counts": {
                "type": "object",
                "description": "Findings by severity, exactly.",
                "properties": dict.fromkeys(SEVERITIES, NUMBER),
            },
            "changes": {
                "type": "object",
                "description": "Planned changes: collection, then action, then how many.",
                "additionalProperties": {"type": "object", "additionalProperties": NUMBER},
            },
            "href": {**TEXT, "format": "uri"},
            "findings": {**TEXT, "format": "uri"},
            "page": {**TEXT, "format": "uri", "description": "The run in the console."},
        },
    },
    "Runs": {
        "type": "object",
        "required": ["runs"],
        "properties": {"runs": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}},
    },
    "Findings": {
        "type": "object",
        "required": ["run", "severities", "totals", "findings"],
        "properties": {
            "run": NUMBER,
            "severities": {
                "type": "object",
                "description": "The severities that were the district's own in this run, by code.",
                "additionalProperties": TEXT,
            },
            "totals": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"code": TEXT, "title": TEXT, "severity": TEXT, "file": TEXT, "total": NUMBER, "listed": NUMBER},
                },
            },
            "findings": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "code": TEXT, "severity": TEXT, "file": TEXT, "line": NUMBER, "field": TEXT, "value": TEXT,
                        "delivered": {**TEXT, "description": "As it was delivered, where a step of preparation made value of it."},
                        "records": {**NUMBER, "description": "Of how many records it speaks."},
                        "sourcedId": TEXT, "message": TEXT,
                    },
                },
            },
        },
    },
    "Problem": {
        "type": "object",
        "description": "What was not done, and why (RFC 9457).",
        "required": ["title", "status", "detail"],
        "properties": {"title": TEXT, "status": NUMBER, "detail": TEXT},
    },
}  # fmt: skip


@cache
def openapi(public_url: str) -> bytes:
    """The OpenAPI 3.1 document of an installation at this address, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        for method in route.methods:
            paths.setdefault(route.path, {})[method.lower()] = _operation(route, method)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Rollbook, for operators' programs",
            "version": "1",
            "description": "Bring packages of OneRoster CSV to a district, look at what became of them, and manage the apps that read it. "
            "A token opens one district, and allows what its operator may do there. Below /sync, a key of an organization opens its syncs.",
        },
        "servers": [{"url": public_url + ROOT}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made in the console, or by `rollbook operator token add`.",
                },
                "organizationKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `rollbook organization key add`.",
                },
            },
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _operation(route: Route, method: str) -> Schema:
    operation: Schema = {
        "operationId": route.name if method == route.methods[0] else f"{route.name}_by_{method.lower()}",
        "summary": route.says,
        "parameters": _parameters(route),
        "responses": {str(status): _response(route, status, says) for status, says in route.answers.items()},
    }
    if route.is_open:
        operation["security"] = []
    elif route.path.startswith(OF_SYNC):
        operation["security"] = [{"organizationKey": []}]
    if route.body:
        schema = {"$ref": f"#/components/schemas/{route.body}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif route.name == "deliver":
        operation["requestBody"] = {"required": True, "content": _bodies(method)}
    return operation


def _parameters(route: Route) -> list[Schema]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": NUMBER}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    return in_path + [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": says}
        for name, schema, says in route.query
    ]


def _response(route: Route, status: int, says: str) -> Schema:
    if status == 204:
        return {"description": says}
    if status >= 400:
        problem = {"$ref": "#/components/schemas/Problem"}
        return {"description": says, "content": {"application/problem+json": {"schema": problem}}}
    if route.path.endswith(".zip"):
        return {"description": says, "content": {"application/zip": {"schema": {**TEXT, "format": "binary"}}}}
    if route.path.endswith(".csv"):
        return {"description": says, "content": {"text/csv": {"schema": TEXT}}}
    schema = {"$ref": f"#/components/schemas/{route.schema}"} if route.schema else {"type": "object"}
    answer: Schema = {"description": says, "content": {"application/json": {"schema": schema}}}
    if status == 202:
        answer["headers"] = {"Location": {"schema": {**TEXT, "format": "uri"}}}
    return answer


def _bodies(method: str) -> Schema:
    zipped = {"schema": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "properties": {"package": {"type": "string", "format": "binary"}}}}
    bodies = {"application/zip": zipped, "application/octet-stream": zipped}
    return bodies | {"multipart/form-data": form} if method == "POST" else bodies
