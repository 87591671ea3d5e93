"""The addresses under /api/v1 that manage the apps of a district: as data, with the schemas of what is sent and answered."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import Act

YES_OR_NO: Schema = {"type": "boolean"}
DAY: Schema = {"type": ["string", "null"], "format": "date"}
LAUNCH_DATE: Schema = {
    **DAY,
    "description": "The first day on which people find it on their launch pad; null: from the day it is switched on.",
}
URL: Schema = {**TEXT, "format": "uri"}

SEARCH = (
    ("q", TEXT, "Only apps whose name or company has these words."),
    ("dev", {"type": "string", "enum": ["1"]}, "Also apps that are in development."),
)
BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
CLASHES = {409: "It cannot be done as things stand: the answer says why."}

APP_ROUTES = (
    Route(
        ("GET",), "/catalogue", "catalogue", "The apps that can be added to the district.",
        {200: "By name.", **REFUSED}, query=SEARCH, schema="Catalogue", act=Act.REQUEST_APP,
    ),
    Route(
        ("GET",), "/apps", "apps", "The apps of the district.", {200: "By name.", **REFUSED}, schema="Apps",
        act=Act.SEE_APPS,
    ),
    Route(
        ("POST",), "/apps", "add_app", "Add an app of the catalogue, with its permissions. It is disabled unless said otherwise.",
        {201: "It is added; where a second person is needed, it sees nothing until then.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="App", body="AppToAdd", act=Act.MANAGE_APPS,
    ),
    Route(
        ("POST",), "/apps/requests", "request_app", "Ask the district's administrators for an app.",
        {201: "It stands among the apps, and sees nothing.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="App", body="AppToAskFor", act=Act.REQUEST_APP,
    ),
    Route(
        ("GET",), "/apps/{grant}", "app", "An app of the district.", {200: "As it is now.", **NOT_THERE, **REFUSED},
        schema="App", act=Act.SEE_APPS,
    ),
    Route(
        ("PATCH",), "/apps/{grant}", "edit_app",
        "Rename an app, enable or disable it, say when it is launched, or what differs from the catalogue. What is not sent stays.",
        {200: "As it is now.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="App", body="AppChanges", act=Act.MANAGE_APPS,
    ),
    Route(
        ("DELETE",), "/apps/{grant}", "remove_app",
        "Remove an app: its keys open nothing any more, nothing is delivered to it. Its history stays.",
        {204: "It is removed.", **CLASHES, **NOT_THERE, **REFUSED}, act=Act.MANAGE_APPS,
    ),
    Route(
        ("GET",), "/apps/{grant}/permissions", "permissions", "What an app may see.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="Permissions", act=Act.SEE_PERMISSIONS,
    ),
    Route(
        ("PUT",), "/apps/{grant}/permissions", "set_permissions", "Let an app see something else.",
        {
            200: "Saved: it reads by them from now on.", 202: "It waits for a second person; `waiting` is the request's number.",
            **BAD, **CLASHES, **NOT_THERE, **REFUSED,
        },
        schema="Permissions", body="PermissionsToSet", act=Act.EDIT_PERMISSIONS,
    ),
    Route(
        ("POST",), "/apps/{grant}/permissions/preview", "preview_permissions",
        "What other permissions would add and take away, and three people as the app would see them. Nothing is stored.",
        {200: "As the roster is now.", **BAD, **NOT_THERE, **REFUSED},
        schema="Preview", body="PermissionsToSet", act=Act.EDIT_PERMISSIONS,
    ),
    Route(
        ("GET",), "/apps/{grant}/permissions/versions", "versions", "Every version of an app's permissions.",
        {200: "The latest first.", **NOT_THERE, **REFUSED}, schema="Versions", act=Act.SEE_PERMISSIONS,
    ),
    Route(
        ("POST",), "/apps/{grant}/permissions/versions/{version}/restore", "restore_version", "Save an earlier version again.",
        {200: "Saved.", 202: "It waits for a second person.", **CLASHES, **NOT_THERE, **REFUSED},
        schema="Permissions", act=Act.EDIT_PERMISSIONS,
    ),
    Route(
        ("GET",), "/opt-outs", "opt_outs", "The people who are kept from an app, or from every app.",
        {200: "The latest first.", **REFUSED}, schema="OptOuts", act=Act.OPT_OUT,
    ),
    Route(
        ("POST",), "/opt-outs", "add_opt_out", "Keep a person from an app, or from every app.",
        {201: "It holds from its first day on.", **BAD, **NOT_THERE, **REFUSED},
        schema="OptOut", body="OptOutToAdd", act=Act.OPT_OUT,
    ),
    Route(
        ("DELETE",), "/opt-outs/{made}", "withdraw_opt_out", "End an opt-out; it stays as history.",
        {204: "It has ended.", **NOT_THERE, **REFUSED}, act=Act.OPT_OUT,
    ),
    Route(
        ("GET",), "/approvals", "approvals", "The edits of permissions that wait for a second person.",
        {200: "The oldest first.", **REFUSED}, schema="Approvals", act=Act.SEE_PERMISSIONS,
    ),
    Route(
        ("POST",), "/approvals/{asked}", "decide_approval", "Approve, reject or withdraw an edit that waits. Never by who asked for it.",
        {204: "It is decided.", **BAD, **CLASHES, **NOT_THERE, **REFUSED}, body="Decision", act=Act.APPROVE_PERMISSIONS,
    ),
)  # fmt: skip


def _object(needed: str = "", /, **properties: Schema) -> Schema:
    return {"type": "object", "required": needed.split(), "properties": properties}


def _list(name: str, of: str) -> Schema:
    return _object(name, **{name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


RULE: Schema = {"$ref": "#/components/schemas/Rule"}
CONDITION = _object(
    "field relation",
    field=TEXT,
    relation={
        **TEXT,
        "enum": ["equals", "differs", "contains", "lacks", "starts", "ends", "filled", "empty"],
    },
    value=TEXT,
    case={**YES_OR_NO, "description": "Upper and lower case are told apart."},
)
CHOICE: Schema = {
    "description": "`all` follows new ones; otherwise the union of what is named: `ids` each for itself alone, `below` (of orgs) with all "
    "below, `queries` a list of lists of conditions, all of which must hold.",
    "oneOf": [
        {"type": "string", "enum": ["all", "none"]},
        _object(
            ids={"type": "array", "items": TEXT},
            below={"type": "array", "items": TEXT},
            queries={"type": "array", "items": {"type": "array", "items": CONDITION}},
        ),
    ],
}
TOGGLE_SCHEMAS = dict.fromkeys(
    ("unenrolled", "elsewhere", "demographics", "resources", "guardians"), YES_OR_NO
)
PARTICULARS = {
    "startUrl": URL,
    "redirectUris": {"type": "array", "items": URL},
    "website": URL,
    "contactName": TEXT,
    "contactEmail": TEXT,
    "instructions": TEXT,
}

TAKEN: Schema = {
    "type": ["object", "null"],
    "properties": {"at": MOMENT, "status": TEXT, "records": NUMBER, "address": TEXT, "reason": TEXT},
}

APP_SCHEMAS: dict[str, Schema] = {
    "CatalogueApp": _object(
        "id name",
        id=NUMBER, name=TEXT, vendor=TEXT, website=TEXT, description=TEXT, inDevelopment=YES_OR_NO,
        needs={"type": "array", "items": _object("name required", name=TEXT, required=YES_OR_NO, reason=TEXT)},
        grant={"type": ["integer", "null"], "description": "The app of the district, where it was added."},
    ),
    "Catalogue": _list("catalogue", "CatalogueApp"),
    "App": _object(
        "id app name enabled",
        id={**NUMBER, "description": "The number of the grant: what this district lets this app see."},
        app={**NUMBER, "description": "The app's number in the catalogue."},
        name=TEXT, catalogueName=TEXT, vendor=TEXT, inDevelopment=YES_OR_NO, enabled=YES_OR_NO, requested=YES_OR_NO,
        removed=YES_OR_NO, permission={**TEXT, "enum": ["none", "basic", "full"]}, orgAccess=TEXT, courseAccess=TEXT,
        startsOn=DAY, endsOn=DAY, launchDate=LAUNCH_DATE, version=NUMBER,
        accessCount={**NUMBER, "description": "Calls and deliveries of the last 30 days."},
        lastCall=TAKEN, lastPackage={**TAKEN, "description": "By SFTP: brought to its server, or fetched by it."},
        waiting={"type": ["integer", "null"], "description": "The edit that waits for a second person."},
        **PARTICULARS,
    ),
    "Apps": _list("apps", "App"),
    "AppToAdd": _object(
        "app rule", app=NUMBER, rule=RULE, enabled=YES_OR_NO, startsOn=DAY, endsOn=DAY, why=TEXT
    ),
    "AppToAskFor": _object("app", app=NUMBER, why=TEXT),
    "AppChanges": _object(name=TEXT, enabled=YES_OR_NO, launchDate=LAUNCH_DATE, **PARTICULARS),
    "Rule": _object(
        "level",
        level={**TEXT, "enum": ["none", "basic", "full"]},
        scopes={
            "type": "array",
            "description": "What at least one of them lets through. Classes chosen one by one stand instead of orgs and courses.",
            "items": _object(
                name=TEXT, orgs=CHOICE, courses=CHOICE, classes={"type": "array", "items": TEXT}, **TOGGLE_SCHEMAS
            ),
        },
        deleted={**YES_OR_NO, "description": "It is told of what is gone."},
        fields={
            "type": "object",
            "description": "What is done to fields that are not shared as they are: {collection: {field: treatment}}.",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {**TEXT, "enum": ["share", "omit", "mask", "pseudonymise"]},
            },
        },
    ),
    "Permissions": _object(
        "rule version", rule=RULE, startsOn=DAY, endsOn=DAY, version=NUMBER, orgAccess=TEXT, courseAccess=TEXT,
        waiting={"type": ["integer", "null"]},
    ),
    "PermissionsToSet": _object("rule", rule=RULE, startsOn=DAY, endsOn=DAY, why=TEXT),
    "Preview": _object(
        "counts places reasons",
        counts={
            "type": "array",
            "items": _object("collection", collection=TEXT, now=NUMBER, then=NUMBER, added=NUMBER, removed=NUMBER),
        },
        places={"type": "array", "items": _object("sourcedId", sourcedId=TEXT, name=TEXT, peopleAdded=NUMBER,
                                                   peopleRemoved=NUMBER, classesAdded=NUMBER, classesRemoved=NUMBER)},
        examples={"type": "array", "items": _object("sourcedId", sourcedId=TEXT, before={"type": ["object", "null"]},
                                                     after={"type": ["object", "null"]})},
        reasons={"type": "array", "items": TEXT, "description": "Why it would wait for a second person."},
        forReference={"type": "array", "items": _object("sourcedId", sourcedId=TEXT, name=TEXT, type=TEXT),
                      "description": "Orgs above those chosen: the app is told of them by name, type and identifier, and of nobody in them."},
    ),
    "Version": _object("version rule", version=NUMBER, rule=RULE, startsOn=DAY, endsOn=DAY, by=TEXT, why=TEXT, at=MOMENT),
    "Versions": _list("versions", "Version"),
    "OptOut": _object(
        "id sourcedId", id=NUMBER, sourcedId=TEXT, grant={"type": ["integer", "null"], "description": "null: every app."},
        startsOn=DAY, endsOn=DAY, reason=TEXT, by=TEXT,
    ),
    "OptOuts": _list("optOuts", "OptOut"),
    "OptOutToAdd": _object(
        "sourcedId reason", sourcedId=TEXT, reason=TEXT, grant={"type": ["integer", "null"]}, startsOn=DAY, endsOn=DAY
    ),
    "Approval": _object(
        "id grant rule", id=NUMBER, grant=NUMBER, rule=RULE, startsOn=DAY, endsOn=DAY, reasons={"type": "array", "items": TEXT},
        people=NUMBER, askedBy=TEXT, askedAt=MOMENT, why=TEXT,
    ),
    "Approvals": _list("approvals", "Approval"),
    "Decision": _object("how", how={**TEXT, "enum": ["approve", "reject", "withdraw"]}, answer=TEXT),
}  # fmt: skip
