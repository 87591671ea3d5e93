"""What the addresses for Find, Explain and sanity checks do: a flow looks, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rollbook.api.route import ROOT
from rollbook.api.sent import BadBody, Json, answered, sent
from rollbook.engine.explaining import Explanation
from rollbook.engine.sanity.written import csv_lines
from rollbook.flows import explain as explaining
from rollbook.flows import find as finding
from rollbook.flows import sanity, sanity_plans
from rollbook.flows.apps import NoSuchGrant
from rollbook.flows.roles import Act, reach_of
from rollbook.flows.timetable import WEEKDAYS
from rollbook.refusal import Refusal
from rollbook.store.models import Grant, OperatorToken, SanityCheck
from rollbook.store.visibility import NotVisible

LATEST = 25

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]

STATUS: dict[type[Refusal], int] = {
    NotVisible: 404,
    sanity.NoSuchCheck: 404,
    finding.NothingAsked: 422,
    **dict.fromkeys(
        (sanity_plans.BadTimes, sanity_plans.NoSuchLine, sanity_plans.BadPercent, sanity_plans.BadLicences),
        422,
    ),
}


def _grant(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    grants = Grant.objects.select_related("app", "district").filter(district=token.district)
    grant = grants.filter(pk=numbers["grant"]).first()
    if grant is None:
        raise NoSuchGrant(str(numbers["grant"]))
    return grant


def _schools(token: OperatorToken, act: Act) -> finding.Schools:
    return reach_of(token.account).schools(act, token.district_id)


def _start(request: HttpRequest) -> int:
    text = request.GET.get("from", "0")
    return int(text) if text.isdecimal() and len(text) < 9 else 0


# --- Find -----------------------------------------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant, schools = _grant(token, numbers), _schools(token, Act.FIND)
    text, start = request.GET.get("q", ""), _start(request)
    found = {name: finding.find(grant, name, text, start, schools) for name in finding.WORDS}
    return answered({name: {"total": one.total, "records": one.records} for name, one in found.items()})


def _find_person(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return _seen(request, token, numbers, "users")


def _find_class(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return _seen(request, token, numbers, "classes")


def _seen(
    request: HttpRequest, token: OperatorToken, numbers: dict[str, int], collection: str
) -> HttpResponse:
    grant, schools = _grant(token, numbers), _schools(token, Act.FIND)
    record = finding.one(grant, collection, request.GET.get("id", "").replace("\0", ""), schools)
    belonging = [finding.told(part) for part in finding.parts(grant, collection, record, _start(request))]
    return answered({"record": record, "belonging": belonging})


# --- Explain --------------------------------------------------------------------------------------------------------------------------------


def _explain(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    told = [(grant, one, explaining.explain(grant, one)) for one in _subjects(request, token)]
    return answered({"explanations": [_told(*one) for one in told]})


def _explain_all(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    told = [
        _told(grant, one, why)
        for one in _subjects(request, token)
        for grant, why in explaining.explain_all(token.district, one)
    ]
    return answered({"explanations": told})


def _subjects(request: HttpRequest, token: OperatorToken) -> list[explaining.Subject]:
    text = request.GET.get("q", "").replace("\0", "")
    return explaining.subjects(token.district, text) or [explaining.nobody(text)]


def _told(grant: Grant, subject: explaining.Subject, why: Explanation) -> Json:
    return {"grant": grant.pk, "app": grant.title, **explaining.told(subject, why)}


# --- Sanity checks --------------------------------------------------------------------------------------------------------------------------


def _checks(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    made = sanity.checks_of(_grant(token, numbers), _schools(token, Act.CHECK_SANITY))[:LATEST]
    without = ("lines", "counts", "roles")
    told = [{name: one for name, one in _check_told(each).items() if name not in without} for each in made]
    return answered({"checks": told})


def _check(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered(_check_told(_found(token, numbers)))


def _ask(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    by = f"{token.account.email} ({token.name})"
    asked = sanity.ask(_grant(token, numbers), by, schools=_schools(token, Act.CHECK_SANITY))
    told = _check_told(asked)
    response = answered(told, 202)
    response["Location"] = told["href"]
    return response


def _csv(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = _found(token, numbers)
    lines = "".join(csv_lines(sanity.report_of(found)))
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sanity-{found.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _found(token: OperatorToken, numbers: dict[str, int]) -> SanityCheck:
    schools = _schools(token, Act.CHECK_SANITY)
    return sanity.find_check(_grant(token, numbers), numbers["check"], schools)


def _check_told(one: SanityCheck) -> Json:
    href = f"{settings.PUBLIC_URL}{ROOT}/apps/{one.grant_id}/sanity/{one.pk}"
    return {**sanity.told(one), "href": href}


def _plan(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered(_plan_told(_grant(token, numbers)))


def _set_plan(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant, by = _grant(token, numbers), str(token.account.email)
    asked = sent(request, "times", "weekdays", "limits", "licences", "licensed")
    if "times" in asked or "weekdays" in asked:
        was = _plan_told(grant)
        times, days = (_texts(asked.get(name, was[name]), name) for name in ("times", "weekdays"))
        sanity_plans.set_times(grant, times, days or WEEKDAYS, by)
    for code, percent in _limits(asked.get("limits", {})):
        sanity_plans.set_limit(grant, code, percent, by)
    if "licences" in asked or "licensed" in asked:
        was = _plan_told(grant)
        licences, licensed = (asked.get(name, was[name]) for name in ("licences", "licensed"))
        sanity_plans.set_licences(grant, *_licences(licences, licensed), by)
    return answered(_plan_told(grant))


def _licences(number: Any, kind: Any) -> tuple[int | None, str]:
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise BadBody("licences")
    if not isinstance(kind, str):
        raise BadBody("licensed")
    return number, kind


def _texts(given: Any, name: str) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise BadBody(name)
    return given


def _limits(given: Any) -> list[tuple[str, float | None]]:
    if not isinstance(given, dict):
        raise BadBody("limits")
    for percent in given.values():
        if percent is not None and (isinstance(percent, bool) or not isinstance(percent, int | float)):
            raise BadBody("limits")
    return list(given.items())


def _plan_told(grant: Grant) -> Json:
    plan = sanity_plans.plan_of(grant)
    if plan is None:
        return {"times": [], "weekdays": [], "limits": {}, "licences": None, "licensed": "people"}
    return {
        "times": plan.times,
        "weekdays": [WEEKDAYS[day] for day in plan.weekdays],
        "limits": plan.limits,
        "licences": plan.licences,
        "licensed": plan.licensed,
    }


HANDLES: dict[str, Handle] = {
    "find": _find,
    "find_person": _find_person,
    "find_class": _find_class,
    "explain": _explain,
    "explain_all": _explain_all,
    "sanity_checks": _checks,
    "check_sanity": _ask,
    "sanity_check": _check,
    "sanity_csv": _csv,
    "sanity_plan": _plan,
    "set_sanity_plan": _set_plan,
}
