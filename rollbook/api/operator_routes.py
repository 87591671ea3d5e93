"""The addresses under /api/v1 of the people who work in a district: as data, with the schemas of what is sent and answered."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import OF_A_DISTRICT, Act, Role

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
CLASHES = {409: "It cannot be done as things stand: the answer says why."}

OPERATOR_ROUTES = (
    Route(
        ("GET",), "/operators", "operators", "Who works in the district.", {200: "By e-mail address.", **REFUSED},
        schema="Operators", act=Act.MANAGE_OPERATORS,
    ),
    Route(
        ("POST",), "/operators", "add_operator",
        "Let a person work in the district. Who has no password gets one by the link in the answer, which holds once and for three days.",
        {201: "They work here.", **BAD, **CLASHES, **REFUSED}, schema="NewOperator", body="OperatorToAdd", act=Act.MANAGE_OPERATORS,
    ),
    Route(
        ("PATCH",), "/operators/{operator}", "edit_operator",
        "Give a person another role or other schools, or let them sign in no more, or again. What is not sent stays. Never oneself.",
        {200: "As it is now.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="Operator", body="OperatorChanges", act=Act.MANAGE_OPERATORS,
    ),
    Route(
        ("POST",), "/operators/{operator}/password-link", "make_password_link",
        "Make a link by which a person sets a password: once, within three days.",
        {201: "Give it to that person and to nobody else.", **CLASHES, **NOT_THERE, **REFUSED},
        schema="PasswordLink", act=Act.MANAGE_OPERATORS,
    ),
)  # fmt: skip


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


YES_OR_NO: Schema = {"type": "boolean"}
GIVEN: Schema = {**TEXT, "enum": [role for role in OF_A_DISTRICT if role is not Role.INSTALLATION]}
SCHOOLS: Schema = {
    "type": "array",
    "items": TEXT,
    "description": "Of a school administrator: sourcedIds of schools. Empty for every other role.",
}
LINK: Schema = {"type": ["string", "null"], "format": "uri"}
OPERATOR: dict[str, Schema] = {
    "id": NUMBER, "email": TEXT, "name": TEXT, "role": GIVEN, "schools": SCHOOLS, "active": YES_OR_NO,
    "hasPassword": YES_OR_NO, "lastSignIn": MOMENT,
    "isYours": {**YES_OR_NO, "description": "Whether they work nowhere but where you do: else their sign-in is not yours to change."},
}  # fmt: skip

OPERATOR_SCHEMAS: dict[str, Schema] = {
    "Operator": _object("id email role active", **OPERATOR),
    "Operators": _object("operators", operators={"type": "array", "items": {"$ref": "#/components/schemas/Operator"}}),
    "NewOperator": _object("id email role active passwordLink", **OPERATOR, passwordLink=LINK),
    "OperatorToAdd": _object("email role", email={**TEXT, "format": "email"}, name=TEXT, role=GIVEN, schools=SCHOOLS),
    "OperatorChanges": _object("", role=GIVEN, schools=SCHOOLS, active=YES_OR_NO),
    "PasswordLink": _object("passwordLink", passwordLink=LINK),
}  # fmt: skip
