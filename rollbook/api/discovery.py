"""Service discovery of OneRoster 1.2: an OpenAPI document of what this installation serves, made from the same data that serves it.

Source: OneRoster 1.2 Rostering REST binding §2.5; both published file names are answered, without a token.
"""

from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse

from rollbook.api.call import Call
from rollbook.api.endpoints import ENDPOINTS
from rollbook.api.refusals import OnlyReading
from rollbook.api.tokens import PATH as TOKEN_PATH
from rollbook.oneroster import errors, scopes
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.operations import BASES
from rollbook.oneroster.query import DEFAULT_LIMIT, MOST_LIMIT
from rollbook.oneroster.spec import EXTENSION, Entity, Member, Operation

VERSION = "1.2"
FILES = {
    "rostering": ("onerosterv1p2rostersservice_openapi3_v1p0.json", "imsorv1p2_rostering_openapi3_v1p0.json"),
    "resources": (
        "onerosterv1p2resourcesservice_openapi3_v1p0.json",
        "imsorv1p2_resources_openapi3_v1p0.json",
    ),
}
"""By service; 1.2 has a document of its own for each."""

PATHS = {
    f"{BASES[(VERSION, service)]}/discovery/{file}": service
    for service, files in FILES.items()
    for file in files
}

Schema = dict[str, Any]

FORMATS: dict[str, Schema] = {
    "string": {"type": "string"},
    "enum": {"type": "string"},
    "boolean": {"type": "string", "enum": ["true", "false"]},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "year": {"type": "string", "pattern": "^[0-9]{4}$"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "metadata": {"type": "object", "additionalProperties": True},
}

QUERY: tuple[tuple[str, Schema, str], ...] = (
    (
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
        "Records in a page.",
    ),
    ("offset", {"type": "integer", "minimum": 0, "default": 0}, "How many records to pass over."),
    ("sort", {"type": "string"}, "The field to sort by."),
    ("orderBy", {"type": "string", "enum": ["asc", "desc"]}, "The direction of the sort."),
    ("filter", {"type": "string"}, "Which records: field, predicate, 'value'; AND, OR."),
    ("fields", {"type": "string"}, "The fields to show, separated by commas."),
)


def document(call: Call) -> HttpResponse | None:
    """The discovery document, when that is what the call asks for. Raises OnlyReading."""
    if call.application is not None or call.path not in PATHS:
        return None
    if call.method not in ("GET", "HEAD"):
        raise OnlyReading
    return HttpResponse(openapi(settings.PUBLIC_URL, PATHS[call.path]), content_type="application/json")


@cache
def openapi(public_url: str, service: str = "rostering") -> bytes:
    """The document of one service for an installation at this address, as JSON."""
    base = BASES[(VERSION, service)]
    served = [operation for address, operation in ENDPOINTS if address.startswith(f"{base}/")]
    collections = dict.fromkeys(str(operation.collection) for operation in served)
    content = {
        "openapi": "3.0.1",
        "info": {
            "title": f"OneRoster 1.2 {service.capitalize()}, as served by Rollbook",
            "version": "1.2",
            "description": f"What this server offers of the OneRoster 1.2 {service} service: reading.",
        },
        "servers": [{"url": public_url + base}],
        "paths": {operation.path: {"get": _get(operation)} for operation in served},
        "components": {
            "schemas": {
                **{_name(collection): _entity(ENTITIES[(VERSION, collection)]) for collection in collections},
                "StatusInfo": STATUS_INFO,
            },
            "securitySchemes": {"OAuth2CC": _security(public_url, served)},
        },
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def _security(public_url: str, served: list[Operation]) -> Schema:
    offered = {
        scopes.uri(VERSION, name): scopes.MEANINGS[name]
        for name in scopes.NAMES[VERSION]
        if any(name in operation.scopes for operation in served)
    }
    flow = {"tokenUrl": public_url + TOKEN_PATH, "scopes": offered}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def _get(operation: Operation) -> Schema:
    answers = {
        str(problem.status): {
            "description": problem.name,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StatusInfo"}}},
        }
        for problem in errors.PROBLEMS
        if problem.status in (400, 401, 403, 404, 429, 500)
    }
    return {
        "operationId": operation.operation_id,
        "parameters": [*map(_path_parameter, operation.parameters), *_query_parameters(operation)],
        "responses": {"200": _found(operation), **answers},
        # Any one of these is enough, so each stands in a requirement of its own.
        "security": [{"OAuth2CC": [scopes.uri(VERSION, name)]} for name in operation.scopes],
    }


def _path_parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(operation: Operation) -> list[Schema]:
    return [
        {"name": name, "in": "query", "description": text, "schema": schema}
        for name, schema, text in QUERY
        if operation.kind == "collection" or name == "fields"
    ]


def _found(operation: Operation) -> Schema:
    record: Schema = {"$ref": f"#/components/schemas/{_name(str(operation.collection))}"}
    inner = record if operation.kind == "single" else {"type": "array", "items": record}
    schema = {
        "type": "object",
        "required": [operation.key],
        "properties": {operation.key: inner},
        "additionalProperties": False,
    }
    total = {"description": "How many records there are in all pages.", "schema": {"type": "integer"}}
    link = {"description": "The other pages: first, last, next, prev.", "schema": {"type": "string"}}
    headers = {"X-Total-Count": total} | ({} if operation.kind == "single" else {"Link": link})
    return {"description": "Found.", "headers": headers, "content": {"application/json": {"schema": schema}}}


def _name(collection: str) -> str:
    name = ENTITIES[(VERSION, collection)].name
    return name[0].upper() + name[1:]


def _entity(entity: Entity) -> Schema:
    return _object(entity.members)


def _object(members: tuple[Member, ...]) -> Schema:
    return {
        "type": "object",
        "required": [member.name for member in members if member.required],
        "properties": {member.name: _member(member) for member in members},
        "additionalProperties": False,
    }


def _member(member: Member) -> Schema:
    one = _object(member.members) if member.members else _scalar(member)
    return {"type": "array", "items": one} if member.many else one


def _scalar(member: Member) -> Schema:
    words = member.vocabulary
    if words is None:
        return FORMATS[member.type]
    listed: Schema = {"type": "string", "enum": list(words.words)}
    if not words.extensible:
        return listed
    return {"anyOf": [listed, {"type": "string", "pattern": f"^{EXTENSION.pattern}$"}]}


_FIELD: Schema = {
    "type": "object",
    "required": ["imsx_codeMinorFieldName", "imsx_codeMinorFieldValue"],
    "properties": {
        "imsx_codeMinorFieldName": {"type": "string"},
        "imsx_codeMinorFieldValue": {
            "type": "string",
            "enum": sorted({p.v1p2 for p in errors.PROBLEMS if p.v1p2}),
        },
    },
}

STATUS_INFO: Schema = {
    "type": "object",
    "required": ["imsx_codeMajor", "imsx_severity"],
    "properties": {
        "imsx_codeMajor": {"type": "string", "enum": ["success", "processing", "failure", "unsupported"]},
        "imsx_severity": {"type": "string", "enum": ["status", "warning", "error"]},
        "imsx_description": {"type": "string"},
        "imsx_CodeMinor": {
            "type": "object",
            "required": ["imsx_codeMinorField"],
            "properties": {"imsx_codeMinorField": {"type": "array", "items": _FIELD}},
        },
    },
}
