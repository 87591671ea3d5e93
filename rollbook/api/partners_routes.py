"""The addresses under /api/v1 of the partners, their developers, their keys and where their apps were added: as data, with schemas."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.partners import PARTNER, SUPPORT
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
CLASHES = {409: "It cannot be done as things stand: the answer says why."}

PARTNERS_ROUTES = (
    Route(
        ("GET",), "/partners", "partners", "The companies that register their apps themselves.",
        {200: "By name.", **REFUSED}, schema="Partners", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("POST",), "/partners", "add_partner", "Let a company register apps.",
        {201: "Invite one of its developers next.", **BAD, **CLASHES, **REFUSED},
        schema="Partner", body="PartnerToAdd", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("GET",), "/partners/{partner}/developers", "developers", "Who works for a partner.",
        {200: "By when they came.", **NOT_THERE, **REFUSED}, schema="Developers", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("POST",), "/partners/{partner}/developers", "invite_developer",
        "Let a person work for a partner, and tell them by e-mail how to sign in.",
        {201: "They are invited; `sent` is false where the mail server did not take the e-mail.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="Developer", body="DeveloperToInvite", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("DELETE",), "/partners/{partner}/developers/{developer}", "let_developer_go",
        "End a person's work for a partner. What they registered stays, with their name.",
        {204: "They sign in for it no more.", **CLASHES, **NOT_THERE, **REFUSED}, act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("GET",), "/partners/{partner}/applications", "partner_applications",
        "Which districts added a partner's apps, and the keys that open them now, without their secrets.",
        {200: "By number.", **NOT_THERE, **REFUSED}, schema="PartnerApplications", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("POST",), "/partners/{partner}/applications/{grant}/bearer", "renew_bearer",
        "Make a new bearer for an application: the one there was opens nothing any more, and the partner's list has the new one.",
        {204: "It is made.", **NOT_THERE, **REFUSED}, act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("GET",), "/partners/{partner}/keys", "partner_keys", "A partner's keys of the partner API, without their secrets.",
        {200: "The latest first; those that were revoked are not told.", **NOT_THERE, **REFUSED}, schema="PartnerKeys",
        act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("POST",), "/partners/{partner}/keys", "make_partner_key", "Make a key of the partner API. It is in the answer, this once.",
        {201: "It is made.", **BAD, **CLASHES, **NOT_THERE, **REFUSED}, schema="PartnerSecret", body="PartnerKeyToMake",
        act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("PATCH",), "/partners/{partner}/keys/{key}", "end_partner_key", "Give a partner's key an end, or take it away with null.",
        {200: "As it is now.", **BAD, **NOT_THERE, **REFUSED}, schema="PartnerKey", body="PartnerKeyToEnd",
        act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("DELETE",), "/partners/{partner}/keys/{key}", "revoke_partner_key", "Revoke a partner's key: it opens nothing from now on.",
        {204: "It is revoked.", **NOT_THERE, **REFUSED}, act=Act.MANAGE_CATALOGUE,
    ),
)  # fmt: skip

YES_OR_NO: Schema = {"type": "boolean"}
URL: Schema = {**TEXT, "format": "uri"}
ROLE: Schema = {
    **TEXT,
    "enum": [PARTNER, SUPPORT],
    "description": "partner (registers apps and keeps keys) unless product support, who only sees them, is said.",
}


def _object(needed: str, /, **properties: Schema) -> Schema:
    return {"type": "object", "required": needed.split(), "properties": properties}


def _list(name: str, of: str) -> Schema:
    return _object(name, **{name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


KEY: dict[str, Schema] = {
    "id": NUMBER, "name": TEXT, "begins": {**TEXT, "description": "Its first letters, to tell it from others."},
    "state": {**TEXT, "enum": ["live", "expired"]}, "expiresAt": MOMENT, "madeBy": TEXT, "madeAt": MOMENT,
}  # fmt: skip

PARTNERS_SCHEMAS: dict[str, Schema] = {
    "PartnerToAdd": _object("name", name=TEXT, website=URL),
    "Partner": _object(
        "id name", id=NUMBER, name=TEXT, website=TEXT, apps={"type": "array", "items": NUMBER},
        applications={**NUMBER, "description": "How many districts added its apps, counted by app."},
    ),
    "Partners": _list("partners", "Partner"),
    "DeveloperToInvite": _object("email", email={**TEXT, "format": "email"}, name=TEXT, role=ROLE),
    "Developer": _object("id email role", id=NUMBER, email=TEXT, name=TEXT, role=ROLE, sent=YES_OR_NO),
    "Developers": _list("developers", "Developer"),
    "PartnerApplication": _object(
        "id app tenantId district enabled keys",
        id={**NUMBER, "description": "The number of the grant."}, app=NUMBER, name=TEXT, tenantId=NUMBER, district=TEXT,
        enabled=YES_OR_NO,
        keys={"type": "array", "items": _object("clientId", clientId=TEXT, name=TEXT, oauth1=YES_OR_NO, usedAt=MOMENT)},
    ),
    "PartnerApplications": _list("applications", "PartnerApplication"),
    "PartnerKey": _object("id name begins state", **KEY),
    "PartnerKeys": _list("keys", "PartnerKey"),
    "PartnerKeyToMake": _object("name", name={**TEXT, "description": "Which program uses it."}, expiresAt=MOMENT),
    "PartnerKeyToEnd": _object("expiresAt", expiresAt=MOMENT),
    "PartnerSecret": _object("id secret", secret=TEXT, **KEY),
}  # fmt: skip
