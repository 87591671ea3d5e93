"""The addresses under /api/v1 for when a second person is needed, and for permissions copied from another app: as data, with schemas."""

from rollbook.api.route import NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
CLASHES = {409: "It cannot be done as things stand: the answer says why."}

APPROVAL_ROUTES = (
    Route(
        ("GET",), "/approvals/rule", "approval_rule", "Which edits of permissions need a second person in this district.",
        {200: "As it is now.", **REFUSED}, schema="ApprovalRule", act=Act.SEE_PERMISSIONS,
    ),
    Route(
        ("PATCH",), "/approvals/rule", "set_approval_rule", "Say which edits need a second person. What is not sent stays.",
        {200: "It holds for every edit from now on.", **BAD, **REFUSED}, schema="ApprovalRule", body="ApprovalRule",
        act=Act.MANAGE_APPS,
    ),
    Route(
        ("POST",), "/apps/{grant}/permissions/copy", "copy_permissions", "Let an app see what another app of the district sees.",
        {
            200: "Saved: it reads by them from now on.", 202: "It waits for a second person; `waiting` is the request's number.",
            **BAD, **CLASHES, **NOT_THERE, **REFUSED,
        },
        schema="Permissions", body="PermissionsToCopy", act=Act.EDIT_PERMISSIONS,
    ),
)  # fmt: skip

YES_OR_NO: Schema = {"type": "boolean"}

APPROVAL_SCHEMAS: dict[str, Schema] = {
    "ApprovalRule": {
        "type": "object",
        "properties": {
            "full": {**YES_OR_NO, "description": "To let an app see everything."},
            "demographics": {**YES_OR_NO, "description": "To add demographics."},
            "people": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "To add more people than this at once; null: any number may be added.",
            },
        },
    },
    "PermissionsToCopy": {
        "type": "object",
        "required": ["from"],
        "properties": {"from": {**NUMBER, "description": "The other app's grant."}, "why": TEXT},
    },
}
