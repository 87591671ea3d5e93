"""`rollbook run`: imports and other runs: what there are, how far one is, waiting for its end, cancelling it."""

import time
from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.cli.importing import EXITS, say
from rollbook.flows import jobs
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.jobs.standing import Standing, standing
from rollbook.flows.undo import find_run
from rollbook.store.models import Run

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
RunNumber = Annotated[int, typer.Argument(help="The run: `rollbook run list` shows it.")]
LOOK = 0.5
STILL_GOING = 4
GOOD = ("success", "empty", "previewed")

verbs = typer.Typer(
    no_args_is_help=True, help="Imports and other runs: which there are, how far they are, their end."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="run")


@verbs.command("list")
def list_runs(
    district: Annotated[str, typer.Option(help="Only those of this district: its Tenant ID or name.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    most: Annotated[int, typer.Option(help="So many, the latest first.", min=1)] = 25,
    as_json: AsJson = False,
) -> None:
    """Show runs, the latest first."""
    found = Run.objects.select_related("connection").order_by("-pk")
    if district:
        found = found.filter(district=find_district(district))
    if open_only:
        found = found.filter(outcome="")
    show([_row(run) for run in found[:most]], as_json, "`rollbook import DISTRICT PACKAGE` begins one")


@verbs.command("show")
def show_run(run: RunNumber, as_json: AsJson = False) -> None:
    """Show where a run stands, or what it came to."""
    found = find_run(run)
    tell(found, as_json)


@verbs.command("wait")
def wait_for_run(
    run: RunNumber,
    seconds: Annotated[int, typer.Option(help="So long at most; 0 for ever.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Wait until a run has ended.

    Exit 0 when it went well, 1 when it did not, 3 when its plan is held, 4 when it has not ended in time,
    5 when it is kept because of a blackout.
    """
    until = time.monotonic() + seconds if seconds else float("inf")
    said = ""
    while not (found := find_run(run)).outcome and time.monotonic() < until:
        now = _said(found, standing(found))
        if now != said and not as_json:
            typer.echo(now)
        said = now
        time.sleep(LOOK)
    tell(found, as_json)
    raise typer.Exit(_exit_code(found))


@verbs.command("cancel")
def cancel_run(run: RunNumber, as_json: AsJson = False) -> None:
    """End a run at its next safe point; nothing of it is applied. Once it changes the roster it is too late."""
    found = jobs.cancel(find_run(run), actor().name)
    tell(found, as_json)


@verbs.command("again")
def plan_again(run: RunNumber, as_json: AsJson = False) -> None:
    """Plan anew what is stale, because the roster is another one now.

    What was only shown is shown again. What is held is judged again: it waits again, or is applied where nothing holds it any more.
    Exit as `rollbook run wait`.
    """
    by = actor().name
    with jobs.own_process() as process:
        found = jobs.walk_here(jobs.enqueue_anew(find_run(run), by, process=process), say)
    tell(found, as_json)
    raise typer.Exit(_exit_code(found))


def _exit_code(run: Run) -> int:
    if not run.outcome:
        return STILL_GOING
    return EXITS.get(run.outcome, int(run.outcome not in GOOD))


def _row(run: Run) -> Row:
    return {
        "run": run.pk,
        "tenantId": run.district_id,
        "connection": run.connection.name if run.connection else None,
        "flow": run.flow,
        "phase": run.phase,
        "outcome": run.outcome,
        "startedAt": f"{run.started_at:%Y-%m-%d %H:%M}",
        "startedBy": run.started_by,
    }


def tell(run: Run, as_json: bool) -> None:
    """Where a run stands, or what it came to."""
    now = standing(run)
    answer(_told(run, now), _said(run, now), as_json)


def _told(run: Run, now: Standing) -> Row:
    return _row(run) | {
        "phase": now.phase,
        "message": run.message,
        "percent": now.percent,
        "rowsDone": now.done,
        "rowsKnown": now.known,
        "secondsLeft": now.seconds_left,
        "ahead": now.ahead,
        "cancelledBy": now.cancelled_by,
    }


def _said(run: Run, now: Standing) -> str:
    if now.is_over:
        return f"Run {run.pk}: {run.outcome}. {run.message}".strip()
    if now.ahead:
        return f"Run {run.pk} waits: {now.ahead} of its district come first."
    rows = f", {now.done:,} of {now.known:,} rows" if now.known else ""
    left = f", about {now.seconds_left} seconds left" if now.seconds_left is not None else ""
    asked = f" {now.cancelled_by} has cancelled it." if now.cancelled_by else ""
    return f"Run {run.pk}: {now.phase}{rows}, {now.percent} %{left}.{asked}"
