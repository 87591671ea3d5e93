"""Support: a product's staff over all its organizations' rosterings. Numbers, codes and states; people only after a reason that is kept."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from rollbook.console.imports import Badge
from rollbook.console.organization.access import Act, in_product
from rollbook.console.organization.connecting import PRESETS
from rollbook.console.organization.explaining import EXPLAINED, explanation
from rollbook.console.organization.frame import run_or_404
from rollbook.console.organization.reasons import hold_words, places_of
from rollbook.console.organization.record_words import said
from rollbook.console.organization.records import asked_of, choices, kept_of, shown
from rollbook.console.organization.stating import source_words
from rollbook.console.organization.walking import walking
from rollbook.console.organization.words import CONNECTION_STATES, KINDS, badge, outcome_badge, run_kind
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows.sync import (
    activating,
    connections,
    helping,
    holds,
    inviting,
    report,
    supporting,
    switching,
)
from rollbook.flows.sync.connections import State, policy_of
from rollbook.flows.sync.records import find
from rollbook.flows.sync.runs import SWITCH
from rollbook.flows.sync.supporting import FAILS, Customer
from rollbook.refusal import Refusal
from rollbook.store.models import Product, SyncConnection, SyncRun

LOOKING = timedelta(hours=1)
"""For so long a reason opens people's records, to this sign-in and of this connection."""

KEY = "support_looks"
QUESTIONS_SHOWN, ASKED_SHOWN, HOLDS_SHOWN, RECORDS_SHOWN = 20, 20, 20, 50


@in_product(Act.SUPPORT_ROSTERING)
def show_support(request: Any, product: Product) -> HttpResponse:
    """Who waits first: for activation, for an answer; then what fails; then all others."""
    search = _text(request.GET.get("q", ""))[:200]
    found = supporting.customers(product, search, _place(request.GET.get("after", "")))
    shown = found[: supporting.PAGE]
    questions = helping.waiting(product)
    context = {
        "nav": "support",
        "search": search,
        "rows": [_row(one) for one in shown],
        "after": f"{shown[-1].rank}.{shown[-1].connection.pk}" if len(found) > supporting.PAGE else None,
        "is_first": not request.GET.get("after"),
        "numbers": supporting.numbers(product),
        "questions": list(questions[:QUESTIONS_SHOWN]),
        "question_number": questions.count(),
        "asked": [(one, inviting.is_shared(one)) for one in activating.waiting_of(product)[:ASKED_SHOWN]],
    }
    return render(request, "organization/support.html", context)


@in_product(Act.SUPPORT_ROSTERING)
def show_connection(request: Any, product: Product, connection_id: int) -> HttpResponse:
    return _page(request, _customer_or_404(product, connection_id))


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def turn_connection(request: Any, product: Product, connection_id: int, turn: str) -> HttpResponse:
    """Activates it, or pauses it."""
    customer = _customer_or_404(product, connection_id)
    why = _text(request.POST.get("why", ""))
    try:
        (connections.activate if turn == "activate" else connections.pause)(customer.connection, why)
    except Refusal as refusal:
        return _page(request, customer, wrong=refusal.words)
    messages.success(
        request, _("The connection is active.") if turn == "activate" else _("The connection is paused.")
    )
    return _back(product, connection_id)


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def activate_asked(request: Any, product: Product, invitation_id: int) -> HttpResponse:
    """Connects an organization with the district whose Tenant ID it gave, where that lets the product read already."""
    invitation = activating.waiting_of(product).filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404
    try:
        made, _found = activating.activate(invitation, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("support", product_id=product.pk)
    messages.success(request, _("The connection is active."))
    return _back(product, made.pk)


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def switch(request: Any, product: Product, connection_id: int) -> HttpResponse:
    """Plans the switch; nothing changes before the plan was looked at."""
    customer = _customer_or_404(product, connection_id)
    form = "group" if policy_of(customer.connection).classes.form == "class" else "class"
    try:
        switching.switch(customer.connection, form, request.user.email)
    except Refusal as refusal:
        return _page(request, customer, wrong=refusal.words)
    messages.info(
        request,
        _(
            "The switch is being planned. What it changes stands here then, and nothing changes before you begin it."
        ),
    )
    return _back(product, connection_id)


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def approve_switch(request: Any, product: Product, connection_id: int, run_id: int) -> HttpResponse:
    """Carries out exactly the switch that was shown; everything else the organization decides."""
    customer = _customer_or_404(product, connection_id)
    run = run_or_404(customer.connection, run_id, SWITCH)
    try:
        holds.approve(run, request.user.email, _text(request.POST.get("why", "")))
    except Refusal as refusal:
        return _page(request, customer, wrong=refusal.words)
    messages.success(request, _("The switch is being carried out."))
    return _back(product, connection_id)


@in_product(Act.SUPPORT_ROSTERING)
def answer(request: Any, product: Product, number: int) -> HttpResponse:
    """One question, and the one answer to it."""
    question = helping.waiting(product).filter(pk=number).first()
    if question is None:
        raise Http404
    wrong = ""
    if request.method == "POST":
        try:
            helping.answer(number, request.user.email, request.POST.get("words", ""), product)
        except Refusal as refusal:
            wrong = refusal.words
        else:
            messages.success(
                request, _("The answer is with %(name)s.") % {"name": question.organization.name}
            )
            if question.connection_id is None:
                return redirect("support", product_id=product.pk)
            return _back(product, question.connection_id)
    context = {"nav": "support", "question": question, "wrong": wrong, "words": request.POST.get("words", "")}
    return render(request, "organization/support_answer.html", context, status=422 if wrong else 200)


# --- People: only for a reason --------------------------------------------------------------------------------------------------------------


@require_POST
@in_product(Act.SUPPORT_ROSTERING)
def give_reason(request: Any, product: Product, connection_id: int) -> HttpResponse:
    customer = _customer_or_404(product, connection_id)
    try:
        supporting.look(customer.connection, request.user.email, request.POST.get("why", ""))
    except Refusal as refusal:
        return _page(request, customer, wrong=refusal.words)
    until = timezone.now() + LOOKING
    request.session[KEY] = {**request.session.get(KEY, {}), str(connection_id): until.isoformat()}
    return redirect("support-people", product_id=product.pk, connection_id=connection_id)


@in_product(Act.SUPPORT_ROSTERING)
def show_people(request: Any, product: Product, connection_id: int) -> HttpResponse:
    """A run's records, and one record explained; without a reason given in the last hour it goes back to where one is given."""
    customer = _customer_or_404(product, connection_id)
    until = _may_look_until(request, connection_id)
    if until is None:
        messages.error(request, _("Give a reason first: it is kept in the audit log."))
        return _back(product, connection_id)
    connection = customer.connection
    runs = supporting.last_runs(connection)
    chosen = _number(request.GET.get("run", ""))
    run = run_or_404(connection, chosen) if chosen else next(iter(runs), None)
    context = {
        "nav": "support",
        "customer": customer,
        "connection": connection,
        "until": until,
        "runs": [(one, run_kind(one)) for one in runs],
        "run": run,
        **_records(request, run),
        **_explained(request, connection),
    }
    return render(request, "organization/support_people.html", context)


def _may_look_until(request: Any, connection_id: int) -> datetime | None:
    told = request.session.get(KEY, {}).get(str(connection_id), "")
    until = datetime.fromisoformat(told) if told else None
    return until if until and timezone.now() < until else None


def _records(request: Any, run: SyncRun | None) -> dict[str, Any]:
    """The records of a run, those that failed first, narrowed and a page at a time."""
    if run is None:
        return {"records": []}
    asked = asked_of(request)
    page = find(run, asked, request.GET.get("from", "")[:20], RECORDS_SHOWN)
    return {
        "records": [shown(one) for one in page.records],
        "next": urlencode({**kept_of(asked), "run": str(run.pk), "from": page.following})
        if page.following
        else "",
        **choices(run, asked),
    }


def _explained(request: Any, connection: SyncConnection) -> dict[str, Any]:
    source_id, kind = _text(request.GET.get("record", "")), request.GET.get("of", MEMBERS)
    found: dict[str, Any] = {
        "of": [(one, KINDS[one]) for one in EXPLAINED],
        "record": source_id,
        "of_kind": kind,
    }
    if not source_id or kind not in EXPLAINED:
        return found
    try:
        return found | {"explained": explanation(connection, kind, source_id)}
    except Refusal as refusal:
        return found | {"not_explained": refusal.words}


# --- As it is shown --------------------------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, customer: Customer, wrong: str = "") -> HttpResponse:
    connection = customer.connection
    runs = supporting.last_runs(connection)
    told = [_run(run) for run in runs]
    form = policy_of(connection).classes.form
    waiting = holds.open_page(connection)[:HOLDS_SHOWN]
    places = places_of(waiting)
    context = {
        "nav": "support",
        "customer": customer,
        "connection": connection,
        "row": _row(customer),
        "source": source_words(connection),
        "preset": PRESETS.get(connection.preset, (connection.preset,))[0],
        "runs": told,
        "walk": next((walking(run) for run in runs if not run.outcome), None),
        "holds": [hold_words(one, places) for one in waiting],
        "questions": list(
            helping.waiting(customer.connection.organization.product).filter(connection=connection)
        ),
        "form": form,
        "switch": next((one for one in told if one["run"].task.get("kind") == SWITCH), None),
        "may_activate": connection.state in connections.STEPS[State.ACTIVE],
        "looking_until": _may_look_until(request, connection.pk),
        "wrong": wrong,
    }
    return render(request, "organization/support_connection.html", context, status=422 if wrong else 200)


def _run(run: SyncRun) -> dict[str, Any]:
    """What a run came to: sums and codes with how often they stand in it, and no name."""
    summary = report.summary(run) if run.outcome else {"codes": [], "planned": {}}
    planned = [(KINDS.get(kind, kind), sum(actions.values())) for kind, actions in summary["planned"].items()]
    codes = [said(one["code"], one["count"]) for one in summary["codes"]]
    return {
        "run": run,
        "outcome": _outcome(run),
        "kind": run_kind(run),
        "codes": codes,
        "planned": planned,
    }


def _outcome(run: SyncRun) -> Badge:
    """What a run came to, told to somebody who does not decide about it."""
    if run.outcome == "held":
        return Badge(_("Held, waits for the organization"), "yellow", "warning")
    return outcome_badge(run)


def _row(customer: Customer) -> dict[str, Any]:
    connection = customer.connection
    return {
        "customer": customer,
        "connection": connection,
        "state": badge(CONNECTION_STATES, connection.state),
        "outcome": _outcome(customer.last) if customer.last else None,
        "waits": _waits(customer),
    }


def _waits(customer: Customer) -> list[Badge]:
    """What it waits for, and for whom."""
    found = []
    connection = customer.connection
    if connection.state == State.WAITING:
        found.append(Badge(_("Waits for you to activate it"), "azure", "clock"))
    if connection.state == State.REQUESTED:
        found.append(Badge(_("Waits for the organization to test it"), "secondary", "clock"))
    if customer.questions:
        words = ngettext("Asks for help", "Asks for help: %(number)s questions", customer.questions)
        found.append(Badge(words % {"number": customer.questions}, "orange", "info"))
    if customer.rank == FAILS:
        found.append(Badge(_("The last sync failed"), "red", "cross"))
    if customer.holds:
        found.append(
            Badge(
                ngettext(
                    "hold waits for the organization", "holds wait for the organization", customer.holds
                ),
                "yellow",
                "warning",
                customer.holds,
            )
        )
    if customer.cases:
        found.append(
            Badge(
                ngettext(
                    "case waits for the organization", "cases wait for the organization", customer.cases
                ),
                "yellow",
                "warning",
                customer.cases,
            )
        )
    return found


def _customer_or_404(product: Product, number: int) -> Customer:
    try:
        return supporting.find_customer(product, number)
    except supporting.NoSuchCustomer as refusal:
        raise Http404 from refusal


def _back(product: Product, connection_id: int) -> HttpResponse:
    return redirect("support-connection", product_id=product.pk, connection_id=connection_id)


def _place(text: str) -> tuple[int, int] | None:
    rank, _dot, number = text.partition(".")
    return (_number(rank), _number(number)) if _number(rank) else None


def _text(text: str) -> str:
    return text.replace("\0", "").strip()[:500]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
