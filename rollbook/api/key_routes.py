"""The addresses under /api/v1 for keys, what apps took and may take, and who received a person: as data, with schemas."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
GONE = {409: "The key was revoked, or the app removed."}
DAYS = ("days", NUMBER, "Of so many days back, 30 where nothing is said.")
PERSON = ("sourcedId", TEXT, "The person's sourcedId.")
PAGE = ("page", NUMBER, "Which page of 50, from 1 on.")

KEY_ROUTES = (
    Route(
        ("GET",), "/apps/{grant}/keys", "keys", "The keys of an app, without their secrets.",
        {200: "The latest first, revoked ones last.", **NOT_THERE, **REFUSED}, schema="Keys", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("POST",), "/apps/{grant}/keys", "add_key", "Make a key. Its secret is in the answer, this once.",
        {201: "It is made.", **BAD, **GONE, **NOT_THERE, **REFUSED}, schema="Secret", body="KeyToAdd", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("PATCH",), "/apps/{grant}/keys/{key}", "edit_key",
        "Give a key an end, or say from which addresses it may be used. What is not sent stays.",
        {200: "As it is now.", **BAD, **GONE, **NOT_THERE, **REFUSED}, schema="Key", body="KeyChanges", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("POST",), "/apps/{grant}/keys/{key}/secret", "renew_key",
        "Make a new secret; the former one holds on for `keepHours`, 24 where nothing is said. The secret is in the answer, this once.",
        {201: "It is made.", **BAD, **GONE, **NOT_THERE, **REFUSED}, schema="Secret", body="SecretToMake", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("DELETE",), "/apps/{grant}/keys/{key}/secret/former", "end_former_secret",
        "End the former secret of a key now: everybody has the new one.",
        {200: "As it is now.", **GONE, **NOT_THERE, **REFUSED}, schema="Key", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("POST",), "/apps/{grant}/keys/{key}/secret/show", "show_secret",
        "Show the secret of a key for OAuth 1.0a, to who knows the password of the token's operator. It is audited, whether shown or refused.",
        {
            200: "The secret.", 403: "This is not the password, or the role of the token's operator does not allow it.", **BAD,
            409: "The key was revoked, or its secret is kept as a hash only.", **NOT_THERE, 401: REFUSED[401], 429: REFUSED[429],
        },
        schema="Secret", body="Password", act=Act.MANAGE_KEYS,
    ),
    Route(
        ("DELETE",), "/apps/{grant}/keys/{key}", "revoke_key", "Revoke a key: it opens nothing from now on.",
        {204: "It is revoked.", **NOT_THERE, **REFUSED}, act=Act.MANAGE_KEYS,
    ),
    Route(
        ("GET",), "/apps/{grant}/access", "access", "Every call an app made and every package it was given.",
        {200: "The latest first.", **NOT_THERE, **REFUSED}, query=(DAYS, PAGE), schema="Accesses",
        act=Act.SEE_ACCESS_HISTORY,
    ),
    Route(
        ("GET",), "/apps/{grant}/access.csv", "access_csv", "The same as CSV, all of them. That it was exported is audited.",
        {200: "A header, then a row for each.", **NOT_THERE, **REFUSED}, query=(DAYS,), act=Act.SEE_ACCESS_HISTORY,
    ),
    Route(
        ("GET",), "/apps/{grant}/unused", "unused", "What an app may read and did not within the last 90 days.",
        {200: "By collection; `fields` is null where nothing of it was read.", **NOT_THERE, **REFUSED}, schema="Unused",
        act=Act.SEE_ACCESS_HISTORY,
    ),
    Route(
        ("GET",), "/apps/{grant}/allowance", "allowance", "What an app may take in a day of UTC, and took today.",
        {200: "null is no limit.", **NOT_THERE, **REFUSED}, schema="Allowance", act=Act.SEE_ACCESS_HISTORY,
    ),
    Route(
        ("PUT",), "/apps/{grant}/allowance", "set_allowance", "Say what an app may take in a day of UTC; null is no limit.",
        {200: "As it is now.", **BAD, **NOT_THERE, **REFUSED}, schema="Allowance", body="AllowanceToSet",
        act=Act.MANAGE_APPS,
    ),
    Route(
        ("GET",), "/disclosures", "disclosures", "Every app that received a person: since when, how often, which fields. Looking is audited.",
        {200: "By the name of the app.", **NOT_THERE, **REFUSED},
        query=(PERSON,), schema="Disclosures", act=Act.SEE_ACCESS_HISTORY,
    ),
    Route(
        ("GET",), "/disclosures.csv", "disclosures_csv", "The same as CSV, for whoever asked. That it was exported is audited.",
        {200: "A header, then a row for each app.", **NOT_THERE, **REFUSED}, query=(PERSON,), act=Act.SEE_ACCESS_HISTORY,
    ),
)  # fmt: skip


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(name: str, of: str) -> Schema:
    return _object(name, **{name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


YES_OR_NO: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LIMIT: Schema = {"type": ["integer", "null"]}

KEY_SCHEMAS: dict[str, Schema] = {
    "Key": _object(
        "id clientId state",
        id=NUMBER, clientId=TEXT, name=TEXT, state={**TEXT, "enum": ["live", "expired", "revoked"]}, oauth1=YES_OR_NO,
        expiresAt=MOMENT, addresses=TEXTS, usedAt=MOMENT, usedFrom=TEXT, formerHoldsUntil=MOMENT,
    ),
    "Keys": _object(
        "keys tenantId endpoints scopes",
        keys={"type": "array", "items": {"$ref": "#/components/schemas/Key"}}, tenantId=NUMBER,
        endpoints={
            "type": "object", "description": "Where a key is used: v1p1, v1p2, token.", "additionalProperties": TEXT,
        },
        scopes=TEXTS,
    ),
    "Password": _object("password", password={**TEXT, "description": "Of the operator whose token this is."}),
    "KeyToAdd": _object("", name=TEXT, oauth1=YES_OR_NO, expiresAt=MOMENT, addresses=TEXTS),
    "KeyChanges": _object("", expiresAt=MOMENT, addresses=TEXTS),
    "SecretToMake": _object("", keepHours={**NUMBER, "minimum": 0, "maximum": 720}),
    "Secret": _object("id clientId clientSecret", id=NUMBER, clientId=TEXT, clientSecret=TEXT, oauth1=YES_OR_NO),
    "Access": _object(
        "at kind what records status",
        at=MOMENT, kind={**TEXT, "enum": ["REST", "delivery"]}, what=TEXT, version=TEXT, fields=TEXTS, records=NUMBER,
        status=TEXT, milliseconds=LIMIT, address=TEXT, key=TEXT, publication=LIMIT, reason=TEXT,
    ),
    "Accesses": _object(
        "total accesses", total=NUMBER, accesses={"type": "array", "items": {"$ref": "#/components/schemas/Access"}}
    ),
    "Unused": _object(
        "unused",
        unused={
            "type": "array",
            "items": _object(
                "collection records", collection=TEXT, records=NUMBER, fields={"type": ["array", "null"], "items": TEXT}
            ),
        },
    ),
    "Allowance": _object(
        "requests records", requests=LIMIT, records=LIMIT, requestsToday=NUMBER, recordsToday=NUMBER
    ),
    "AllowanceToSet": _object("", requests=LIMIT, records=LIMIT),
    "Disclosures": _object(
        "sourcedId disclosures",
        sourcedId=TEXT,
        disclosures={
            "type": "array",
            "items": _object(
                "app grant since", app=TEXT, grant=NUMBER, since=MOMENT, until=MOMENT, calls=NUMBER, packages=NUMBER,
                first=MOMENT, last=MOMENT,
                fields={
                    "type": "object",
                    "description": "{collection: {field: treatment}}, as it was sent.",
                    "additionalProperties": {"type": "object", "additionalProperties": TEXT},
                },
            ),
        },
    ),
}  # fmt: skip
