"""`rollbook changes`: what a plan changes, field by field, or counted by school. `rollbook apply`: a plan that was only shown."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.cli.importing import say
from rollbook.flows import jobs
from rollbook.flows.acting import actor
from rollbook.flows.previews import PlanGone
from rollbook.flows.undo import find_run
from rollbook.store.models import RECORDS, Run
from rollbook.store.plan_schools import SchoolCounts, count_by_school, schools_of
from rollbook.store.plans import (
    ALL,
    GROUPS,
    Narrow,
    PlannedChange,
    csv_rows,
    every_change,
    find_changes,
    grouped,
    masked,
)
from rollbook.store.shelf import place

HELD = 3
SHOWN = 50
ACTIONS = (*GROUPS, "create", "update", "restore", "delete", "archive", "relink")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
RunNumber = Annotated[int, typer.Argument(help="The run whose plan it is.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command()(changes)
    app.command("apply")(apply_shown)


def changes(
    run: RunNumber,
    collection: Annotated[str, typer.Option(help="Only of this collection: users, enrollments …")] = "",
    action: Annotated[
        str, typer.Option(help="Only added, changed or removed; or create, update, restore, delete, relink.")
    ] = "",
    school: Annotated[
        str, typer.Option(help="Only of the school with this sourcedId; - for what belongs to none.")
    ] = "",
    search: Annotated[
        str, typer.Option(help="Only where an id or a value holds this, whatever the case.")
    ] = "",
    by_school: Annotated[bool, typer.Option("--by-school", help="Count by school instead.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV, one line a field.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a plan changes: before and after of each field, and the file and line it came from. Demographics are named, not told."""
    if collection and collection not in RECORDS:
        raise typer.BadParameter(f"{collection} is none of {', '.join(RECORDS)}.", param_hint="--collection")
    if action and action not in ACTIONS:
        raise typer.BadParameter(f"{action} is none of {', '.join(ACTIONS)}.", param_hint="--action")
    planned = _planned(run)
    if by_school:
        rows = [_school_row(one) for one in count_by_school(planned.plan)]
        show(
            rows if as_json else [{k: v for k, v in row.items() if k != "counts"} for row in rows],
            as_json,
            "this plan changes nothing",
        )
        return
    schools = schools_of(planned.plan) if school else None
    narrow = Narrow(collection, action, search, school, schools)
    plan = place(planned.plan.shelf_name)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(csv_rows(plan, narrow))
    elif as_json:
        typer.echo(json.dumps([_told(masked(one)) for one in every_change(plan, narrow)], ensure_ascii=False))
    else:
        _print(plan, narrow)


def apply_shown(
    run: Annotated[
        int, typer.Argument(help="The run that was only shown: `rollbook import --preview` made it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Apply a plan that was shown, while the roster is what it was made for. Exit 0 when it is done, 3 when the limits hold it."""
    by = actor().name
    with jobs.own_process() as process:
        ended = jobs.walk_here(jobs.enqueue_preview(find_run(run), by, process=process), say)
    told = {
        "run": ended.pk,
        "outcome": ended.outcome,
        "message": ended.message,
        "publication": ended.publication,
    }
    typer.echo(json.dumps(told) if as_json else f"Run {ended.pk}: {ended.outcome}. {ended.message}".strip())
    raise typer.Exit(HELD if ended.outcome == "held" else 0)


def _planned(number: int) -> Run:
    run = find_run(number)
    if not hasattr(run, "plan") or not place(run.plan.shelf_name).exists():
        raise PlanGone(str(number))
    return run


def _print(plan: Path, narrow: Narrow) -> None:
    found = find_changes(plan, narrow, limit=SHOWN + 1)
    if not found:
        typer.echo("No change of this plan is like that." if narrow != ALL else "This plan changes nothing.")
    for change in map(masked, found[:SHOWN]):
        place_of = f" ({change.file}:{change.line})" if change.line else ""
        typer.echo(f"{change.action} {change.collection} {change.source_id}: {change.reason}{place_of}")
        for one in change.differences:
            typer.echo(f"    {one.field}: {one.before or '-'} → {one.after or '-'}")
    if len(found) > SHOWN:
        typer.echo(f"These are the first {SHOWN}; --csv gives all.")


def _told(change: PlannedChange) -> dict[str, object]:
    return {
        "number": change.number,
        "collection": change.collection,
        "action": change.action,
        "sourcedId": change.source_id,
        "fields": [
            {"field": one.field, "before": one.before, "after": one.after} for one in change.differences
        ],
        "reason": change.reason,
        "file": change.file,
        "line": change.line,
    }


def _school_row(one: SchoolCounts) -> dict[str, object]:
    total: dict[str, int] = {}
    for actions in one.counts.values():
        for group, number in grouped(actions).items():
            total[group] = total.get(group, 0) + number
    row: dict[str, object] = {"school": one.school, "name": one.name or "no school"}
    return row | {group: total.get(group, 0) for group in GROUPS} | {"counts": one.counts}
