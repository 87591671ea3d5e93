"""`rollbook prepare`: the steps by which a connection's deliveries are prepared before they are judged."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import show
from rollbook.cli.importing import HELD, say, show_findings, show_plan, told
from rollbook.engine.preparation.kinds import TESTS
from rollbook.engine.preparation.reference import steps_schema
from rollbook.engine.preparation.steps import Step, read_steps, written
from rollbook.engine.preparation.trial import Tried
from rollbook.flows import jobs, preparation, steps_change
from rollbook.flows.acting import actor
from rollbook.flows.connections import find_connection
from rollbook.flows.ingest import Prepared
from rollbook.flows.previews import preview as show_only
from rollbook.flows.severities import WhyNeeded
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, Preparation, Run

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The connection's number: `rollbook connection list` shows it.")]
StepsFile = Annotated[
    Path, typer.Argument(help="The steps as JSON, as `rollbook prepare show --json` writes them.")
]

verbs = typer.Typer(
    no_args_is_help=True, help="Steps that change a connection's deliveries before they are judged."
)


class DraftThere(Refusal):
    """Somebody is changing the steps of this connection in the console. Decide about those first, or drop them: `rollbook prepare drop`."""


class CannotRead(Refusal):
    """The file of steps cannot be read."""


class OneOfBoth(Refusal):
    """Say either --apply or --next."""


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="prepare")


@verbs.command("show")
def show_steps(
    number: Number,
    version: Annotated[
        int | None, typer.Option(help="An earlier version instead of the one that holds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the steps of a connection, in their order. With --json as a file that `set` reads."""
    connection = find_connection(number)
    steps = (
        preparation.steps_for(connection)
        if version is None
        else preparation.steps_by(preparation.find_version(connection, version))
    )
    if as_json:
        typer.echo(written(steps))
        return
    for place, step in enumerate(steps, 1):
        typer.echo(f"{place:>3}  {step.title}{_details(step)}")
    if not steps:
        typer.echo("No steps: deliveries are taken as they come.")


@verbs.command("set")
def set_steps(
    number: Number,
    file: StepsFile,
    apply: Annotated[
        bool, typer.Option("--apply", help="Save the steps, and apply what they change.")
    ] = False,
    next_import: Annotated[bool, typer.Option("--next", help="Save the steps for the next import.")] = False,
    why: Annotated[str, typer.Option(help="Why you change them; kept with the version.")] = "",
    as_json: AsJson = False,
) -> None:
    """Change the steps of a connection. What they would change is shown first; without --apply or --next nothing is saved.

    Exit 0 when it is done or was only shown, 1 when it was refused, 3 when the limits hold the plan: `rollbook hold show` says why.
    """
    if apply and next_import:
        raise OneOfBoth
    if (apply or next_import) and not why.strip():
        raise WhyNeeded
    connection = find_connection(number)
    draft = _drafted(connection, _read(file))
    if draft is None:
        typer.echo(json.dumps({"saved": None}) if as_json else "These are the steps that hold already.")
        return
    try:
        run = _walked(connection, draft, apply, next_import, why, as_json)
    finally:
        steps_change.drop(connection)  # nothing, where they were saved
    raise typer.Exit(HELD if run and run.outcome == "held" else 0)


@verbs.command()
def preview(number: Number, file: StepsFile, as_json: AsJson = False) -> None:
    """Show what other steps would change, from the last delivery; nothing is saved, nothing is applied."""
    set_steps(number, file, as_json=as_json)


@verbs.command()
def samples(
    number: Number,
    file: Annotated[
        Path | None, typer.Argument(help="Steps to try, as JSON; else those of the connection.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what each step does to rows of the last delivery: at most 20 rows, before and after. Demographics are not shown."""
    connection = find_connection(number)
    steps = _read(file) if file else preparation.drafted_steps(connection)
    tried = steps_change.try_on_last(connection, steps)
    if as_json:
        typer.echo(json.dumps([_tried(one) for one in tried], ensure_ascii=False))
        return
    for one in tried:
        _print(one)


@verbs.command()
def versions(number: Number, as_json: AsJson = False) -> None:
    """Show who changed the steps of a connection, when and why."""
    rows = [
        {"version": one.number, "at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}", "by": one.by, "steps": len(one.steps), "why": one.why}
        for one in preparation.versions_of(find_connection(number))
    ]  # fmt: skip
    show(rows, as_json, "`rollbook prepare set` makes the first steps")


@verbs.command()
def drop(number: Number) -> None:
    """Forget the steps that somebody is changing in the console; those that hold stay."""
    was_there = steps_change.drop(find_connection(number))
    typer.echo("The changed steps are dropped." if was_there else "There were no changed steps.")


@verbs.command()
def schema() -> None:
    """Print the JSON Schema of a file of steps."""
    typer.echo(json.dumps(steps_schema(), indent=2))


def _read(file: Path) -> tuple[Step, ...]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRead(f"{file}: {error}") from error
    return read_steps(text)


def _drafted(connection: Connection, steps: tuple[Step, ...]) -> Preparation | None:
    if preparation.draft_of(connection):
        raise DraftThere(connection.name)
    return preparation.draft_steps(connection, steps, actor().name)


def _walked(
    connection: Connection, draft: Preparation, apply: bool, next_import: bool, why: str, as_json: bool
) -> Run | None:
    """The plan shown, where there is something to compare with, and then what was asked for."""
    with jobs.own_process() as process:
        shown = _shown(connection, draft, process, next_import, as_json)
        if apply:
            run = steps_change.save_and_apply(
                draft, actor().name, why,
                lambda planned, by: jobs.walk_here(jobs.enqueue_preview(planned, by, process=process), say),
            )  # fmt: skip
            _tell(draft, shown, run, as_json)
            return run
    if next_import:
        steps_change.save_for_next(draft, actor().name, why)
    _tell(draft, shown, None, as_json)
    return None


def _shown(
    connection: Connection, draft: Preparation, process: str, may_lack: bool, as_json: bool
) -> Prepared | None:
    if may_lack and steps_change.last_delivery(connection) is None:
        return None
    prepared = jobs.plan_here(jobs.enqueue_steps(draft, actor().name, process=process), say)
    show_only(prepared)
    draft.refresh_from_db()
    if not as_json:
        show_findings(prepared)
        show_plan(prepared)
    return prepared


def _tell(draft: Preparation, shown: Prepared | None, run: Run | None, as_json: bool) -> None:
    draft.refresh_from_db()
    if as_json:
        plan = told(shown, run or shown.run) if shown else {}
        typer.echo(json.dumps({"saved": draft.number, **plan}))
    elif run:
        typer.echo(f"Version {draft.number} is saved. Run {run.pk}: {run.outcome}. {run.message}".strip())
    elif draft.number:
        typer.echo(f"Version {draft.number} is saved. It holds from the next import on.")
    else:
        typer.echo("Nothing was saved: --apply saves and applies it, --next saves it for the next import.")


def _print(one: Tried) -> None:
    outcome = one.outcome
    did = outcome.idle or f"{outcome.changed:,} of {outcome.rows:,} records"
    typer.echo(f"{outcome.number:>3}  {outcome.step.title}: {did}")
    for sample in one.samples:
        typer.echo(f"       {outcome.step.file}.csv line {sample.line} ({sample.source_id})")
        for field, before, after in sample.fields:
            typer.echo(f"           {field}: {before or '-'} → {after or '-'}")


def _tried(one: Tried) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "step": outcome.number,
        "records": outcome.rows,
        "changed": outcome.changed,
        "unmatched": outcome.rest,
        "notUsed": outcome.unused,
        "notApplied": outcome.idle,
        "rows": [
            {
                "file": f"{outcome.step.file}.csv",
                "line": sample.line,
                "sourcedId": sample.source_id,
                "fields": [
                    {"field": field, "before": before, "after": after}
                    for field, before, after in sample.fields
                ],
            }
            for sample in one.samples
        ],
    }


def _details(step: Step) -> str:
    """The other things the step says, and when it is done."""
    others = [
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in step.values.items()
        if name not in ("field", "into")
    ]
    words = f" {', '.join(others)}" if others else ""
    where = step.where
    if where is None:
        return words
    return (
        f"{words}, where {where.field} {TESTS[where.test].split(';')[0]} '{where.value}' (case: {where.case})"
    )
