"""`rollbook undo`: back to the roster as it was before a run. The plan is shown first, and nothing happens until somebody says so."""

import json
from typing import Annotated

import typer

from rollbook.cli.importing import HELD, decided, show_plan, told
from rollbook.flows.undo import find_run, prepare_undo


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(undo)


def undo(
    run: Annotated[int, typer.Argument(help="The run before which the roster was right.")],
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON; applies only with --yes.")] = False,
) -> None:
    """Take back a run and all that its connection brought since: values come back, not only records.

    Exit 0 when it is done (or you said no), 3 when the limits hold it.
    """
    prepared = prepare_undo(find_run(run), "command line")
    if not as_json:
        show_plan(prepared)
    ended = decided(prepared, yes, as_json)
    typer.echo(
        json.dumps(told(prepared, ended))
        if as_json
        else f"Run {ended.pk}: {ended.outcome}. {ended.message}".strip()
    )
    raise typer.Exit(HELD if ended.outcome == "held" else 0)
