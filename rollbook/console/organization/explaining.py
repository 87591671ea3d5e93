"""Explain one record of a sync end to end: where it was read, the rules it met, what the next sync would do, and what earlier ones did."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import connection_or_404, rostering_page
from rollbook.console.organization.record_words import FIELDS, ONE_OF, OUTCOMES, WAS, WILL, Said, said
from rollbook.console.organization.words import STATES, badge
from rollbook.flows.sync.explaining import NotLinked, explain, source_id_of
from rollbook.flows.sync.naming import names_by_id
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, SyncConnection

EXPLAINED = ("sites", "members", "groups")
NOT_DONE = "not done"


@dataclass(frozen=True)
class ShownStep:
    """A step in words. `facts` are (what, value); `code` what is remarked there."""

    title: Any
    words: str
    facts: list[tuple[Any, str]]
    code: Said | None = None


@in_organization(Act.MANAGE_ROSTERING)
def show_explained(
    request: HttpRequest, organization: Organization, connection_id: int, kind: str
) -> HttpResponse:
    connection = connection_or_404(organization, connection_id)
    if kind not in EXPLAINED:
        raise Http404
    context: dict[str, Any] = {"kind": kind, "words": ONE_OF[kind], "refusal": ""}
    try:
        context["source_id"] = _source_id(request, connection, kind)
        context |= explanation(connection, kind, context["source_id"])
    except Refusal as refusal:
        return rostering_page(
            request,
            connection,
            "sync-runs",
            "organization/explained.html",
            context | {"refusal": refusal.words},
            404 if isinstance(refusal, NotLinked) else 200,
        )
    return rostering_page(request, connection, "sync-runs", "organization/explained.html", context)


def explanation(connection: SyncConnection, kind: str, source_id: str) -> dict[str, Any]:
    """What is told of a record, in words. Raises NeverRead."""
    told = explain(connection, kind, source_id)
    names = _names(connection, kind, told)
    return {
        "source": {**told["source"], "at": _moment(told["source"]["at"])},
        "steps": [_step(dict(one), names) for one in told["steps"]],
        "became": [_link(one, kind, names) for one in told["links"]],
        "overrides": [(FIELDS.get(one["field"], one["field"]), one) for one in told["overrides"]],
        "history": [_happened(one) for one in told["history"]],
        "name": next((names[link["record"]] for link in told["links"] if link["record"] in names), ""),
    }


def _source_id(request: HttpRequest, connection: SyncConnection, kind: str) -> str:
    """Whom the page is about: a record of the source, or what one has become (`target`). Raises NotLinked."""
    record = request.GET.get("record", "").replace("\0", "")[:255]
    target = request.GET.get("target", "")
    if not record and not target.isdecimal():
        raise Http404
    return record or source_id_of(connection, kind, target)


def _names(connection: SyncConnection, kind: str, told: dict[str, Any]) -> dict[str, str]:
    """Names of the records that the steps speak of, by id."""
    targets = {link["record"] for link in told["links"]}
    sites = {
        value
        for step in told["steps"]
        for value in (step.get("site", ""), *step.get("sites", "").split(", "))
    }
    return names_by_id(connection, "sites", sites) | names_by_id(connection, kind, targets)


def _step(step: dict[str, str], names: dict[str, str]) -> ShownStep:
    code = step.pop("step")
    title, words = STEPS[code](step) if code in STEPS else (code, "")
    facts = [
        (FACTS.get(name, name), _value(name, value, names))
        for name, value in step.items()
        if value and name not in ("code", "case")
    ]
    remark = step.get("code") or step.get("case") or (step.get("reason", "") if code == "operation" else "")
    return ShownStep(title, words, facts, said(remark) if remark else None)


def _value(name: str, value: str, names: dict[str, str]) -> str:
    if name in ("site", "sites", "target", "link"):
        return ", ".join(names.get(one, one.removeprefix("+")) for one in value.split(", "))
    if name == "field":
        return str(FIELDS.get(value, value))
    if name == "changed":
        return ", ".join(str(FIELDS.get(one, one)) for one in value.split(", "))
    if name == "kind":
        return str(ONE_OF.get(value, value))
    if name == "state":
        return str(STATES[value][0]) if value in STATES else value
    if value in ("yes", "no"):
        return _("yes") if value == "yes" else _("no")
    return value


def _read(step: dict[str, str]) -> tuple[Any, str]:
    words = {
        "yes": _("The source had this record when it was read last."),
        "missing": _("The source has it no longer."),
        "marked": _("The source has marked it as deleted."),
    }
    return _("The source"), words.get(step.pop("there", ""), _("The last read has not seen it."))


def _school(step: dict[str, str]) -> tuple[Any, str]:
    words = {
        "wanted": _("This school goes to a site."),
        "ignored": _("This school is not synced."),
        "held": _("Nobody has decided yet to which site this school goes."),
        "elsewhere": _("This is no school: who is there counts, without a site."),
    }
    return _("School"), words.get(step.pop("state", ""), "")


def _roles(step: dict[str, str]) -> tuple[Any, str]:
    return _("Roles and sites"), _("What the settings make of the roles at the source.")


def _wanted(step: dict[str, str]) -> tuple[Any, str]:
    words = {"in": _("Yes."), "out": _("No."), "unsure": _("It waits until that is sure.")}
    state = step.pop("state", "")
    if state and state not in words:
        step["code"] = state
    return _("Does it belong here?"), words.get(state, "")


def _match(step: dict[str, str]) -> tuple[Any, str]:
    if step.get("case"):
        return _("Who it is"), _("Only a person may decide that: it is a case.")
    if step.get("decision"):
        return _("Who it is"), _("Somebody decided that.")
    if step.get("link"):
        return _("Who it is"), _("An earlier sync linked the two.")
    return _("Who it is"), _("No earlier sync linked it.")


def _merge(step: dict[str, str]) -> tuple[Any, str]:
    field = step.pop("field", "")
    return FIELDS.get(field, field), _("Three values are looked at, and a rule of the settings.")


def _lifecycle(step: dict[str, str]) -> tuple[Any, str]:
    if step.get("reads") == "0":
        step.pop("reads")
    return _("As it is here now"), ""


def _operation(step: dict[str, str]) -> tuple[Any, str]:
    return _("What the next sync does"), str(WILL.get(step.pop("action", ""), ""))


STEPS = {
    "read": _read,
    "school": _school,
    "roles": _roles,
    "wanted": _wanted,
    "match": _match,
    "merge": _merge,
    "lifecycle": _lifecycle,
    "operation": _operation,
}

FACTS: dict[str, Any] = {
    "line": gettext_lazy("Line of the file"),
    "org": gettext_lazy("School at the source"),
    "role": gettext_lazy("Role at the source"),
    "today": gettext_lazy("Holds today"),
    "becomes": gettext_lazy("Becomes"),
    "state": gettext_lazy("Status"),
    "site": gettext_lazy("Site"),
    "sites": gettext_lazy("Sites"),
    "roles": gettext_lazy("Roles"),
    "staff": gettext_lazy("Counts as staff"),
    "link": gettext_lazy("Linked to"),
    "decision": gettext_lazy("Decided"),
    "by": gettext_lazy("Recognised by"),
    "target": gettext_lazy("Record here"),
    "before": gettext_lazy("Id before"),
    "field": gettext_lazy("Field"),
    "candidates": gettext_lazy("Who it may be"),
    "rule": gettext_lazy("Rule"),
    "said": gettext_lazy("The source said before"),
    "says": gettext_lazy("The source says now"),
    "has": gettext_lazy("Here it is"),
    "by hand": gettext_lazy("Set by hand"),
    "missing since": gettext_lazy("Missing since"),
    "reads": gettext_lazy("Missing in so many reads"),
    "kind": gettext_lazy("Kind"),
    "reason": gettext_lazy("Reason"),
    "changed": gettext_lazy("What changes"),
}


def _link(link: dict[str, Any], kind: str, names: dict[str, str]) -> dict[str, Any]:
    return {
        **link,
        "since": _moment(link["since"]),
        "ended": _moment(link["ended"]),
        "name": names.get(link["record"], link["record"]),
        "rung": said(link["by"]).title,
        "number": int(link["record"]) if link["record"].isdecimal() else 0,
    }


def _happened(one: dict[str, Any]) -> dict[str, Any]:
    not_done = (gettext_lazy("Not done"), "secondary", "stop")
    return {
        **one,
        "words": WAS.get(one["what"], one["what"]),
        "mark": badge(OUTCOMES | {NOT_DONE: not_done}, one["outcome"]),
        "reason": said(one["reason"]) if one["reason"] else None,
        "fields": [FIELDS.get(name, name) for name in one["fields"]],
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
