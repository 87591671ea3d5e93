"""`rollbook sync calendar`, `days` and `cancel`: when syncs begin by themselves, on which days they change nothing or remove nothing."""

from datetime import date
from typing import Annotated

import typer
from django.utils import timezone

from rollbook.cli.columns import Row, answer, show
from rollbook.flows.acting import actor
from rollbook.flows.directory import find_organization
from rollbook.flows.sync import cancel, connections, runs, schedule, spans
from rollbook.store.models import SyncConnection, SyncSpan

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]

KINDS = ", ".join(SyncSpan.Kind.values)

days = typer.Typer(
    no_args_is_help=True,
    help="Days on which a sync changes nothing (blackout), or only adds (additions-only).",
)


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    verbs.command()(calendar)
    verbs.command("cancel")(cancel_run)
    verbs.add_typer(days, name="days")


def calendar(
    organization: Annotated[
        str, typer.Option(help="Only those of this organization: its number or name.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show when each sync begins by itself next, by its organization's clock, and what today's days mean for it."""
    found = connections.connections(find_organization(organization) if organization else None)
    show([_when(one) for one in found], as_json, "`rollbook sync connect` makes one")


def cancel_run(
    number: Annotated[int, typer.Argument(help="The sync run: `rollbook sync status` shows it.")],
    as_json: AsJson = False,
) -> None:
    """End a sync run at its next safe point. What it has done until then stays; the next run finds the rest."""
    run = cancel.cancel(runs.find_run(number), actor().name)
    words = run.message if run.outcome else f"Sync run {number} ends at its next safe point."
    answer({"run": run.pk, "outcome": run.outcome, "message": words}, words, as_json)


@days.command()
def add(
    number: Number,
    kind: Annotated[str, typer.Argument(help=f"What days they are: {KINDS}.")],
    first: Annotated[str, typer.Option("--from", help="The first day, as 2026-06-06.")],
    last: Annotated[str, typer.Option("--until", help="The last day, which is one of them.")],
    why: Annotated[str, typer.Option(help="Why, for your colleagues.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put days into a sync's calendar. Days are those of the organization's clock."""
    connection = connections.find_connection(number)
    span = spans.add_span(connection, kind, _day(first), _day(last), actor().name, why)
    answer(_row(span), f"Days {span.pk}: {kind} from {first} until {last}.", as_json)


@days.command("list")
def list_days(number: Number, as_json: AsJson = False) -> None:
    """Show the days in a sync's calendar, with who added them."""
    found = spans.spans_of(connections.find_connection(number))
    show([_row(span) for span in found], as_json, "`rollbook sync days add` puts days into the calendar")


@days.command()
def remove(
    number: Number,
    days_number: Annotated[int, typer.Argument(metavar="DAYS", help="The number that `list` shows.")],
    as_json: AsJson = False,
) -> None:
    """Take days out of a sync's calendar. Who did so stays known."""
    spans.remove_span(connections.find_connection(number), days_number, actor().name)
    answer({"days": days_number, "removed": True}, f"{days_number} is removed.", as_json)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise spans.BadSyncDays(text) from fault


def _when(connection: SyncConnection) -> Row:
    now = timezone.now()
    due = schedule.next_start(connection, now)
    blackout, additions = spans.blackout_end(connection, now), spans.additions_end(connection, now)
    return {
        "connection": connection.pk,
        "organization": connection.organization.name,
        "name": connection.name,
        "state": str(connection.state),
        "every": connections.policy_of(connection).timing.every,
        "next": due.name.replace("T", " ") if due else "",
        "timeZone": connection.organization.time_zone,
        "blackoutUntil": str(blackout or ""),
        "additionsOnlyUntil": str(additions or ""),
    }


def _row(span: SyncSpan) -> Row:
    return {
        "number": span.pk,
        "kind": str(span.kind),
        "from": str(span.first_day),
        "until": str(span.last_day),
        "why": span.why,
        "addedBy": span.added_by,
    }
