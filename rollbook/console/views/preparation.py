"""The preparation of a connection: its steps in order, the form of one, rows before and after, and what a change of them would do."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.preparation import (
    columns_of,
    condition_controls,
    controls_of,
    read_form,
    shown_change,
    shown_steps,
)
from rollbook.engine.preparation.kinds import ALL_KINDS, KINDS
from rollbook.engine.preparation.steps import FILES, BadSteps, Step, step_of, steps_of
from rollbook.engine.preparation.trial import MOST_ROWS
from rollbook.flows import jobs, preparation, questions, steps_change
from rollbook.flows.connections import NoSuchConnection, find_connection
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Preparation

VERSIONS = 20
USUAL = ("orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments", "demographics")
"""The files that steps are made for first."""


@in_district(Act.MANAGE_CONNECTIONS)
def show_preparation(request: HttpRequest, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    draft = preparation.draft_of(connection)
    steps = preparation.drafted_steps(connection)
    context = _context(connection, steps) | {
        "steps": shown_steps(steps),
        "draft": draft,
        "change": shown_change(draft),
        "can_compare": steps_change.last_delivery(connection) is not None,
        "versions": preparation.versions_of(connection)[:VERSIONS],
        "kinds": ALL_KINDS,
        "files": [*USUAL, *(one for one in FILES if one not in USUAL)],
    }
    if tried := _number(request.GET.get("samples", "")):
        context |= _samples(connection, steps, tried)
    return render(request, "console/preparation.html", context)


@in_district(Act.MANAGE_CONNECTIONS)
def add_step(request: HttpRequest, district: District, connection_id: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    given = request.POST if request.method == "POST" else request.GET
    said = {"do": given.get("do", "set"), "file": given.get("file", "users")}
    if said["do"] not in KINDS or said["file"] not in FILES:
        raise Http404
    if request.method != "POST":
        return _form(request, connection, said)
    return _kept(request, connection, said, lambda steps, step: [*steps, step])


@in_district(Act.MANAGE_CONNECTIONS)
def edit_step(request: HttpRequest, district: District, connection_id: int, number: int) -> HttpResponse:
    connection = _connection_or_404(district, connection_id)
    steps = preparation.drafted_steps(connection)
    if not 1 <= number <= len(steps):
        raise Http404
    said = steps[number - 1].as_dict()
    if request.method != "POST":
        return _form(request, connection, said, number)
    return _kept(
        request,
        connection,
        said,
        lambda them, step: [*them[: number - 1], step, *them[number:]],
        number,
    )


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def move_step(request: Any, district: District, connection_id: int, number: int) -> HttpResponse:
    """Up, down, or away."""
    connection = _connection_or_404(district, connection_id)
    steps = list(preparation.drafted_steps(connection))
    to = {"up": number - 1, "down": number + 1, "remove": 0}.get(request.POST.get("how", ""))
    if to is None or not 1 <= number <= len(steps) or to > len(steps):
        raise Http404
    step = steps.pop(number - 1)
    if request.POST["how"] != "remove":
        steps.insert(to - 1, step)
    try:
        preparation.draft_steps(connection, steps, request.user.email, request.POST.get("seen"))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("preparation", tenant=district.pk, connection_id=connection.pk)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def try_steps(request: Any, district: District, connection_id: int) -> HttpResponse:
    """A worker tries them on the last delivery."""
    connection = _connection_or_404(district, connection_id)
    try:
        run = jobs.enqueue_trial(connection, preparation.drafted_steps(connection), request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("preparation", tenant=district.pk, connection_id=connection.pk)
    return redirect("question", tenant=district.pk, run_id=run.pk)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def decide_steps(request: Any, district: District, connection_id: int) -> HttpResponse:
    """What becomes of the changed steps: shown as a plan, saved and applied, saved for the next import, or dropped."""
    connection = _connection_or_404(district, connection_id)
    decision, draft = request.POST.get("decision", ""), preparation.draft_of(connection)
    if decision not in DECISIONS:
        raise Http404
    try:
        if draft is None:
            raise preparation.NoDraft
        if request.POST.get("seen") != preparation.mark_of(preparation.steps_by(draft)):
            raise preparation.ChangedMeanwhile
        return DECISIONS[decision](request, connection, draft)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("preparation", tenant=district.pk, connection_id=connection.pk)


@require_POST
@in_district(Act.MANAGE_CONNECTIONS)
def bring_back(request: Any, district: District, connection_id: int, number: int) -> HttpResponse:
    """The steps of an earlier version become the draft."""
    connection = _connection_or_404(district, connection_id)
    try:
        version = preparation.find_version(connection, number)
    except preparation.NoSuchVersion as refusal:
        raise Http404 from refusal
    try:
        steps = steps_of(version.steps)
        preparation.draft_steps(connection, steps, request.user.email, request.POST.get("seen"))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("preparation", tenant=district.pk, connection_id=connection.pk)


def _show(request: Any, connection: Connection, draft: Preparation) -> HttpResponse:
    jobs.enqueue_steps(draft, request.user.email)
    messages.info(
        request, _("The last delivery is planned anew with these steps. It goes on if you leave this page.")
    )
    return redirect("preparation", tenant=connection.district_id, connection_id=connection.pk)


def _apply(request: Any, connection: Connection, draft: Preparation) -> HttpResponse:
    why = request.POST.get("why", "")
    run = steps_change.save_and_apply(draft, request.user.email, why, jobs.enqueue_preview)
    messages.success(request, _("The steps are saved, and what they change is being applied."))
    return redirect("import", tenant=connection.district_id, run_id=run.pk)


def _next(request: Any, connection: Connection, draft: Preparation) -> HttpResponse:
    steps_change.save_for_next(draft, request.user.email, request.POST.get("why", ""))
    messages.success(request, _("The steps are saved. They hold from the next import on."))
    return redirect("preparation", tenant=connection.district_id, connection_id=connection.pk)


def _drop(request: Any, connection: Connection, draft: Preparation) -> HttpResponse:
    steps_change.drop(connection)
    messages.success(request, _("The changes are dropped. The steps are as they were."))
    return redirect("preparation", tenant=connection.district_id, connection_id=connection.pk)


DECISIONS = {"show": _show, "apply": _apply, "next": _next, "drop": _drop}


def _samples(connection: Connection, steps: tuple[Step, ...], number: int) -> dict[str, Any]:
    """What came of trying steps, if they are still those."""
    try:
        run = questions.find_question(connection.district, number)
        tried = questions.answer_of(run)
    except questions.NoSuchQuestion as refusal:
        return {"untried": refusal.words}
    if run.connection_id != connection.pk or run.task.get("steps") != [step.as_dict() for step in steps]:
        return {"untried": _("The steps were changed since. Try them again.")}
    return {"tried": tried, "most_rows": MOST_ROWS}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _kept(
    request: Any, connection: Connection, said: dict[str, Any], change: Any, number: int = 0
) -> HttpResponse:
    """The form taken: the draft has the step now. What is wrong is said over what was filled in."""
    kind, file = KINDS[said["do"]], said["file"]
    filled = {name: request.POST.get(name, "") for name in request.POST}
    try:
        said = read_form(kind, file, filled)
        steps = change(list(preparation.drafted_steps(connection)), step_of(said))
        preparation.draft_steps(
            connection,
            steps_of([one.as_dict() for one in steps]),
            request.user.email,
            request.POST.get("seen"),
        )
    except BadSteps as refusal:
        return _form(request, connection, said, number, refusal.words, filled)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("preparation", tenant=connection.district_id, connection_id=connection.pk)


def _form(
    request: HttpRequest,
    connection: Connection,
    said: dict[str, Any],
    number: int = 0,
    wrong: str = "",
    filled: dict[str, str] | None = None,
) -> HttpResponse:
    kind = KINDS[said["do"]]
    said = said if filled is None else _as_filled(said, filled)
    context = _context(connection, preparation.drafted_steps(connection)) | {
        "kind": kind,
        "file": said["file"],
        "number": number,
        "controls": controls_of(kind, said),
        "conditions": condition_controls(said) if kind.has_condition else [],
        "columns": columns_of(said["file"]),
        "wrong": wrong,
    }
    return render(request, "console/preparation_step.html", context, status=422 if wrong else 200)


def _as_filled(said: dict[str, Any], filled: dict[str, str]) -> dict[str, Any]:
    """What was typed, as it was typed."""
    where = {name.removeprefix("where-"): text for name, text in filled.items() if name.startswith("where-")}
    return {**filled, "do": said["do"], "file": said["file"], "where": where}


def _context(connection: Connection, steps: tuple[Step, ...]) -> dict[str, Any]:
    return {"nav": "connections", "connection": connection, "seen": preparation.mark_of(steps)}


def _connection_or_404(district: District, connection_id: int) -> Connection:
    try:
        return find_connection(connection_id, district)
    except NoSuchConnection as refusal:
        raise Http404 from refusal
