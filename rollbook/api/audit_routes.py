"""The addresses under /api/v1 of the audit log, a district's and the installation's own: as data, with schemas."""

from rollbook.api.route import MOMENT, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import Act

Query = tuple[str, Schema, str]

WHAT: tuple[Query, ...] = (
    ("q", TEXT, "Only entries that have this anywhere in them."),
    ("act", TEXT, "Only this act (key.revoke), or this family of acts (key)."),
    ("since", {**TEXT, "format": "date-time"}, "Only entries from this moment on, with its zone."),
    ("until", {**TEXT, "format": "date-time"}, "Only entries before this moment."),
)
BEFORE: Query = ("before", NUMBER, "Only entries of a smaller number: the next page.")
BAD = {400: "A moment that is none."}


def _routes(place: str, name: str, of: str, act: Act) -> tuple[Route, ...]:
    return (
        Route(
            ("GET",), place, name, f"The audit log of {of}.", {200: "100 entries, the latest first.", **BAD, **REFUSED},
            query=(*WHAT, BEFORE), schema="AuditLog", act=act,
        ),
        Route(
            ("GET",), f"{place}.csv", f"{name}_csv", f"The audit log of {of} as CSV, with its hashes. That it was exported is audited.",
            {200: "A header, then the entries, the oldest first.", **BAD, **REFUSED}, query=WHAT, act=act,
        ),
        Route(
            ("GET",), f"{place}/verify", f"verify_{name}", f"Check that no entry of the audit log of {of} was changed, taken out or put in.",
            {200: "`holds` says it.", **REFUSED}, schema="AuditVerdict", act=act,
        ),
    )  # fmt: skip


AUDIT_ROUTES = (
    *_routes("/audit", "audit", "the district", Act.SEE_AUDIT),
    *_routes("/installation/audit", "installation_audit", "the installation", Act.SEE_INSTALLATION_AUDIT),
)


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


YES_OR_NO: Schema = {"type": "boolean"}

AUDIT_SCHEMAS: dict[str, Schema] = {
    "AuditEntry": _object(
        "number at actor act kind hash previous",
        number=NUMBER, at=MOMENT, actor=TEXT, door=TEXT, act=TEXT, kind=TEXT, object=TEXT, about=TEXT,
        before={"type": "object"}, after={"type": "object"}, previous=TEXT, hash=TEXT,
    ),
    "AuditLog": _object(
        "entries", entries={"type": "array", "items": {"$ref": "#/components/schemas/AuditEntry"}}
    ),
    "AuditVerdict": _object("holds entries hash", holds=YES_OR_NO, entries=NUMBER, hash=TEXT, wrong=TEXT),
}  # fmt: skip
