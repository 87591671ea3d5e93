"""`rollbook undo`: back to the roster as it was before a run. The plan is shown first, and nothing happens until somebody says so."""

import json
from typing import Annotated

import typer

from rollbook.cli.importing import HELD, decided, say, show_plan, told
from rollbook.flows import jobs
from rollbook.flows.acting import actor
from rollbook.flows.previews import preview as show_only
from rollbook.flows.undo import find_run


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(undo)


def undo(
    run: Annotated[
        int, typer.Argument(help="The run before which the roster was right; with --after, after which.")
    ],
    after: Annotated[
        bool, typer.Option("--after", help="Back to the roster as this run left it: the run itself stays.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show the plan; `rollbook apply` applies it later.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON; applies only with --yes.")] = False,
) -> None:
    """Take back a run and all that its connection brought since, or only what came after it: values come back, not only records.

    Exit 0 when it is done (or you said no), 3 when the limits hold it.
    """
    enqueue = jobs.enqueue_return if after else jobs.enqueue_undo
    with jobs.own_process() as process:
        prepared = jobs.plan_here(enqueue(find_run(run), actor().name, process=process), say)
        if not as_json:
            show_plan(prepared)
        ended = show_only(prepared) if preview else decided(prepared, yes, as_json)
    typer.echo(
        json.dumps(told(prepared, ended))
        if as_json
        else f"Run {ended.pk}: {ended.outcome}. {ended.message}".strip()
    )
    raise typer.Exit(HELD if ended.outcome == "held" else 0)
