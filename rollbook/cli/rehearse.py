"""`rollbook rehearse`: what a delivery would do on a day to come. Nothing happens, and nothing is kept but the report."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.importing import WORDS
from rollbook.engine.package import NotAPackage
from rollbook.flows.acting import actor
from rollbook.flows.connections import find_connection
from rollbook.flows.rehearsals import BadDay, rehearse, verdict_words
from rollbook.flows.spans import today_of

TURNS = {"academicSessions": "sessions", "classes": "classes", "roles": "roles", "enrollments": "enrollments"}


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("rehearse")(show_rehearsal)


def show_rehearsal(
    connection: Annotated[
        int, typer.Argument(help="The connection's number: `rollbook connection list` shows it.")
    ],
    path: Annotated[
        Path | None,
        typer.Argument(help="The package, a zip or a folder; else the connection's newest kept delivery."),
    ] = None,
    on: Annotated[str, typer.Option("--on", help="The day, as 2026-08-10; else today.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Tell what a delivery would do on a day to come: what begins and ends, who is left without a class, whether it would be held, and why.

    Exit 0 when it would be applied or nothing would change, 1 when it cannot be read, 2 when it is not a package, 3 when it would be held
    or kept.
    """
    way_in = find_connection(connection)
    day = _day(on) if on else today_of(way_in.district)
    try:
        report = rehearse(way_in, path, day, actor().name).report
    except NotAPackage as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from refusal
    if as_json:
        typer.echo(json.dumps(report | {"words": verdict_words(report)}, ensure_ascii=False))
    else:
        for line in _lines(report):
            typer.echo(line)
    raise typer.Exit({"refused": 1, "held": 3, "kept": 3}.get(report["verdict"], 0))


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [f"On {report['on']}: {verdict_words(report)}"]
    lines += [f"    {hazard['words']}" for hazard in report["hazards"]]
    lines += [
        f"{one['severity']}: {one['title']} ({one['count']:,}) [{one['code']}]" for one in report["codes"]
    ]
    lines += _plan(report)
    outlook = report["outlook"]
    if outlook:
        lines.append(f"What turns between today and {report['on']}:")
        lines += [_turn(TURNS[name], turn) for name, turn in outlook["turns"].items()]
        lines += [_seats(role, seats) for role, seats in outlook["without_class"].items()]
    return lines


def _plan(report: dict[str, Any]) -> list[str]:
    lines = ["The plan:"] if report["counts"] or report["leftOut"] else []
    for collection, actions in report["counts"].items():
        lines.append(
            f"    {collection:<18} {', '.join(f'{n:,} {WORDS[action]}' for action, n in actions.items())}"
        )
    for collection, number in report["leftOut"].items():
        until = report["additionsUntil"]
        lines.append(f"    {collection:<18} {number:,} not removed, additions only until {until}")
    for collection, number in report["heldBack"].items():
        lines.append(f"    {collection:<18} {number:,} held back, see the findings")
    return lines


def _turn(name: str, turn: dict[str, int]) -> str:
    return f"    {name:<18} {turn['end']:,} end, {turn['begin']:,} begin: {turn['before']:,} today, {turn['after']:,} then"


def _seats(role: str, seats: dict[str, int]) -> str:
    return (
        f"    {role + 's':<18} {seats['after']:,} without any class, {seats['lost']:,} of them with one today"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise BadDay(text) from fault
