"""`rollbook sync preview`, `run`, `approve`, `discard`, `status` and `report`: the runs of a sync connection."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import answer, lines, show
from rollbook.flows.acting import actor
from rollbook.flows.sync import connections, holds, own, report, resuming, retrying, runs, undoing
from rollbook.flows.sync.standing import standing
from rollbook.store.models import SyncRun

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The sync connection's number: `rollbook sync list` shows it.")]
RunNumber = Annotated[int, typer.Argument(help="The sync run: `rollbook sync status` shows it.")]
Why = Annotated[str, typer.Option("--why", help="Why you decide so; kept with the decision.")]
Holds = Annotated[
    list[int] | None,
    typer.Option("--hold", help="A hold by its number; `rollbook sync report` shows them. Repeat for more."),
]
EXITS = {"success": 0, "empty": 0, "previewed": 0, "held": 3, "partly": 4}
"""Every other outcome is 1."""


def add_to(verbs: typer.Typer) -> None:
    """Adds the verbs."""
    for verb in (preview, run, approve, discard, undo, retry, resume, status):
        verbs.command()(verb)
    verbs.command("report")(show_report)


def preview(number: Number, as_json: AsJson = False) -> None:
    """Read the source and show what a sync would change. Nothing is changed; `rollbook sync approve` carries out exactly this."""
    _walk(number, as_json, preview=True)


def run(
    number: Number,
    delta: Annotated[
        bool,
        typer.Option(
            "--delta",
            help="Ask only for what changed since the last sync. It removes only what is marked as deleted.",
        ),
    ] = False,
    only_adds: Annotated[bool, typer.Option("--only-adds", help="Remove nothing this time.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sync now. The first sync of a connection is only shown.

    Exit 0 when it came to its end, 3 when all of it is held, 4 when a part is held or was not taken, 1 otherwise.
    """
    _walk(
        number,
        as_json,
        kind=runs.DELTA if delta else runs.FULL,
        **({"onlyAdds": True} if only_adds else {}),
    )


def approve(
    number: RunNumber,
    tick: Annotated[
        list[str] | None,
        typer.Option(
            "--tick",
            help="Removals of a first preview to carry out: leavers, unowned. Unticked they are left out.",
        ),
    ] = None,
    hold: Holds = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Carry out a preview exactly as it was shown, or what a run held: without --hold, all that it held."""
    with own.own_process() as process:
        waiting = holds.approve(
            runs.find_run(number), actor().name, why, ticked=tick or (), holds=hold or None, process=process
        )
        tell(own.walk_here(waiting, _say), as_json)


def discard(number: RunNumber, why: Why, hold: Holds = None, as_json: AsJson = False) -> None:
    """Never carry out what a run held; without --hold, all of it. If its cause stays, the next sync holds it again."""
    found = holds.discard(runs.find_run(number), actor().name, why, hold or None)
    answer([str(one.pk) for one in found], f"{len(found)} holds are discarded.", as_json)


def undo(number: RunNumber, as_json: AsJson = False) -> None:
    """Show what it takes to undo a sync run, values too; what was changed since stays. `rollbook sync approve` does it."""
    with own.own_process() as process:
        tell(own.walk_here(undoing.undo(runs.find_run(number), actor().name, process), _say), as_json)


def retry(
    number: RunNumber,
    record: Annotated[
        list[int] | None,
        typer.Option(
            "--record", help="A record by its number; `rollbook sync report` shows them. Repeat for more."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try once more what the directory did not take: all of it, or what is named."""
    with own.own_process() as process:
        again = retrying.retry(runs.find_run(number), actor().name, record or None, process)
        tell(own.walk_here(again, _say), as_json)


def resume(number: RunNumber, as_json: AsJson = False) -> None:
    """Give a sync run that stands still for five minutes to another worker. What it has done stays, and is not done twice."""
    found = resuming.resume(runs.find_run(number), actor().name)
    answer(_row(found), f"Sync run {found.pk} goes on with the next worker that has time.", as_json)


def status(
    number: Annotated[int | None, typer.Argument(help="Only this sync connection.")] = None,
    most: Annotated[int, typer.Option("--most", help="So many runs.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the last sync runs, and how far those are that have not ended."""
    found = SyncRun.objects.select_related("organization", "connection").order_by("-pk")
    if number is not None:
        found = found.filter(connection=connections.find_connection(number))
    show([_row(one) for one in found[:most]], as_json, "`rollbook sync preview` makes one")


def show_report(
    number: RunNumber,
    kind: Annotated[str, typer.Option(help="Only sites, members, groups or memberships.")] = "",
    outcome: Annotated[
        str,
        typer.Option(
            help="Only what is done, planned, held, left-out, noted, wrong, reject, conflict or retry."
        ),
    ] = "",
    records: Annotated[bool, typer.Option("--records", help="Every record, with its reason.")] = False,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="Write every record into this CSV file; - is standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sync run came to: the sums, what is held and why, and every record where that is asked for."""
    found = runs.find_run(number)
    if csv_file is not None:
        _write(found, csv_file)
        return
    told = report.summary(found)
    chosen = report.lines(found, kind=kind, outcome=outcome) if records or kind or outcome else None
    if as_json:
        if chosen is not None:
            told["records"] = [line.as_dict() for line in chosen]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in _summed(told):
        typer.echo(line)
    if chosen is not None:
        rows = [_record(line) for line in chosen]
        for text in lines(rows) if rows else ["No record."]:
            typer.echo(text)


def tell(ended: SyncRun, as_json: bool) -> None:
    """What a run came to, and the exit code that says so."""
    told = report.summary(ended)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in _summed(told):
            typer.echo(line)
    raise typer.Exit(EXITS.get(ended.outcome, 1))


def _walk(number: int, as_json: bool, **task: Any) -> None:
    connection = connections.find_connection(number)
    with own.own_process() as process:
        waiting = runs.enqueue(connection, actor().name, process=process, **task)
        tell(own.walk_here(waiting, _say), as_json)


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _write(run: SyncRun, file: Path) -> None:
    if str(file) == "-":
        report.write_csv(run, sys.stdout)
        return
    with file.open("w", encoding="utf-8", newline="") as target:
        count = report.write_csv(run, target)
    typer.echo(f"{count:,} records are in {file}.")


def _summed(told: dict[str, Any]) -> list[str]:
    found = [f"Sync run {told['run']}: {told['outcome'] or told['phase']}. {told['message']}".strip()]
    for kind, actions in told["planned"].items():
        planned, done = _counted(actions), _counted(told["statistics"].get(kind, {}))
        found.append(
            f"    {kind}: {done}"
            if done == planned
            else f"    {kind}: {done or 'nothing done'}; planned: {planned}"
        )
    for kind, number in told["leftOut"].items():
        found.append(f"    {kind}: {number:,} removals are left out, because only additions are wanted")
    found += [
        f"    hold {one['hold']} ({one['decision'] or 'waits'}): {one['words']} ({one['operations']:,} operations)"
        for one in told["holds"]
    ]
    for code, number in sorted(told["remarks"].items()):
        found.append(f"    {number:,} × {code}: {report.TITLES.get(code, code)}")
    if told["cases"]:
        found.append(f"    {told['cases']:,} cases wait for a person: `rollbook sync cases` shows them")
    return found


def _counted(actions: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {report.WORDS.get(action, action)}" for action, number in actions.items())


def _record(line: report.Line) -> dict[str, object]:
    return {
        "number": line.number or "",
        "kind": line.kind,
        "what": line.what,
        "outcome": line.outcome,
        "sourcedId": line.source_id,
        "record": line.target,
        "reason": line.reason,
        "changes": report.told_changes(line),
    }


def _row(run: SyncRun) -> dict[str, object]:
    return {
        "run": run.pk,
        "organization": run.organization.name,
        "connection": run.connection.name,
        "kind": str(run.task.get("kind", "")),
        "phase": run.phase,
        "percent": standing(run).percent,
        "outcome": run.outcome,
        "since": f"{run.started_at:%Y-%m-%d %H:%M}",
        "message": run.message,
    }
