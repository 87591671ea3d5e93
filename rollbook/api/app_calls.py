"""What the addresses that manage the apps of a district do: JSON is read, a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.api.sent import BadBody
from rollbook.api.sent import answered as _json
from rollbook.api.sent import sent as _sent
from rollbook.api.sent import text as _text
from rollbook.engine.choosing import BadCondition
from rollbook.engine.needs import Need
from rollbook.engine.scope import BadRule, Rule, access
from rollbook.engine.web_addresses import BadRedirect, BadWebAddress
from rollbook.flows import applications, approvals, opt_outs, permission_edits
from rollbook.flows.acting import actor
from rollbook.flows.apps import NoSuchApp, NoSuchGrant, find_app
from rollbook.flows.catalogue import browse, needs_of
from rollbook.flows.launching.apps import NotADate, set_launch_date
from rollbook.flows.permission_edits import Days
from rollbook.flows.removal import refuse_removed
from rollbook.refusal import Refusal
from rollbook.store import spelled_rules
from rollbook.store.accesses import access_counts, last_calls, last_packages
from rollbook.store.models import District, Grant, OperatorToken, OptOut, PermissionRequest
from rollbook.store.visibility import UnknownClass, UnknownCourse, UnknownSchool

MOST_LISTED = 1_000
PARTICULARS = {
    "startUrl": "start_url", "redirectUris": "redirect_uris", "website": "website", "contactName": "contact_name",
    "contactEmail": "contact_email", "instructions": "instructions",
}  # fmt: skip

Json = dict[str, Any]
Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


STATUS: dict[type[Refusal], int] = {
    BadBody: 400,
    NoSuchApp: 404,
    NoSuchGrant: 404,
    permission_edits.NoSuchVersion: 404,
    approvals.NoSuchRequest: 404,
    opt_outs.NoSuchOptOut: 404,
    **dict.fromkeys(
        (
            BadRule, BadCondition, BadWebAddress, BadRedirect, applications.BadContact, applications.NameNeeded,
            applications.TextTooLong, NotADate, permission_edits.NoSuchTreatment, permission_edits.NotADay,
            opt_outs.NoSuchPerson, opt_outs.ReasonNeeded, UnknownSchool, UnknownCourse, UnknownClass,
        ),
        422,
    ),
}  # fmt: skip


# --- Apps ----------------------------------------------------------------------------------------------------------------------------


def _catalogue(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    found = browse(request.GET.get("q", "")[:200], with_development=request.GET.get("dev") == "1")[
        :MOST_LISTED
    ]
    added = {grant.app_id: grant.pk for grant in applications.applications(token.district)}
    told = [
        {
            "id": app.pk, "name": app.name, "vendor": app.vendor, "website": app.website, "description": app.description,
            "inDevelopment": app.in_development, "needs": [_need(need) for need in needs_of(app)],
            "grant": added.get(app.pk),
        }
        for app in found
    ]  # fmt: skip
    return _json({"catalogue": told})


def _need(need: Need) -> Json:
    return {"name": need.name, "required": need.is_required, "reason": need.reason}


def _apps(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _json({"apps": _told_of(token.district, list(applications.applications(token.district)))})


def _one_app(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return _json(_told(_grant(token, numbers)))


def _add(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    sent = _sent(request, "app", "rule", "enabled", "startsOn", "endsOn", "why")
    app = find_app_by_number(sent.get("app"))
    rule = _rule(token, sent)
    grant, _waits = applications.add_application(
        token.district, app, rule, _days(sent, None),
        enabled=sent.get("enabled") is True, by=actor().name, why=_text(sent, "why"),
    )  # fmt: skip
    return _json(_told(grant), 201)


def _ask_for(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    sent = _sent(request, "app", "why")
    grant = applications.request_application(
        token.district, find_app_by_number(sent.get("app")), by=actor().name, why=_text(sent, "why")
    )
    return _json(_told(grant), 201)


def find_app_by_number(number: Any) -> Any:
    """Raises BadBody, NoSuchApp."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**18:
        raise BadBody("app")
    return find_app(str(number))


def _edit(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    sent = _sent(request, "name", "enabled", "launchDate", *PARTICULARS)
    entry = {PARTICULARS[name]: value for name, value in sent.items() if name in PARTICULARS}
    for name, value in entry.items():
        listed = (
            name == "redirect_uris" and isinstance(value, list) and all(isinstance(one, str) for one in value)
        )
        if not listed and (name == "redirect_uris" or not isinstance(value, str)):
            raise BadBody(name)
    if "enabled" in sent and not isinstance(sent["enabled"], bool):
        raise BadBody("enabled")
    if entry:
        applications.edit_particulars(grant, entry, by=actor().name)
    if "name" in sent:
        applications.rename(grant, _text(sent, "name"), by=actor().name)
    if "launchDate" in sent:
        set_launch_date(grant, _text(sent, "launchDate"), by=actor().name)
    if "enabled" in sent:
        applications.switch(grant, sent["enabled"])
    return _json(_told(grant))


def _remove(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    applications.remove_application(_grant(token, numbers), by=actor().name)
    return HttpResponse(status=204)


def _told(grant: Grant) -> Json:
    return _told_of(grant.district, [grant])[0]


def _told_of(district: District, grants: list[Grant]) -> list[Json]:
    numbers = [grant.pk for grant in grants]
    counts, calls, packages = (
        access_counts(numbers, timezone.now()),
        last_calls(numbers),
        last_packages(numbers),
    )
    waiting = {one.grant_id: one.pk for one in approvals.open_requests(district).filter(grant__in=grants)}
    return [
        _app(grant)
        | {
            "accessCount": counts.get(grant.pk, 0),
            "lastCall": calls[grant.pk].told if grant.pk in calls else None,
            "lastPackage": packages[grant.pk].told if grant.pk in packages else None,
            "waiting": waiting.get(grant.pk),
        }
        for grant in grants
    ]


def _app(grant: Grant) -> Json:
    orgs, courses = access(Rule.parse(grant.rule))
    said = applications.particulars(grant)
    return {
        "id": grant.pk, "app": grant.app_id, "name": grant.title, "catalogueName": grant.app.name, "vendor": grant.app.vendor,
        "inDevelopment": grant.app.in_development, "enabled": grant.enabled, "requested": applications.is_requested(grant),
        "removed": grant.removed_at is not None, "permission": grant.permission, "orgAccess": orgs, "courseAccess": courses,
        "startsOn": grant.starts_on, "endsOn": grant.ends_on, "launchDate": grant.launches_on, "version": grant.version,
        **{name: said[field] for name, field in PARTICULARS.items()},
    }  # fmt: skip


# --- Permissions -----------------------------------------------------------------------------------------------------------------------


def _permissions(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return _json(permissions_of(_grant(token, numbers)))


def _set_permissions(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = living(token, numbers)
    sent = _sent(request, "rule", "startsOn", "endsOn", "why")
    waits = permission_edits.edit_permissions(
        grant, _rule(token, sent), _days(sent, grant), by=actor().name, why=_text(sent, "why")
    )
    return _json(permissions_of(grant), 202 if waits else 200)


def _preview(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = living(token, numbers)
    sent = _sent(request, "rule", "startsOn", "endsOn", "why")
    shown = permission_edits.preview_permissions(grant, _rule(token, sent), _days(sent, grant))
    told = {
        "counts": [asdict(one) for one in shown.counts],
        "places": [
            {
                "sourcedId": one.sourced_id, "name": one.name, "peopleAdded": one.people_added,
                "peopleRemoved": one.people_removed, "classesAdded": one.classes_added, "classesRemoved": one.classes_removed,
            }
            for one in shown.places
        ],
        "examples": [{"sourcedId": one.sourced_id, "before": one.before, "after": one.after} for one in shown.examples],
        "reasons": list(shown.reasons),
        "forReference": [{"sourcedId": one.sourced_id, "name": one.name, "type": one.type} for one in shown.reference],
    }  # fmt: skip
    return _json(told)


def _versions(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = permission_edits.versions_of(_grant(token, numbers))[:MOST_LISTED]
    told = [
        {
            "version": one.number, "rule": spelled_rules.spelled(token.district_id, Rule.parse(one.rule)),
            "startsOn": one.starts_on, "endsOn": one.ends_on, "by": one.by, "why": one.why, "at": one.at,
        }
        for one in found
    ]  # fmt: skip
    return _json({"versions": told})


def _restore(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = living(token, numbers)
    waits = permission_edits.restore(grant, numbers["version"], by=actor().name)
    return _json(permissions_of(grant), 202 if waits else 200)


def permissions_of(grant: Grant) -> Json:
    rule = Rule.parse(grant.rule)
    orgs, courses = access(rule)
    waiting = approvals.open_requests(grant.district).filter(grant=grant).first()
    return {
        "rule": spelled_rules.spelled(grant.district_id, rule),
        "startsOn": grant.starts_on,
        "endsOn": grant.ends_on,
        "version": grant.version,
        "orgAccess": orgs,
        "courseAccess": courses,
        "waiting": waiting.pk if waiting else None,
    }


# --- Opt-outs and approvals --------------------------------------------------------------------------------------------------------------


def _opt_outs(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _json({"optOuts": [_opt_out(one) for one in opt_outs.opt_outs_of(token.district)[:MOST_LISTED]]})


def _add_opt_out(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    sent = _sent(request, "sourcedId", "reason", "grant", "startsOn", "endsOn")
    number = sent.get("grant")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        raise BadBody("grant")
    made = opt_outs.opt_out(
        token.district, _text(sent, "sourcedId"), None if number is None else _grant(token, {"grant": number}),
        _text(sent, "reason"), by=actor().name,
        starts_on=_text(sent, "startsOn") or None, ends_on=_text(sent, "endsOn") or None,
    )  # fmt: skip
    return _json(_opt_out(made), 201)


def _withdraw(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    opt_outs.withdraw(opt_outs.find_opt_out(numbers["made"], token.district), by=actor().name)
    return HttpResponse(status=204)


def _opt_out(made: OptOut) -> Json:
    return {
        "id": made.pk, "sourcedId": opt_outs.sourced_id_of(made), "grant": made.grant_id, "startsOn": made.starts_on,
        "endsOn": made.ends_on, "reason": made.reason, "by": made.by,
    }  # fmt: skip


def _approvals(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _json(
        {"approvals": [_approval(one) for one in approvals.open_requests(token.district)[:MOST_LISTED]]}
    )


def _approval(one: PermissionRequest) -> Json:
    return {
        "id": one.pk, "grant": one.grant_id,
        "rule": spelled_rules.spelled(one.grant.district_id, Rule.parse(one.rule)),
        "startsOn": one.starts_on, "endsOn": one.ends_on, "reasons": one.reasons, "people": one.people,
        "askedBy": one.asked_by, "askedAt": one.asked_at, "why": one.why,
    }  # fmt: skip


def _decide(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    sent = _sent(request, "how", "answer")
    waiting = approvals.find_request(numbers["asked"], token.district)
    how, answer, by = sent.get("how"), _text(sent, "answer"), actor().name
    if how == "approve":
        approvals.approve(waiting, answer, by=by)
    elif how == "reject":
        approvals.reject(waiting, answer, by=by)
    elif how == "withdraw":
        approvals.withdraw(waiting, by=by)
    else:
        raise BadBody("how")
    return HttpResponse(status=204)


# --- What is sent and answered -----------------------------------------------------------------------------------------------------------


def _grant(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    """Raises NoSuchGrant."""
    found = Grant.objects.select_related("app", "district").filter(
        district=token.district, pk=numbers["grant"]
    )
    grant = found.first()
    if grant is None:
        raise NoSuchGrant(str(numbers["grant"]))
    return grant


def living(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    """Raises NoSuchGrant, AppRemoved."""
    grant = _grant(token, numbers)
    refuse_removed(grant)
    return grant


def _rule(token: OperatorToken, sent: Json) -> Rule:
    """Raises BadBody, BadRule, UnknownSchool, UnknownCourse, UnknownClass."""
    if not isinstance(sent.get("rule"), dict) or "level" not in sent["rule"]:
        raise BadBody("rule")
    return spelled_rules.read(token.district_id, sent["rule"])


def _days(sent: Json, grant: Grant | None) -> Days:
    """The days sent; those there are where none were. Raises BadBody."""
    now = (grant.starts_on, grant.ends_on) if grant else (None, None)
    starts_on = _text(sent, "startsOn") or None if "startsOn" in sent else now[0]
    return starts_on, _text(sent, "endsOn") or None if "endsOn" in sent else now[1]


HANDLES: dict[str, Handle] = {
    "catalogue": _catalogue,
    "apps": _apps,
    "add_app": _add,
    "request_app": _ask_for,
    "app": _one_app,
    "edit_app": _edit,
    "remove_app": _remove,
    "permissions": _permissions,
    "set_permissions": _set_permissions,
    "preview_permissions": _preview,
    "versions": _versions,
    "restore_version": _restore,
    "opt_outs": _opt_outs,
    "add_opt_out": _add_opt_out,
    "withdraw_opt_out": _withdraw,
    "approvals": _approvals,
    "decide_approval": _decide,
}
