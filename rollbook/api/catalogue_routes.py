"""The addresses under /api/v1 of the catalogue and of mail to developers: as data, with what is sent and answered."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.engine.needs import COLLECTIONS
from rollbook.flows.developer_mail import ALL, REGISTERED, TEMPLATES
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
CLASHES = {409: "It cannot be done as things stand: the answer says why."}

CATALOGUE_ROUTES = (
    Route(
        ("POST",), "/catalogue", "enter_app", "Enter an app into the catalogue of the installation.",
        {201: "It can be added by districts.", **BAD, **CLASHES, **REFUSED},
        schema="AppEntry", body="AppToEnter", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("GET",), "/catalogue/{app}", "catalogue_app", "All that the catalogue says of an app.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="AppEntry", act=Act.SEE_CATALOGUE,
    ),
    Route(
        ("PATCH",), "/catalogue/{app}", "edit_catalogue_app",
        "Say something else of an app. What is not sent stays; districts' own settings stay too.",
        {200: "As it is now.", **BAD, **CLASHES, **NOT_THERE, **REFUSED},
        schema="AppEntry", body="AppEntryToSay", act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("DELETE",), "/catalogue/{app}", "remove_catalogue_app",
        "Take an app out of the catalogue, unless a district ever added it.",
        {204: "It is gone.", **CLASHES, **NOT_THERE, **REFUSED}, act=Act.MANAGE_CATALOGUE,
    ),
    Route(
        ("GET",), "/apps/{grant}/mails", "developer_mails", "What the district wrote to the developers of an app.",
        {200: "The latest 100, the latest first.", **NOT_THERE, **REFUSED}, schema="DeveloperMails",
        act=Act.WRITE_TO_DEVELOPER,
    ),
    Route(
        ("POST",), "/apps/{grant}/mails", "write_to_developer",
        "Write to the developer of an app. Only shown word for word, unless `send` is true. A note that names a pupil is refused.",
        {
            200: "This would be sent.",
            201: "It is kept; `recipients` says which of them the mail server took it for.",
            **BAD, **CLASHES, **NOT_THERE, **REFUSED,
        },
        schema="DeveloperMail", body="DeveloperMailToWrite", act=Act.WRITE_TO_DEVELOPER,
    ),
)  # fmt: skip

YES_OR_NO: Schema = {"type": "boolean"}
URL: Schema = {**TEXT, "format": "uri"}
TEXTS: Schema = {"type": "array", "items": TEXT}
SAID: dict[str, Schema] = {
    "name": TEXT, "vendor": TEXT, "website": URL, "description": TEXT, "instructions": TEXT, "contactName": TEXT,
    "contactEmail": {**TEXT, "format": "email"}, "startUrl": URL,
    "redirectUris": {"type": "array", "items": URL},
    "needs": {
        **TEXTS,
        "description": f"Such as “required users.email: pupils sign in with it”. Collections: {', '.join(COLLECTIONS)}.",
    },
    "inDevelopment": YES_OR_NO,
}  # fmt: skip
RECIPIENTS: Schema = {
    "type": "array",
    "items": {"type": "object", "properties": {"email": TEXT, "sent": YES_OR_NO}},
}


def _object(needed: str, /, **properties: Schema) -> Schema:
    return {"type": "object", "required": needed.split(), "properties": properties}


def _list(name: str, of: str) -> Schema:
    return _object(name, **{name: {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}})


LOGO: Schema = {
    "type": ["string", "null"],
    "contentEncoding": "base64",
    "description": "A PNG or JPEG, square, 100 to 2,000 points a side, at most 500 kB; null takes it away.",
}

CATALOGUE_SCHEMAS: dict[str, Schema] = {
    "AppEntryToSay": _object("", **SAID, logo=LOGO),
    "AppToEnter": _object(
        "name", **SAID, logo=LOGO,
        partner={**NUMBER, "description": "Whose app it is; without it, the installation's own entry."},
        registeredBy={**TEXT, "format": "email", "description": "Where a partner is said: which of its developers registers it."},
    ),
    "AppEntry": _object(
        "id name", id=NUMBER, **SAID, logo={"type": ["string", "null"], "format": "uri"},
        partner={"type": ["integer", "null"]}, registeredBy={"type": ["string", "null"]}
    ),
    "DeveloperMailToWrite": _object(
        "about", about={**TEXT, "enum": list(TEMPLATES)}, note=TEXT, to={**TEXT, "enum": [REGISTERED, ALL]},
        send=YES_OR_NO,
    ),
    "DeveloperMail": _object(
        "subject body recipients", id=NUMBER, at=MOMENT, by=TEXT, subject=TEXT, body=TEXT, recipients=RECIPIENTS,
        reason=TEXT,
    ),
    "DeveloperMails": _list("mails", "DeveloperMail"),
}  # fmt: skip
