"""The addresses under /api/v1 for what an app sees: Find, Explain and sanity checks, as data, with their schemas."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.engine.sanity.lines import LICENSED
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
Q = ("q", TEXT, "A sourcedId, username, identifier, e-mail address, name, or class title or code.")
EXACT = ("q", TEXT, "Exactly a sourcedId, username, identifier, e-mail address, class code or class title.")
ID = ("id", TEXT, "The sourcedId, as the app knows the record.")
FROM = ("from", NUMBER, "Leave out so many.")

LOOK_ROUTES = (
    Route(
        ("GET",), "/apps/{grant}/find", "find", "The people and classes an app sees and the text fits. What is masked for it is not searched.",
        {200: "25 of each, from `from` on.", **BAD, **NOT_THERE, **REFUSED}, query=(Q, FROM), schema="Found", act=Act.FIND,
    ),
    Route(
        ("GET",), "/apps/{grant}/find/users", "find_person", "A person as an app sees them, and every record of theirs that it sees.",
        {200: "As OneRoster 1.2 gives them.", **NOT_THERE, **REFUSED}, query=(ID, FROM), schema="Seen", act=Act.FIND,
    ),
    Route(
        ("GET",), "/apps/{grant}/find/classes", "find_class", "A class as an app sees it, and every record of it that it sees.",
        {200: "As OneRoster 1.2 gives them.", **NOT_THERE, **REFUSED}, query=(ID, FROM), schema="Seen", act=Act.FIND,
    ),
    Route(
        ("GET",), "/apps/{grant}/explain", "explain", "Why a person or a class is, or is not, in an app.",
        {200: "One for each record the text is of, exactly.", **NOT_THERE, **REFUSED}, query=(EXACT,), schema="Explanations",
        act=Act.EXPLAIN,
    ),
    Route(
        ("GET",), "/explain", "explain_all", "The same of every app of the district.",
        {200: "One for each app and record.", **REFUSED}, query=(EXACT,), schema="Explanations", act=Act.EXPLAIN,
    ),
    Route(
        ("GET",), "/apps/{grant}/sanity", "sanity_checks", "The sanity checks of an app that are kept.",
        {200: "The latest first, without their lines.", **NOT_THERE, **REFUSED}, schema="SanityChecks", act=Act.CHECK_SANITY,
    ),
    Route(
        ("POST",), "/apps/{grant}/sanity", "check_sanity", "Look at everything an app sees. A worker does it.",
        {202: "It waits for a worker; Location is the check's address.", **NOT_THERE, **REFUSED}, schema="SanityCheck",
        act=Act.CHECK_SANITY,
    ),
    Route(
        ("GET",), "/apps/{grant}/sanity/{check}", "sanity_check", "A sanity check: how far it is, and what it found.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="SanityCheck", act=Act.CHECK_SANITY,
    ),
    Route(
        ("GET",), "/apps/{grant}/sanity/{check}.csv", "sanity_csv", "The same as CSV.",
        {200: "A header, then a row for each line and each example.", **NOT_THERE, **REFUSED}, act=Act.CHECK_SANITY,
    ),
    Route(
        ("GET",), "/apps/{grant}/sanity/plan", "sanity_plan", "When an app is checked by itself, what keeps its exports back, and its licences.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="SanityPlan", act=Act.CHECK_SANITY,
    ),
    Route(
        ("PATCH",), "/apps/{grant}/sanity/plan", "set_sanity_plan", "Change that. What is not sent stays; a limit of null is lifted.",
        {200: "As it is now.", **BAD, **NOT_THERE, **REFUSED}, schema="SanityPlan", body="SanityPlan", act=Act.MANAGE_DELIVERIES,
    ),
)  # fmt: skip


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


RECORD: Schema = {
    "type": "object",
    "description": "A record as OneRoster 1.2 gives it to the app.",
    "additionalProperties": True,
}
RECORDS = _object("total records", total=NUMBER, records=_list(RECORD))
COUNTS: Schema = {"type": "object", "additionalProperties": NUMBER}
LIMITS: Schema = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}

LOOK_SCHEMAS: dict[str, Schema] = {
    "Found": _object("users classes", users=RECORDS, classes=RECORDS),
    "Seen": _object(
        "record belonging",
        record=RECORD,
        belonging=_list(
            _object("relation collection total records", relation=TEXT, collection=TEXT, total=NUMBER, records=_list(RECORD),
                members={**_list(TEXT), "description": "Of demographics: which members the app is given."},
                forReference={**_list(TEXT), "description": "Of orgs: those above what is chosen, told of for reference only."})
        ),
    ),
    "Explanation": _object(
        "grant app collection sourcedId sees facts change",
        grant=NUMBER, app=TEXT, collection=TEXT, sourcedId=TEXT, sees={"type": "boolean"},
        facts=_list(_object("code holds words", code=TEXT, holds={"type": "boolean"}, words=TEXT)),
        change=_list(_object("setting where who", setting=TEXT, where=TEXT, who=TEXT)),
    ),
    "Explanations": _object("explanations", explanations=_list(_named("Explanation"))),
    "SanityCheck": _object(
        "check grant phase",
        check=NUMBER, grant=NUMBER, phase={**TEXT, "enum": ["waiting", "running", "done", "failed"]}, done=NUMBER, known=NUMBER,
        publication={"type": ["integer", "null"]}, startedBy=TEXT, startedAt=MOMENT, endedAt=MOMENT, counts=COUNTS, roles=COUNTS,
        href={**TEXT, "format": "uri"},
        lines=_list(
            _object(
                "code severity count among", code=TEXT, group=TEXT, severity=TEXT, collection=TEXT, title=TEXT, meaning=TEXT, who=TEXT,
                count=NUMBER, among=NUMBER, percent={"type": "number"},
                examples=_list(_object("id said", id=TEXT, said=TEXT)),
            )
        ),
    ),
    "SanityChecks": _object("checks", checks=_list(_named("SanityCheck"))),
    "SanityPlan": _object(
        "",
        times={**_list(TEXT), "description": "Times of the district's day, such as 05:30."},
        weekdays={**_list(TEXT), "description": "mon, tue, wed, thu, fri, sat, sun."},
        limits={**LIMITS, "description": "{line: per cent above which exports are kept back}."},
        licences={"type": ["integer", "null"], "description": "How many the app is licensed for; null: that is not looked at."},
        licensed={**TEXT, "enum": list(LICENSED), "description": "Who needs a licence."},
    ),
}  # fmt: skip
