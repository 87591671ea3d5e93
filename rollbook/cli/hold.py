"""`rollbook hold`: plans that wait for a person, and what is decided about them."""

import json
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.cli.importing import say, show_counts
from rollbook.cli.run import tell
from rollbook.flows import holds, jobs
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.keeping import keeping_of, set_keeping
from rollbook.store.models import Hold, Run

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
RunNumber = Annotated[int, typer.Argument(help="The run that is held: `rollbook hold list` shows it.")]
Why = Annotated[str, typer.Option("--why", help="Why you decide so; kept with the decision.")]

verbs = typer.Typer(
    no_args_is_help=True, help="Plans that wait for a person, and what is decided about them."
)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="hold")


@verbs.command("list")
def list_holds(
    district: Annotated[str, typer.Option(help="Only those of this district: its Tenant ID or name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the plans that wait for a decision."""
    found = holds.open_holds(find_district(district) if district else None)
    show(
        [_row(hold) for hold in found],
        as_json,
        "no plan waits; `rollbook limits show` says what would hold one",
    )


@verbs.command("show")
def show_hold(run: RunNumber, as_json: AsJson = False) -> None:
    """Show why a plan is held, and what it would change."""
    hold = holds.find_hold(run)
    if as_json:
        typer.echo(json.dumps(_told(hold), ensure_ascii=False))
        return
    typer.echo(f"Run {run} of {hold.district.name}: {hold.decision or 'waits for a decision'}.")
    for hazard in holds.hazards_of(hold):
        typer.echo(f"    {hazard.words}")
    typer.echo("The plan:")
    show_counts(hold.run.plan.counts)
    if hold.decision:
        typer.echo(f"{hold.decided_by or '-'}, {hold.decided_at:%Y-%m-%d %H:%M} UTC: {hold.why}")


@verbs.command("apply")
def apply_hold(run: RunNumber, why: Why, as_json: AsJson = False) -> None:
    """Apply the plan once, as it was shown; the limits stay."""
    _carry_out(run, "apply", why, as_json)


@verbs.command("raise")
def raise_hold(run: RunNumber, why: Why, as_json: AsJson = False) -> None:
    """Apply the plan, and raise the limits it reached just above it."""
    _carry_out(run, "raise", why, as_json)


@verbs.command("reject")
def reject_hold(run: RunNumber, why: Why, as_json: AsJson = False) -> None:
    """Never apply the plan. What is served stays."""
    _tell(holds.reject(holds.find_hold(run), actor().name, why), as_json)


@verbs.command("relink")
def relink_hold(run: RunNumber, why: Why, as_json: AsJson = False) -> None:
    """Plan the delivery anew with its re-keyed records re-linked, so that apps keep the ids they know. The new plan is held, to be looked at."""
    with jobs.own_process() as process:
        made = jobs.enqueue_relink(holds.find_hold(run), actor().name, why, process=process)
        _tell(jobs.walk_here(made, say), as_json)


@verbs.command("days")
def set_days(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    days: Annotated[int | None, typer.Argument(help="So many days, 1 to 90.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show after how many days a held plan is given up, if nobody decides; or change it. Until then its operators are reminded each day."""
    place = find_district(district)
    keeping = set_keeping(place, hold_days=days) if days is not None else keeping_of(place)
    show([{"holdDays": keeping.hold_days}], as_json)


def _carry_out(run: int, decision: str, why: str, as_json: bool) -> None:
    """When it is the district's turn, like any other run."""
    with jobs.own_process() as process:
        waiting = jobs.enqueue_decision(holds.find_hold(run), decision, actor().name, why, process=process)
        _tell(jobs.walk_here(waiting, say), as_json)


def _tell(ended: Run, as_json: bool) -> None:
    """Exit 1 where it came to nothing."""
    tell(ended, as_json)
    if ended.outcome in ("refused", "failed"):
        raise typer.Exit(1)


def _row(hold: Hold) -> dict[str, object]:
    return {
        "run": hold.run_id,
        "tenantId": hold.district_id,
        "connection": hold.run.connection.name if hold.run.connection else "",
        "since": f"{hold.created_at:%Y-%m-%d %H:%M}",
        "why": holds.hazards_of(hold)[0].words,
    }


def _told(hold: Hold) -> dict[str, Any]:
    return {
        "run": hold.run_id,
        "tenantId": hold.district_id,
        "hazards": hold.hazards,
        "counts": hold.run.plan.counts,
        "fingerprint": hold.run.plan.fingerprint,
        "decision": hold.decision,
        "decidedBy": hold.decided_by,
        "decidedAt": hold.decided_at.isoformat() if hold.decided_at else None,
        "why": hold.why,
    }
