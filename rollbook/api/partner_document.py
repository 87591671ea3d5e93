"""The OpenAPI document of the partner API."""

from functools import cache
from typing import Any

import orjson

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
ID: Schema = {
    "name": "id", "in": "path", "required": True, "schema": NUMBER, "description": "`id` of the list of applications.",
}  # fmt: skip

APPLICATION: Schema = {
    "type": "object",
    "required": [
        "id", "application_id", "tenant_id", "tenant_name", "tenant_status", "bearer", "name", "version", "enabled",
        "oneroster_application_id",
    ],
    "properties": {
        "id": {**NUMBER, "description": "The application: one app in one district."},
        "application_id": {**NUMBER, "description": "The app, the same in every district."},
        "tenant_id": {**NUMBER, "description": "The district's Tenant ID."},
        "tenant_name": TEXT,
        "tenant_status": {**TEXT, "enum": ["Active"]},
        "bearer": {**TEXT, "description": "Opens this application's reads; empty where the district revoked it."},
        "name": TEXT,
        "version": {**TEXT, "description": "The version of OneRoster read below /ims/oneroster; 1.2 is there as well."},
        "enabled": {**TEXT, "enum": ["true", "false"], "description": "While it is false, nothing can be read."},
        "oneroster_application_id": {**TEXT, "description": "`id` as text, to be put into addresses."},
    },
}  # fmt: skip

SERVER: Schema = {
    "type": "object",
    "required": ["status", "server"],
    "properties": {
        "status": NUMBER,
        "message": TEXT,
        "server": {
            "type": "object",
            "required": ["client_id", "client_secret", "endpoint_url"],
            "properties": {
                "client_id": TEXT, "client_secret": TEXT, "endpoint_url": TEXT, "endpoint_url_v1p2": TEXT, "token_url": TEXT,
            },
        },
    },
}  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Application": APPLICATION,
    "Applications": {
        "type": "object",
        "required": ["status", "applications"],
        "properties": {
            "status": NUMBER,
            "applications": {"type": "array", "items": {"$ref": "#/components/schemas/Application"}},
        },
    },
    "Server": SERVER,
    "Refused": {
        "type": "object",
        "required": ["status", "message"],
        "properties": {
            "status": {**NUMBER, "enum": [0]},
            "message": {**TEXT, "description": "Why not, and what to do."},
        },
    },
}

REFUSED = {
    401: "No key, or one that is revoked.",
    429: "Too many requests in a minute; Retry-After says how long to wait.",
    503: "The database is taken; Retry-After says how long to wait.",
}
MISSING = {404: "No district has added an app of yours under this number."}


@cache
def openapi(public_url: str) -> bytes:
    """The OpenAPI 3.1 document of an installation at this address, as JSON."""
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Rollbook, for partners' programs",
            "version": "1",
            "description": "Which districts added a partner's apps, and how each of them is read. A key is made in the console.",
        },
        "servers": [{"url": public_url}],
        "security": [{"key": []}],
        "paths": {
            "/applications": {"get": _list()},
            "/applications/{id}/server": {"get": _read(), "post": _make()},
            "/applications/{id}/ims/oneroster/{path}": {"get": _through()},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of the partner: rollbook_partner_…",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The bearer of one listed application.",
                },
            },
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _list() -> Schema:
    paging = [
        {"name": "limit", "in": "query", "schema": {**NUMBER, "minimum": 1, "maximum": 1000, "default": 100}},
        {"name": "offset", "in": "query", "schema": {**NUMBER, "minimum": 0, "default": 0}},
    ]
    says = "The districts that added the partner's apps."
    refused = {400: "A limit or an offset that is none.", **REFUSED}
    answer = _answered("By number; X-Total-Count says how many there are in all.", "Applications")
    return {
        "operationId": "applications",
        "summary": says,
        "parameters": paging,
        "responses": {"200": answer} | _problems(refused),
    }


def _read() -> Schema:
    refused = {
        **MISSING,
        **REFUSED,
        409: "The app is not enabled, or there is no secret that can be read again; what to do is said.",
    }
    return {
        "operationId": "server",
        "summary": "The latest pair for OAuth 1.0a, to read the district directly.",
        "parameters": [ID],
        "responses": {"200": _answered("The pair and the addresses.", "Server")} | _problems(refused),
    }


def _make() -> Schema:
    refused = {**MISSING, **REFUSED, 409: "The app is not enabled, or enough keys are in use."}
    return {
        "operationId": "mint",
        "summary": "Makes a key for OAuth 2; its secret is shown this once.",
        "parameters": [ID],
        "responses": {"201": _answered("The new key.", "Server")} | _problems(refused),
    }


def _through() -> Schema:
    path = {
        "name": "path", "in": "path", "required": True, "schema": TEXT,
        "description": "As below /ims/oneroster, such as v1p1/users.",
    }  # fmt: skip
    return {
        "operationId": "through",
        "summary": "The reads of OneRoster 1.1 and 1.2 of this district, with the application's own bearer.",
        "parameters": [ID, path],
        "security": [{"bearer": []}],
        "responses": {
            "200": {"description": "As the same address without /applications/{id} answers."},
            "401": {
                "description": "No bearer of this application that still holds: the list may have another."
            },
            "403": {"description": "The app is disabled here."},
        },
    }


def _answered(says: str, schema: str) -> Schema:
    return {
        "description": says,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _problems(refused: dict[int, str]) -> dict[str, Schema]:
    return {str(status): _answered(says, "Refused") for status, says in sorted(refused.items())}
