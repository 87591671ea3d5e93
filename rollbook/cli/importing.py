"""`rollbook import`: a delivery comes into a district's roster. The plan is shown first, and nothing happens until somebody says so."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.engine.package import NotAPackage
from rollbook.engine.safeguards import Counts
from rollbook.flows import jobs
from rollbook.flows.acting import actor
from rollbook.flows.connections import upload_of
from rollbook.flows.districts import find_district
from rollbook.flows.ingest import Prepared, decline
from rollbook.flows.previews import preview as show_only
from rollbook.oneroster.collections import CALLED
from rollbook.store.models import Run

WORDS = {
    "create": "added",
    "update": "changed",
    "delete": "removed",
    "restore": "brought back",
    "relink": "re-linked",
}
WIDTH = max(map(len, CALLED.values())) + 1
HELD = 3
EXITS = {"held": HELD, "kept": 5}

DespiteBlackout = Annotated[
    bool,
    typer.Option("--despite-blackout", help="Apply it, though the calendar says that deliveries are kept."),
]


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("import")(import_package)


def import_package(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    path: Annotated[
        Path, typer.Argument(help="The package: a zip or a folder of OneRoster 1.1 or 1.2 CSV files.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Only show the plan, and keep it: `rollbook apply` applies it later."),
    ] = False,
    connection: Annotated[
        int | None,
        typer.Option(
            help="The number of the connection it comes in by; else the district's first for uploads."
        ),
    ] = None,
    despite_blackout: DespiteBlackout = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON; applies only with --yes.")] = False,
) -> None:
    """Judge a package, show what it would change, and apply it.

    Exit 0 when the roster is as the package says (or you said no), 1 when records were held back or the package was refused as a whole,
    2 when it is not a package, 3 when the plan is held: `rollbook hold show` says why, 5 when it is kept because of a blackout.
    """
    way_in = upload_of(find_district(district), connection)
    with jobs.own_process() as process:
        try:
            kept = jobs.enqueue_delivery(
                way_in, path, actor().name, despite_blackout=despite_blackout, process=process
            )
            prepared = jobs.plan_here(kept, say)
        except NotAPackage as refusal:
            typer.echo(str(refusal), err=True)
            raise typer.Exit(2) from refusal
        if not as_json:
            show_findings(prepared)
            show_plan(prepared)
        run = show_only(prepared) if preview else decided(prepared, yes, as_json)
    typer.echo(json.dumps(told(prepared, run)) if as_json else _outcome(run))
    if run.outcome in EXITS:
        raise typer.Exit(EXITS[run.outcome])
    raise typer.Exit(1 if run.outcome == "refused" or prepared.findings.failed else 0)


def decided(prepared: Prepared, yes: bool, as_json: bool) -> Run:
    """What became of the plan: carried out where there is nothing to ask, or somebody said yes."""
    if prepared.summary is None or not prepared.changes or yes:
        return jobs.carry_out_here(prepared, say)
    if as_json or not typer.confirm("Apply this?", default=False):
        return decline(prepared)
    return jobs.carry_out_here(prepared, say)


def say(words: str) -> None:
    """What a command waits for, where it is in nobody's way who reads its answer."""
    typer.echo(words, err=True)


def show_findings(prepared: Prepared) -> None:
    """The findings, the gravest first, a few of each."""
    for code, severity, total, listed in prepared.findings.by_code():
        typer.echo(f"{severity}: {code.title} ({total:,}) [{code.code}]")
        for finding in listed[: 3 if severity in ("fatal", "error") else 1]:
            place = f"{finding.file}:{finding.line}" if finding.line else finding.file
            typer.echo("    " + " ".join(filter(None, (place, finding.field, finding.message))))


def show_plan(prepared: Prepared) -> None:
    """What would change, by collection, and what speaks against doing so unasked."""
    if prepared.summary is None:
        return
    typer.echo("The plan:" if prepared.changes else "The plan: nothing changes.")
    show_counts(prepared.summary.counts)
    for collection, left_out in prepared.summary.left_out.items():
        typer.echo(f"    {CALLED[collection]:<{WIDTH}} {left_out:,} not removed: deliveries only add now")
    for collection, held in prepared.summary.held.items():
        if held:
            typer.echo(f"    {CALLED[collection]:<{WIDTH}} {held:,} held back, see the findings")
    for hazard in prepared.hazards:
        typer.echo(f"Held, if applied: {hazard.words}")


def show_counts(counts: Counts) -> None:
    """What a plan changes, a line for each collection it touches."""
    for collection, actions in counts.items():
        words = [f"{count:,} {WORDS[action]}" for action, count in actions.items() if count]
        if words:
            typer.echo(f"    {CALLED[collection]:<{WIDTH}} {', '.join(words)}")


def _outcome(run: Run) -> str:
    published = (
        f" Publication {run.publication} is served." if run.outcome == "success" and run.publication else ""
    )
    decide = f" Decide: rollbook hold show {run.pk}" if run.outcome == "held" else ""
    later = f" Apply it: rollbook apply {run.pk}" if run.outcome == "previewed" else ""
    return f"Run {run.pk}: {run.outcome}. {run.message}{published}{decide}{later}".strip()


def told(prepared: Prepared, run: Run) -> dict[str, Any]:
    """The same for programs."""
    summary = prepared.summary
    return {
        "run": run.pk,
        "outcome": run.outcome,
        "message": run.message,
        "publication": run.publication,
        "counts": summary.counts if summary else {},
        "held": summary.held if summary else {},
        "leftOut": summary.left_out if summary else {},
        "findings": prepared.findings.counts(),
        "hazards": [hazard.as_dict() for hazard in prepared.hazards],
    }
