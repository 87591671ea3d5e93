"""What the addresses under /api/v1/sync do: a key of an organization is shown, a flow acts, JSON is answered. Others' are not there."""

import io
import tempfile
from collections.abc import Callable
from datetime import date
from itertools import islice
from typing import Any, TextIO

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from rollbook.api import member_calls, rate
from rollbook.api.route import ROOT
from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.connectors.contract import BadSetting, ConnectorRefusal
from rollbook.connectors.folder import FOLDER
from rollbook.engine.sync.operations import GROUPS, MEMBERS, SITES
from rollbook.engine.sync.policy import BadPolicy
from rollbook.flows.acting import API, acting
from rollbook.flows.directory import key_of
from rollbook.flows.sync import (
    cancel,
    connections,
    customer,
    deciding,
    explaining,
    holds,
    importing,
    own,
    report,
    runs,
    schedule,
    spans,
    states,
    switching,
    undoing,
)
from rollbook.flows.sync.standing import standing
from rollbook.refusal import Refusal
from rollbook.store.models import OrganizationKey, SyncConnection, SyncRun, SyncSpan

LATEST, RECORDS, MOST_PEOPLE = 25, 500, 200

Handle = Callable[[HttpRequest, OrganizationKey, dict[str, int]], HttpResponseBase]


class NoOrganizationKey(Refusal):
    """Show a key of an organization that still holds: `Authorization: Bearer rollbook_org_…`."""


class Busy(Refusal):
    """Another sync of this organization is under way: ask again when it has ended."""


STATUS: dict[type[Refusal], int] = {
    BadBody: 400,
    NoOrganizationKey: 401,
    runs.NotEntitled: 403,
    connections.NoSuchSyncConnection: 404,
    runs.NoSuchSyncRun: 404,
    holds.NoSuchHold: 404,
    spans.NoSuchSyncSpan: 404,
    explaining.NotLinked: 404,
    **dict.fromkeys(
        (
            runs.NotActive, spans.InBlackout, holds.OutOfDate, holds.NothingToApprove, deciding.NeverRead, cancel.SyncHasEnded,
            connections.NotFromHere, switching.NothingToSwitch, undoing.NothingToUndo, Busy,
        ),
        409,
    ),
    **dict.fromkeys(
        (
            BadSetting, BadPolicy, connections.NoSuchSource, connections.NoSuchSyncOption, connections.SyncNameNeeded, deciding.BadDecision,
            deciding.NoSuchRecord, importing.NoSuchLocalRole, holds.NoSuchBundle, holds.WhyNeeded, spans.BadSyncDays,
            customer.NotByCustomer, customer.NotInThePlan, customer.SecretsNeeded,
        ),
        422,
    ),
    **member_calls.STATUS,
}  # fmt: skip


def opened(request: HttpRequest, name: str, secret: str, numbers: dict[str, int]) -> HttpResponseBase:
    """The answer of the route of this name, to whoever shows this secret. Raises NoOrganizationKey."""
    key = key_of(secret) if secret else None
    if key is None:
        raise NoOrganizationKey
    rate.take(rate.ORGANIZATION, key.pk)
    with acting(_by(key), API):
        return HANDLES[name](request, key, numbers)


def _by(key: OrganizationKey) -> str:
    return f"{key.name} (key {key.pk})"


# --- Connections ------------------------------------------------------------------------------------------------------------------------


def _connections(_: HttpRequest, key: OrganizationKey, __: dict[str, int]) -> HttpResponse:
    found = connections.connections(key.organization)
    return answered({"connections": [_connection(one) for one in found]})


def _connect(request: HttpRequest, key: OrganizationKey, _: dict[str, int]) -> HttpResponse:
    asked = sent(request, "name", "kind", "preset", "source", "secrets", "settings")
    if text(asked, "kind") == FOLDER.kind:
        raise customer.NotByCustomer
    customer.refuse_beyond_the_plan(_object(asked, "settings"))
    made = connections.connect(
        key.organization,
        text(asked, "name")[:200],
        text(asked, "kind"),
        _words(asked, "source") | _words(asked, "secrets"),
        settings=text(asked, "preset"),
        changes=_object(asked, "settings"),
    )
    return answered(_connection(made), 201)


def _show(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return answered(_connection(_of(key, numbers)))


def _edit(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    connection = _of(key, numbers)
    asked = sent(request, "name", "source", "secrets", "settings")
    source, secrets = _words(asked, "source"), _words(asked, "secrets")
    customer.refuse_source(connection, source, secrets)
    changes, name = _object(asked, "settings"), text(asked, "name")[:200]
    customer.refuse_beyond_the_plan(changes)
    return answered(_connection(connections.edit(connection, source | secrets, changes, name)))


def _test(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    try:
        found = connections.test(_of(key, numbers))
    except ConnectorRefusal as refusal:
        return answered({"answers": False, "found": [refusal.words]})
    return answered({"answers": True, "found": found})


def _pause(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    why = text(sent(request, "why"), "why")
    return answered(_connection(connections.pause(_of(key, numbers), why)))


def _of(key: OrganizationKey, numbers: dict[str, int]) -> SyncConnection:
    return connections.find_connection(numbers["connection"], key.organization)


def _connection(one: SyncConnection) -> Json:
    now = timezone.now()
    due = schedule.next_start(one, now)
    return {
        "id": one.pk,
        "name": one.name,
        "kind": one.source_kind,
        "preset": one.preset,
        "target": one.target_kind,
        "state": str(one.state),
        "stateWhy": one.state_why,
        "source": one.source_settings if one.source_kind != FOLDER.kind else {},
        "settings": one.policy,
        "next": due.name if due else "",
        "blackoutUntil": spans.blackout_end(one, now),
        "additionsOnlyUntil": spans.additions_end(one, now),
    }


# --- Schools, cases, days -----------------------------------------------------------------------------------------------------------------


def _schools(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    told = [
        {
            "sourcedId": one.source_id, "name": one.name, "identifier": one.identifier, "state": one.state, "site": one.site,
            "siteName": one.site_name, "foundBy": one.found_by, "decision": one.decision, "byGrade": dict(one.by_grade),
            "alike": [{"site": site, "name": name} for site, name in one.alike],
        }
        for one in deciding.schools(_of(key, numbers))
    ]  # fmt: skip
    return answered({"schools": told})


def _cases(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    told = [
        {
            "kind": one.kind, "sourcedId": one.source_id, "code": one.code, "field": one.field, "records": one.candidates,
            "others": one.others, "since": one.opened_at,
        }
        for one in deciding.open_cases(_of(key, numbers))
    ]  # fmt: skip
    return answered({"cases": told})


def _decide(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    connection = _of(key, numbers)
    asked = sent(request, "kind", "sourcedId", "action", "record", "byGrade", "why")
    kind, source_id, action = (text(asked, name) for name in ("kind", "sourcedId", "action"))
    if action == "forget":
        deciding.forget(connection, kind, source_id, _by(key))
    else:
        deciding.decide(
            connection, kind, source_id, action, _by(key),
            target=text(asked, "record"), by_grade=_words(asked, "byGrade"), why=text(asked, "why"),
        )  # fmt: skip
    return HttpResponse(status=204)


def _days(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return answered({"days": [_span(one) for one in spans.spans_of(_of(key, numbers))]})


def _add_days(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    asked = sent(request, "kind", "from", "until", "why")
    first, last = _day(asked, "from"), _day(asked, "until")
    made = spans.add_span(_of(key, numbers), text(asked, "kind"), first, last, _by(key), text(asked, "why"))
    return answered(_span(made), 201)


def _remove_days(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    spans.remove_span(_of(key, numbers), numbers["days"], _by(key))
    return HttpResponse(status=204)


def _span(one: SyncSpan) -> Json:
    return {
        "id": one.pk,
        "kind": str(one.kind),
        "from": one.first_day,
        "until": one.last_day,
        "why": one.why,
        "addedBy": one.added_by,
    }


# --- Runs ---------------------------------------------------------------------------------------------------------------------------------


def _runs(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return answered({"runs": [_run(one) for one in runs.runs_of(_of(key, numbers))[:LATEST]]})


def _begin(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    asked = sent(request, "preview", "onlyAdds", "delta", "focus")
    preview, adds, delta = (_flag(asked, name) for name in ("preview", "onlyAdds", "delta"))
    task: dict[str, Any] = {"onlyAdds": True} if adds else {}
    kind = runs.DELTA if delta else runs.FULL
    if "focus" in asked:
        given = _object(asked, "focus")
        task["focus"] = {name: _texts(given, name) for name in ("people", "classes", "schools")}
        kind = runs.FOCUS
        if delta or set(given) - set(task["focus"]) or not any(task["focus"].values()):
            raise BadBody("focus")
    return _queued(runs.enqueue(_of(key, numbers), _by(key), kind, preview, **task))


def _switch(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    form = text(sent(request, "form"), "form")
    return _queued(switching.switch(_of(key, numbers), form, _by(key)))


def _status(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    run = _run_of(key, numbers)
    return answered(_run(run) | ({"report": report.summary(run)} if run.fingerprint else {}))


def _records(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    page = request.GET.get("page", "1")
    if not page.isdecimal() or not 1 <= int(page) <= 1_000_000:
        raise BadBody("page")
    first = (int(page) - 1) * RECORDS
    wanted = {name: request.GET.get(name, "") for name in ("kind", "outcome")}
    found = islice(report.lines(_run_of(key, numbers), **wanted), first, first + RECORDS)
    return answered({"page": int(page), "records": [_record(line) for line in found]})


def _record(line: report.Line) -> Json:
    return {
        "number": line.number, "kind": line.kind, "what": line.what, "outcome": line.outcome, "sourcedId": line.source_id,
        "record": line.target, "reason": line.reason, "words": line.words,
        "changes": {name: {"old": old, "new": new} for name, (old, new) in line.changes.items()},
    }  # fmt: skip


def _report_csv(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponseBase:
    run = _run_of(key, numbers)
    return _csv(f"sync-{run.pk}.csv", lambda lines: report.write_csv(run, lines))


def _states_csv(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponseBase:
    connection = _of(key, numbers)
    return _csv(f"states-{connection.pk}.csv", lambda lines: states.write_csv(connection, lines))


def _csv(name: str, write: Callable[[TextIO], int]) -> HttpResponseBase:
    kept = tempfile.TemporaryFile()  # noqa: SIM115  # the answer reads it, and closes it
    lines = io.TextIOWrapper(kept, encoding="utf-8", newline="")
    write(lines)
    lines.flush()
    lines.detach()
    kept.seek(0)
    response = FileResponse(kept, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


def _approve(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    asked = sent(request, "tick", "holds", "why")
    waiting = holds.approve(
        _run_of(key, numbers),
        _by(key),
        text(asked, "why"),
        ticked=_texts(asked, "tick"),
        holds=_numbers(asked, "holds"),
    )
    return _queued(waiting)


def _discard(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    run, asked = _run_of(key, numbers), sent(request, "holds", "why")
    holds.discard(run, _by(key), text(asked, "why"), _numbers(asked, "holds"))
    return answered(_run(run))


def _cancel(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return answered(_run(cancel.cancel(_run_of(key, numbers), _by(key))))


def _undo(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return _queued(undoing.undo(_run_of(key, numbers), _by(key)))


def _run_of(key: OrganizationKey, numbers: dict[str, int]) -> SyncRun:
    run = runs.find_run(numbers["run"])
    if run.organization_id != key.organization_id:
        raise runs.NoSuchSyncRun(str(run.pk))
    return run


def _queued(run: SyncRun) -> HttpResponse:
    told = _run(run)
    response = answered(told, 202)
    response["Location"] = told["href"]
    return response


def _run(run: SyncRun) -> Json:
    now = standing(run)
    state = "ended" if now.is_over else "waiting" if now.phase == runs.WAITING else "running"
    return {
        "id": run.pk,
        "connection": run.connection_id,
        "kind": str(run.task.get("kind", "")),
        "preview": bool(run.task.get("preview")),
        "state": state,
        "phase": now.phase,
        "percent": now.percent,
        "done": now.done,
        "known": now.known,
        "ahead": now.ahead,
        "notBefore": now.not_before,
        "outcome": run.outcome,
        "message": run.message,
        "startedBy": run.started_by,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "href": f"{settings.PUBLIC_URL}{ROOT}/sync/runs/{run.pk}",
    }


# --- People -------------------------------------------------------------------------------------------------------------------------------


def _look(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return _queued(importing.look(_of(key, numbers), _by(key)))


def _candidates(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    told = [
        {
            "sourcedId": one.source_id, "givenName": one.given_name, "familyName": one.family_name, "email": one.email,
            "rosterRoles": one.roster_roles, "roles": one.roles, "sites": one.sites, "classes": one.classes,
        }
        for one in importing.candidates(_of(key, numbers))
    ]  # fmt: skip
    return answered({"candidates": told})


def _import(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    """A few people are read and written in seconds; who asks is told what became of each, so it is walked here."""
    connection = _of(key, numbers)
    given = sent(request, "people").get("people")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_PEOPLE:
        raise BadBody("people")
    wishes = [_wish(one) for one in given]
    if SyncRun.objects.filter(organization=key.organization_id, outcome="").exists():
        raise Busy
    with own.own_process() as process:
        results, queued = importing.import_people(
            connection, wishes, _by(key), lambda run: own.walk_here(run, lambda _: None), process
        )
    people = [
        {"sourcedId": one.source_id, "outcome": one.outcome, "member": one.member, "why": one.why}
        for one in results
    ]
    return answered({"people": people, "groupSyncs": [run.pk for run in queued]})


def _wish(one: object) -> importing.Wish:
    if not isinstance(one, dict) or set(one) - {"sourcedId", "roles", "sites"} or not text(one, "sourcedId"):
        raise BadBody("people")
    return importing.Wish(text(one, "sourcedId"), tuple(_texts(one, "roles")), tuple(_texts(one, "sites")))


def _explain(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    connection, kind = _of(key, numbers), request.GET.get("kind", MEMBERS)
    source_id, record = request.GET.get("sourcedId", ""), request.GET.get("record", "")
    if kind not in (MEMBERS, GROUPS, SITES) or bool(source_id) == bool(record):
        raise deciding.BadDecision(f"{kind} {source_id or record}"[:100])
    if record:
        source_id = explaining.source_id_of(connection, kind, record)
    return answered(explaining.explain(connection, kind, source_id))


# --- What was sent --------------------------------------------------------------------------------------------------------------------------


def _object(asked: Json, name: str) -> Json:
    value = asked.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadBody(name)
    return value or {}


def _words(asked: Json, name: str) -> dict[str, str]:
    found = _object(asked, name)
    return {one: text(found, one) for one in found}


def _texts(asked: Json, name: str) -> list[str]:
    value = asked.get(name)
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise BadBody(name)
    return [one.replace("\0", "") for one in value or []]


def _numbers(asked: Json, name: str) -> list[int] | None:
    value = asked.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(one) is int for one in value):
        raise BadBody(name)
    return value


def _flag(asked: Json, name: str) -> bool:
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise BadBody(name)
    return value


def _day(asked: Json, name: str) -> date:
    try:
        return date.fromisoformat(text(asked, name))
    except ValueError as fault:
        raise BadBody(name) from fault


HANDLES: dict[str, Handle] = {
    "sync_connections": _connections,
    "sync_connect": _connect,
    "sync_connection": _show,
    "sync_edit": _edit,
    "sync_test": _test,
    "sync_pause": _pause,
    "sync_schools": _schools,
    "sync_cases": _cases,
    "sync_decide": _decide,
    "sync_days": _days,
    "sync_add_days": _add_days,
    "sync_remove_days": _remove_days,
    "sync_runs": _runs,
    "sync_begin": _begin,
    "sync_switch": _switch,
    "sync_look": _look,
    "sync_candidates": _candidates,
    "sync_import": _import,
    "sync_explain": _explain,
    "sync_run": _status,
    "sync_records": _records,
    "sync_report_csv": _report_csv,
    "sync_states_csv": _states_csv,
    "sync_approve": _approve,
    "sync_discard": _discard,
    "sync_cancel": _cancel,
    "sync_undo": _undo,
    **member_calls.HANDLES,
}
